//! Sessions that ended without a NOTIFICATION: by RST, by FIN, or by nothing at all.

use super::cause::{Confidence, EndCause};
use super::explanation::Explanation;
use super::hold;
use super::lane::{Lane, Rst};
use super::session::{Session, duration};
use crate::bgp::capability::Capability;
use crate::capture::StreamDirection;

const SECOND: u64 = 1_000_000_000;
/// Data this long before an RST may have been unread.
const JUST_BEFORE: u64 = SECOND / 10;
/// Two RSTs this close are one deed.
const TOGETHER: u64 = SECOND / 20;
/// A host's own answer to a segment comes within this time.
const ROUND_TRIP: u64 = SECOND;

/// `by` reset the connection, at `at`.
pub(super) fn reset(
    session: &Session<'_>,
    by: StreamDirection,
    at: u64,
    explanation: &mut Explanation,
) {
    let (resetter, other) = (session.end_of(by), session.end_of(by.opposite()));
    explanation
        .judge(EndCause::Reset, Confidence::Possible)
        .at(at, format!("RST of {resetter}, without a NOTIFICATION"));
    if graceful(session, by, explanation) {
        return;
    }
    let Some(lane) = session.lane(by) else {
        explanation.tell(format!(
            "{resetter} reset the connection without a NOTIFICATION."
        ));
        return;
    };
    let Some(rst) = lane.rst else {
        return;
    };
    if middlebox(session, by, &rst, explanation) {
        return;
    }
    // It had stopped reading: its window was zero, or the other end's send hold timer may be behind it.
    if let Some(since) = lane.closed_since {
        explanation
            .judge(EndCause::UnreadInput, Confidence::Likely)
            .tell(format!(
                "{resetter} had not read for {} (its receive window was zero) and then closed: with input unread, its kernel sends RST in place of FIN (RFC 1122 section 4.2.2.13).",
                duration(at.saturating_sub(since))
            ))
            .at(since, format!("{resetter} closes its receive window (window 0)"))
            .confirm(format!("why the BGP process of {resetter} stopped reading: its log, CPU and state at that time"))
            .instead(EndCause::Crash, "the process may have been killed while it was blocked");
        explanation.culprit = Some(resetter);
        return;
    }
    if session
        .lane(by.opposite())
        .is_some_and(|lane| lane.closed_since.is_some())
    {
        explanation
            .judge(EndCause::SendHoldTimer, Confidence::Likely)
            .tell(format!("{other} had stopped reading (its receive window was zero), so {resetter} could send nothing, a NOTIFICATION included, and gave up the connection (RFC 9687, or its TCP user timeout)."))
            .confirm(format!("the log of {resetter}; what the BGP process of {other} did"));
        explanation.culprit = Some(other);
        return;
    }
    if !rst.acknowledges {
        unknown_connection(session, by, &rst, explanation);
        return;
    }
    aborted(session, by, at, explanation);
}

