//! The operations of the Adj-RIB-Out, one by one, as the messages that they become.

use std::sync::Arc;

use lockstep::bgp::attribute::local_pref::LocalPref;
use lockstep::bgp::attribute::med::Med;
use lockstep::bgp::attribute::{Attributes, Generic, WireContext};
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::message::Message;
use lockstep::speaker::rib::{AdjRibIn, AdjRibOut, Refused};
use lockstep::speaker::route::{ConfiguredRoute, Route};
use lockstep::speaker::session::Negotiated;

use crate::session_pair::{configured, plain, route, words};

pub fn families() -> Families {
    Families::from_iter([Family::IPV4_UNICAST, Family::IPV6_UNICAST])
}

pub fn negotiated() -> Negotiated {
    Negotiated {
        local_as: 65000,
        peer_as: 65000,
        families: families(),
        send: WireContext {
            four_octet_as: true,
            ..WireContext::default()
        },
        ..Negotiated::default()
    }
}

/// The same with messages of up to 65,535 octets.
fn extended() -> Negotiated {
    let mut negotiated = negotiated();
    negotiated.send.extended_message = true;
    negotiated
}

pub fn rib() -> AdjRibOut {
    AdjRibOut::new(families(), true, Arc::new(negotiated()))
}

/// `route` with a MED, which makes another attribute set.
pub fn with_med(route: Route, med: u32) -> Route {
    let mut attributes = (*route.attributes).clone();
    attributes.insert(Med(med).into());
    Route {
        attributes: Arc::new(attributes),
        ..route
    }
}

/// The messages of the next batch.
pub fn messages(rib: &mut AdjRibOut, grouped: bool, include_withdraws: bool) -> Vec<Vec<u8>> {
    let mut batch = rib.take(grouped, include_withdraws);
    let mut all = Vec::new();
    loop {
        let mut out = Vec::new();
        match batch.next(&negotiated(), &mut out) {
            None => return all,
            Some(outcome) => {
                outcome.unwrap();
                all.push(out);
            }
        }
    }
}

fn sent(rib: &mut AdjRibOut) -> Vec<String> {
    messages(rib, true, true)
        .iter()
        .map(|raw| words(&Message::decode(&negotiated().send, raw).unwrap(), raw))
        .collect()
}

fn a() -> Route {
    route("10.0.0.0/24", "1.1.1.1")
}

fn b() -> Route {
    route("20.0.0.0/24", "1.1.1.1")
}

#[test]
fn announce_sends_once_and_again_only_when_something_changes() {
    let mut rib = rib();
    assert!(rib.announce(&a()).unwrap());
    assert!(!rib.announce(&a()).unwrap());
    assert_eq!(sent(&mut rib), ["UPDATE +10.0.0.0/24 via 1.1.1.1"]);
    assert!(!rib.announce(&a()).unwrap());
    assert!(!rib.pending());
    assert!(rib.announce(&with_med(a(), 5)).unwrap());
    assert!(rib.announce(&route("10.0.0.0/24", "2.2.2.2")).unwrap());
    assert_eq!(
        sent(&mut rib),
        [
            "UPDATE +10.0.0.0/24 via 1.1.1.1",
            "UPDATE +10.0.0.0/24 via 2.2.2.2"
        ]
    );
}

