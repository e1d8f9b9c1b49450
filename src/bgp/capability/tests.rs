use super::*;
use crate::bgp::attribute::WireContext;
use crate::bgp::message::Message;

/// Every capability, two of them several times.
const OPEN: &str = concat!(
    "ffffffffffffffffffffffffffffffff00e301045ba000b401020304c6020601040001000102060104000200",
    "800206010440040047020601040063000902020200020280000209030700010001014003020e050c00010001",
    "0002000100800002020206000203090103020c400a8078000101800002010002064104000111700203440100",
    "0203440101020783050001444599020e450c000101030002010200018007020246000209470700010180000e",
    "1002074905036162630002104b0e0d4578614247502f352e302e313502074c05000101000202024d000202b9",
    "00020442020102",
);

/// Code, JSON and text of each, from the real ExaBGP 5.0.15.
const TOLD: &[(u8, &str, &str)] = &[
    (
        1,
        r#"{ "name": "multiprotocol", "families": [ "ipv4/unicast", "ipv6/mpls-vpn", "bgp-ls/bgp-ls", "unknown-afi-0x63/unknown safi 9" ] }"#,
        "Multiprotocol(ipv4 unicast,ipv6 mpls-vpn,bgp-ls bgp-ls,unknown-afi-0x63 unknown safi 9)",
    ),
    (
        2,
        r#"{ "name": "route-refresh", "variant": "RFC" }"#,
        "Route Refresh",
    ),
    (
        128,
        r#"{ "name": "route-refresh", "variant": "Cisco" }"#,
        "Cisco Route Refresh",
    ),
    (
        3,
        r#"{ "name": "unknown", "iana": "unknown", "value": 3, "raw": "00010001014003" }"#,
        "Unknown 3",
    ),
    (
        5,
        r#"{ "name": "nexthop", "conversion": [ "ipv4/unicast/ipv6", "ipv4/mpls-vpn/ipv6" ] }"#,
        "NextHop(ipv4 unicast ipv6,ipv4 mpls-vpn ipv6)",
    ),
    (
        6,
        r#"{ "name": "extended-message", "size": 65535 }"#,
        "Extended Message(65535)",
    ),
    (
        9,
        r#"{ "name": "unknown", "iana": "unknown", "value": 9, "raw": "03" }"#,
        "Unknown 9",
    ),
    (
        64,
        r#"{ "name": "graceful restart", "time": 120, "address-family-flags": { "ipv4/unicast": [ "restart" ] , "ipv6/unicast": [ ] }, "restart-flags": [ "forwarding" ]  }"#,
        "Graceful Restart Flags 0x8 Time 120 ipv4/unicast=0x80 ipv6/unicast=0x0",
    ),
    (65, r#"{ "name": "asn4", "asn4": 70000 }"#, "ASN4(70000)"),
    (
        68,
        r#"{ "name": "multisession", "variant": "RFC", "capabilities": [ ] }"#,
        "Multisession (RFC) ",
    ),
    (
        131,
        r#"{ "name": "multisession", "variant": "Cisco", "capabilities": [ "multiprotocol", "add-path", "reserved-0x99" ] }"#,
        "Multisession multiprotocol add-path reserved-0x99",
    ),
    (
        69,
        r#"{ "name": "addpath", "ipv4/unicast": "send/receive","ipv6/unicast": "send","ipv4/mpls-vpn": "invalid (7)" }"#,
        "AddPath(send/receive ipv4 unicast,send ipv6 unicast,invalid (7) ipv4 mpls-vpn)",
    ),
    (
        70,
        r#"{ "name": "enhanced-route-refresh" }"#,
        "Enhanced Route Refresh",
    ),
    (
        71,
        r#"{ "name": "unknown", "iana": "unassigned", "value": 71, "raw": "00010180000E10" }"#,
        "Unassigned 71",
    ),
    (
        73,
        r#"{ "host-name": "abc", "domain-name": "" }"#,
        "Hostname(abc )",
    ),
    (
        75,
        r#"{ "software": "ExaBGP/5.0.15" }"#,
        "Software(ExaBGP/5.0.15)",
    ),
    (
        76,
        r#"{ "name": "unknown", "iana": "unassigned", "value": 76, "raw": "0001010002" }"#,
        "Unassigned 76",
    ),
    (
        77,
        r#"{ "name": "unknown", "iana": "unassigned", "value": 77, "raw": "" }"#,
        "Unassigned 77",
    ),
    (185, r#"{ "name": "operational" }"#, "Operational"),
    (
        66,
        r#"{ "name": "unknown", "iana": "unknown", "value": 66, "raw": "0102" }"#,
        "Unknown 66",
    ),
];

#[test]
fn every_capability_keeps_its_octets_and_has_the_words_of_exabgp() {
    let context = WireContext::default();
    let bytes = crate::bgp::hex::parse(OPEN).unwrap();
    let message = Message::decode(&context, &bytes).unwrap();
    let mut out = Vec::new();
    message.encode(&context, &mut out).unwrap();
    assert_eq!(out, bytes);
    let Message::Open(open) = message else {
        panic!("not an OPEN")
    };
    assert_eq!(open.asn(), 70000);
    let expected = |pick: fn(&(u8, &str, &str)) -> String| {
        TOLD.iter()
            .map(|one| (one.0, pick(one)))
            .collect::<Vec<_>>()
    };
    assert_eq!(json(open.capabilities()), expected(|one| one.1.to_owned()));
    assert_eq!(text(open.capabilities()), expected(|one| one.2.to_owned()));
}

#[test]
fn a_capability_cut_short_is_refused_with_its_code() {
    for (code, value) in [
        (0x01, &[0, 1, 0][..]),
        (0x02, &[0]),
        (0x05, &[0, 1, 0, 1, 0]),
        (0x40, &[0]),
        (0x41, &[0, 0, 1]),
        (0x45, &[0, 1, 1]),
        (0x49, &[3, b'a']),
        (0x49, &[1, 0xff]),
        (0x4b, &[]),
    ] {
        let mut bytes = vec![code, value.len() as u8];
        bytes.extend_from_slice(value);
        match Capability::decode_all(Reader::new(&bytes)) {
            Err(OpenError::Capability { code: found, .. }) => assert_eq!(found, code),
            other => panic!("{code:#x}: {other:?}"),
        }
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused() {
    let mut out = Vec::new();
    let restart = GracefulRestart {
        flags: 0,
        time: 4096,
        families: Vec::new(),
    };
    let error = Capability::from(restart).encode(&mut out).unwrap_err();
    assert_eq!((error.field, error.limit), ("restart time", 4095));
    let restart = GracefulRestart {
        flags: 0x10,
        time: 0,
        families: Vec::new(),
    };
    let error = Capability::from(restart).encode(&mut out).unwrap_err();
    assert_eq!((error.field, error.limit), ("restart flags", 15));
    let version = SoftwareVersion {
        version: "x".repeat(256),
    };
    let error = Capability::from(version).encode(&mut out).unwrap_err();
    assert_eq!((error.field, error.limit), ("software version", 255));
}

#[test]
fn a_capability_that_exabgp_has_no_name_for_is_titled_by_iana_and_json_keeps_exabgps_word() {
    for (code, shown, word) in [
        (0x47, "long-lived-graceful-restart", "unassigned-0x47"),
        (0x4d, "link-local-next-hop", "unassigned-0x4d"),
        (0x41, "asn4", "asn4"),
        (0x7e, "unassigned-0x7e", "unassigned-0x7e"),
    ] {
        assert_eq!((title(code).as_str(), name(code).as_str()), (shown, word));
    }
}
