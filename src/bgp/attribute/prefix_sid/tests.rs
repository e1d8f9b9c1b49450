//! Octets, text and JSON recorded from ExaBGP 5.0.15, but for `%s` and `%d` in its JSON of SRv6.

use super::*;
use crate::bgp::attribute::testing::{check_bytes, encode, hex as octets, json, text};
use crate::bgp::text::split;

fn parse(line: &str) -> PrefixSid {
    let split = split(line).unwrap();
    let mut words = Words::new(&split, line.len());
    let parsed = match words.peek() {
        Some("(") => PrefixSid::parse_srv6(&mut words),
        _ => PrefixSid::parse(&mut words),
    };
    words.finish().unwrap();
    parsed.unwrap()
}

/// (words, octets, text, JSON)
const SIDS: [(&str, &str, &str, &str); 4] = [
    (
        "[ 777 ]",
        "01000700000000000309",
        "[ 777 ]",
        r#"{ "sr-label-index": 777 }"#,
    ),
    (
        "[ 300, [ ( 800000,4096 ), ( 1000000,5000 ) ] ]",
        "0100070000000000012c 03000e0000 0c3500001000 0f4240001388",
        "[ 300, [ ( 800000,4096 ), ( 1000000,5000 ) ] ]",
        r#"{ "sr-label-index": 300, "sr-srgbs": [[800000, 4096], [1000000, 5000]] }"#,
    ),
    (
        "( l2-service 2001:6:0:0:: )",
        "060019 00 010015 00 20010006000000000000000000000000 00 ffff 00",
        "[ l2-service [ sid-information [ sid:2001:6:: flags:0 endpoint_behavior:0xffff  ] ]",
        r#"{ "l2-service": [ { "sid": "2001:6::", "flags": 0, "endpoint_behavior": 65535 } ] }"#,
    ),
    (
        "( l3-service 2001:6:0:0:: 0x15 [48,16,0,0,16,64] )",
        "050022 00 01001e 00 20010006000000000000000000000000 00 0015 00 010006 301000001040",
        "[ l3-service [ sid-information [ sid:2001:6:: flags:0 endpoint_behavior:0x15  [ sid-structure [48,16,0,0,16,64] ] ] ]",
        r#"{ "l3-service": [ { "sid": "2001:6::", "flags": 0, "endpoint_behavior": 21, "structure": {"locator-block-length": 48, "locator-node-length": 16, "function-length": 0, "argument-length": 0, "transposition-length": 16, "transposition-offset": 64} } ] }"#,
    ),
];

#[test]
fn every_form() {
    for (words, wire, shown, object) in SIDS {
        let sid = parse(words);
        assert_eq!(encode(&sid), octets(wire));
        assert_eq!(text(&sid), shown);
        assert_eq!(json(&sid), object);
        let wire = octets(wire);
        let decoded = PrefixSid::decode(&WireContext::default(), Reader::new(&wire)).unwrap();
        assert_eq!(decoded, sid);
    }
}

#[test]
fn unknown_tlvs_are_kept_and_repeated_indexes_are_not() {
    let wire = octets("fe0002aabb 01000700000000000309 0100070000000000030a");
    let sid = PrefixSid::decode(&WireContext::default(), Reader::new(&wire)).unwrap();
    assert_eq!(
        json(&sid),
        r#"{ "attribute-not-implemented-254": "0xAABB", "sr-label-index": 777 }"#
    );
    assert_eq!(encode(&sid), wire[..wire.len() - 10]);
}

#[test]
fn wrong_lengths_are_refused() {
    for wire in [
        "",
        "01",
        "010006000000000000",
        "0300020000",
        "03000500000c3500",
        "050003000100",
    ] {
        let wire = octets(wire);
        assert!(PrefixSid::decode(&WireContext::default(), Reader::new(&wire)).is_err());
    }
}

#[test]
fn a_range_of_labels_that_does_not_fit_is_refused() {
    assert!(Tlv::originator_srgb(&[(0xff_ffff, 0xff_ffff)]).is_ok());
    for (ranges, field) in [
        ([(1, 1), (0x100_0000, 1)], "SRGB base"),
        ([(1, 0x100_0000), (1, 1)], "SRGB range"),
    ] {
        assert_eq!(
            Tlv::originator_srgb(&ranges),
            Err(EncodeError::new(field, 0x100_0000, 0xff_ffff))
        );
    }
}

#[test]
fn changed_octets_never_panic() {
    for (_, wire, ..) in SIDS {
        crate::bgp::attribute::testing::check_neighbors::<PrefixSid>(wire);
    }
}

proptest::proptest! {
    #[test]
    fn what_is_decoded_is_encoded_again(bytes: Vec<u8>) {
        check_bytes::<PrefixSid>(&bytes);
    }
}
