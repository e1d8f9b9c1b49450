//! What a plan and its faults allow to be judged.

use std::time::Duration;

use crate::explore::finished_run::FinishedRun;
use crate::explore::oracle::case::Case;
use crate::explore::plan::PROGRAM_PATIENCE;
use crate::scenario::format::host_fault::HostFault;
use crate::sim::Action;

/// What a timer may be late by.
pub(super) const SLACK: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Why a plan does not leave things as they are, if it does not: something in it may end a session, change what is sent,
/// or hold it up for so long that somebody notices.
pub(super) fn disturbance(case: &Case<'_>) -> Option<&'static str> {
    if !case.plan.is_mild() {
        return Some("the plan has faults that may end a session or change what is sent");
    }
    let most = (PROGRAM_PATIENCE - SLACK).min(harmless(case.ran) / 2);
    (case.plan.held_up() >= most)
        .then_some("the plan's faults hold octets up for so long that timers may expire")
}

/// A stall that no hold time of the run notices: a third of the shortest, and of a minute at most.
fn harmless(ran: &FinishedRun) -> Duration {
    let holds = ran.wire.connections.iter().filter_map(|it| it.hold());
    let shortest = holds.filter(|hold| !hold.is_zero()).min();
    shortest.unwrap_or(MINUTE).min(MINUTE) / 3
}

/// When the first fault struck that may end a session.
pub(super) fn first_harm(case: &Case<'_>) -> Option<Duration> {
    let struck = case
        .ran
        .struck
        .iter()
        .filter(|struck| match struck.fault.action {
            Action::Reset
            | Action::ResetByPeer
            | Action::Close
            | Action::HalfClose
            | Action::Silence(_) => true,
            Action::Slow(rate) => rate < 200,
            Action::Stall(time) => time.is_none_or(|time| time >= harmless(case.ran)),
            _ => false,
        });
    let crashes = case
        .plan
        .host_faults
        .iter()
        .filter_map(|fault| match fault {
            HostFault::CrashSpeaker { at, .. } | HostFault::CrashPeer { at, .. } => Some(*at),
            HostFault::Peer { .. } | HostFault::Program { .. } => None,
        });
    struck.filter_map(|struck| struck.at).chain(crashes).min()
}
