//! What a neighbor keeps across its sessions: reconnecting, reloads, `next-hop self`, limits, and the order of what is sent.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use lockstep::bgp::attribute::{Attributes, Flags, Generic};
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::iana::{Afi, Safi};
use lockstep::bgp::message::Operational;
use lockstep::bgp::message::operational::{OperationalType, OperationalValue};
use lockstep::net::Opener;
use lockstep::speaker::neighbor::{AddPath, Address, Neighbor};
use lockstep::speaker::peer::Peer;
use lockstep::speaker::rib::Refused;
use lockstep::speaker::route::ConfiguredRoute;
use lockstep::speaker::session::State;
use lockstep::speaker::settings::Settings;

use crate::session_pair::{LEFT, Pair, RIGHT, configured, ends, neighbor, route};

const SECOND: Duration = Duration::from_secs(1);

fn peer(neighbor: Neighbor) -> Peer {
    let (peer, refused) = Peer::new(Arc::new(neighbor));
    assert_eq!(refused, []);
    peer
}

fn self_route(prefix: &str) -> ConfiguredRoute {
    let mut configured = configured(route(prefix, "0.0.0.0"));
    configured.route.next_hop = lockstep::bgp::attribute::NextHop::None;
    configured.next_hop_self = true;
    configured
}

fn with_routes(routes: &[&str]) -> Neighbor {
    let mut neighbor = neighbor(LEFT, RIGHT);
    neighbor.routes = routes
        .iter()
        .map(|prefix| configured(route(prefix, "10.0.0.1")))
        .collect();
    neighbor
}