/// A socket was aborted: RST with ACK, what Linux sends where input is left unread.
fn aborted(session: &Session<'_>, by: StreamDirection, at: u64, explanation: &mut Explanation) {
    let (resetter, other) = (session.end_of(by), session.end_of(by.opposite()));
    let input = session
        .lane(by.opposite())
        .and_then(|lane| lane.last_data)
        .filter(|time| at.saturating_sub(*time) <= JUST_BEFORE);
    explanation.tell(format!(
        "{resetter} aborted its socket: the RST carries an acknowledgment, so its kernel still knew the connection; it was closed with input unread, with SO_LINGER 0, or because its process ended."
    ));
    if let Some(time) = input {
        explanation.at(
            time,
            format!(
                "{other} sends data {} before the RST",
                duration(at.saturating_sub(time))
            ),
        );
    }
    if session.later.refused_by == Some(resetter) {
        explanation
            .judge(EndCause::Crash, Confidence::Likely)
            .tell(format!("Afterwards {resetter} refused connections to its BGP port: nobody listened, so the process was gone. It crashed or was killed with input unread (a daemon that is stopped sends NOTIFICATION 6/2 first)."))
            .confirm(format!("a core dump, the journal and the kernel log (out of memory) of {resetter}"));
    } else if input.is_some() {
        let certainty = if session.later.resumed.is_some() {
            Confidence::Likely
        } else {
            Confidence::Possible
        };
        explanation
            .judge(EndCause::UnreadInput, certainty)
            .tell(format!("Data of {other} had just arrived: {resetter} closed before it had read it, for which a kernel sends RST in place of FIN (RFC 1122 section 4.2.2.13); a NOTIFICATION or FIN it may have meant to send is lost with that."))
            .confirm(format!("the log of {resetter}: an intended close (configuration, collision, limit) at that time"))
            .instead(EndCause::Crash, "a process that is killed with input unread leaves the same RST; connections refused afterwards would tell");
    } else if session.later.resumed.is_some() && has_input(session, by) {
        explanation
            .judge(EndCause::UnreadInput, Confidence::Possible)
            .tell(format!("It had sent nothing since data of {other} came, and took the next connection: its process lived, and closed before it had read that data, for which a kernel sends RST in place of FIN (RFC 1122 section 4.2.2.13)."))
            .confirm(format!("the log of {resetter}: an intended close (configuration, collision, limit) at that time"))
            .instead(EndCause::Crash, "a process that is killed with input unread and started again at once leaves the same");
    } else {
        explanation
            .judge(EndCause::Reset, Confidence::Possible)
            .confirm(format!("the log of {resetter} at that time"))
            .instead(EndCause::Crash, "the process may have been killed")
            .instead(EndCause::Middlebox, "a device that copies the sequence numbers of the connection leaves the same RST; its time to live is that of the others here");
    }
    explanation.culprit = Some(resetter);
}

/// Whether data of the other end came after what `by` sent last.
fn has_input(session: &Session<'_>, by: StreamDirection) -> bool {
    let [own, other] =
        [by, by.opposite()].map(|by| session.lane(by).and_then(|lane| lane.last_data));
    own < other
}

/// An RST without ACK: a host answers a segment of a connection that it does not know (RFC 9293 section 3.5.2).
fn unknown_connection(
    session: &Session<'_>,
    by: StreamDirection,
    rst: &Rst,
    explanation: &mut Explanation,
) {
    let (resetter, other) = (session.end_of(by), session.end_of(by.opposite()));
    let Some(after) = rst.after_other.filter(|after| *after <= ROUND_TRIP) else {
        explanation
            .judge(EndCause::Middlebox, Confidence::Possible)
            .tell(format!("The RST carries no acknowledgment and answers no segment of {other}: a host's own kernel sends none like it."))
            .confirm(format!("a capture at {resetter}: whether it sent the RST"));
        return;
    };
    let quiet = session
        .lane(by)
        .and_then(|lane| lane.last)
        .map_or(0, |last| rst.time.saturating_sub(last));
    explanation
        .judge(EndCause::ConnectionUnknown, Confidence::Likely)
        .tell(format!(
            "The RST carries no acknowledgment and came {} after a segment of {other}: this is how a kernel answers a connection that it does not know. {resetter} had sent nothing for {} before: it restarted meanwhile (its host, or a failover to another), or a stateful device lost the connection.",
            duration(after),
            duration(quiet)
        ))
        .confirm(format!("uptime and failover logs of {resetter}; session tables of firewalls and NAT on the path"));
    explanation.culprit = Some(resetter);
}

