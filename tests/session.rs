//! Sessions back to back: scripts over a [`Pair`].

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::message::{Notification, NotificationCode};
use lockstep::speaker::neighbor::{AddPath, AsNumber};
use lockstep::speaker::session::{Cause, Refresh, SessionEvent, State};

use crate::session_pair::{LEFT, Pair, RIGHT, configured, neighbor, route, with_path};

const SECOND: Duration = Duration::from_secs(1);

fn states(events: &[SessionEvent]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            SessionEvent::State { from, to, cause } => Some(format!("{from} {to}: {cause}")),
            _ => None,
        })
        .collect()
}

#[test]
fn a_session_comes_up() {
    let mut pair = Pair::plain();
    pair.settle();
    insta::assert_debug_snapshot!(states(&pair.left.events), @r#"
    [
        "IDLE CONNECT: connected",
        "CONNECT OPENSENT: OPEN sent",
        "OPENSENT OPENCONFIRM: OPEN received",
        "OPENCONFIRM ESTABLISHED: KEEPALIVE received",
    ]
    "#);
    insta::assert_debug_snapshot!(pair.left.take_sent(), @r#"
    [
        "OPEN as 65000 hold 180",
        "KEEPALIVE",
        "EOR ipv4 unicast",
    ]
    "#);
}

#[test]
fn a_message_cut_into_single_octets_is_whole_again() {
    let mut pair = Pair::plain();
    pair.chunk = 1;
    pair.left
        .peer
        .announce(&configured(route("10.0.0.0/8", "10.0.0.1")))
        .unwrap();
    pair.settle();
    assert_eq!(pair.left.session.state(), State::Established);
    assert_eq!(pair.right.peer.rib_in().len(), 1);
}

#[test]
fn what_both_offer_is_agreed_on_in_the_order_of_the_peer() {
    let mut left = neighbor(LEFT, RIGHT);
    left.families = Families::from_iter([
        Family::IPV4_UNICAST,
        Family::IPV6_UNICAST,
        Family::IPV4_MULTICAST,
    ]);
    left.capability.route_refresh = true;
    left.capability.add_path = AddPath::Send;
    left.hold_time = 90;
    let mut right = neighbor(RIGHT, LEFT);
    right.families = Families::from_iter([
        Family::IPV6_UNICAST,
        Family::IPV6_MULTICAST,
        Family::IPV4_UNICAST,
    ]);
    right.capability.route_refresh = true;
    right.capability.add_path = AddPath::Both;
    right.capability.extended_message = false;
    let mut pair = Pair::new(left, right);
    pair.settle();
    let agreed = pair.left.session.negotiated().unwrap();
    let families: Vec<Family> = agreed.families.iter().collect();
    assert_eq!(families, [Family::IPV6_UNICAST, Family::IPV4_UNICAST]);
    assert_eq!(agreed.hold_time, 90);
    assert_eq!(agreed.keepalive_interval(), Some(30 * SECOND));
    assert_eq!(agreed.refresh, Refresh::Enhanced);
    assert!(agreed.send.add_path.contains(Family::IPV4_UNICAST));
    assert!(agreed.receive.add_path.is_empty());
    assert_eq!(agreed.message_size(), 4096);
    assert_eq!(agreed.mismatch.len(), 2);
}

#[test]
fn four_octet_as_numbers_are_told_in_their_capability() {
    let mut left = neighbor(LEFT, RIGHT);
    left.local_as = AsNumber::Number(4_200_000_000);
    let mut right = neighbor(RIGHT, LEFT);
    right.peer_as = AsNumber::Number(4_200_000_000);
    let mut pair = Pair::new(left, right);
    pair.settle();
    let agreed = pair.right.session.negotiated().unwrap();
    assert_eq!((agreed.local_as, agreed.peer_as), (65000, 4_200_000_000));
    assert_eq!(pair.right.session.received_open().unwrap().my_as, 23456);
}

#[test]
fn a_speaker_without_an_as_of_its_own_repeats_its_peers() {
    let mut left = neighbor(LEFT, RIGHT);
    left.local_as = AsNumber::Auto;
    let mut pair = Pair::new(left, neighbor(RIGHT, LEFT));
    pair.settle();
    assert_eq!(pair.left.session.negotiated().unwrap().local_as, 65000);
    assert_eq!(pair.left.session.state(), State::Established);
}

#[test]
fn an_open_that_is_not_acceptable_is_refused_with_the_reason() {
    let refuse = |change: fn(&mut lockstep::speaker::neighbor::Neighbor)| {
        let mut right = neighbor(RIGHT, LEFT);
        change(&mut right);
        let mut pair = Pair::new(neighbor(LEFT, RIGHT), right);
        pair.settle();
        assert_eq!(pair.left.session.state(), State::Idle);
        assert!(pair.left.session.wants_close());
        pair.left.take_sent().pop().unwrap()
    };
    insta::assert_debug_snapshot!([
        refuse(|right| right.local_as = AsNumber::Number(65001)),
        refuse(|right| right.router_id = Some(Ipv4Addr::UNSPECIFIED)),
        refuse(|right| right.router_id = Some(LEFT)),
        refuse(|right| right.hold_time = 2),
    ], @r#"
    [
        "NOTIFICATION 2/2 \"ASN in OPEN (65001) did not match ASN expected (65000)\"",
        "NOTIFICATION 2/3 \"0.0.0.0 is an invalid router_id\"",
        "NOTIFICATION 2/3 \"BGP Identifier collision, same router-id (10.0.0.1) on both sides of this IBGP session\"",
        "NOTIFICATION 2/6 \"Hold Time is invalid (2)\"",
    ]
    "#);
}

#[test]
fn multisession_is_refused_where_the_peer_does_not_offer_it() {
    let mut left = neighbor(LEFT, RIGHT);
    left.capability.multi_session = true;
    let mut pair = Pair::new(left.clone(), neighbor(RIGHT, LEFT));
    pair.settle();
    assert_eq!(
        pair.left.take_sent().pop().unwrap(),
        "NOTIFICATION 2/9 \"multisession is mandatory with this peer\""
    );
    let mut right = neighbor(RIGHT, LEFT);
    right.capability.multi_session = true;
    let mut pair = Pair::new(left, right);
    pair.establish();
    assert!(pair.left.session.negotiated().unwrap().multi_session);
}

#[test]
fn a_teardown_reaches_the_peer_before_the_close() {
    let mut pair = Pair::plain();
    pair.establish();
    let now = pair.now;
    pair.left.session.close(
        now,
        Notification::shutdown(4, "Administrative Reset").unwrap(),
    );
    assert!(!pair.left.session.wants_close());
    pair.settle();
    assert!(pair.left.session.wants_close());
    let last = states(&pair.right.events).pop().unwrap();
    assert_eq!(last, "ESTABLISHED IDLE: notification received (6,4)");
    assert_eq!(pair.right.take_sent(), Vec::<String>::new());
}

#[test]
fn a_lost_connection_ends_the_session_at_once() {
    for (lose, words) in [
        (None, "the TCP connection was closed by the remote end"),
        (
            Some(io::ErrorKind::ConnectionReset),
            "the TCP connection was lost: connection reset",
        ),
    ] {
        let mut pair = Pair::plain();
        pair.establish();
        match lose {
            None => pair.left.session.handle_eof(pair.now),
            Some(kind) => pair.left.session.handle_reset(pair.now, kind),
        }
        assert!(pair.left.session.wants_close());
        assert_eq!(pair.left.session.poll_deadline(), None);
        pair.settle();
        assert_eq!(
            states(&pair.left.events).pop().unwrap(),
            format!("ESTABLISHED IDLE: {words}")
        );
        assert!(!pair.left.peer.is_established());
    }
}

#[test]
fn octets_that_are_no_message_are_answered_as_rfc_4271_says() {
    let answer = |bytes: &[u8]| {
        let mut left = neighbor(LEFT, RIGHT);
        left.capability.extended_message = false;
        let mut pair = Pair::new(left, neighbor(RIGHT, LEFT));
        pair.establish();
        pair.left.session.handle_bytes(pair.now, bytes);
        pair.settle();
        assert!(pair.left.session.wants_close());
        let raw = pair.left.sent.last().unwrap();
        let data: String = raw[21..].iter().map(|byte| char::from(*byte)).collect();
        format!("{}/{} {data:?}", raw[19], raw[20])
    };
    let message = |length: u16, kind: u8, body: &[u8]| {
        let mut bytes = vec![0xff; 16];
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(body);
        bytes
    };
    insta::assert_debug_snapshot!([
        answer(&[0; 19]),
        answer(&message(18, 4, &[])),
        answer(&message(20, 4, &[0])),
        answer(&message(4097, 2, &[])),
        answer(&message(19, 255, &[])),
        answer(&message(23, 2, &[0, 9, 0, 0])),
    ], @r#"
    [
        "1/1 \"The packet received does not contain a BGP marker\"",
        "1/2 \"\\0\\u{12}\"",
        "1/2 \"\\0\\u{14}\"",
        "1/2 \"\\u{10}\\u{1}\"",
        "1/3 \"can not decode message of type \\\"255\\\"\"",
        "3/1 \"\"",
    ]
    "#);
}

#[test]
fn routes_flow_and_are_withdrawn_with_add_path() {
    let mut left = neighbor(LEFT, RIGHT);
    left.capability.add_path = AddPath::Send;
    let mut right = neighbor(RIGHT, LEFT);
    right.capability.add_path = AddPath::Receive;
    let mut pair = Pair::new(left, right);
    pair.establish();
    for id in [1, 2] {
        let one = with_path(route("10.0.0.0/8", "10.0.0.1"), id);
        pair.left.peer.announce(&configured(one)).unwrap();
    }
    pair.settle();
    assert_eq!(pair.right.peer.rib_in().len(), 2);
    let gone = with_path(route("10.0.0.0/8", "10.0.0.1"), 1);
    pair.left.peer.withdraw(&configured(gone)).unwrap();
    pair.settle();
    insta::assert_debug_snapshot!(pair.left.take_sent(), @r#"
    [
        "UPDATE +10.0.0.0/8#1 via 10.0.0.1 +10.0.0.0/8#2 via 10.0.0.1",
        "UPDATE -10.0.0.0/8#1",
    ]
    "#);
    assert_eq!(pair.right.peer.rib_in().len(), 1);
}

#[test]
fn a_refresh_that_the_peer_asks_for_stands_between_its_marks() {
    let sent = |refresh: bool| {
        let mut left = neighbor(LEFT, RIGHT);
        left.capability.route_refresh = true;
        let mut right = neighbor(RIGHT, LEFT);
        right.capability.route_refresh = refresh;
        let mut pair = Pair::new(left, right);
        pair.left
            .peer
            .announce(&configured(route("10.0.0.0/8", "10.0.0.1")))
            .unwrap();
        pair.establish();
        pair.right
            .peer
            .announce(&configured(route("20.0.0.0/8", "10.0.0.2")))
            .unwrap();
        pair.settle();
        pair.left.peer.queue_refresh(Family::IPV4_UNICAST);
        pair.settle();
        pair.right.take_sent()
    };
    assert_eq!(
        sent(true),
        [
            "UPDATE +20.0.0.0/8 via 10.0.0.2",
            "ROUTE-REFRESH ipv4 unicast begin",
            "UPDATE +20.0.0.0/8 via 10.0.0.2",
            "ROUTE-REFRESH ipv4 unicast end",
        ]
    );
    // Without the enhanced capability on both sides there are no marks; without either, ExaBGP answers all the same.
    assert_eq!(
        sent(false),
        [
            "UPDATE +20.0.0.0/8 via 10.0.0.2",
            "UPDATE +20.0.0.0/8 via 10.0.0.2"
        ]
    );
}

#[test]
fn a_restart_is_claimed_once_and_a_teardown_is_silent_with_graceful_restart() {
    let mut left = neighbor(LEFT, RIGHT);
    left.capability.graceful_restart = Some(120);
    let mut pair = Pair::new(left, neighbor(RIGHT, LEFT));
    pair.establish();
    assert!(pair.left.session.negotiated().unwrap().graceful_restart);
    pair.left.session.close_silently(pair.now);
    pair.settle();
    assert_eq!(pair.left.take_sent(), Vec::<String>::new());
    assert!(pair.left.session.wants_close());
    // The peer did not announce it: the reason does not say that it was negotiated.
    let reason = |events: &[SessionEvent]| {
        events.iter().find_map(|event| match event {
            SessionEvent::Closed { cause } => Some(cause.to_string()),
            _ => None,
        })
    };
    let expected = "closing without sending any notification";
    assert_eq!(reason(&pair.left.events).as_deref(), Some(expected));
}

#[test]
fn a_notification_is_not_answered_even_before_open() {
    let mut pair = Pair::plain();
    let cease = Notification::new(NotificationCode::CEASE, 5, Vec::new());
    pair.right.session.close(pair.now, cease.clone());
    pair.settle();
    let closed = SessionEvent::Closed {
        cause: Cause::NotificationReceived(cease),
    };
    assert!(pair.left.events.contains(&closed));
}

#[test]
fn routes_of_a_family_that_was_not_agreed_on_end_the_session() {
    use lockstep::bgp::attribute::{MpReach, NextHop, WireContext};
    use lockstep::bgp::message::{Message, Update};
    let mut pair = Pair::plain();
    pair.establish();
    let six = route("2001:db8::/32", "2001:db8::1");
    let mut update = Update::default();
    update.attributes.insert(
        MpReach {
            family: Family::IPV6_UNICAST,
            next_hop: NextHop::Address("2001:db8::1".parse().unwrap()),
            nlri: vec![six.nlri],
        }
        .into(),
    );
    let mut bytes = Vec::new();
    Message::Update(update)
        .encode(&WireContext::default(), &mut bytes)
        .unwrap();
    pair.left.session.handle_bytes(pair.now, &bytes);
    pair.settle();
    assert_eq!(
        pair.left.take_sent(),
        ["NOTIFICATION 3/9 \"presented a non-negotiated family ipv6/unicast\""]
    );
}

#[test]
fn an_external_peer_does_not_set_local_pref() {
    use lockstep::bgp::attribute::local_pref::LocalPref;
    use lockstep::bgp::attribute::{Attributes, WireContext};
    use lockstep::bgp::message::{Message, Update};
    for (local_as, expected) in [(65000, Some(LocalPref(7))), (65001, None)] {
        let mut left = neighbor(LEFT, RIGHT);
        left.local_as = AsNumber::Number(local_as);
        let mut right = neighbor(RIGHT, LEFT);
        right.peer_as = AsNumber::Number(local_as);
        let mut pair = Pair::new(left, right);
        pair.establish();
        let ten = route("10.0.0.0/8", "10.0.0.2");
        let update = Update {
            nlri: vec![ten.nlri],
            attributes: Attributes::from_iter([
                lockstep::bgp::attribute::origin::Origin::Igp.into(),
                lockstep::bgp::attribute::as_path::AsPath::default().into(),
                lockstep::bgp::attribute::next_hop::NextHopAddress(RIGHT).into(),
                LocalPref(7).into(),
            ]),
            ..Update::default()
        };
        let mut bytes = Vec::new();
        Message::Update(update)
            .encode(&WireContext::default(), &mut bytes)
            .unwrap();
        pair.left.session.handle_bytes(pair.now, &bytes);
        pair.settle();
        let (_, set) = pair.left.peer.rib_in().routes().next().unwrap();
        assert_eq!(set.attributes.find::<LocalPref>().copied(), expected);
    }
}