#[test]
fn the_configured_routes_come_first_then_end_of_rib() {
    let left = with_routes(&["10.0.0.0/24", "20.0.0.0/24"]);
    let mut pair = Pair::new(left, neighbor(RIGHT, LEFT));
    pair.settle();
    insta::assert_debug_snapshot!(pair.left.take_sent(), @r#"
    [
        "OPEN as 65000 hold 180",
        "KEEPALIVE",
        "UPDATE +10.0.0.0/24 via 10.0.0.1 +20.0.0.0/24 via 10.0.0.1",
        "EOR ipv4 unicast",
    ]
    "#);
}

#[test]
fn a_new_session_gets_everything_again() {
    let mut pair = Pair::plain();
    pair.establish();
    pair.left
        .peer
        .announce(&configured(route("10.0.0.0/24", "10.0.0.1")))
        .unwrap();
    pair.left
        .peer
        .announce(&configured(route("20.0.0.0/24", "10.0.0.1")))
        .unwrap();
    pair.settle();
    pair.left
        .peer
        .withdraw(&configured(route("10.0.0.0/24", "10.0.0.1")))
        .unwrap();
    pair.reconnect();
    insta::assert_debug_snapshot!(pair.left.take_sent(), @r#"
    [
        "OPEN as 65000 hold 180",
        "KEEPALIVE",
        "UPDATE +20.0.0.0/24 via 10.0.0.1",
        "EOR ipv4 unicast",
    ]
    "#);
}

#[test]
fn an_asked_for_end_of_rib_waits_for_the_routes() {
    let mut left = neighbor(LEFT, RIGHT);
    left.manual_eor = true;
    let mut pair = Pair::new(left, neighbor(RIGHT, LEFT));
    pair.establish();
    pair.left.peer.queue_end_of_rib(Family::IPV6_UNICAST);
    pair.left.peer.queue_end_of_rib(Family::IPV4_UNICAST);
    pair.left
        .peer
        .announce(&configured(route("10.0.0.0/24", "10.0.0.1")))
        .unwrap();
    pair.settle();
    assert_eq!(
        pair.left.take_sent(),
        [
            "UPDATE +10.0.0.0/24 via 10.0.0.1",
            "EOR ipv6 unicast",
            "EOR ipv4 unicast"
        ]
    );
}

#[test]
fn a_reload_sends_the_difference_and_keeps_what_the_api_announced() {
    let mut pair = Pair::new(
        with_routes(&["10.0.0.0/24", "20.0.0.0/24"]),
        neighbor(RIGHT, LEFT),
    );
    pair.establish();
    pair.left
        .peer
        .announce(&configured(route("30.0.0.0/24", "10.0.0.1")))
        .unwrap();
    pair.settle();
    pair.left.sent.clear();
    let mut changed = with_routes(&["20.0.0.0/24", "40.0.0.0/24"]);
    changed.routes = [configured(route("20.0.0.0/24", "10.0.0.9"))]
        .into_iter()
        .chain(changed.routes.iter().skip(1))
        .collect();
    assert_eq!(pair.left.peer.reconfigure(Arc::new(changed)), []);
    pair.settle();
    assert_eq!(
        pair.left.take_sent(),
        [
            "UPDATE +20.0.0.0/24 via 10.0.0.9",
            "UPDATE -10.0.0.0/24",
            "UPDATE +40.0.0.0/24 via 10.0.0.1"
        ]
    );
    assert_eq!(pair.right.peer.rib_in().len(), 3);
}

#[test]
fn a_changed_neighbor_is_told_the_difference_in_its_next_session() {
    let mut pair = Pair::new(
        with_routes(&["10.0.0.0/24", "20.0.0.0/24"]),
        neighbor(RIGHT, LEFT),
    );
    pair.establish();
    let mut changed = with_routes(&["20.0.0.0/24"]);
    changed.hold_time = 60;
    assert_eq!(pair.left.peer.replace_neighbor(Arc::new(changed)), []);
    pair.reconnect();
    insta::assert_debug_snapshot!(pair.left.take_sent(), @r#"
    [
        "OPEN as 65000 hold 60",
        "KEEPALIVE",
        "UPDATE +20.0.0.0/24 via 10.0.0.1",
        "EOR ipv4 unicast",
    ]
    "#);
    assert_eq!(pair.left.peer.rib_out().len(), 1);
}

#[test]
fn next_hop_self_is_our_address_and_is_resolved_before_routes_are_compared() {
    let mut peer = peer(neighbor(LEFT, RIGHT));
    assert!(peer.announce(&self_route("10.0.0.0/24")).unwrap());
    assert!(
        !peer
            .announce(&configured(route("10.0.0.0/24", "10.0.0.1")))
            .unwrap()
    );
}

#[test]
fn next_hop_self_waits_until_our_address_is_known() {
    let mut left = neighbor(LEFT, RIGHT);
    left.local_address = Address::Auto;
    left.routes = [self_route("20.0.0.0/24")].into_iter().collect();
    let mut peer = peer(left.clone());
    assert!(peer.announce(&self_route("10.0.0.0/24")).unwrap());
    assert!(peer.rib_out().is_empty());
    let _ = peer.open(
        ends(LEFT, RIGHT, Opener::Us),
        &Settings::default(),
        Duration::ZERO,
    );
    let hops: Vec<_> = peer
        .rib_out()
        .announced()
        .map(|(_, set)| set.next_hop.address())
        .collect();
    assert_eq!(hops, [Some(IpAddr::V4(LEFT)); 2]);
    // The configured one is the configuration's to take back.
    left.routes = Default::default();
    assert_eq!(peer.reconfigure(Arc::new(left)), []);
    assert_eq!(peer.rib_out().len(), 1);
}

#[test]
fn next_hop_self_of_another_family_is_the_router_id_or_refused() {
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let mut left = Neighbor::new(v6, v6, 1, 1);
    left.families = Families::from_iter([Family::IPV4_UNICAST, Family::IPV6_UNICAST]);
    left.router_id = Some(RIGHT);
    let mut v6_peer = peer(left);
    v6_peer.announce(&self_route("10.0.0.0/24")).unwrap();
    v6_peer.announce(&self_route("2001:db8::/32")).unwrap();
    let hops: Vec<_> = v6_peer
        .rib_out()
        .announced()
        .map(|(_, set)| set.next_hop.address().unwrap())
        .collect();
    assert_eq!(hops, [IpAddr::V4(RIGHT), v6]);
    let mut v4_peer = peer(Neighbor {
        families: Families::from_iter([Family::IPV6_UNICAST]),
        ..neighbor(LEFT, RIGHT)
    });
    assert_eq!(
        v4_peer.announce(&self_route("2001:db8::/32")),
        Err(Refused::NextHopSelf(Family::IPV6_UNICAST))
    );
    assert_eq!(
        v4_peer.announce(&self_route("10.0.0.0/24")),
        Err(Refused::Family(Family::IPV4_UNICAST))
    );
}

#[test]
fn a_rate_limit_lets_so_many_updates_pass_each_second_and_keepalives_always() {
    let mut left = neighbor(LEFT, RIGHT);
    left.rate_limit = Some(2);
    left.group_updates = false;
    left.hold_time = 3;
    let mut pair = Pair::new(left, neighbor(RIGHT, LEFT));
    for third in 0..9 {
        let prefix = format!("10.0.{third}.0/24");
        pair.left
            .peer
            .announce(&configured(route(&prefix, "10.0.0.1")))
            .unwrap();
    }
    pair.settle();
    let updates = |sent: Vec<String>| {
        sent.iter()
            .filter(|words| words.starts_with("UPDATE"))
            .count()
    };
    assert_eq!(updates(pair.left.take_sent()), 2);
    for _ in 0..3 {
        pair.run_for(SECOND);
        assert_eq!(updates(pair.left.take_sent()), 2);
    }
    pair.run_for(3600 * SECOND);
    assert_eq!(pair.right.peer.rib_in().len(), 9);
    assert_eq!(pair.left.session.state(), State::Established);
}

#[test]
fn an_advisory_is_told_anew_to_every_session() {
    let mut left = neighbor(LEFT, RIGHT);
    left.capability.operational = true;
    let mut right = neighbor(RIGHT, LEFT);
    right.capability.operational = true;
    let mut pair = Pair::new(left, right);
    pair.establish();
    let advisory = |family| Operational {
        kind: OperationalType::ASM,
        value: OperationalValue::Advisory {
            family,
            text: b"hello".to_vec(),
        },
    };
    let foreign = Family::new(Afi::L2VPN, Safi::EVPN);
    let peer = &mut pair.left.peer;
    peer.queue_operational(advisory(Family::IPV4_UNICAST))
        .unwrap();
    assert_eq!(
        peer.queue_operational(advisory(foreign)),
        Err(Refused::Family(foreign))
    );
    pair.settle();
    assert_eq!(pair.left.take_sent().len(), 1);
    pair.reconnect();
    assert!(
        pair.left
            .take_sent()
            .contains(&String::from("MessageType(operational)"))
    );
}

#[test]
fn attempts_are_used_up_and_come_later_and_later() {
    let settings = Settings {
        attempts: 2,
        ..Settings::default()
    };
    let mut peer = peer(neighbor(LEFT, RIGHT));
    assert!(peer.attempt(&settings));
    peer.attempt_failed(SECOND);
    assert_eq!(peer.next_attempt(), SECOND);
    assert!(peer.attempt(&settings));
    peer.attempt_failed(SECOND);
    assert_eq!(peer.next_attempt(), 2 * SECOND);
    assert!(!peer.attempt(&settings));
    assert!(peer.attempt(&Settings::default()));
}

#[test]
fn the_first_open_claims_a_restart_and_later_ones_do_not() {
    let mut left = neighbor(LEFT, RIGHT);
    left.capability.graceful_restart = Some(120);
    let mut pair = Pair::new(left, neighbor(RIGHT, LEFT));
    let restart_state = |pair: &Pair| {
        let open = pair.right.session.received_open().unwrap();
        open.capabilities().find_map(|one| match one {
            lockstep::bgp::capability::Capability::GracefulRestart(restart) => Some(restart.flags),
            _ => None,
        })
    };
    pair.establish();
    assert_eq!(restart_state(&pair), Some(0x8));
    pair.reconnect();
    assert_eq!(restart_state(&pair), Some(0));
    pair.left.peer.claim_restart();
    pair.reconnect();
    assert_eq!(restart_state(&pair), Some(0x8));
}

#[test]
fn every_capability_stands_in_its_place() {
    let mut left = neighbor(LEFT, RIGHT);
    left.families = Families::from_iter([Family::IPV4_UNICAST, Family::IPV6_UNICAST]);
    left.nexthops = vec![(Family::IPV4_UNICAST, lockstep::bgp::iana::Afi::IPV6)];
    left.host_name = Some(String::from("host"));
    left.domain_name = Some(String::from("domain"));
    let capability = &mut left.capability;
    capability.nexthop = true;
    capability.add_path = AddPath::Both;
    capability.graceful_restart = Some(5000);
    capability.route_refresh = true;
    capability.operational = true;
    capability.software_version = true;
    capability.multi_session = true;
    let mut peer = peer(left);
    let mut session = peer.open(
        ends(LEFT, RIGHT, Opener::Us),
        &Settings::default(),
        Duration::ZERO,
    );
    assert!(session.poll_transmit().is_some());
    let capabilities: Vec<String> = session
        .sent_open()
        .unwrap()
        .capabilities()
        .map(|one| format!("{one:?}"))
        .collect();
    insta::assert_debug_snapshot!(capabilities);
}

#[test]
fn a_route_longer_than_the_session_allows_is_refused_while_it_is_up() {
    let long = |octets: usize| {
        let mut configured = configured(route("192.0.2.0/24", "10.0.0.1"));
        let generic = Generic {
            code: 99,
            flags: Flags(0xc0),
            value: vec![0; octets],
        };
        configured.route.attributes = Arc::new(Attributes::from_iter([generic.into()]));
        configured
    };
    let mut left = neighbor(LEFT, RIGHT);
    left.capability.extended_message = true;
    let mut right = neighbor(RIGHT, LEFT);
    right.capability.extended_message = false;
    // Before there is a session, the most that one may come to counts.
    let mut alone = peer(left.clone());
    assert_eq!(alone.announce(&long(5000)), Ok(true));
    assert!(matches!(
        alone.announce(&long(65_500)),
        Err(Refused::TooLong { limit: 65_535, .. })
    ));
    let mut pair = Pair::new(left, right);
    pair.establish();
    assert!(matches!(
        pair.left.peer.announce(&long(5001)),
        Err(Refused::TooLong { limit: 4096, .. })
    ));
    assert_eq!(pair.left.peer.announce(&long(3000)), Ok(true));
}
