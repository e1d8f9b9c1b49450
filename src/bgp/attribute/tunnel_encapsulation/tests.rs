//! Octets as ExaBGP's development branch sends them for the same words.

use super::*;
use crate::bgp::attribute::testing::{check_bytes, check_neighbors, encode, hex, json};
use crate::bgp::text::split;

fn parse(line: &str) -> Result<TunnelEncapsulation, TextError> {
    let split = split(line).unwrap();
    let mut words = Words::new(&split, line.len());
    let mut policy = PolicyWords::default();
    while let Some(keyword) = words.take() {
        assert!(policy.read(&keyword.text, &mut words)?, "{}", keyword.text);
    }
    Ok(policy.finish().unwrap())
}

/// (words, octets)
const POLICIES: [(&str, &str); 4] = [
    (
        "preference 100 binding-sid mpls 24000 segment-list weight 1 segment type-a mpls 16001",
        "000F00240C060000000000640D06100005DC01008000110009060000000000010106000003E81100",
    ),
    (
        "preference 200 srv6-binding-sid fc00::1 segment-list weight 2 segment type-b srv6 fc00::1 \
         endpoint-behavior 65 32 0 16 0 policy-name \"my-policy\" candidate-path-name \"primary\"",
        "000F005C0C060000000000C814120000FC0000000000000000000000000000018000250009060000000000020D1A1000\
         FC000000000000000000000000000001004100002000100082000A006D792D706F6C696379810008007072696D617279",
    ),
    (
        "preference 300 segment-list weight 1 segment type-a mpls 16001 segment-list weight 2 segment type-a mpls 16002",
        "000F00300C0600000000012C8000110009060000000000010106000003E811008000110009060000000000020106000003E82100",
    ),
    (
        "preference 100 segment-list weight 1 segment type-b srv6 2001:db8:1::1",
        "000F00280C0600000000006480001D0009060000000000010D12000020010DB8000100000000000000000001",
    ),
];

#[test]
fn the_words_of_a_policy() {
    for (words, octets) in POLICIES {
        let parsed = parse(words).unwrap();
        assert_eq!(encode(&parsed), hex(octets), "{words}");
        let octets = hex(octets);
        let context = WireContext::default();
        assert_eq!(
            TunnelEncapsulation::decode(&context, Reader::new(&octets)).unwrap(),
            parsed
        );
    }
}

#[test]
fn a_policy_is_read_back() {
    let parsed = parse(POLICIES[1].0).unwrap();
    let meanings: Vec<_> = parsed.tunnels[0]
        .sub_tlvs
        .iter()
        .map(|held| held.meaning().unwrap())
        .collect();
    let list = SegmentList {
        weight: Some(2),
        segments: vec![Segment::Srv6(
            "fc00::1".parse().unwrap(),
            Some(EndpointBehavior {
                behavior: 65,
                structure: [32, 0, 16, 0],
            }),
        )],
    };
    assert_eq!(
        meanings,
        [
            SubTlvMeaning::Preference(Preference(200)),
            SubTlvMeaning::Srv6BindingSid("fc00::1".parse().unwrap()),
            SubTlvMeaning::SegmentList(list),
            SubTlvMeaning::PolicyName("my-policy".to_owned()),
            SubTlvMeaning::CandidatePathName("primary".to_owned()),
        ]
    );
}

#[test]
fn other_tunnels_are_kept() {
    let octets = hex("00080009 0107 0a000001 000004");
    let context = WireContext::default();
    let decoded = TunnelEncapsulation::decode(&context, Reader::new(&octets)).unwrap();
    assert_eq!(encode(&decoded), octets);
    assert_eq!(json(&decoded), "\"0x0008000901070a000001000004\"");
}

#[test]
fn what_may_stand_once_is_refused_twice() {
    assert!(parse("preference 1 preference 2").is_err());
    assert!(parse("segment-list weight 1").is_err());
    assert!(parse("binding-sid mpls 1048576").is_err());
}

#[test]
fn a_segment_that_does_not_fit_is_refused() {
    let sub_tlv = |segment| {
        let list = SegmentList {
            weight: None,
            segments: vec![segment],
        };
        list.sub_tlv()
    };
    assert!(sub_tlv(Segment::Mpls(0xf_ffff)).is_ok());
    assert_eq!(
        sub_tlv(Segment::Mpls(0x10_0000)),
        Err(EncodeError::new("segment label", 0x10_0000, 0xf_ffff))
    );
    let other = |length| Segment::Other {
        code: 3,
        value: vec![0; length],
    };
    assert!(sub_tlv(other(255)).is_ok());
    assert_eq!(
        sub_tlv(other(256)),
        Err(EncodeError::new("segment length", 256, 255))
    );
}

#[test]
fn changed_octets_never_panic() {
    for (_, octets) in POLICIES {
        check_neighbors::<TunnelEncapsulation>(octets);
    }
}

proptest::proptest! {
    #[test]
    fn what_is_decoded_is_encoded_again(bytes: Vec<u8>, code: u8) {
        check_bytes::<TunnelEncapsulation>(&bytes);
        let _ = SubTlv { code, value: bytes }.meaning();
    }
}
