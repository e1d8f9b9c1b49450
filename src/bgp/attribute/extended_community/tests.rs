use super::*;
use crate::bgp::text::split;

fn parse(line: &str) -> ExtendedCommunities {
    let split = split(line).unwrap();
    let mut words = Words::new(&split, line.len());
    let parsed = ExtendedCommunities::parse(&mut words).unwrap();
    words.finish().unwrap();
    parsed
}

fn actions(line: &str) -> Actions {
    let split = split(line).unwrap();
    let mut words = Words::new(&split, line.len());
    let mut actions = Actions::default();
    while let Some(keyword) = words.take() {
        parse_action(&mut actions, &keyword.text, &mut words).unwrap();
    }
    actions
}

fn text(communities: &ExtendedCommunities) -> String {
    let mut out = String::new();
    communities.text(&mut out);
    out
}

fn wire(communities: &impl PathAttribute) -> String {
    let mut out = Vec::new();
    communities
        .encode(&WireContext::default(), &mut out)
        .unwrap();
    crate::bgp::hex::text(&out)
}

// Octets, text and JSON recorded from ExaBGP 5.0.15.

#[test]
fn every_word_and_every_kind() {
    let parsed = parse(
        "[ target:65000:1 65000:2 origin:65000:3 target:1.2.3.4:5 target:70000:6 target:5L:6 origin:1.2.3.4:9 \
         target4:4:5 l2info:19:0:1500:111 bandwidth:65000:123456789 mup:10:20 redirect:65000:7 redirect-to-nexthop \
         0x0600010000000005 0x030c000000000008 0x030c000000000099 0x0002000100000002 0x0314000000050000 \
         0x820800011170000c 0x4004fde840a00000 0x80090000000000ff 0x0013000100000001 0x0213000100000001 \
         0x0203000100000001 0xffff000100000001 0x80066464c2c80000 0x800c000042c80000 ]",
    );
    assert_eq!(
        text(&parsed),
        "[ target:1:2 target:65000:1 target:65000:2 origin:65000:0.0.0.3 rtrecord:1:1 target:0.0.0.4:5 target:0.0.0.5:6 target:0.1.17.112:6 target:1.2.3.4:5 origin:9:1.2.3.4 origin:65536:1 rtrecord:65536:1 encap:VXLAN encap:encap:UNKNOWN-153 consistentHashSortOrder:5 mac-mobility:5:sticky redirect-to-nexthop mup:10:20 0x4004FDE840A00000 0x4004FDE84CEB79A3 rate-limit:0 redirect:65000:7 mark 63 l2info:19:0:1500:111 rate-limit:100:packets 0x820800011170000C 0xFFFF000100000001 ]"
    );
    assert_eq!(
        wire(&parsed),
        "0002000100000002\
         0002fde800000001\
         0002fde800000002\
         0003fde800000003\
         0013000100000001\
         0102000000040005\
         0102000000050006\
         0102000111700006\
         0102010203040005\
         0103010203040009\
         0203000100000001\
         0213000100000001\
         030c000000000008\
         030c000000000099\
         0314000000050000\
         0600010000000005\
         0800000000000000\
         0c00000a00000014\
         4004fde840a00000\
         4004fde84ceb79a3\
         80066464c2c80000\
         8008fde800000007\
         80090000000000ff\
         800a130005dc006f\
         800c000042c80000\
         820800011170000c\
         ffff000100000001"
    );
    let decoded =
        ExtendedCommunities::decode(&WireContext::default(), Reader::new(&parsed_bytes(&parsed)))
            .unwrap();
    assert_eq!(decoded, parsed);
}

fn parsed_bytes(communities: &ExtendedCommunities) -> Vec<u8> {
    communities.0.iter().flat_map(|held| held.0).collect()
}

#[test]
fn json_has_no_string_for_an_unknown_kind() {
    let mut out = String::new();
    parse("[ 0x820800011170000c mup:10:20 0xffff000100000001 bandwidth:65000:5 ]").json(&mut out);
    assert_eq!(
        out,
        r#"[ { "value": 864691171404808212, "string": "mup:10:20" }, { "value": 4613091092292698112, "string": "" }, { "value": 9369739029331836940, "string": "0x820800011170000C" }, { "value": 18446462603027808257, "string": "" } ]"#
    );
}

