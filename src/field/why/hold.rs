//! Hold timers: which end was silent, and whether it had stopped, could not send, or was not heard.

use super::cause::{Confidence, EndCause};
use super::explanation::Explanation;
use super::lane::Lane;
use super::session::{Session, duration};
use crate::capture::StreamDirection;

const SECOND: u64 = 1_000_000_000;
/// The least size of a segment that may be too large for a path.
const LARGE: u32 = 512;

/// `by` says that its hold timer expired, at `at`: what became of the messages of the other end.
pub(super) fn expired(
    session: &Session<'_>,
    by: StreamDirection,
    at: u64,
    explanation: &mut Explanation,
) {
    let silent = by.opposite();
    let (waiting, quiet) = (session.end_of(by), session.end_of(silent));
    let last = session.voice(silent).last;
    let hold = session.talk.hold_time().filter(|hold| *hold > 0);
    let idle = last.map(|last| at.saturating_sub(last.time));
    explanation.judge(EndCause::HoldTimer, Confidence::Certain);
    match (hold, idle) {
        (Some(hold), Some(idle)) => explanation.tell(format!(
            "The hold timer of {waiting} expired ({hold} s agreed): the last message from {quiet} had come {} before.",
            duration(idle)
        )),
        (None, Some(idle)) => explanation.tell(format!(
            "The hold timer of {waiting} expired: the last message from {quiet} had come {} before.",
            duration(idle)
        )),
        (_, None) => explanation.tell(format!(
            "The hold timer of {waiting} expired: the capture has no message from {quiet} at all."
        )),
    };
    if let Some(last) = &last {
        explanation.message(last, format!("last message from {quiet}: {}", last.kind));
    }
    let (Some(lane), Some(back)) = (session.lane(silent), session.lane(by)) else {
        return;
    };
    if blocked(session, (by, at), (lane, back), explanation)
        || too_large(session, silent, lane, explanation)
        || lost(session, (silent, at), lane, explanation)
    {
        return;
    }
    let early =
        hold.is_some_and(|hold| idle.is_some_and(|idle| idle < u64::from(hold) * SECOND * 3 / 4));
    if early {
        explanation
            .judge(EndCause::HoldTimerNotRead, Confidence::Likely)
            .tell(format!(
                "Messages from {quiet} had arrived in time and were acknowledged by the kernel of {waiting}: its BGP process did not read them before its timer ran out."
            ))
            .confirm(format!("CPU load, scheduling and log times of the BGP process of {waiting} in the seconds before"))
            .instead(EndCause::HoldTimer, "the hold time in use at that end may be shorter than the OPENs agree on");
        explanation.culprit = Some(waiting);
        return;
    }
    stopped(session, (by, at), (lane, back), explanation);
}

/// The window of the end whose timer expired was zero: it did not read.
fn blocked(
    session: &Session<'_>,
    (by, at): (StreamDirection, u64),
    (_, back): (&Lane, &Lane),
    explanation: &mut Explanation,
) -> bool {
    let (waiting, quiet) = (session.end_of(by), session.end_of(by.opposite()));
    let Some(since) = back.closed_since.filter(|since| *since < at) else {
        return false;
    };
    explanation
        .judge(EndCause::HoldTimerZeroWindow, Confidence::Likely)
        .tell(format!(
            "{waiting} had itself advertised a receive window of zero for {}: {quiet} was not allowed to send, so its KEEPALIVEs could not arrive. {waiting} stopped reading; {quiet} did nothing wrong.",
            duration(at.saturating_sub(since))
        ))
        .at(since, format!("{waiting} closes its receive window (window 0), and says so in {} segment(s)", back.closed_windows))
        .confirm(format!("what the BGP process of {waiting} did from then on (blocked on its own output, a long RIB walk, stopped); `ss -tmi` there shows a full Recv-Q"));
    explanation.culprit = Some(waiting);
    true
}

/// Large segments are sent again and again, small ones pass.
pub(super) fn too_large(
    session: &Session<'_>,
    silent: StreamDirection,
    lane: &Lane,
    explanation: &mut Explanation,
) -> bool {
    let quiet = session.end_of(silent);
    let other = session.end_of(silent.opposite());
    let small = lane.largest_acknowledged;
    match lane.stuck {
        Some(stuck) if stuck.times >= 2 && stuck.length >= LARGE && stuck.length > small => {
            explanation
                .judge(EndCause::PathMtu, Confidence::Likely)
                .tell(format!(
                    "{quiet} sent a segment of {} octets {} times and never got it acknowledged; the largest that passed before has {small} octets. Small segments pass in both directions, large ones do not: the path to {other} carries less than both ends believe, and no ICMP \"fragmentation needed\" comes back.",
                    stuck.length, stuck.times + 1
                ))
                .at(stuck.first, format!("{quiet} sends {} octets again for the first time", stuck.length))
                .at(stuck.last, "and for the last time".to_owned())
                .confirm(format!("`ping -M do -s 1472` (and less) from {quiet} to {other}; a lower MTU or `ip tcp adjust-mss` on the path; whether ICMP type 3 code 4 is filtered"))
                .instead(EndCause::HoldTimerLoss, "plain loss would hit small segments too");
        }
        // Seen from the receiver's side: the large segments are not in the capture at all.
        _ if lane.missing >= 2 => {
            let Some((time, lost)) = session.voice(silent).gap else {
                return false;
            };
            if lost < u64::from(LARGE) || lost <= u64::from(small) {
                return false;
            }
            explanation
                .judge(EndCause::PathMtu, Confidence::Possible)
                .tell(format!(
                    "{lost} octets of {quiet} never arrived where this was captured, though smaller segments before and after did, and {other} asked for them {} times (SACK).",
                    lane.missing
                ))
                .at(time, format!("{lost} octets of {quiet} are missing"))
                .confirm(format!("a capture at {quiet}: whether it sends the missing octets again in full-sized segments"))
                .instead(EndCause::HoldTimerLoss, "the path may lose packets whatever their size");
        }
        _ => return false,
    }
    true
}

