//! Connections: who opened them, what is numbered, and what a bad capture leaves of them.

use lockstep::capture::{Happening, StreamDirection};

use super::{keepalive, message, record, told, wire};

use StreamDirection::{FromClient, FromServer};

/// The records of a pcap file, each with its header.
fn records(file: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (header, mut rest) = file.split_at(24);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize + 16;
        let (record, after) = rest.split_at(length);
        records.push(record.to_vec());
        rest = after;
    }
    (header.to_vec(), records)
}

fn joined(header: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    [header.to_vec(), records.concat()].concat()
}

fn session() -> (Vec<u8>, Vec<Vec<u8>>) {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let open = message(1, &[4; 10]);
    let update = message(2, &[0; 4]);
    let data = Happening::Data;
    records(&record(&[
        (wire, Happening::Opened),
        (wire, data(FromClient, &open)),
        (wire, data(FromServer, &open)),
        (wire, data(FromClient, &update)),
        (wire, data(FromClient, &message(3, &[6, 2]))),
        (wire, Happening::Finished(FromClient)),
        (wire, Happening::Finished(FromServer)),
    ]))
}

#[test]
fn a_whole_session() {
    let (header, records) = session();
    let (lines, tally) = told(&joined(&header, &records));
    insta::assert_snapshot!(lines.join("\n"), @r#"
192.0.2.1 → 192.0.2.2 #1 client opened, handshake true
192.0.2.1 → 192.0.2.2 #1 client at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 server at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 client at 29 message 2 of 23
192.0.2.1 → 192.0.2.2 #1 client at 52 message 3 of 21
192.0.2.1 → 192.0.2.2 #1 client finished
192.0.2.1 → 192.0.2.2 #1 server finished
"#);
    assert_eq!(
        (tally.retransmitted, tally.reordered, tally.gaps),
        (0, 0, 0)
    );
}

#[test]
fn retransmissions_and_reordering_do_not_show() {
    let (header, records) = session();
    let (whole, _) = told(&joined(&header, &records));
    let mut doubled = Vec::new();
    for record in &records {
        doubled.push(record.clone());
        doubled.push(record.clone());
    }
    let (lines, tally) = told(&joined(&header, &doubled));
    assert_eq!(lines, whole);
    assert_eq!(tally.retransmitted, 4);

    // The client's UPDATE after its NOTIFICATION.
    let mut swapped = records.clone();
    swapped.swap(7, 9);
    let (mut lines, tally) = told(&joined(&header, &swapped));
    let mut whole = whole;
    lines.sort();
    whole.sort();
    assert_eq!(lines, whole);
    assert_eq!(tally.reordered, 1);
}

#[test]
fn a_lost_segment_is_told_and_framing_goes_on() {
    let (header, mut records) = session();
    records.remove(7);
    let (lines, tally) = told(&joined(&header, &records));
    insta::assert_snapshot!(lines.join("\n"), @r#"
192.0.2.1 → 192.0.2.2 #1 client opened, handshake true
192.0.2.1 → 192.0.2.2 #1 client at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 server at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 client at 29 gap of 23
192.0.2.1 → 192.0.2.2 #1 client at 52 message 3 of 21
192.0.2.1 → 192.0.2.2 #1 client finished
192.0.2.1 → 192.0.2.2 #1 server finished
"#);
    assert_eq!((tally.gaps, tally.lost), (1, 23));
}

#[test]
fn a_capture_that_begins_late_takes_the_client_from_the_ports() {
    let (header, records) = session();
    let (lines, _) = told(&joined(&header, &records[5..]));
    insta::assert_snapshot!(lines.join("\n"), @r#"
192.0.2.1 → 192.0.2.2 #1 client opened, handshake false
192.0.2.1 → 192.0.2.2 #1 server at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 client at 0 message 2 of 23
192.0.2.1 → 192.0.2.2 #1 client at 23 message 3 of 21
192.0.2.1 → 192.0.2.2 #1 client finished
192.0.2.1 → 192.0.2.2 #1 server finished
"#);
}

#[test]
fn a_capture_that_begins_inside_a_message_finds_the_next() {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let long = message(2, &[7; 2000]);
    let (header, records) = records(&record(&[
        (wire, Happening::Opened),
        (wire, Happening::Data(FromClient, &long)),
        (wire, Happening::Data(FromClient, &keepalive())),
    ]));
    let (lines, _) = told(&joined(&header, &records[4..]));
    insta::assert_snapshot!(lines.join("\n"), @r#"
192.0.2.1 → 192.0.2.2 #1 client opened, handshake false
192.0.2.1 → 192.0.2.2 #1 client at 0 junk of 559: the capture begins inside a message
192.0.2.1 → 192.0.2.2 #1 client at 559 message 4 of 19
"#);
}

#[test]
fn ports_used_again_are_another_attempt() {
    let open = message(1, &[4; 10]);
    let mut happenings = Vec::new();
    for attempt in 1..=3 {
        let wire = wire("192.0.2.1:40000", "192.0.2.2:179", attempt);
        happenings.push((wire, Happening::Opened));
        happenings.push((wire, Happening::Data(FromClient, &open)));
        happenings.push((wire, Happening::Reset(FromServer)));
        // A refused connection and one on which nothing is said are told of and not numbered.
        let refused = self::wire("192.0.2.1:40001", "192.0.2.2:179", attempt);
        happenings.push((refused, Happening::Refused));
        let silent = self::wire("192.0.2.1:40002", "192.0.2.2:179", attempt);
        happenings.push((silent, Happening::Opened));
        happenings.push((silent, Happening::Finished(FromClient)));
    }
    let (lines, tally) = told(&record(&happenings));
    insta::assert_snapshot!(lines.join("\n"), @r#"
192.0.2.1 → 192.0.2.2 #1 client opened, handshake true
192.0.2.1 → 192.0.2.2 #1 client at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 server reset
192.0.2.1 → 192.0.2.2 #0 server Attempt(Refused)
192.0.2.1 → 192.0.2.2 #0 client Attempt(Silent)
192.0.2.1 → 192.0.2.2 #2 client opened, handshake true
192.0.2.1 → 192.0.2.2 #2 client at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #2 server reset
192.0.2.1 → 192.0.2.2 #0 server Attempt(Refused)
192.0.2.1 → 192.0.2.2 #0 client Attempt(Silent)
192.0.2.1 → 192.0.2.2 #3 client opened, handshake true
192.0.2.1 → 192.0.2.2 #3 client at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #3 server reset
192.0.2.1 → 192.0.2.2 #0 server Attempt(Refused)
192.0.2.1 → 192.0.2.2 #0 client Attempt(Silent)
"#);
    assert_eq!(tally.connections, 3);
}

#[test]
fn both_ends_may_connect_at_once() {
    let one = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let other = wire("192.0.2.2:50000", "192.0.2.1:179", 1);
    let open = message(1, &[4; 10]);
    let (lines, _) = told(&record(&[
        (one, Happening::Opened),
        (other, Happening::Opened),
        (one, Happening::Data(FromClient, &open)),
        (other, Happening::Data(FromClient, &open)),
        (one, Happening::Reset(FromClient)),
    ]));
    insta::assert_snapshot!(lines.join("\n"), @r#"
192.0.2.1 → 192.0.2.2 #1 client opened, handshake true
192.0.2.1 → 192.0.2.2 #1 client at 0 message 1 of 29
192.0.2.2 → 192.0.2.1 #1 client opened, handshake true
192.0.2.2 → 192.0.2.1 #1 client at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 client reset
"#);
}

#[test]
fn other_protocols_are_left_out() {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:8080", 1);
    let (lines, tally) = told(&record(&[
        (wire, Happening::Opened),
        (wire, Happening::Data(FromClient, b"GET / HTTP/1.1\r\n\r\n")),
        (wire, Happening::Data(FromServer, &[b'x'; 100_000])),
        (wire, Happening::Finished(FromServer)),
    ]));
    assert_eq!(lines, Vec::<String>::new());
    assert_eq!((tally.connections, tally.segments > 70), (0, true));
}

#[test]
fn a_message_of_65535_octets_is_one_message() {
    let wire = wire("[2001:db8::1]:40000", "[2001:db8::2]:179", 1);
    let (lines, _) = told(&record(&[
        (wire, Happening::Opened),
        (wire, Happening::Data(FromClient, &message(2, &[1; 65_516]))),
    ]));
    insta::assert_snapshot!(lines.join("\n"), @r#"
2001:db8::1 → 2001:db8::2 #1 client opened, handshake true
2001:db8::1 → 2001:db8::2 #1 client at 0 message 2 of 65535
"#);
}

#[test]
fn a_snap_length_cut_is_a_gap() {
    let (header, mut records) = session();
    // The client's UPDATE loses its last 5 octets.
    let cut = &mut records[7];
    let length = cut.len() as u32 - 16 - 5;
    cut[8..12].copy_from_slice(&length.to_le_bytes());
    cut.truncate(cut.len() - 5);
    let (lines, _) = told(&joined(&header, &records));
    insta::assert_snapshot!(lines.join("\n"), @r#"
192.0.2.1 → 192.0.2.2 #1 client opened, handshake true
192.0.2.1 → 192.0.2.2 #1 client at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 server at 0 message 1 of 29
192.0.2.1 → 192.0.2.2 #1 client at 29 junk of 18: the end of this message is not in the capture
192.0.2.1 → 192.0.2.2 #1 client at 47 gap of 5
192.0.2.1 → 192.0.2.2 #1 client at 52 message 3 of 21
192.0.2.1 → 192.0.2.2 #1 client finished
192.0.2.1 → 192.0.2.2 #1 server finished
"#);
}
