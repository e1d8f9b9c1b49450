//! Captures that we write: the same comes back, and tshark has nothing to say against them.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use lockstep::capture::{ConnectionId, Happening, Item, Peer, StreamDirection, StreamId, Wire};
use proptest::prelude::*;

use super::{canonical, keepalive, message, record, wire};

use StreamDirection::{FromClient, FromServer};

fn direction() -> impl Strategy<Value = StreamDirection> {
    prop_oneof![Just(FromClient), Just(FromServer)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is said on three connections, at once and in pieces, is read as it was recorded.
    #[test]
    fn what_is_recorded_is_read(
        said in proptest::collection::vec(
            (0_usize..3, direction(), 1_u8..6, prop_oneof![0_usize..100, 1400_usize..4000]),
            1..40,
        ),
    ) {
        let wires = [
            wire("192.0.2.1:40000", "192.0.2.2:179", 1),
            wire("[2001:db8::1]:40000", "[2001:db8::2]:179", 1),
            wire("192.0.2.2:40000", "192.0.2.1:1790", 1),
        ];
        let messages: Vec<_> = said
            .iter()
            .map(|(wire, direction, kind, length)| (wires[*wire], *direction, message(*kind, &vec![*kind; *length])))
            .collect();
        let mut happenings: Vec<(Wire, Happening<'_>)> =
            wires.iter().map(|wire| (*wire, Happening::Opened)).collect();
        let mut expected: BTreeMap<StreamId, Vec<Vec<u8>>> = BTreeMap::new();
        // Off the port of BGP a session is one that begins as such.
        let open = message(1, &[4; 10]);
        happenings.push((wires[2], Happening::Data(FromClient, &open)));
        expected.entry(stream(&wires[2], FromClient)).or_default().push(open.clone());
        for (wire, direction, message) in &messages {
            let (head, tail) = message.split_at(message.len() / 3);
            happenings.push((*wire, Happening::Data(*direction, head)));
            happenings.push((*wire, Happening::Data(*direction, tail)));
            expected.entry(stream(wire, *direction)).or_default().push(message.clone());
        }
        let read = canonical(&record(&happenings));
        for (id, stream) in &read.streams {
            let messages: Vec<_> = stream.messages().map(<[u8]>::to_vec).collect();
            prop_assert_eq!(messages.len(), stream.items.len());
            prop_assert_eq!(messages, expected.remove(id).unwrap_or_default());
        }
        prop_assert!(expected.is_empty());
    }
}

fn stream(wire: &Wire, direction: StreamDirection) -> StreamId {
    StreamId {
        connection: ConnectionId {
            peer: Peer {
                client: wire.client.ip(),
                server: wire.server.ip(),
            },
            attempt: 1,
        },
        direction,
    }
}

#[test]
fn ends_are_where_they_happened() {
    let one = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let two = wire("192.0.2.1:40000", "192.0.2.2:179", 2);
    let read = canonical(&record(&[
        (one, Happening::Opened),
        (one, Happening::Data(FromClient, &keepalive())),
        (one, Happening::Finished(FromClient)),
        (one, Happening::Data(FromServer, &keepalive())),
        (one, Happening::Finished(FromServer)),
        (two, Happening::Opened),
        (two, Happening::Data(FromClient, &keepalive())),
        (two, Happening::Reset(FromServer)),
    ]));
    let seconds: Vec<Vec<(u64, Item)>> = read
        .streams
        .into_values()
        .map(|stream| {
            let start = 1_700_000_000_000_000_000;
            let items = stream.items.into_iter();
            items
                .map(|(time, item)| ((time - start) / 1_000_000_000, item))
                .collect()
        })
        .collect();
    let message = || Item::Message(keepalive());
    assert_eq!(
        seconds,
        [
            vec![(1, message()), (2, Item::Finished)],
            vec![(3, message()), (4, Item::Finished)],
            vec![(6, message())],
            vec![(7, Item::Reset)],
        ]
    );
}

/// Runs tshark over `file`; `None` where it is not installed.
fn tshark(file: &[u8], arguments: &[&str]) -> Option<String> {
    let mut child = Command::new("tshark")
        .args(["-r", "-", "-n"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take().unwrap().write_all(file).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn tshark_dissects_it_without_complaint() {
    let one = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let two = wire("[2001:db8::1]:40001", "[2001:db8::2]:179", 1);
    let again = wire("192.0.2.1:40000", "192.0.2.2:179", 2);
    let open = message(1, &[4, 0xfd, 0xe8, 0, 90, 192, 0, 2, 1, 0]);
    let update = message(2, &[0, 0, 0, 0]);
    let many = update.repeat(8_000);
    let mut happenings = Vec::new();
    for wire in [one, two, again] {
        happenings.push((wire, Happening::Opened));
        happenings.push((wire, Happening::Data(FromClient, &open)));
        happenings.push((wire, Happening::Data(FromServer, &open)));
        happenings.push((wire, Happening::Data(FromServer, &many)));
        happenings.push((wire, Happening::Data(FromClient, &update)));
        happenings.push((wire, Happening::Finished(FromClient)));
        happenings.push((wire, Happening::Finished(FromServer)));
    }
    happenings.push((
        wire("192.0.2.1:40009", "192.0.2.2:179", 1),
        Happening::Refused,
    ));
    let file = record(&happenings);
    let checks = [
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
    ];
    // An expert mark of severity "note" (0x400000) on ports used again is right; a warning (0x600000) or worse is not,
    // but for the reset that did happen.
    let complaints = [
        &checks[..],
        &["-Y", "_ws.malformed || (_ws.expert.severity >= 0x600000 && !tcp.flags.reset == 1) || tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.retransmission || tcp.analysis.out_of_order"],
    ]
    .concat();
    let Some(complaints) = tshark(&file, &complaints) else {
        crate::skipped::skip("tshark is not installed");
        return;
    };
    assert_eq!(complaints, "");
    let types = tshark(&file, &["-T", "fields", "-e", "bgp.type"]).unwrap();
    let updates = types.split([',', '\n']).filter(|kind| *kind == "2").count();
    assert_eq!(updates, 3 * 8_001);
}
