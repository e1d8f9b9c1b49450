//! Which checks a plan and its faults allow.

use std::time::Duration;

use crate::explore::finished_run::FinishedRun;
use crate::explore::oracle::case::Case;
use crate::explore::plan::PROGRAM_PATIENCE;
use crate::net::Opener;
use crate::scenario::format::host_fault::HostFault;
use crate::sim::Action;

/// How late a timer may fire.
pub(super) const SLACK: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Why the result of a plan may differ from the run without faults, if it may: a fault may end a session, change what
/// is sent, or delay it for so long that a timer expires.
pub(super) fn disturbance(case: &Case<'_>) -> Option<&'static str> {
    if !case.plan.is_mild() {
        return Some("the plan has faults that may end a session or change what is sent");
    }
    let most = (PROGRAM_PATIENCE - SLACK).min(harmless(case.ran) / 2);
    (case.plan.held_up() >= most)
        .then_some("the plan's faults hold octets up for so long that timers may expire")
}

/// The longest stall that expires no hold timer of the run: a third of the shortest hold time, at most a third of a
/// minute.
fn harmless(ran: &FinishedRun) -> Duration {
    let holds = ran.wire.connections.iter().filter_map(|it| it.hold());
    let shortest = holds.filter(|hold| !hold.is_zero()).min();
    shortest.unwrap_or(MINUTE).min(MINUTE) / 3
}

/// Time of the first triggered fault that may end a session.
pub(super) fn first_harm(case: &Case<'_>) -> Option<Duration> {
    let triggered = case
        .ran
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
            Action::Stall(time) => time.is_none_or(|time| time >= harmless(case.ran)),
            _ => false,
        });
    let crashes = case
        .plan
        .host_faults
        .iter()
        .filter_map(|fault| match fault {
            HostFault::CrashSpeaker { at, .. } | HostFault::CrashPeer { at, .. } => Some(*at),
            HostFault::Partition(partition) => Some(partition.at),
            HostFault::StopSpeaker { at, time, .. } => (*time >= harmless(case.ran)).then_some(*at),
            // Some daemons end every session then, by design.
            HostFault::Reload { at, .. } => Some(*at),
            HostFault::Peer { .. } | HostFault::Program { .. } => None,
        });
    triggered
        .filter_map(|triggered| triggered.at)
        .chain(crashes)
        .chain(case.ran.first_partition)
        .min()
}
