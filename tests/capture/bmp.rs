//! BMP (RFC 7854): what a router tells a station of its sessions, each with its own context.

use lockstep::bgp::attribute::WireContext;
use lockstep::capture::{Capture, EventKind, Happening, StreamDirection};
use lockstep::compare::{Input, survey};

use super::{message, record, told, wire};

const ROUTE_MONITORING: u8 = 0;
const PEER_DOWN: u8 = 2;
const PEER_UP: u8 = 3;
const INITIATION: u8 = 4;

/// A BMP message (section 4.1).
fn bmp(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![3];
    message.extend((6 + body.len() as u32).to_be_bytes());
    message.push(kind);
    message.extend(body);
    message
}

/// The header of a message of peer 10.0.0.`peer` (section 4.2).
fn peer(peer: u8) -> Vec<u8> {
    let mut header = vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend([0; 12]);
    header.extend([10, 0, 0, peer]);
    header.extend(u32::from(peer).to_be_bytes());
    header.extend([10, 0, 0, peer]);
    header.extend(1_700_000_000_u32.to_be_bytes());
    header.extend(u32::from(peer).to_be_bytes());
    header
}

/// An OPEN with four-octet AS numbers, and add-path of IPv4 unicast both ways where `add_path`.
fn open(asn: u8, add_path: bool) -> Vec<u8> {
    let mut parameters = vec![2, 6, 65, 4, 0, 0, 0, asn];
    if add_path {
        parameters.extend([2, 6, 69, 4, 0, 1, 1, 3]);
    }
    let mut body = vec![4, 0, asn, 0, 90, 10, 0, 0, asn, parameters.len() as u8];
    body.extend(parameters);
    message(1, &body)
}

fn up(number: u8, add_path: bool) -> Vec<u8> {
    let mut body = peer(number);
    body.extend([0; 12]);
    body.extend([10, 0, 0, 100]);
    body.extend([0, 179, 0x9c, 0x40]);
    body.extend(open(100, add_path));
    body.extend(open(number, add_path));
    bmp(PEER_UP, &body)
}

fn monitoring(number: u8, nlri: &[u8]) -> Vec<u8> {
    let mut body = peer(number);
    let mut update = vec![
        0, 0, 0, 20, 0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0, number,
    ];
    update.extend([0x40, 3, 4, 10, 0, 0, number]);
    update.extend(nlri);
    body.extend(message(2, &update));
    bmp(ROUTE_MONITORING, &body)
}

/// What a router at 192.0.2.1 tells.
fn station(messages: &[Vec<u8>]) -> Vec<u8> {
    let wire = wire("192.0.2.1:40000", "192.0.2.9:11019", 1);
    let mut happenings = vec![(wire, Happening::Opened)];
    for message in messages {
        happenings.push((wire, Happening::Data(StreamDirection::FromClient, message)));
    }
    record(&happenings)
}

fn two_peers() -> Vec<u8> {
    station(&[
        bmp(INITIATION, &[0, 2, 0, 1, b'r']),
        up(1, false),
        up(2, true),
        monitoring(1, &[16, 10, 1]),
        monitoring(2, &[0, 0, 0, 7, 16, 10, 2]),
    ])
}

#[test]
fn each_peer_is_a_session_of_its_own() {
    let (lines, tally) = told(&two_peers());
    assert_eq!(tally.connections, 2, "{lines:#?}");
    for (own, other) in [(1, 2), (2, 1)] {
        let address = format!("10.0.0.{own} ");
        let of_it: Vec<_> = lines
            .iter()
            .filter(|line| line.contains(&address))
            .collect();
        let opens = of_it.iter().filter(|line| line.contains("message 1 of"));
        let updates = of_it.iter().filter(|line| line.contains("message 2 of"));
        assert_eq!((opens.count(), updates.count()), (2, 1), "{of_it:#?}");
        assert!(
            of_it
                .iter()
                .all(|line| !line.contains(&format!("10.0.0.{other} ")))
        );
    }
    assert!(tally.is_complete(), "{tally:?}");
}

#[test]
fn each_peer_has_its_own_context() {
    let file = two_peers();
    let mut contexts = survey(&mut Input::Memory("bmp".to_owned(), file.clone()));
    let mut seen = Vec::new();
    let mut capture = Capture::new("bmp", &file[..]).unwrap();
    capture
        .read_all(|event| {
            if let EventKind::Message { octets, .. } = event.kind
                && octets[18] == 2
            {
                let context: &WireContext =
                    contexts.context(event.connection.number, event.direction);
                let sender = event.connection.id.peer.sender(event.direction);
                seen.push((sender.to_string(), context.add_path.iter().count()));
            }
        })
        .unwrap();
    assert_eq!(
        seen,
        [("10.0.0.1".to_owned(), 0), ("10.0.0.2".to_owned(), 1)]
    );
}

#[test]
fn a_peer_that_went_down_and_one_that_was_up_before_are_told() {
    let mut down = peer(1);
    down.extend([2, 0, 6]);
    let (lines, tally) = told(&station(&[
        bmp(INITIATION, &[0, 2, 0, 1, b'r']),
        // No Peer Up of it is in the capture.
        monitoring(1, &[16, 10, 1]),
        bmp(PEER_DOWN, &down),
    ]));
    assert_eq!(tally.connections, 1, "{lines:#?}");
    let text = lines.join("\n");
    assert!(text.contains("message 2 of"), "{text}");
    assert!(text.contains("PeerDown { reason: 2, event: 6 }"), "{text}");
}
