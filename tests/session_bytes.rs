//! Octets in any shape: how they are cut never matters, and no octets can hurt a session.

use std::sync::Arc;
use std::time::Duration;

use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::family::Family;
use lockstep::bgp::message::{Message, RefreshSubtype, RouteRefresh, Update};
use lockstep::net::Opener;
use lockstep::speaker::session::{Session, SessionEvent, State};
use lockstep::speaker::settings::Settings;
use proptest::prelude::*;

use crate::rib::{messages, rib};
use crate::session_pair::{LEFT, RIGHT, ends, neighbor, route};

const NOW: Duration = Duration::from_secs(1);

fn session() -> Session {
    Session::new(
        Arc::new(neighbor(LEFT, RIGHT)),
        ends(LEFT, RIGHT, Opener::Us),
        &Settings::default(),
        false,
        Duration::ZERO,
    )
}

/// Everything that a peer may say in a session, its OPEN first.
fn conversation() -> Vec<u8> {
    let mut peer = Session::new(
        Arc::new(neighbor(RIGHT, LEFT)),
        ends(RIGHT, LEFT, Opener::Peer),
        &Settings::default(),
        false,
        Duration::ZERO,
    );
    let mut bytes = peer.poll_transmit().unwrap().to_vec();
    let mut out = rib();
    for prefix in ["10.0.0.0/8", "20.0.0.0/24", "30.1.2.3/32"] {
        out.announce(&route(prefix, "1.1.1.1")).unwrap();
    }
    let refresh = RouteRefresh::new(Family::IPV4_UNICAST, RefreshSubtype::REQUEST);
    for message in [
        Message::Keepalive,
        Message::Update(Update::of_end_of_rib(Family::IPV4_UNICAST)),
        Message::RouteRefresh(refresh),
        Message::Keepalive,
    ] {
        message.encode(&WireContext::default(), &mut bytes).unwrap();
    }
    bytes.extend(messages(&mut out, true, true).concat());
    bytes
}

/// What a session makes of `bytes` cut at `cuts`.
fn events(bytes: &[u8], cuts: &[usize]) -> Vec<SessionEvent> {
    let mut session = session();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    for pair in cuts.windows(2) {
        session.handle_bytes(NOW, &bytes[pair[0]..pair[1]]);
    }
    std::iter::from_fn(|| session.poll_event()).collect()
}

proptest! {
    #[test]
    fn how_octets_are_cut_does_not_matter(cuts in proptest::collection::vec(any::<usize>(), 0..30)) {
        let bytes = conversation();
        let whole = events(&bytes, &[]);
        let received = whole.iter().filter(|event| matches!(event, SessionEvent::Received { .. }));
        prop_assert_eq!(received.count(), 6);
        prop_assert_eq!(events(&bytes, &cuts), whole);
    }

    /// One octet changed anywhere, or anything appended: the session goes on or ends with one NOTIFICATION, and says which.
    #[test]
    fn no_octets_can_hurt_a_session(at: usize, value: u8, tail in proptest::collection::vec(any::<u8>(), 0..60), after in 0u64..1000) {
        let mut bytes = conversation();
        let at = at % bytes.len();
        bytes[at] = value;
        bytes.extend(&tail);
        let mut session = session();
        session.handle_bytes(NOW, &bytes);
        session.handle_timeout(NOW + Duration::from_secs(after));
        let events: Vec<SessionEvent> = std::iter::from_fn(|| session.poll_event()).collect();
        let closed = events.iter().filter(|event| matches!(event, SessionEvent::Closed { .. })).count();
        prop_assert_eq!(closed, usize::from(session.is_closed()));
        prop_assert_eq!(session.is_closed(), session.state() == State::Idle);
        let notifications = events
            .iter()
            .filter(|event| matches!(event, SessionEvent::Sent { raw } if raw[18] == 3))
            .count();
        prop_assert!(notifications <= 1);
        if session.is_closed() {
            session.handle_bytes(NOW, &bytes);
            prop_assert_eq!(session.poll_event(), None);
        }
        while let Some(out) = session.poll_transmit() {
            let count = out.len();
            session.transmitted(count, NOW);
        }
        prop_assert_eq!(session.wants_close(), session.is_closed());
    }
}
