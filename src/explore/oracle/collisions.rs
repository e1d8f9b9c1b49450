//! Of two colliding connections, the one chosen by RFC 4271 section 6.8 survives.

use std::time::Duration;

use crate::explore::evidence::connection::WireConnection;
use crate::explore::oracle::case::{Case, Findings};
use crate::sim::Opener;

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    let mut met = false;
    for loser in &case.ran.wire.connections {
        let Some((at, _)) = loser.ended.filter(|_| loser.lost_a_collision()) else {
            continue;
        };
        let others: Vec<&WireConnection> = case
            .ran
            .wire
            .with(loser.peer())
            .filter(|other| other.name != loser.name && meet(other, loser, at))
            .collect();
        // A Cease with this subcode and no other connection is not a collision: an operator asked for it.
        met |= !others.is_empty();
        if !others.is_empty() && !others.iter().any(|other| outlives(other)) {
            findings.fail(format!(
                "{} was closed at {:.6} s for another connection, and none is left",
                loser.name,
                at.as_secs_f64(),
            ));
        }
        if case.ran.verbatim {
            continue;
        }
        for other in others {
            if other.opened.is_some() && outlives(other) && must_live(loser, other) {
                findings.fail(format!(
                    "{} was closed at {:.6} s for {}, and RFC 4271 section 6.8 has it live",
                    loser.name,
                    at.as_secs_f64(),
                    other.name,
                ));
            }
        }
    }
    if !met {
        findings.not_judged("no two connections collided");
    } else if case.ran.verbatim {
        findings.not_judged(
            "which connection lives: the OPENs are those of a capture, and not the speaker's own",
        );
    }
}

/// Whether `other` was open, or under way before, when `loser` was closed at `at`: an attempt made after the collision
/// is not one of the two.
fn meet(other: &WireConnection, loser: &WireConnection, at: Duration) -> bool {
    let over = other.ended.map_or(Duration::MAX, |(ended, _)| ended);
    let open = other.opened.is_some_and(|opened| opened <= at);
    over >= loser.began && (open || other.began < loser.began)
}

/// Whether it was open and was not itself closed for a collision.
fn outlives(connection: &WireConnection) -> bool {
    connection.opened.is_some() && !connection.lost_a_collision()
}

/// Whether `loser` should have survived instead of `other`, if the OPENs on the wire decide it.
///
/// An established session survives. Otherwise the identifiers decide, of OPENs that had gone both ways on the older
/// connection when the newer opened: a speaker need not wait for an OPEN on the newer.
fn must_live(loser: &WireConnection, other: &WireConnection) -> bool {
    let (ours, theirs) = match (loser.name.opener, other.name.opener) {
        (Opener::Us, Opener::Peer) => (loser, other),
        (Opener::Peer, Opener::Us) => (other, loser),
        _ => return false,
    };
    let Some(met) = theirs.opened else {
        return false;
    };
    let by = |time: Option<Duration>| time.is_some_and(|at| at < met);
    if by(ours.established) {
        return loser.name == ours.name;
    }
    let [Some(sent), Some(received)] = ours.opens else {
        return false;
    };
    // One that was established at the moment of the collision may survive, whatever the identifiers.
    if !by(Some(received.at)) || ours.established.is_some() {
        return false;
    }
    let winner = if sent.identifier < received.identifier {
        theirs
    } else if sent.identifier > received.identifier {
        ours
    } else {
        return false;
    };
    winner.name == loser.name
}
