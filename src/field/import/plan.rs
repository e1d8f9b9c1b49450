//! The plan of an imported session: stalls that reproduce the speaker's timing, and the reset.

use std::time::Duration;

use crate::explore::plan::Plan;
use crate::field::import::timeline::{Ended, Timeline, tick};
use crate::scenario::format::message::{KEEPALIVE, OPEN};
use crate::sim::{Action, ConnectionName, Direction as Way, Fault, Link, Moment, Opener};

/// A plan with these faults, on a path without latency: what is sent arrives in the same instant, as a capture has it.
#[must_use]
pub fn of(name: &str, faults: Vec<Fault>) -> Plan {
    Plan {
        link: Link::instant(),
        faults,
        ..Plan::quiet(name)
    }
}

fn fault(timeline: &Timeline, direction: Way, moment: Moment, action: Action) -> Fault {
    let connection = ConnectionName::new(timeline.replay_address(), Opener::Us, 1);
    Fault {
        connection,
        direction,
        moment,
        action,
    }
}

/// Candidate positions for the reset, the most likely first.
///
/// None where it did not end in a reset. After the last octet of either direction if that is sent at the same time as the reset; after a pause, at
/// its time.
#[must_use]
pub fn resets(timeline: &Timeline) -> Vec<Fault> {
    let (at, Ended::Reset(by)) = (timeline.end, timeline.ended) else {
        return Vec::new();
    };
    let action = match by {
        Way::Sent => Action::Reset,
        Way::Received => Action::ResetByPeer,
    };
    let reset = |way, moment| fault(timeline, way, moment, action);
    // A plan counts whole microseconds, as the scenario does.
    let timed = reset(by, Moment::Time(tick(at)));
    let last = timeline.pieces.iter().max_by_key(|piece| piece.at);
    match last {
        Some(last) if tick(last.at) == tick(at) => {
            let other = match last.way {
                Way::Sent => Way::Received,
                Way::Received => Way::Sent,
            };
            let counted = |way| reset(way, Moment::Byte(timeline.octets(way)));
            vec![counted(last.way), counted(other), timed]
        }
        _ => vec![timed],
    }
}

/// Stalls that delay our speaker's OPEN and first KEEPALIVE, which it would send at once, to their captured times.
#[must_use]
pub fn pace(timeline: &Timeline) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut octets = 0;
    let mut now = Duration::ZERO;
    let said = timeline
        .pieces
        .iter()
        .filter(|piece| piece.way == Way::Sent);
    for (piece, kind) in said.zip([OPEN, KEEPALIVE]) {
        if piece.octets.get(18) != Some(&kind) {
            break;
        }
        let due = tick(piece.at);
        if due > now {
            let stall = Action::Stall(Some(due - now));
            faults.push(fault(timeline, Way::Sent, Moment::Byte(octets), stall));
            now = due;
        }
        octets += piece.octets.len() as u64;
    }
    faults
}
