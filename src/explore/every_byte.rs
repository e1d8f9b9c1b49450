//! The exhaustive sweep: every byte at which a connection can be closed, stalled or split.

use std::time::Duration;

use crate::explore::generate::Profile;
use crate::explore::plan::Plan;
use crate::sim::{Action, Direction, Fault, Moment};

/// Long enough for all data in flight to queue up, too short for a program to time out.
const STALL: Duration = Duration::from_secs(3);

/// A reset from either end, a close, a stall and a split at every byte of every connection of `profile`, in each
/// direction.
pub fn plans(profile: &Profile) -> impl Iterator<Item = Plan> + '_ {
    const ACTIONS: [Action; 5] = [
        Action::Reset,
        Action::ResetByPeer,
        Action::Close,
        Action::Stall(Some(STALL)),
        Action::Split(1),
    ];
    let places = profile
        .connections
        .iter()
        .flat_map(|(connection, sent, received)| {
            let each = |direction, octets: u64| {
                (0..=octets).map(move |byte| (*connection, direction, Moment::Byte(byte)))
            };
            each(Direction::Sent, *sent).chain(each(Direction::Received, *received))
        });
    places.flat_map(move |(connection, direction, moment)| {
        ACTIONS.into_iter().map(move |action| Plan {
            faults: vec![Fault {
                connection,
                direction,
                moment,
                action,
            }],
            ..Plan::quiet(&profile.scenario)
        })
    })
}
