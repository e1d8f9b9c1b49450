//! The plan of an imported session: stalls that reproduce the speaker's timing, and the reset.

use std::time::Duration;

use crate::explore::plan::Plan;
use crate::field::import::timeline::{Ended, Timeline, tick};
use crate::scenario::format::message::{KEEPALIVE, OPEN};
use crate::sim::{Action, ConnectionName, Direction as Way, Fault, Link, Moment, Opener};

/// The least time that a plan can tell apart.
pub const INSTANT: Duration = Duration::from_micros(1);

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

/// Candidates for the faults that end the session, the most likely first; a single one without faults where its ends
/// do it themselves.
///
/// A reset comes after the last octet of either direction if that is sent at the same time; after a pause, at its
/// time. Silence takes away both directions.
#[must_use]
pub fn ends(timeline: &Timeline) -> Vec<Vec<Fault>> {
    match timeline.ended {
        Ended::Reset(by) => resets(timeline, by)
            .into_iter()
            .map(|one| vec![one])
            .collect(),
        Ended::Silent(_) => {
            let at = Moment::Time(tick(timeline.end) + INSTANT);
            let stall = |way| fault(timeline, way, at, Action::Stall(None));
            vec![vec![stall(Way::Received), stall(Way::Sent)]]
        }
        Ended::Notified(_) | Ended::Closed(_) => vec![Vec::new()],
    }
}

fn resets(timeline: &Timeline, by: Way) -> Vec<Fault> {
    let at = timeline.end;
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
            // Where both ends had just spoken, what is under way would be lost: a microsecond later it has passed.
            let later = reset(by, Moment::Time(tick(at) + INSTANT));
            vec![counted(last.way), counted(other), timed, later]
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
