use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::bgp::attribute::WireContext;
use crate::bgp::family::{Families, Family};
use crate::bgp::nlri::testing::hex as octets;

fn four() -> WireContext {
    WireContext {
        four_octet_as: true,
        ..WireContext::default()
    }
}

/// Every octet is in exactly one leaf, in order; every id is there once.
fn check(node: &Node, length: usize) {
    let mut next = 0;
    for leaf in node.leaves().filter(|leaf| !leaf.range.is_empty()) {
        assert_eq!(leaf.range.start, next, "{}", leaf.id);
        next = leaf.range.end;
    }
    assert_eq!(next, length);
    let mut ids = BTreeSet::new();
    for node in node.walk() {
        assert!(ids.insert(node.id.clone()), "{} is there twice", node.id);
    }
}

#[test]
fn an_update_is_explained_to_the_octet() {
    let bytes = octets(
        "FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF 004C 02 0000 0035
         400101 00 400206 0201 0000FDE8 400304 0A000001 C00804 FFFFFF01
         800E 17 0002 01 10 20010DB8000000000000000000000001 00
         08 0A",
    );
    let node = message(&four(), &bytes);
    insta::assert_snapshot!(node.table());
    check(&node, bytes.len());
    assert_eq!(
        node.at(34).unwrap().id,
        "update.attributes.as-path.segment.0.as.0"
    );
    assert_eq!(
        node.by_id("update.attributes.origin.value").unwrap().range,
        26..27
    );
}

#[test]
fn an_open_and_a_notification_are_explained() {
    let open = octets(
        "FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF 0035 01 04 FDE8 00B4 7F000001 18
         0206 0104 0001 0001 0206 4504 0001 0103 0206 4104 0000FDE8",
    );
    insta::assert_snapshot!(message(&four(), &open).table());
    let notification = octets("FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF 0018 03 06 04 02 6869");
    insta::assert_snapshot!(message(&four(), &notification).table());
}

fn anything() -> impl Strategy<Value = (WireContext, Vec<u8>)> {
    let body = proptest::collection::vec(any::<u8>(), 0..200);
    let families = [Family::IPV4_UNICAST, Family::IPV6_UNICAST];
    (0u8..8, any::<[bool; 2]>(), body).prop_map(move |(kind, [four_octet_as, add_path], body)| {
        let mut bytes = vec![0xff; 16];
        bytes.extend_from_slice(&(19 + body.len() as u16).to_be_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&body);
        let add_path = if add_path {
            families.into_iter().collect()
        } else {
            Families::new()
        };
        let context = WireContext {
            four_octet_as,
            add_path,
            extended_message: false,
            bgpsec: false,
        };
        (context, bytes)
    })
}

/// The path attributes field of an UPDATE: attributes whose headers are right and whose values are anything.
fn attributes() -> impl Strategy<Value = Vec<u8>> {
    let one = (
        any::<u8>(),
        0u8..42,
        proptest::collection::vec(any::<u8>(), 0..40),
    );
    proptest::collection::vec(one, 0..5).prop_map(|all| {
        let mut list = Vec::new();
        for (flags, code, value) in all {
            list.extend_from_slice(&[flags & 0xe0, code, value.len() as u8]);
            list.extend_from_slice(&value);
        }
        let mut bytes = vec![0xff; 16];
        bytes.extend_from_slice(&(23 + list.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&[2, 0, 0]);
        bytes.extend_from_slice(&(list.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&list);
        bytes
    })
}

proptest! {
    #[test]
    fn every_octet_of_anything_has_one_place((context, bytes) in anything(), cut in 0usize..220) {
        let bytes = &bytes[..cut.min(bytes.len())];
        check(&message(&context, bytes), bytes.len());
    }

    #[test]
    fn every_octet_of_any_attribute_has_one_place(bytes in attributes()) {
        check(&message(&four(), &bytes), bytes.len());
    }
}
