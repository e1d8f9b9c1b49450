//! Why the connections of a run ended: the plan says what was done to them, the octets and the states what came of it.

use std::time::Duration;

use super::{Confidence, EndCause, Why};
use crate::compare::{Declared, Input};
use crate::explore::finished_run::FinishedRun;
use crate::explore::plan::Plan;
use crate::net::ConnectionName;
use crate::scenario::format::host_fault::HostFault;
use crate::scenario::run::mark::Mark;
use crate::scenario::run::record::pcap;
use crate::scenario::scripted::transcript::Transcript;
use crate::sim::Action;

/// How much later than a fault that ends a connection the other end may notice it: the latency of a path.
const NOTICED: Duration = Duration::from_secs(1);

/// How one connection of a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Its name on the host under test.
    pub connection: ConnectionName,
    /// When, since the start of the run.
    pub at: Duration,
    /// Why.
    pub cause: EndCause,
    /// How sure that is.
    pub certainty: Confidence,
    /// What set it off, and when: a line of the plan, or a message.
    pub trigger: Option<(Duration, String)>,
    /// What came of it, in order.
    pub consequences: Vec<(Duration, String)>,
}

/// The connections of `ran`, a run of `plan`, that ended before it was over, in the order in which they did.
#[must_use]
pub fn ends(plan: &Plan, ran: &FinishedRun) -> Vec<RunEnd> {
    let mut ends: Vec<RunEnd> = ran
        .played
        .transcripts
        .iter()
        .filter_map(|transcript| end(plan, ran, transcript))
        .collect();
    ends.sort_by_key(|end| end.at);
    ends
}

fn end(plan: &Plan, ran: &FinishedRun, transcript: &Transcript) -> Option<RunEnd> {
    let name = transcript.name;
    let label = format!("{name} ");
    let is_of = |mark: &&Mark| mark.text.starts_with(&label);
    let down = |mark: &&Mark| mark.text.contains("→ IDLE");
    // What the speaker noticed, else what the peer did.
    let noticed = ran.played.marks.iter().filter(is_of).find(down);
    let closed = transcript.ended.map(|(at, _)| at);
    let at = noticed.map(|mark| mark.at).or(closed)?;
    if at >= ran.played.over {
        return None;
    }
    let (mut cause, mut certainty) = from_octets(transcript);
    let said = noticed.map_or("", |mark| mark.text.as_str());
    // Acknowledgments of a run are not in its octets: what they would say of the silent end is not known from them.
    let has_expired = said.contains("hold timer expired") && !said.contains("send hold");
    if has_expired || cause.name().starts_with("hold-timer") {
        (cause, certainty) = (EndCause::HoldTimer, Confidence::Certain);
    }
    let mut trigger = None;
    if let Some((when, line, ends_it)) = fault(plan, ran, name, at) {
        if ends_it && at - when <= NOTICED {
            (cause, certainty) = (EndCause::PlanFault, Confidence::Certain);
        } else if ends_it || cause == EndCause::Unknown || is_wordless(cause) {
            (cause, certainty) = (EndCause::PlanFault, Confidence::Likely);
        }
        trigger = Some((when, line));
    }
    let mut consequences: Vec<(Duration, String)> = noticed
        .map(|mark| (mark.at, mark.text[label.len()..].to_owned()))
        .into_iter()
        .collect();
    let mut later = ran.played.transcripts.iter().filter(|other| {
        other.name.peer == name.peer && other.name.host == name.host && other.opened >= at
    });
    match later.next() {
        Some(next) => consequences.push((next.opened, format!("{} is opened", next.name))),
        None => consequences.push((at, "no connection with that peer after it".to_owned())),
    }
    Some(RunEnd {
        connection: name,
        at,
        cause,
        certainty,
        trigger,
        consequences,
    })
}

/// What the octets alone say.
fn from_octets(transcript: &Transcript) -> (EndCause, Confidence) {
    let unknown = (EndCause::Unknown, Confidence::Possible);
    let Ok(octets) = pcap(std::slice::from_ref(transcript), Duration::ZERO) else {
        return unknown;
    };
    let mut input = Input::Memory(transcript.name.to_string(), octets);
    let Ok(why) = Why::read(&mut input, Declared::default()) else {
        return unknown;
    };
    let ended = why.sessions.iter().find(|session| session.is_ended());
    ended.map_or(unknown, |session| (session.cause, session.certainty))
}

/// A cause that is only a guess from how the connection was closed.
const fn is_wordless(cause: EndCause) -> bool {
    matches!(
        cause,
        EndCause::Crash
            | EndCause::ConnectionUnknown
            | EndCause::UnreadInput
            | EndCause::Middlebox
            | EndCause::Reset
            | EndCause::Closed
            | EndCause::Silent
    )
}

/// The last fault before `at` that may have to do with the end of `name`: when it came, its line, and whether it ends a
/// connection by itself.
fn fault(
    plan: &Plan,
    ran: &FinishedRun,
    name: ConnectionName,
    at: Duration,
) -> Option<(Duration, String, bool)> {
    let of_connection = ran.triggered.iter().filter_map(|triggered| {
        let when = triggered.at.filter(|when| *when <= at)?;
        let fault = triggered.fault;
        let is_of = fault.connection.peer == name.peer
            && fault.connection.opener == name.opener
            && fault.connection.attempt == name.attempt;
        let ends = matches!(
            fault.action,
            Action::Reset | Action::ResetByPeer | Action::Close | Action::HalfClose
        );
        // Such a fault only shapes how octets come.
        let shapes = matches!(fault.action, Action::Split(_) | Action::Coalesce(..));
        (is_of && !shapes).then(|| (when, format!("fault {fault}"), ends))
    });
    let of_hosts = plan.host_faults.iter().filter_map(|fault| {
        let (when, is_of) = match fault {
            HostFault::CrashSpeaker { at, .. } => (*at, true),
            HostFault::CrashPeer { peer, at, .. } => (*at, *peer == name.peer),
            HostFault::Partition(partition) => (partition.at, true),
            HostFault::StopSpeaker { at, .. } | HostFault::Reload { at, .. } => (*at, true),
            HostFault::Peer { .. } | HostFault::Program { .. } => return None,
        };
        let ends = !matches!(
            fault,
            HostFault::Partition(_) | HostFault::StopSpeaker { .. }
        );
        (is_of && when <= at).then(|| (when, fault.to_string(), ends))
    });
    of_connection
        .chain(of_hosts)
        .max_by_key(|(when, _, ends)| (*ends && at - *when <= NOTICED, *when))
}