/// What the silent end sent was not acknowledged.
fn lost(
    session: &Session<'_>,
    (silent, at): (StreamDirection, u64),
    lane: &Lane,
    explanation: &mut Explanation,
) -> bool {
    let quiet = session.end_of(silent);
    let other = session.end_of(silent.opposite());
    if let Some(stuck) = lane.stuck
        && stuck.times >= 2
    {
        explanation
            .judge(EndCause::HoldTimerLoss, Confidence::Likely)
            .tell(format!(
                "{quiet} went on sending: its segment of {} octets was sent {} times and never acknowledged. It was not silent; it was not heard.",
                stuck.length, stuck.times + 1
            ))
            .at(stuck.first, format!("{quiet} sends {} octets again for the first time", stuck.length))
            .at(stuck.last, "and for the last time".to_owned())
            .confirm(format!("interface and queue counters on the path from {quiet} to {other}; a capture at the other end"));
        return true;
    }
    if let Some((time, lost)) = session.voice(silent).gap
        && lane.missing >= 1
        && time <= at
    {
        explanation
            .judge(EndCause::HoldTimerLoss, Confidence::Likely)
            .tell(format!(
                "{lost} octets of {quiet} never arrived, and {other} asked for them: they were lost on the way."
            ))
            .at(time, format!("{lost} octets of {quiet} are missing"))
            .confirm(format!("interface and queue counters on the path from {quiet} to {other}"));
        return true;
    }
    false
}

/// Nothing was sent: whether the kernel was still there.
fn stopped(
    session: &Session<'_>,
    (by, at): (StreamDirection, u64),
    (lane, back): (&Lane, &Lane),
    explanation: &mut Explanation,
) {
    let silent = by.opposite();
    let (waiting, quiet) = (session.end_of(by), session.end_of(silent));
    let said = session.voice(silent).last.map_or(0, |last| last.time);
    // What the other end sent meanwhile, which a kernel acknowledges within half a second.
    let asked = session
        .voice(by)
        .last_before
        .map(|last| last.time)
        .filter(|time| *time > said + SECOND && *time <= at);
    let answered = lane.last_by(at).filter(|last| *last > said + SECOND / 2);
    match (asked, answered) {
        (Some(asked), Some(answered)) if answered >= asked => {
            explanation
                .judge(EndCause::HoldTimerProcess, Confidence::Likely)
                .tell(format!(
                    "Its kernel went on acknowledging what {waiting} sent: the host and the path were up, and the BGP process of {quiet} did not run (blocked, stopped, or busy for longer than the hold time)."
                ))
                .at(answered, format!("last acknowledgment from {quiet}"))
                .confirm(format!("CPU load and log times of the BGP process of {quiet}; `ps` state (T, D); a core dump or watchdog"));
            if let Some(since) = lane.closed_since {
                explanation.at(
                    since,
                    format!("{quiet} closes its receive window: it does not read either"),
                );
            }
            explanation.culprit = Some(quiet);
        }
        (Some(asked), _) => {
            explanation
                .judge(EndCause::HoldTimerUnreachable, Confidence::Likely)
                .tell(format!(
                    "Nothing came from {quiet} any more, not even acknowledgments of what {waiting} sent: the host, its link or the path was down{}.",
                    if back.retransmitted > 0 {
                        format!(" ({waiting} sent {} segment(s) again)", back.retransmitted)
                    } else {
                        String::new()
                    }
                ))
                .at(asked, format!("{waiting} sends, and gets no answer"))
                .confirm(format!("interface state and routing between the two at that time; whether {quiet} restarted (uptime)"));
            if let Some(stuck) = back.stuck {
                explanation.at(
                    stuck.last,
                    format!(
                        "{waiting} sends the same {} octets for the {}th time",
                        stuck.length,
                        stuck.times + 1
                    ),
                );
            }
        }
        _ => {
            explanation
                .tell(format!("{waiting} sent nothing in that time that an answer would show {quiet} to be alive by."))
                .confirm(format!("a capture that holds both directions; logs of {quiet}"));
        }
    }
}

/// `by` says that its send hold timer expired (RFC 9687): the other end did not read.
pub(super) fn send_expired(
    session: &Session<'_>,
    by: StreamDirection,
    at: u64,
    explanation: &mut Explanation,
) {
    let (stuck, reader) = (session.end_of(by), session.end_of(by.opposite()));
    explanation
        .judge(EndCause::SendHoldTimer, Confidence::Certain)
        .tell(format!("The send hold timer of {stuck} expired: {reader} took nothing from it for that long (RFC 9687)."));
    explanation.culprit = Some(reader);
    if let Some(since) = session
        .lane(by.opposite())
        .and_then(|lane| lane.closed_since)
    {
        explanation
            .tell(format!(
                "{reader} had advertised a receive window of zero for {}.",
                duration(at.saturating_sub(since))
            ))
            .at(
                since,
                format!("{reader} closes its receive window (window 0)"),
            );
    }
    explanation.confirm(format!("what the BGP process of {reader} did: it sent KEEPALIVEs and read nothing; `ss -tmi` there shows a full Recv-Q"));
}