#[test]
fn every_action() {
    let actions = actions(
        "interface-set [ transitive:input:1234:5678 non-transitive:output:70000:16383 ] discard rate-limit 9600 \
         rate-limit 1000 packets redirect 65000:12 redirect 70000:12 redirect-to-nexthop-ietf 1.2.3.4 \
         redirect-to-nexthop-ietf 2001:db8::1 redirect-to-nexthop mark 12 action sample-terminal accept",
    );
    assert_eq!(
        wire(&actions.communities),
        "010c010203040000\
         0702000004d2562e\
         0800000000000000\
         470200011170bfff\
         8006000000000000\
         8006000046160000\
         8007000000000003\
         8008fde80000000c\
         800900000000000c\
         800c0000447a0000\
         820800011170000c"
    );
    assert_eq!(
        text(&actions.communities),
        "[ redirect-to-nexthop-ietf 1.2.3.4 interface-set:input:1234:5678 redirect-to-nexthop interface-set:output:70000:8191 rate-limit:0 rate-limit:9600 action sample-terminal redirect:65000:12 mark 12 rate-limit:1000:packets 0x820800011170000C ]"
    );
    assert_eq!(
        wire(&actions.communities_ipv6),
        "000c20010db80000000000000000000000010000"
    );
    let mut json = String::new();
    actions.communities_ipv6.json(&mut json);
    assert_eq!(
        json,
        r#"[ { "value": 270396894049897293703898678829571923249266688, "string": "redirect-to-nexthop-ietf 2001:db8::1" } ]"#
    );
    assert_eq!(actions.next_hop, None);
}

#[test]
fn copying_and_redirecting_to_an_address_set_the_next_hop() {
    for (line, community) in [
        ("copy 1.2.3.4", "0800000000000001"),
        ("redirect 1.2.3.4", "0800000000000000"),
    ] {
        let actions = actions(line);
        assert_eq!(wire(&actions.communities), community);
        assert_eq!(actions.next_hop, Some([1, 2, 3, 4].into()));
    }
}

#[test]
fn wrong_words_are_refused() {
    for line in [
        "target:1",
        "target:65000:4294967296",
        "target:70000:65536",
        "nothing:1:2",
        "0x00",
        "0x00020000000000zz",
        "l2info:1:2:3",
        "target:1.2.3:4",
        "",
    ] {
        let split = split(line).unwrap();
        let mut words = Words::new(&split, line.len());
        assert!(ExtendedCommunities::parse(&mut words).is_err(), "{line}");
    }
}

#[test]
fn an_interface_set_that_does_not_fit_is_refused() {
    let set = interface_set::InterfaceSet {
        transitive: true,
        asn: 1234,
        group: 0x3fff,
        direction: 3,
    };
    let community = ExtendedCommunity::try_from(set).unwrap();
    assert_eq!(community.0, [7, 2, 0, 0, 4, 0xd2, 0xff, 0xff]);
    let group = interface_set::InterfaceSet {
        group: 0x4000,
        ..set
    };
    assert_eq!(
        ExtendedCommunity::try_from(group),
        Err(EncodeError::new("interface group", 0x4000, 0x3fff))
    );
    let direction = interface_set::InterfaceSet {
        direction: 4,
        ..set
    };
    assert_eq!(
        ExtendedCommunity::try_from(direction),
        Err(EncodeError::new("interface direction", 4, 3))
    );
}

proptest::proptest! {
    #[test]
    fn octets_come_back_and_are_always_shown(octets: Vec<[u8; 8]>, short in 0_usize..20, six: Vec<[u8; 20]>) {
        let context = WireContext::default();
        let bytes = octets.concat();
        let Ok(decoded) = ExtendedCommunities::decode(&context, Reader::new(&bytes)) else {
            return Ok(());
        };
        let mut out = Vec::new();
        decoded.encode(&context, &mut out).unwrap();
        assert_eq!(out, bytes);
        let mut json = String::new();
        decoded.json(&mut json);
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
        let _ = text(&decoded);

        let cut = &bytes[..bytes.len().min(short)];
        let refused = ExtendedCommunities::decode(&context, Reader::new(cut)).is_err();
        // RFC 7606 sections 7.14 and 7.15: none at all is malformed too.
        assert_eq!(refused, cut.is_empty() || cut.len() % 8 != 0);

        let bytes = six.concat();
        let decoded = ExtendedCommunitiesIpv6::decode(&context, Reader::new(&bytes));
        assert_eq!(decoded.is_err(), six.is_empty());
        let Ok(decoded) = decoded else {
            return Ok(());
        };
        let mut json = String::new();
        decoded.json(&mut json);
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        assert_eq!(wire(&decoded), crate::bgp::hex::text(&bytes));
    }
}