/// What shows that neither end sent the RST.
fn middlebox(
    session: &Session<'_>,
    by: StreamDirection,
    rst: &Rst,
    explanation: &mut Explanation,
) -> bool {
    let (resetter, other) = (session.end_of(by), session.end_of(by.opposite()));
    let lane = session.lane(by);
    let opposite = session
        .lane(by.opposite())
        .and_then(|lane| lane.rst)
        .filter(|other| other.time.abs_diff(rst.time) <= TOGETHER);
    // A kernel's own default beside the socket's value is no sign of another host.
    const DEFAULTS: [u8; 3] = [64, 128, 255];
    let seen = lane.map_or([0; 4], |lane| lane.hops);
    let hops = lane.map_or(0, Lane::usual_hops);
    let is_other_host =
        rst.hops != 0 && hops != 0 && !seen.contains(&rst.hops) && !DEFAULTS.contains(&rst.hops);
    let mut signs = Vec::new();
    if is_other_host {
        signs.push(format!(
            "its time to live is {} where all segments of {resetter} before had {hops}",
            rst.hops
        ));
    }
    if !rst.is_exact {
        signs.push(format!(
            "its sequence number is not the next one of {resetter}"
        ));
    }
    if opposite.is_some() {
        signs.push(format!(
            "an RST in the name of {other} came at the same moment"
        ));
    }
    let is_answered_by_both = opposite.is_some_and(|other| {
        other.after_other.is_some_and(|after| after < TOGETHER) && !other.acknowledges
    });
    if signs.is_empty()
        || signs.len() == 1
            && (is_answered_by_both
                || !is_other_host && !rst.is_exact && session.voice(by).gap.is_some())
    {
        return false;
    }
    let certainty = if is_other_host || signs.len() > 1 {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    explanation
        .judge(EndCause::Middlebox, certainty)
        .tell(format!("{resetter} did not send the RST that bears its name: {}. A device on the path (firewall, intrusion prevention, load balancer) reset the connection.", signs.join("; ")))
        .confirm(format!("captures at both ends: {resetter} never sends the RST that {other} receives; session logs of firewalls on the path"))
        .instead(EndCause::ConnectionUnknown, "another host that took over the address would differ in its time to live as well");
    true
}

/// The speaker restarted and said that it would, or did.
fn graceful(session: &Session<'_>, by: StreamDirection, explanation: &mut Explanation) -> bool {
    let sender = session.end_of(by);
    let Some(open) = session.voice(by).opened() else {
        return false;
    };
    let seconds = open.capabilities().find_map(|capability| match capability {
        Capability::GracefulRestart(restart) => Some(restart.time),
        _ => None,
    });
    let (Some(seconds), Some(restarted)) = (seconds, session.later.restarted) else {
        return false;
    };
    if restarted != sender {
        return false;
    }
    explanation
        .judge(EndCause::GracefulRestart, Confidence::Likely)
        .tell(format!("{sender} restarted gracefully (RFC 4724): it had offered graceful restart ({seconds} s), closed without a NOTIFICATION, and its next OPEN has the Restart State bit set."))
        .confirm(format!("whether the restart of the BGP process of {sender} was planned"))
        .instead(EndCause::Crash, "a daemon that crashes and is started again sets the same bit");
    if let Some(time) = session.later.resumed {
        explanation.at(
            time,
            format!("the next connection, on which {sender} says that it has restarted"),
        );
    }
    explanation.culprit = Some(sender);
    true
}

/// `by` closed the connection, at `at`.
pub(super) fn closed(
    session: &Session<'_>,
    by: StreamDirection,
    at: u64,
    explanation: &mut Explanation,
) {
    let (closer, other) = (session.end_of(by), session.end_of(by.opposite()));
    explanation
        .judge(EndCause::Closed, Confidence::Possible)
        .at(at, format!("FIN of {closer}, without a NOTIFICATION"));
    let is_unheard = |by| {
        session
            .lane(by)
            .is_some_and(|lane| lane.stuck.is_some_and(|stuck| stuck.times >= 3))
    };
    if is_unheard(by.opposite()) || is_unheard(by) {
        silent(session, explanation);
        return;
    }
    if graceful(session, by, explanation) {
        return;
    }
    if session.later.refused_by == Some(closer) {
        explanation
            .judge(EndCause::Crash, Confidence::Likely)
            .tell(format!("{closer} closed without a NOTIFICATION, and refused connections to its BGP port afterwards: its process ended (crashed or killed), and its kernel closed the socket for it."))
            .confirm(format!("a core dump, the journal and the kernel log (out of memory) of {closer}"));
        explanation.culprit = Some(closer);
        return;
    }
    if !session.talk.is_established() && session.voice(by).open.is_none() {
        explanation
            .tell(format!("{closer} closed before it sent an OPEN: it does not expect a connection from {other}, or the neighbor is disabled."))
            .confirm(format!("whether {other} is configured as a neighbor of {closer}, with that source address"));
        return;
    }
    explanation
        .tell(format!("{closer} closed without a NOTIFICATION (RFC 4271 requires one): its process ended, or is one that does not send it."))
        .confirm(format!("the log of {closer} at that time; whether its process restarted (uptime)"))
        .instead(EndCause::Crash, "a process that is killed with nothing unread leaves a FIN")
        .instead(EndCause::GracefulRestart, "a daemon that is restarted with graceful restart enabled closes without a NOTIFICATION; its next OPEN would tell");
    explanation.culprit = Some(closer);
}

/// Nothing more came, and something was waiting for an answer.
pub(super) fn silent(session: &Session<'_>, explanation: &mut Explanation) {
    for by in StreamDirection::BOTH {
        let (Some(lane), Some(back)) = (session.lane(by), session.lane(by.opposite())) else {
            return;
        };
        let Some(stuck) = lane.stuck.filter(|stuck| stuck.times >= 3) else {
            continue;
        };
        let (sender, other) = (session.end_of(by), session.end_of(by.opposite()));
        explanation
            .at(
                stuck.first,
                format!(
                    "{sender} sends {} octets again for the first time",
                    stuck.length
                ),
            )
            .at(stuck.last, "and for the last time".to_owned());
        if ttl_security(session, by, explanation) {
            return;
        }
        if back.needless >= 2 {
            explanation
                .judge(EndCause::HoldTimerLoss, Confidence::Likely)
                .tell(format!(
                    "What {sender} sends is lost on the way to {other}, acknowledgments included: {other} sends again {} time(s) what {sender} has acknowledged, and never acknowledges the {} octets that {sender} sends again. The path works in the other direction. {other} hears nothing, so its hold timer expires; its NOTIFICATION cannot pass either, as TCP sends nothing new before what is missing is acknowledged.",
                    back.needless, stuck.length
                ))
                .confirm(format!("filters, routing and interface counters from {sender} to {other}; a capture at {other}"))
                .instead(EndCause::PathMtu, "if small segments passed, only large ones would be sent again");
            return;
        }
        if hold::too_large(session, by, lane, explanation) {
            return;
        }
        let silence = back.last.map_or(0, |last| session.end.saturating_sub(last));
        let hold = session.talk.hold_time().map_or(0, u64::from);
        let what = format!(
            "{sender} sent the same {} octets {} times in {} and got no acknowledgment; nothing came from {other} in the last {}.",
            stuck.length,
            stuck.times + 1,
            duration(stuck.last.saturating_sub(stuck.first)),
            duration(silence)
        );
        explanation
            .confirm(format!("interface state and routing between the two at that time; whether {other} lost power or restarted"));
        if hold > 0 && silence >= hold * SECOND {
            explanation
                .judge(EndCause::HoldTimerUnreachable, Confidence::Likely)
                .tell(format!("{what} The hold time of {hold} s is over, so {sender} has given the session up; its NOTIFICATION is not in the capture, as TCP sends nothing new before what is missing is acknowledged. The host, its link or the path was down."));
        } else {
            explanation
                .judge(EndCause::RetransmissionTimeout, Confidence::Likely)
                .tell(format!("{what} A TCP gives up after tcp_retries2 (15 on Linux, about 15 minutes) or its user timeout, without a word on the wire."));
        }
        explanation.culprit = Some(other);
        return;
    }
}

/// One end sends with a time to live of 255, the other with less and is not heard (RFC 5082).
fn ttl_security(session: &Session<'_>, by: StreamDirection, explanation: &mut Explanation) -> bool {
    let [own, theirs] = [by, by.opposite()].map(|by| session.lane(by).map_or(0, Lane::usual_hops));
    let opened = session.talk.connection.opened;
    // The kernel that listens may learn of it only when the connection is there.
    let was_heard = session
        .lane(by)
        .and_then(|lane| lane.last_progress)
        .is_some_and(|time| time.saturating_sub(opened) > 5 * SECOND);
    if own == 0 || own >= 254 || theirs < 254 || was_heard {
        return false;
    }
    let (sender, other) = (session.end_of(by), session.end_of(by.opposite()));
    explanation
        .judge(EndCause::TtlMismatch, Confidence::Likely)
        .tell(format!("{other} sends with a time to live of {theirs}, as TTL security does (RFC 5082), and {sender} with {own}: {other} drops what {sender} sends, and the session never comes up."))
        .confirm("TTL security on both ends (`ttl security`, `ttl-security hops`)");
    explanation.culprit = Some(sender);
    true
}