#[test]
fn routes_of_one_attribute_set_share_an_update_in_order_of_length_and_prefix() {
    let mut rib = rib();
    for prefix in ["30.0.0.0/24", "10.0.0.0/24", "20.0.0.0/8", "10.0.0.0/25"] {
        rib.announce(&route(prefix, "1.1.1.1")).unwrap();
    }
    rib.announce(&route("40.0.0.0/8", "2.2.2.2")).unwrap();
    rib.announce(&b()).unwrap();
    insta::assert_debug_snapshot!(sent(&mut rib), @r#"
    [
        "UPDATE +20.0.0.0/8 via 1.1.1.1 +10.0.0.0/24 via 1.1.1.1 +20.0.0.0/24 via 1.1.1.1 +30.0.0.0/24 via 1.1.1.1 +10.0.0.0/25 via 1.1.1.1",
        "UPDATE +40.0.0.0/8 via 2.2.2.2",
    ]
    "#);
}

#[test]
fn ungrouped_and_other_families_have_an_update_per_route() {
    let mut rib = rib();
    for prefix in ["2001:db8:2::/48", "2001:db8:1::/48"] {
        rib.announce(&route(prefix, "2001:db8::1")).unwrap();
    }
    assert_eq!(
        sent(&mut rib),
        [
            "UPDATE +2001:db8:2::/48 via 2001:db8::1",
            "UPDATE +2001:db8:1::/48 via 2001:db8::1"
        ]
    );
    rib.announce(&b()).unwrap();
    rib.announce(&a()).unwrap();
    let ungrouped = messages(&mut rib, false, true);
    assert_eq!(ungrouped.len(), 2);
    assert!(ungrouped[0].ends_with(&[24, 20, 0, 0]));
}

#[test]
fn withdraw_is_sent_even_of_a_route_that_never_was() {
    let mut rib = rib();
    rib.withdraw(&a()).unwrap();
    assert_eq!(sent(&mut rib), ["UPDATE -10.0.0.0/24"]);
}

#[test]
fn a_withdraw_replaces_an_announcement_of_the_same_attributes() {
    let mut rib = rib();
    rib.announce(&a()).unwrap();
    rib.withdraw(&a()).unwrap();
    assert_eq!(sent(&mut rib), ["UPDATE -10.0.0.0/24"]);
    rib.withdraw(&a()).unwrap();
    rib.announce(&a()).unwrap();
    assert_eq!(sent(&mut rib), ["UPDATE +10.0.0.0/24 via 1.1.1.1"]);
}

#[test]
fn what_was_announced_and_cleared_before_it_was_sent_is_never_sent() {
    let mut rib = rib();
    rib.announce(&a()).unwrap();
    rib.clear(None);
    assert_eq!(messages(&mut rib, true, false), Vec::<Vec<u8>>::new());
    assert!(rib.is_empty());
}

#[test]
fn the_first_batch_of_a_session_leaves_withdraws_out_and_what_they_withdraw() {
    let mut rib = rib();
    rib.announce(&with_med(a(), 1)).unwrap();
    rib.announce(&b()).unwrap();
    rib.withdraw(&a()).unwrap();
    let first = messages(&mut rib, true, false);
    assert_eq!(first.len(), 1);
    assert!(first[0].ends_with(&[24, 20, 0, 0]));
}

#[test]
fn clear_withdraws_everything_and_flush_sends_everything_again() {
    let mut rib = rib();
    rib.announce(&a()).unwrap();
    rib.announce(&b()).unwrap();
    sent(&mut rib);
    rib.flush(None, false);
    assert_eq!(
        sent(&mut rib),
        [
            "UPDATE +10.0.0.0/24 via 1.1.1.1",
            "UPDATE +20.0.0.0/24 via 1.1.1.1"
        ]
    );
    rib.clear(None);
    assert_eq!(sent(&mut rib), ["UPDATE -10.0.0.0/24 -20.0.0.0/24"]);
    rib.flush(None, false);
    assert!(!rib.pending());
}

#[test]
fn an_enhanced_flush_stands_between_its_marks_and_before_what_is_queued() {
    let mut rib = rib();
    rib.announce(&a()).unwrap();
    rib.announce(&b()).unwrap();
    sent(&mut rib);
    rib.announce(&route("30.0.0.0/24", "1.1.1.1")).unwrap();
    rib.flush(Some(Family::IPV4_UNICAST), true);
    rib.announce(&with_med(a(), 7)).unwrap();
    insta::assert_debug_snapshot!(sent(&mut rib), @r#"
    [
        "ROUTE-REFRESH ipv4 unicast begin",
        "UPDATE +10.0.0.0/24 via 1.1.1.1",
        "UPDATE +20.0.0.0/24 via 1.1.1.1",
        "UPDATE +30.0.0.0/24 via 1.1.1.1",
        "ROUTE-REFRESH ipv4 unicast end",
    ]
    "#);
}

#[test]
fn a_flushed_route_with_a_withdraw_queued_is_left_to_the_queue() {
    let mut rib = rib();
    rib.announce(&a()).unwrap();
    rib.announce(&b()).unwrap();
    sent(&mut rib);
    rib.flush(None, true);
    rib.withdraw(&a()).unwrap();
    insta::assert_debug_snapshot!(sent(&mut rib), @r#"
    [
        "ROUTE-REFRESH ipv4 unicast begin",
        "ROUTE-REFRESH ipv6 unicast begin",
        "UPDATE +20.0.0.0/24 via 1.1.1.1",
        "ROUTE-REFRESH ipv4 unicast end",
        "ROUTE-REFRESH ipv6 unicast end",
        "UPDATE -10.0.0.0/24",
    ]
    "#);
}

#[test]
fn a_batch_is_what_was_queued_when_it_was_taken() {
    let mut rib = rib();
    rib.announce(&a()).unwrap();
    let mut batch = rib.take(true, true);
    rib.withdraw(&a()).unwrap();
    rib.flush(None, true);
    let mut out = Vec::new();
    batch.next(&negotiated(), &mut out).unwrap().unwrap();
    assert!(batch.is_exhausted());
    assert!(out.ends_with(&[24, 10, 0, 0]));
    assert!(rib.pending());
}

#[test]
fn a_lost_session_drops_what_is_queued_and_the_next_sends_everything() {
    let mut rib = rib();
    rib.announce(&a()).unwrap();
    rib.announce(&b()).unwrap();
    sent(&mut rib);
    rib.withdraw(&a()).unwrap();
    rib.announce(&route("30.0.0.0/24", "1.1.1.1")).unwrap();
    rib.reset();
    assert!(!rib.pending());
    rib.replace_restart([b()], []).unwrap();
    // The vanished route is withdrawn, and the first batch leaves withdraws out.
    assert_eq!(messages(&mut rib, true, false).len(), 1);
    rib.flush(None, false);
    assert_eq!(sent(&mut rib), ["UPDATE +30.0.0.0/24 via 1.1.1.1"]);
}

#[test]
fn a_reload_announces_what_is_new_and_withdraws_what_is_gone() {
    let mut rib = rib();
    let api = route("30.0.0.0/24", "1.1.1.1");
    for one in [a(), b(), api] {
        rib.announce(&one).unwrap();
    }
    sent(&mut rib);
    let new = route("40.0.0.0/24", "1.1.1.1");
    rib.replace_reload([a(), b()], [b(), new]).unwrap();
    assert_eq!(
        sent(&mut rib),
        ["UPDATE -10.0.0.0/24 +40.0.0.0/24 via 1.1.1.1"]
            .map(split)
            .concat()
    );
    assert_eq!(rib.len(), 3);
}

/// A withdraw and an announcement never share an UPDATE (RFC 7606 section 5.1).
fn split(both: &str) -> Vec<String> {
    let at = both.find(" +").unwrap();
    vec![both[..at].to_owned(), format!("UPDATE{}", &both[at..])]
}

#[test]
fn a_watchdog_holds_routes_back_and_moves_them() {
    let mut rib = rib();
    let watched = |route: Route, withdrawn| ConfiguredRoute {
        watchdog: Some(String::from("dog")),
        withdrawn,
        ..configured(route)
    };
    rib.announce_configured(&watched(a(), true), &a()).unwrap();
    rib.announce_configured(&watched(b(), false), &b()).unwrap();
    assert_eq!(sent(&mut rib), ["UPDATE +20.0.0.0/24 via 1.1.1.1"]);
    rib.announce_watchdog("dog").unwrap();
    assert_eq!(sent(&mut rib), ["UPDATE +10.0.0.0/24 via 1.1.1.1"]);
    rib.withdraw_watchdog("dog").unwrap();
    assert_eq!(sent(&mut rib), ["UPDATE -10.0.0.0/24 -20.0.0.0/24"]);
    rib.withdraw_watchdog("dog").unwrap();
    rib.announce_watchdog("cat").unwrap();
    assert!(!rib.pending());
}

#[test]
fn an_older_change_that_would_leave_later_is_cancelled() {
    let mut rib = rib();
    rib.announce(&with_med(a(), 1)).unwrap();
    rib.announce(&with_med(a(), 2)).unwrap();
    rib.announce(&with_med(a(), 1)).unwrap();
    let all = messages(&mut rib, true, true);
    assert_eq!(all.len(), 1);
    let Message::Update(update) = Message::decode(&negotiated().send, &all[0]).unwrap() else {
        panic!("not an UPDATE");
    };
    assert_eq!(update.attributes.find::<Med>(), Some(&Med(1)));
}

#[test]
fn default_attributes_depend_on_the_session() {
    let bytes = |local_as: u32, peer_as: u32, four_octet_as: bool, route: &Route| {
        let mut rib = rib();
        rib.announce(route).unwrap();
        let mut negotiated = negotiated();
        negotiated.local_as = local_as;
        negotiated.peer_as = peer_as;
        negotiated.send.four_octet_as = four_octet_as;
        let mut out = Vec::new();
        rib.take(true, true)
            .next(&negotiated, &mut out)
            .unwrap()
            .unwrap();
        lockstep::bgp::hex::text(&out[21..])
    };
    let mut preferred = a();
    preferred.attributes = Arc::new(Attributes::from_iter([LocalPref(200).into()]));
    insta::assert_debug_snapshot!([
        bytes(65000, 65000, true, &a()),
        bytes(65000, 65001, true, &a()),
        bytes(65000, 65001, false, &a()),
        bytes(65000, 65000, true, &preferred),
        bytes(65000, 65001, true, &preferred),
        bytes(65000, 65000, true, &route("2001:db8::/32", "2001:db8::1")),
        bytes(65000, 65000, true, &route("2001:db8::/32", "1.1.1.1")),
        bytes(65000, 65000, true, &route("10.0.0.0/24", "2001:db8::1")),
    ], @r#"
    [
        "0015400101004002004003040101010140050400000064180a0000",
        "00144001010040020602010000fde840030401010101180a0000",
        "0012400101004002040201fde840030401010101180a0000",
        "00154001010040020040030401010101400504000000c8180a0000",
        "00144001010040020602010000fde840030401010101180a0000",
        "002b4001010040020040050400000064800e1a0002011020010db8000000000000000000000001002020010db8",
        "0026400101004002004003040101010140050400000064800e0e0002010401010101002020010db8",
        "002a4001010040020040050400000064800e190001011020010db800000000000000000000000100180a0000",
    ]
    "#);
}

#[test]
fn messages_stop_at_their_limit() {
    let mut rib = rib();
    for third in 0..4u32 {
        for fourth in 0..=255u32 {
            let prefix = format!("10.0.{third}.{fourth}/32");
            rib.announce(&route(&prefix, "1.1.1.1")).unwrap();
        }
    }
    let all = messages(&mut rib, true, true);
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [4094, 1114]);
    rib.clear(None);
    let all = messages(&mut rib, true, true);
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [4093, 1073]);
}

#[test]
fn extended_messages_carry_more() {
    let mut rib = AdjRibOut::new(families(), true, Arc::new(extended()));
    for route_number in 0..14_000u32 {
        let prefix = format!(
            "{}/32",
            std::net::Ipv4Addr::from(0x0a00_0000 + route_number)
        );
        rib.announce(&route(&prefix, "1.1.1.1")).unwrap();
    }
    let negotiated = extended();
    let mut batch = rib.take(true, true);
    let mut lengths = Vec::new();
    let mut out = Vec::new();
    while let Some(sent) = batch.next(&negotiated, &mut out) {
        sent.unwrap();
        lengths.push(std::mem::take(&mut out).len());
    }
    assert_eq!(lengths, [65534, 4554]);
}

/// A route with an attribute of `octets` octets.
fn long(octets: usize) -> Route {
    let generic = Generic {
        code: 99,
        flags: lockstep::bgp::attribute::Flags(0xc0),
        value: vec![0; octets],
    };
    Route {
        attributes: Arc::new(Attributes::from_iter([generic.into()])),
        ..a()
    }
}

#[test]
fn a_route_that_just_fits_is_sent_and_one_octet_more_is_refused() {
    // Beside the attribute: header and lengths 23, ORIGIN 4, AS_PATH 3, NEXT_HOP 7, LOCAL_PREF 7, its own header 4, the prefix 4.
    const MOST: usize = 4096 - 52;
    let mut rib = rib();
    rib.announce(&long(MOST)).unwrap();
    let sent = messages(&mut rib, true, true);
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [4096]);
    assert_eq!(
        rib.announce(&long(MOST + 1)),
        Err(Refused::TooLong {
            needed: 4097,
            limit: 4096
        })
    );
    assert!(!rib.pending());
}

#[test]
fn a_route_too_long_for_this_session_is_passed_over_and_the_next_is_sent() {
    let mut rib = AdjRibOut::new(families(), true, Arc::new(extended()));
    let long = long(4100);
    rib.announce(&long).unwrap();
    rib.announce(&b()).unwrap();
    let mut batch = rib.take(true, true);
    let mut out = Vec::new();
    let refused = batch.next(&negotiated(), &mut out).unwrap();
    assert!(matches!(refused, Err(Refused::TooLong { limit: 4096, .. })));
    assert!(out.is_empty());
    batch.next(&negotiated(), &mut out).unwrap().unwrap();
    assert!(out.ends_with(&[24, 20, 0, 0]));
}

#[test]
fn a_route_that_cannot_be_sent_is_refused_and_changes_nothing() {
    let mut rib = rib();
    assert!(matches!(
        rib.announce(&long(4100)),
        Err(Refused::TooLong { limit: 4096, .. })
    ));
    let mut nowhere = a();
    nowhere.next_hop = lockstep::bgp::attribute::NextHop::None;
    assert_eq!(
        rib.announce(&nowhere),
        Err(Refused::NoNextHop(Family::IPV4_UNICAST))
    );
    assert!(!rib.pending());
    assert!(rib.is_empty());
}

#[test]
fn the_adj_rib_in_holds_what_the_peer_announced_last() {
    let mut out = rib();
    let mut incoming = AdjRibIn::new(true);
    let receive = |out: &mut AdjRibOut, incoming: &mut AdjRibIn| {
        for raw in messages(out, true, true) {
            let Message::Update(update) = Message::decode(&negotiated().send, &raw).unwrap() else {
                panic!("not an UPDATE");
            };
            incoming.apply(&update, &negotiated());
        }
    };
    let held = |incoming: &AdjRibIn| -> Vec<String> {
        incoming
            .routes()
            .map(|(nlri, set)| {
                let med = set.attributes.find::<Med>().map(|med| med.0);
                format!(
                    "{} via {} {med:?}",
                    plain(&nlri),
                    set.next_hop.address().unwrap()
                )
            })
            .collect()
    };
    for one in [a(), b(), route("2001:db8::/32", "2001:db8::1")] {
        out.announce(&one).unwrap();
    }
    receive(&mut out, &mut incoming);
    out.announce(&with_med(b(), 4)).unwrap();
    out.withdraw(&a()).unwrap();
    out.announce(&route("30.0.0.0/24", "2.2.2.2")).unwrap();
    receive(&mut out, &mut incoming);
    insta::assert_debug_snapshot!(held(&incoming), @r#"
    [
        "20.0.0.0/24 via 1.1.1.1 Some(4)",
        "30.0.0.0/24 via 2.2.2.2 None",
        "2001:db8::/32 via 2001:db8::1 None",
    ]
    "#);
    incoming.clear();
    assert!(incoming.is_empty());
}
