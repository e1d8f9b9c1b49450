//! Hold, keepalive, send hold and open-wait timers in virtual time.

use std::time::Duration;

use lockstep::speaker::session::{Cause, SessionEvent, State, TimerKind};
use lockstep::speaker::settings::Settings;
use proptest::prelude::*;

use crate::session_pair::{LEFT, Pair, RIGHT, configured, neighbor, route};

const SECOND: Duration = Duration::from_secs(1);

fn pair(left_hold: u16, right_hold: u16) -> Pair {
    let mut left = neighbor(LEFT, RIGHT);
    left.hold_time = left_hold;
    let mut right = neighbor(RIGHT, LEFT);
    right.hold_time = right_hold;
    let mut pair = Pair::new(left, right);
    pair.establish();
    pair
}

#[test]
fn keepalives_leave_every_third_of_the_hold_time() {
    let mut pair = pair(9, 180);
    pair.run_for(10 * SECOND);
    assert_eq!(pair.left.take_sent(), ["KEEPALIVE"; 3]);
    assert_eq!(pair.left.session.state(), State::Established);
}

#[test]
fn updates_do_not_put_keepalives_off() {
    let mut pair = pair(9, 9);
    for second in 0..9 {
        let prefix = format!("10.{second}.0.0/16");
        pair.left
            .peer
            .announce(&configured(route(&prefix, "10.0.0.1")))
            .unwrap();
        pair.run_for(SECOND);
    }
    let sent = pair.left.take_sent();
    assert_eq!(sent.iter().filter(|words| *words == "KEEPALIVE").count(), 3);
}

#[test]
fn a_silent_peer_is_given_up_at_the_hold_time() {
    let mut pair = pair(9, 9);
    let start = pair.now;
    pair.left
        .session
        .handle_timeout(start + 9 * SECOND - Duration::from_nanos(1));
    assert_eq!(pair.left.session.state(), State::Established);
    pair.left.session.handle_timeout(start + 9 * SECOND);
    assert_eq!(pair.left.session.state(), State::Idle);
    pair.settle();
    assert_eq!(
        pair.left.take_sent().pop().unwrap(),
        "NOTIFICATION 4/0 \"\""
    );
}

#[test]
fn a_hold_time_of_zero_has_no_timers_and_one_keepalive() {
    let mut pair = pair(0, 180);
    assert_eq!(pair.left.session.poll_deadline(), None);
    pair.run_for(86_400 * SECOND);
    assert_eq!(pair.left.take_sent(), Vec::<String>::new());
    let keepalive = lockstep::bgp::message::Keepalive::BYTES;
    pair.left.session.handle_bytes(pair.now, &keepalive);
    assert_eq!(pair.left.session.state(), State::Established);
    pair.left.session.handle_bytes(pair.now, &keepalive);
    assert_eq!(pair.left.session.state(), State::Idle);
}

#[test]
fn a_peer_that_does_not_read_is_given_up_after_the_send_hold_time() {
    let mut left = neighbor(LEFT, RIGHT);
    left.hold_time = 600;
    let mut right = neighbor(RIGHT, LEFT);
    right.hold_time = 600;
    let settings = Settings {
        send_hold: Some(30 * SECOND),
        ..Settings::default()
    };
    let mut pair = Pair::with_settings(left, right, &settings);
    pair.establish();
    let message = lockstep::bgp::message::Message::Keepalive;
    pair.left.session.send(pair.now, &message).unwrap();
    let deadline = pair.left.session.poll_deadline().unwrap();
    assert_eq!(
        (deadline.at, deadline.reason),
        (30 * SECOND, TimerKind::SendHold)
    );
    // Progress, however little, starts it anew.
    pair.left.session.transmitted(1, 20 * SECOND);
    assert_eq!(pair.left.session.poll_deadline().unwrap().at, 50 * SECOND);
    pair.left.session.handle_timeout(50 * SECOND);
    assert!(pair.left.session.wants_close());
    assert_eq!(pair.left.session.poll_transmit(), None);
    let events: Vec<SessionEvent> = std::iter::from_fn(|| pair.left.session.poll_event()).collect();
    assert!(events.contains(&SessionEvent::Closed {
        cause: Cause::SendHoldExpired
    }));
}

#[test]
fn a_connection_without_an_open_is_given_up() {
    let mut pair = Pair::plain();
    pair.left.session.handle_timeout(60 * SECOND);
    assert_eq!(pair.left.session.state(), State::Idle);
    let raw = pair.left.session.poll_transmit().unwrap();
    let text = String::from_utf8_lossy(&raw[raw.len() - 56..]);
    assert_eq!(
        text,
        "waited for open too long, we do not like stuck in active"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the hold times, two idle ends keep each other alive, and neither sends more than it must.
    #[test]
    fn idle_sessions_stay_up(left in 3u16..=400, right in 3u16..=400, hours in 1u64..4) {
        let mut pair = pair(left, right);
        pair.run_for(Duration::from_secs(hours * 3600));
        prop_assert_eq!(pair.left.session.state(), State::Established);
        prop_assert_eq!(pair.right.session.state(), State::Established);
        let interval = u64::from(left.min(right) / 3);
        prop_assert_eq!(pair.left.take_sent().len() as u64, hours * 3600 / interval);
    }

    /// The deadline that a session asks for is never in the past once it was told the time.
    #[test]
    fn deadlines_lie_ahead(hold in 3u16..=400, steps in proptest::collection::vec(0u64..200_000, 1..20)) {
        let mut pair = pair(hold, hold);
        let mut now = pair.now;
        for step in steps {
            now += Duration::from_millis(step);
            pair.left.session.handle_timeout(now);
            if let Some(deadline) = pair.left.session.poll_deadline() {
                prop_assert!(deadline.at > now);
            }
        }
    }
}
