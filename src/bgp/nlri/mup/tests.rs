//! Octets, text and JSON recorded from ExaBGP 5.0.15, but for the comma that its JSON of type 3 lacks.

use super::*;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::qualifier::RouteDistinguisher;
use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode, parse};

const V4: Family = Family::new(Afi::IPV4, Safi::MUP);
const V6: Family = Family::new(Afi::IPV6, Safi::MUP);

/// (words, octets, text, JSON)
const ROUTES: [(&str, &str, &str, &str); 4] = [
    (
        "mup-dsd 10.0.0.1 rd 100:100",
        "0100020c00000064000000640a000001",
        "mup:dsd::100:100:10.0.0.1",
        r#"{ "name": "DirectSegmentDiscoveryRoute", "arch": 1, "code": 2, "ip": "10.0.0.1", "rd": "100:100", "raw": "0100020C00000064000000640A000001" }"#,
    ),
    (
        "mup-t1st 192.168.0.0/24 rd 100:100 teid 12345 qfi 9 endpoint 10.0.0.1 source 10.0.1.1",
        "0100031b000000640000006418c0a8000000303909200a000001200a000101",
        "mup:t1st::100:100:192.168.0.0/24:12345:9:10.0.0.1/24:10.0.1.1/32",
        r#"{ "name": "Type1SessionTransformedRoute", "arch": 1, "code": 3, "prefix_ip_len": 24, "prefix_ip": "192.168.0.0", "teid": "12345", "qfi": "9", "rd": "100:100", "endpoint_ip_len": 32, "endpoint_ip": "10.0.0.1", "source_ip_len": 32, "source_ip": "10.0.1.1", "raw": "0100031B000000640000006418C0A8000000303909200A000001200A000101" }"#,
    ),
    (
        "mup-t1st 192.168.0.0/24 rd 100:100 teid 12345 qfi 9 endpoint 10.0.0.1",
        "01000316000000640000006418c0a8000000303909200a000001",
        "mup:t1st::100:100:192.168.0.0/24:12345:9:10.0.0.1/24",
        r#"{ "name": "Type1SessionTransformedRoute", "arch": 1, "code": 3, "prefix_ip_len": 24, "prefix_ip": "192.168.0.0", "teid": "12345", "qfi": "9", "rd": "100:100", "endpoint_ip_len": 32, "endpoint_ip": "10.0.0.1", "source_ip_len": 0, "source_ip": "b''", "raw": "01000316000000640000006418C0A8000000303909200A000001" }"#,
    ),
    (
        "mup-t2st 10.0.0.1 rd 100:100 teid 12345/30",
        "0100041100000064000000643e0a00000100003039",
        "mup:t2st::100:100:62:10.0.0.1:12345:",
        r#"{ "name": "Type2SessionTransformedRoute",  "arch": 1, "code": 4, "endpoint_len": 62, "endpoint_ip": "10.0.0.1", "rd": "100:100", "teid": "12345", "raw": "0100041100000064000000643E0A00000100003039" }"#,
    ),
];

#[test]
fn every_type_of_route() {
    for (words, octets, text, json) in ROUTES {
        let nlri = parse(V4, words);
        assert_eq!(nlri, decode(V4, octets));
        assert_eq!(nlri.text(), text);
        assert_eq!(nlri.json(), json);
    }
}

#[test]
fn a_prefix_is_shown_as_written_and_sent_with_the_octets_it_needs() {
    let nlri = parse(V4, "mup-isd 10.0.1.3/23 rd 100:100");
    assert_eq!(nlri.text(), "mup:isd::100:100:10.0.1.3/23");
    assert_eq!(
        nlri.json(),
        r#"{ "name": "InterworkSegmentDiscoveryRoute", "arch": 1, "code": 1, "prefix_ip_len": 23, "prefix_ip": "10.0.1.3", "rd": "100:100", "raw": "0100010C0000006400000064170A0001" }"#
    );
}

#[test]
fn sessions_of_one_prefix_are_one_route() {
    let one = parse(
        V6,
        "mup-t1st 2001:db8::/64 rd 1:1 teid 1 qfi 1 endpoint 2001:db8::1",
    );
    let other = parse(
        V6,
        "mup-t1st 2001:db8::/64 rd 1:1 teid 2 qfi 2 endpoint 2001:db8::2",
    );
    assert_ne!(one, other);
    assert_eq!(one.index(), other.index());
}

#[test]
fn a_teid_that_its_bits_cannot_hold_is_refused() {
    let session = |teid, teid_bits| Type2Session {
        rd: RouteDistinguisher([0, 0, 0, 100, 0, 0, 0, 100]),
        endpoint: [10, 0, 0, 1].into(),
        teid,
        teid_bits,
    };
    let encode = |teid, teid_bits| session(teid, teid_bits).encode(&mut Vec::new());
    for (teid, bits) in [(u32::MAX, 32), (0xffff, 16), (0, 0)] {
        assert_eq!(encode(teid, bits), Ok(()));
    }
    let refused = EncodeError::new;
    assert_eq!(encode(1, 33), Err(refused("TEID bits", 33, 32)));
    assert_eq!(encode(0x1_0000, 16), Err(refused("TEID", 0x1_0000, 0xffff)));
    assert_eq!(encode(1, 0), Err(refused("TEID", 1, 0)));
}

#[test]
fn another_architecture_is_kept_as_octets() {
    let nlri = decode(V4, "02000103aabbcc");
    assert_eq!(nlri.text(), "mup:unknown:0xaabbcc");
    assert_eq!(
        nlri.json(),
        r#"{ "arch": 2, "code": 1, "raw": "02000103AABBCC" }"#
    );
}

#[test]
fn changed_octets_never_panic() {
    for (_, octets, ..) in ROUTES {
        check_neighbors(V4, octets);
        check_neighbors(V6, octets);
    }
    check_neighbors(V4, "0100010c0000006400000064180a0001");
}

proptest::proptest! {
    #[test]
    fn what_is_decoded_is_encoded_again(kind in 0_u8..6, value: Vec<u8>) {
        let length = value.len().min(255);
        let mut bytes = vec![1, 0, kind, length as u8];
        bytes.extend_from_slice(&value[..length]);
        check_bytes(V4, &bytes);
        check_bytes(V6, &bytes);
    }
}
