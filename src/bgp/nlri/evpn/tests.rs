//! Octets, text and JSON recorded from ExaBGP 5.0.15.

use super::*;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode, parse};

const FAMILY: Family = Family::new(Afi::L2VPN, Safi::EVPN);

/// (octets, text, JSON)
const ROUTES: [(&str, &str, &str); 9] = [
    (
        "0119 0000fde800000001 00112233445566778899 00000064 000641",
        "evpn:ethernetad::65000:1:00:11:22:33:44:55:66:77:88:99:100: label 100 (1601)",
        r#"{ "code": 1, "parsed": true, "raw": "01190000FDE8000000010011223344556677889900000064000641", "name": "Ethernet Auto-Discovery", "rd": "65000:1", "esi": "00:11:22:33:44:55:66:77:88:99", "ethernet-tag": 100, "label": [ [100, 1601] ] }"#,
    ),
    (
        "0116 0000fde800000001 00000000000000000000 00000064",
        "evpn:ethernetad::65000:1:-:100:",
        r#"{ "code": 1, "parsed": true, "raw": "01160000FDE8000000010000000000000000000000000064", "name": "Ethernet Auto-Discovery", "rd": "65000:1", "esi": "-", "ethernet-tag": 100 }"#,
    ),
    (
        "0221 0000fde800000001 00112233445566778899 00000064 30 aabbccddeeff 00 000641",
        "evpn:macadv::65000:1:00:11:22:33:44:55:66:77:88:99:100:AA:BB:CC:DD:EE:FF/48:: label 100 (1601)",
        r#"{ "code": 2, "parsed": true, "raw": "02210000FDE800000001001122334455667788990000006430AABBCCDDEEFF00000641", "name": "MAC/IP advertisement", "rd": "65000:1", "esi": "00:11:22:33:44:55:66:77:88:99", "ethernet-tag": 100, "mac": "AA:BB:CC:DD:EE:FF", "label": [ [100, 1601] ] }"#,
    ),
    (
        "0228 0000fde800000001 00112233445566778899 00000064 30 aabbccddeeff 20 0a000001 000641 000c81",
        "evpn:macadv::65000:1:00:11:22:33:44:55:66:77:88:99:100:AA:BB:CC:DD:EE:FF/48:10.0.0.1: label 100 (1601)",
        r#"{ "code": 2, "parsed": true, "raw": "02280000FDE800000001001122334455667788990000006430AABBCCDDEEFF200A000001000641000C81", "name": "MAC/IP advertisement", "rd": "65000:1", "esi": "00:11:22:33:44:55:66:77:88:99", "ethernet-tag": 100, "mac": "AA:BB:CC:DD:EE:FF", "label": [ [100, 1601] ], "ip": "10.0.0.1" }"#,
    ),
    (
        "0311 0000fde800000001 00000064 20 0a000001",
        "evpn:multicast::65000:1:100:10.0.0.1",
        r#"{ "code": 3, "parsed": true, "raw": "03110000FDE80000000100000064200A000001", "name": "Inclusive Multicast Ethernet Tag", "rd": "65000:1", "ethernet-tag": 100, "ip": "10.0.0.1" }"#,
    ),
    (
        "0417 0000fde800000001 00112233445566778899 20 0a000001",
        "evpn:segment::65000:1:00:11:22:33:44:55:66:77:88:99:10.0.0.1",
        r#"{ "code": 4, "parsed": true, "raw": "04170000FDE80000000100112233445566778899200A000001", "name": "Ethernet Segment", "rd": "65000:1", "esi": "00:11:22:33:44:55:66:77:88:99", "ip": "10.0.0.1" }"#,
    ),
    (
        "0522 0000fde800000001 00112233445566778899 00000064 18 0a000000 00000000 000641",
        "evpn:prfxadv::65000:1:00:11:22:33:44:55:66:77:88:99:100:10.0.0.0/24:0.0.0.0: label 100 (1601)",
        r#"{ "code": 5, "parsed": true, "raw": "05220000FDE8000000010011223344556677889900000064180A00000000000000000641", "name": "IP Prefix Advertisement", "rd": "65000:1", "esi": "00:11:22:33:44:55:66:77:88:99", "ethernet-tag": 100, "label": [ [100, 1601] ], "ip": "10.0.0.0", "iplen": 24, "gateway": "0.0.0.0" }"#,
    ),
    (
        "053a 0000fde800000001 00112233445566778899 00000064 40 20010db8000000000000000000000000 20010db8000000000000000000000001 000640",
        "evpn:prfxadv::65000:1:00:11:22:33:44:55:66:77:88:99:100:2001:db8::/64:2001:db8::1: label 100 (1600)",
        r#"{ "code": 5, "parsed": true, "raw": "053A0000FDE80000000100112233445566778899000000644020010DB800000000000000000000000020010DB8000000000000000000000001000640", "name": "IP Prefix Advertisement", "rd": "65000:1", "esi": "00:11:22:33:44:55:66:77:88:99", "ethernet-tag": 100, "label": [ [100, 1600] ], "ip": "2001:db8::", "iplen": 64, "gateway": "2001:db8::1" }"#,
    ),
    (
        "0603aabbcc",
        "evpn:unknown:0xaabbcc",
        r#"{ "code": 6, "parsed": false, "raw": "0603AABBCC" }"#,
    ),
];

#[test]
fn every_type_that_exabgp_reads() {
    for (octets, text, json) in ROUTES {
        let nlri = decode(FAMILY, octets);
        assert_eq!(nlri.text(), text);
        assert_eq!(nlri.json(), json);
        assert_eq!(parse(FAMILY, &octets.replace(' ', "")), nlri);
    }
}

#[test]
fn multicast_membership_is_read_and_shown_as_octets() {
    // RFC 9251 section 9.3: leave synch of (*, 239.1.1.1) by 10.0.0.1, IGMPv3, after one second.
    let nlri = decode(
        FAMILY,
        "0827 0000fde800000001 00112233445566778899 00000064 00 20ef010101 200a000001 00000000 0a 04",
    );
    let crate::bgp::nlri::NlriValue::Evpn(evpn) = &nlri.value else {
        panic!("{nlri:?}");
    };
    let Ok(Some(Route::Multicast(membership))) = evpn.route() else {
        panic!("{evpn:?}");
    };
    assert_eq!(membership.source, None);
    assert_eq!(membership.group, Some([239, 1, 1, 1].into()));
    assert_eq!(membership.response_time, Some(10));
    assert_eq!(membership.flags, 4);
    assert!(nlri.text().starts_with("evpn:unknown:0x0000fde8"));
}

#[test]
fn changed_octets_never_panic() {
    for (octets, ..) in ROUTES {
        check_neighbors(FAMILY, octets);
    }
}

proptest::proptest! {
    #[test]
    fn what_is_decoded_is_encoded_again(kind in 0_u8..10, value: Vec<u8>) {
        let length = value.len().min(255);
        let mut bytes = vec![kind, length as u8];
        bytes.extend_from_slice(&value[..length]);
        check_bytes(FAMILY, &bytes);
    }
}
