//! MRT (RFC 6396): messages of BGP4MP, and the routes of TABLE_DUMP_V2 as the UPDATEs that would announce them.

use lockstep::bgp::message::Message;
use lockstep::capture::{Capture, EventKind};
use lockstep::compare::{Input, survey};

use super::{message, told};

const TABLE_DUMP_V2: u16 = 13;
const BGP4MP: u16 = 16;

fn record(kind: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
    let mut record = 1_700_000_000_u32.to_be_bytes().to_vec();
    record.extend(kind.to_be_bytes());
    record.extend(subtype.to_be_bytes());
    record.extend((body.len() as u32).to_be_bytes());
    record.extend(body);
    record
}

fn attributes(four_octets: bool) -> Vec<u8> {
    let mut attributes = vec![0x40, 1, 1, 0];
    if four_octets {
        attributes.extend([0x40, 2, 10, 2, 2, 0, 0, 0, 1, 0, 1, 0, 0]);
    } else {
        attributes.extend([0x40, 2, 6, 2, 2, 0, 1, 0xfd, 0xe8]);
    }
    attributes.extend([0x40, 3, 4, 192, 0, 2, 1]);
    attributes
}

fn update(four_octets: bool) -> Vec<u8> {
    let attributes = attributes(four_octets);
    let mut body = vec![0, 0, 0, attributes.len() as u8];
    body.extend(attributes);
    body.extend([16, 10, 1]);
    message(2, &body)
}

/// A message of BGP4MP from 192.0.2.1 to 192.0.2.2, with AS numbers of two or four octets.
fn bgp4mp(four_octets: bool, message: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for asn in [1_u32, 2] {
        let octets = asn.to_be_bytes();
        body.extend(if four_octets {
            &octets[..]
        } else {
            &octets[2..]
        });
    }
    body.extend([0, 0, 0, 1, 192, 0, 2, 1, 192, 0, 2, 2]);
    body.extend(message);
    record(BGP4MP, if four_octets { 4 } else { 1 }, &body)
}

/// The AS_PATHs and prefixes of the UPDATEs of a file.
fn routes(file: &[u8]) -> Vec<String> {
    let mut contexts = survey(&mut Input::Memory("mrt".to_owned(), file.to_vec()));
    let mut routes = Vec::new();
    let mut capture = Capture::new("mrt", file).unwrap();
    capture
        .read_all(|event| {
            let EventKind::Message { octets, .. } = event.kind else {
                return;
            };
            let context = contexts.context(event.connection.number, event.direction);
            if let Ok(Message::Update(update)) = Message::decode(context, octets) {
                assert!(update.malformed.is_empty(), "{:?}", update.malformed);
                let sender = event.connection.id.peer.sender(event.direction);
                for (nlri, _) in update.announced() {
                    routes.push(format!(
                        "{sender} {} four {}",
                        nlri.text(),
                        context.four_octet_as
                    ));
                }
            }
        })
        .unwrap();
    routes
}

#[test]
fn messages_are_read_with_the_width_that_their_record_has() {
    for four_octets in [true, false] {
        let file = bgp4mp(four_octets, &update(four_octets));
        let routes = routes(&file);
        assert_eq!(routes.len(), 1);
        assert!(routes[0].starts_with("192.0.2.1 10.1.0.0/16"), "{routes:?}");
        assert!(
            routes[0].ends_with(&format!("four {four_octets}")),
            "{routes:?}"
        );
    }
}

#[test]
fn a_table_is_an_update_for_each_route_from_its_peer() {
    let mut index = vec![192, 0, 2, 99, 0, 0, 0, 2];
    for peer in [1, 2] {
        // An IPv4 address and an AS number of four octets.
        index.push(2);
        index.extend([10, 0, 0, peer, 10, 0, 0, peer, 0, 0, 0, peer]);
    }
    let mut rib = vec![0, 0, 0, 0, 16, 10, 1, 0, 2];
    for peer in [0, 1] {
        rib.extend([0, peer, 0, 0, 0, 0]);
        let attributes = attributes(true);
        rib.extend((attributes.len() as u16).to_be_bytes());
        rib.extend(attributes);
    }
    let file = [
        record(TABLE_DUMP_V2, 1, &index),
        record(TABLE_DUMP_V2, 2, &rib),
    ]
    .concat();
    let routes = routes(&file);
    assert_eq!(routes.len(), 2, "{routes:?}");
    assert!(routes[0].starts_with("10.0.0.1 10.1.0.0/16"), "{routes:?}");
    assert!(routes[1].starts_with("10.0.0.2 10.1.0.0/16"), "{routes:?}");
}

#[test]
fn records_of_other_types_are_counted_and_a_cut_is_said() {
    let mut file = bgp4mp(true, &update(true));
    let (_, whole) = told(&file);
    assert!(whole.is_complete(), "{whole:?}");
    file.extend(record(48, 0, &[1, 2, 3]));
    let (_, tally) = told(&file);
    assert_eq!(tally.skipped.values().sum::<u64>(), 1, "{tally:?}");
    file.truncate(file.len() - 1);
    let (lines, _) = told(&file);
    let last = lines.last().unwrap();
    assert!(last.starts_with("test.pcap: "), "{last}");
}
