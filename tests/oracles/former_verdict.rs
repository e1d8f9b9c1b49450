//! The verdicts as they were made of the speaker's own events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lockstep::explore::finished_run::FinishedRun;
use lockstep::explore::oracle::Oracle;
use lockstep::explore::plan::{PROGRAM_PATIENCE, Plan};
use lockstep::net::Opener;
use lockstep::scenario::format::host_fault::HostFault;
use lockstep::sim::Action;

use crate::oracles::former::Observed;

const SLACK: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Those of the oracles that judged by the speaker's events which fail, each with what it found.
pub fn former(
    plan: &Plan,
    ran: &FinishedRun,
    observed: &Observed,
    causes: &BTreeSet<String>,
) -> BTreeMap<Oracle, String> {
    let mut failures = BTreeMap::new();
    let mut fail = |oracle, text: String| {
        failures.entry(oracle).or_insert(text);
    };
    let harm = first_harm(plan, ran, observed);
    let unforced = observed.ended.iter().find(|end| {
        !end.meant && !causes.contains(&end.cause) && harm.is_none_or(|harm| end.at < harm)
    });
    if let Some(end) = unforced {
        fail(
            Oracle::Unforced,
            format!("{} at {:?}: {}", end.connection, end.at, end.cause),
        );
    }
    if observed.deserted > 0 {
        fail(Oracle::Collisions, "both connections are gone".into());
    }
    if is_benign(plan, observed) && arrived(ran) < observed.notifications {
        fail(
            Oracle::Notifications,
            format!("{} of {}", arrived(ran), observed.notifications),
        );
    }
    for (connection, updates) in &observed.busiest {
        let (peer, _) = connection.rsplit_once(['#', '<']).unwrap();
        if let Some(limit) = ran.limits.get(peer)
            && *updates > *limit as usize
        {
            fail(Oracle::Rate, format!("{connection}: {updates}"));
        }
    }
    for (connection, silence) in &observed.silences {
        let slow = 1.0 + f64::from(plan.skew.unsigned_abs()) / 1e6 * 2.0;
        let hold = observed.holds.get(connection).copied().unwrap_or_default();
        if !hold.is_zero() && *silence > (hold / 3).mul_f64(slow) + SLACK {
            fail(Oracle::Timers, format!("{connection}: {silence:?}"));
        }
    }
    failures
}

/// The shortest hold time of a run: what golden and notifications were judged under hung on it, and still does.
pub fn shortest(holds: impl Iterator<Item = Duration>) -> Option<Duration> {
    holds.filter(|hold| !hold.is_zero()).min()
}

fn harmless(observed: &Observed) -> Duration {
    let shortest = shortest(observed.holds.values().copied());
    shortest.unwrap_or(MINUTE).min(MINUTE) / 3
}

fn is_benign(plan: &Plan, observed: &Observed) -> bool {
    plan.is_mild() && plan.held_up() < (PROGRAM_PATIENCE - SLACK).min(harmless(observed) / 2)
}

/// NOTIFICATIONs of the speaker that its peers received.
fn arrived(ran: &FinishedRun) -> usize {
    let transcripts = ran.played.transcripts.iter();
    let passed = transcripts.flat_map(|transcript| transcript.compared());
    passed.filter(|passed| passed.bytes[18] == 3).count()
}

fn first_harm(plan: &Plan, ran: &FinishedRun, observed: &Observed) -> Option<Duration> {
    let triggered = ran
        .triggered
        .iter()
        .filter(|triggered| match triggered.fault.action {
            Action::Reset
            | Action::ResetByPeer
            | Action::Close
            | Action::HalfClose
            | Action::Silence(_) => true,
            Action::Slow(rate) => rate < 200,
            // The peer has nothing to say on the connection that the speaker made: it would have met the speaker on this one.
            Action::Refuse | Action::Ignore => triggered.fault.connection.opener == Opener::Peer,
            Action::Stall(time) => time.is_none_or(|time| time >= harmless(observed)),
            _ => false,
        });
    let crashes = plan.host_faults.iter().filter_map(|fault| match fault {
        HostFault::CrashSpeaker { at, .. } | HostFault::CrashPeer { at, .. } => Some(*at),
        HostFault::Peer { .. }
        | HostFault::Program { .. }
        | HostFault::Partition(_)
        | HostFault::StopSpeaker { .. }
        | HostFault::Reload { .. } => None,
    });
    triggered
        .filter_map(|triggered| triggered.at)
        .chain(crashes)
        .min()
}
