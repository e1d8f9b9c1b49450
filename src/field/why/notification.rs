//! Sessions that a NOTIFICATION ended: what it says, and what in the capture led to it.

use super::cause::{Confidence, EndCause};
use super::explanation::{Explanation, SessionEnd};
use super::hold;
use super::session::{Session, duration};
use super::talk::MessagePlace;
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::iana::{Afi, MessageType, Safi};

use crate::bgp::message::notification::cease;
use crate::bgp::message::{Notification, NotificationCode};
use crate::capture::StreamDirection;

/// How long after a NOTIFICATION an RST may come before its receiver has read it.
const OVERTAKES: u64 = 50_000_000;

/// Explains a session that `by` ended with `notification`.
pub(super) fn explain(
    session: &Session<'_>,
    by: StreamDirection,
    (place, notification): (&MessagePlace, &Notification),
    explanation: &mut Explanation,
) {
    let sender = session.end_of(by);
    let what = format!(
        "NOTIFICATION {}/{} of {sender}: {notification}",
        notification.code.0, notification.subcode
    );
    match notification.code {
        NotificationCode::HEADER | NotificationCode::UPDATE | NotificationCode::ROUTE_REFRESH => {
            malformed(session, by, (place, notification), explanation);
        }
        NotificationCode::OPEN => refused(session, by, notification, explanation),
        NotificationCode::HOLD_TIMER => hold::expired(session, by, place.time, explanation),
        NotificationCode::STATE_MACHINE => state_machine(session, by, notification, explanation),
        NotificationCode::CEASE => ceased(session, by, notification, explanation),
        NotificationCode::SEND_HOLD_TIMER => {
            hold::send_expired(session, by, place.time, explanation);
        }
        NotificationCode(code) => {
            explanation
                .judge(EndCause::Ceased, Confidence::Certain)
                .tell(format!(
                    "{sender} sent a NOTIFICATION of code {code}, which no RFC defines."
                ));
        }
    }
    explanation.message(place, what);
    overtaken(session, by, place, explanation);
}

/// An RST right behind a NOTIFICATION: its receiver may see "Connection reset by peer" and nothing else.
fn overtaken(
    session: &Session<'_>,
    by: StreamDirection,
    place: &MessagePlace,
    explanation: &mut Explanation,
) {
    let Some((resetter, at)) = session.talk.reset else {
        return;
    };
    if at < place.time {
        return;
    }
    let (sender, receiver) = (session.end_of(by), session.end_of(by.opposite()));
    let after = at.saturating_sub(place.time);
    let was_acknowledged = session.lane(by).is_some_and(|lane| {
        lane.last_progress
            .is_some_and(|time| time >= place.time && !lane.is_unacknowledged())
    });
    if resetter != by {
        // The receiver closed with the NOTIFICATION unread, or had sent something itself.
        if after > OVERTAKES {
            return;
        }
        explanation.at(
            at,
            format!(
                "RST of {receiver}, {} after the NOTIFICATION",
                duration(after)
            ),
        );
        return;
    }
    explanation.at(
        at,
        format!(
            "RST of {sender}, {} after its NOTIFICATION",
            duration(after)
        ),
    );
    if was_acknowledged && after > OVERTAKES {
        return;
    }
    let seen = if was_acknowledged {
        format!(
            "the kernel of {receiver} had the NOTIFICATION, but its process may see the error first"
        )
    } else {
        format!("{receiver} had not acknowledged it")
    };
    explanation.behind = Some(explanation.cause);
    explanation.cause = EndCause::NotificationOvertaken;
    explanation.tell(format!(
        "{sender} reset the connection (RST) {} after the NOTIFICATION: {seen}, and then its log says \"Connection reset by peer\" and no reason.",
        duration(after)
    ));
    if session.lane(by.opposite()).is_some_and(|lane| {
        lane.last_data
            .is_some_and(|time| time + OVERTAKES * 2 > place.time)
    }) {
        explanation.tell(format!(
            "{receiver} was sending at that moment: {sender} closed its socket with input unread, for which a kernel sends RST in place of FIN (RFC 1122 section 4.2.2.13)."
        ));
    }
    explanation.confirm(format!(
        "the log of {sender}, not that of {receiver}, has the reason"
    ));
}

/// Codes 1, 3 and 7: a message of the other end that is not what it should be.
fn malformed(
    session: &Session<'_>,
    by: StreamDirection,
    (place, notification): (&MessagePlace, &Notification),
    explanation: &mut Explanation,
) {
    let (sender, author) = (session.end_of(by), session.end_of(by.opposite()));
    let voice = session.voice(by.opposite());
    explanation
        .judge(EndCause::MalformedMessage, Confidence::Certain)
        .tell(format!(
            "{sender} took a message of {author} for malformed: {notification}."
        ));
    explanation.culprit = Some(author);
    let held = voice.holding(&notification.data);
    let fault = voice.fault.as_ref().filter(|(at, _)| at.time <= place.time);
    match (fault, held) {
        (Some((at, fault)), _) => {
            explanation
                .tell(format!(
                    "Message {} is malformed: {}, {} ({}). {}.",
                    at.number,
                    fault.field,
                    fault.what,
                    fault.section,
                    fault.kept()
                ))
                .message(
                    at,
                    format!("{} of {} octets: {}", at.kind, at.length, fault.what),
                );
            if fault.is_survivable() {
                explanation.tell(format!("{sender} does not follow RFC 7606 here."));
                explanation.confirm(format!(
                    "whether {sender} has error handling of RFC 7606, and whether it is enabled"
                ));
            }
            explanation.confirm(format!(
                "`lockstep show FILE --message {}` shows the field",
                at.number
            ));
        }
        (None, Some((at, octet))) => {
            explanation
                .judge(EndCause::MalformedMessage, Confidence::Likely)
                .tell(format!(
                    "It names octets that stand in message {} at octet {octet}; that message decodes without a fault here, so the rule is one of {sender}'s own, or the two ends differ on what was negotiated (four-octet AS numbers, add-path).",
                    at.number
                ))
                .message(&at, format!("{} of {} octets holds {} at octet {octet}", at.kind, at.length, hex::text(&notification.data)));
        }
        (None, None) => {
            explanation.judge(EndCause::MalformedMessage, Confidence::Likely);
            match (&voice.junk, &voice.last) {
                (Some((at, reason)), _) => {
                    explanation
                        .tell(format!("Octets of {author} are not a message: {reason}."))
                        .message(at, format!("{} octets: {reason}", at.length));
                }
                (None, Some(last)) => {
                    explanation
                        .tell(format!(
                            "The last message of {author}, number {}, decodes without a fault here.",
                            last.number
                        ))
                        .message(last, format!("last message of {author}: {}", last.kind));
                }
                (None, None) => {}
            }
            explanation.confirm(format!("the log of {sender} at that time; whether octets of {author} are missing from the capture"));
        }
    }
    if !notification.data.is_empty() {
        explanation.seen(format!(
            "data of the NOTIFICATION: {}",
            shortened(&notification.data)
        ));
    }
}

/// Code 2: an OPEN that is not accepted.
fn refused(
    session: &Session<'_>,
    by: StreamDirection,
    notification: &Notification,
    explanation: &mut Explanation,
) {
    let (sender, author) = (session.end_of(by), session.end_of(by.opposite()));
    let voice = session.voice(by.opposite());
    let cause = match notification.subcode {
        1 => EndCause::OpenVersion,
        2 => EndCause::OpenAs,
        3 => EndCause::OpenIdentifier,
        6 => EndCause::OpenHoldTime,
        4 | 7 => EndCause::OpenCapability,
        _ => EndCause::OpenRefused,
    };
    explanation.judge(cause, Confidence::Certain).tell(format!(
        "{sender} refused the OPEN of {author}: {notification}."
    ));
    let open = voice.opened();
    if let Some((place, octets)) = &voice.open {
        let says = match &open {
            Some(open) => format!(
                "OPEN of {author}: AS {}, hold time {} s, identifier {}",
                open.asn(),
                open.hold_time,
                open.identifier
            ),
            None => format!(
                "OPEN of {author}, version {}",
                octets.get(19).copied().unwrap_or_default()
            ),
        };
        explanation.message(place, says);
    }
    let data = &notification.data;
    match notification.subcode {
        1 => {
            if let Some(supported) = data.first_chunk::<2>() {
                let supported = u16::from_be_bytes(*supported);
                explanation.tell(format!("It supports version {supported}."));
            }
        }
        2 => {
            if let Some(open) = &open {
                explanation
                    .tell(format!("{author} said that it is AS {}, and {sender} is configured for another.", open.asn()))
                    .confirm(format!("the AS number of the neighbor {author} in the configuration of {sender}, and the local AS of {author} (local-as, confederation)"));
            }
        }
        3 => {
            let same = session
                .voice(by)
                .opened()
                .zip(open.as_ref())
                .is_some_and(|(ours, theirs)| ours.identifier == theirs.identifier);
            if same {
                explanation.tell("Both ends have the same BGP identifier.");
            }
            explanation.confirm("the router-id of both ends: different ones, and not 0.0.0.0");
        }
        6 => {
            if let Some(open) = &open {
                explanation.tell(format!("{author} proposed {} s; {sender} accepts no such hold time (RFC 4271 allows 0, or 3 and more; a minimum may be configured).", open.hold_time));
            }
        }
        4 | 7 if !data.is_empty() => {
            let code = data[0];
            explanation.tell(format!(
                "It is about {} (code {code}).",
                crate::bgp::capability::title(code)
            ));
            explanation.confirm(format!("whether that capability is enabled on both ends; {sender} requires it or does not take it"));
        }
        _ => {}
    }
    if let Some((place, fault)) = &voice.fault {
        explanation.tell(format!(
            "The OPEN is malformed: {}, {} ({}).",
            fault.field, fault.what, fault.section
        ));
        explanation.message(place, fault.what.clone());
    }
}

/// Code 5: a message that the state does not allow.
fn state_machine(
    session: &Session<'_>,
    by: StreamDirection,
    notification: &Notification,
    explanation: &mut Explanation,
) {
    let (sender, author) = (session.end_of(by), session.end_of(by.opposite()));
    let state = match notification.subcode {
        1 => "OpenSent",
        2 => "OpenConfirm",
        3 => "Established",
        _ => "its state",
    };
    explanation
        .judge(EndCause::StateMachine, Confidence::Certain)
        .tell(format!(
            "{sender} received a message that {state} does not allow (RFC 6608)."
        ));
    if let Some(last) = &session.voice(by.opposite()).last {
        let name = match notification.data.first() {
            Some(kind) => MessageType(*kind).to_string(),
            None => last.kind.to_string(),
        };
        explanation
            .tell(format!(
                "The last message of {author} before was number {}: {name}.",
                last.number
            ))
            .message(last, format!("{} of {author}", last.kind));
    }
    explanation.confirm(format!(
        "the log of {author}: why it sent that in this state"
    ));
}

/// Code 6.
fn ceased(
    session: &Session<'_>,
    by: StreamDirection,
    notification: &Notification,
    explanation: &mut Explanation,
) {
    let (sender, other) = (session.end_of(by), session.end_of(by.opposite()));
    let mut notification = notification.clone();
    if notification.subcode == cease::HARD_RESET
        && let [code, subcode, ref data @ ..] = notification.data[..]
    {
        // RFC 8538 section 3.1: the reason stands in the data.
        notification = Notification::new(NotificationCode(code), subcode, data.to_vec());
        explanation.tell(format!("{sender} sent a hard reset (RFC 8538), which ends graceful restart too; its reason is {notification}."));
    }
    let cause = match notification.subcode {
        _ if notification.code != NotificationCode::CEASE => EndCause::Ceased,
        cease::MAXIMUM_PREFIXES => EndCause::MaximumPrefixes,
        cease::ADMINISTRATIVE_SHUTDOWN => EndCause::AdministrativeShutdown,
        cease::PEER_DECONFIGURED => EndCause::Deconfigured,
        cease::ADMINISTRATIVE_RESET => EndCause::AdministrativeReset,
        cease::CONNECTION_REJECTED => EndCause::ConnectionRejected,
        cease::OTHER_CONFIGURATION_CHANGE => EndCause::ConfigurationChange,
        cease::CONNECTION_COLLISION => EndCause::Collision,
        cease::OUT_OF_RESOURCES => EndCause::OutOfResources,
        cease::BFD_DOWN => EndCause::BfdDown,
        _ => EndCause::Ceased,
    };
    explanation.judge(cause, Confidence::Certain);
    match cause {
        EndCause::MaximumPrefixes => maximum(session, by, &notification, explanation),
        EndCause::AdministrativeShutdown => {
            explanation.tell(format!("{sender} was told by its operator to shut the session down; it stays down until they enable it again."));
        }
        EndCause::AdministrativeReset => {
            explanation.tell(format!(
                "{sender} was told by its operator to reset the session; it comes up again."
            ));
        }
        EndCause::Deconfigured => {
            explanation.tell(format!(
                "{other} was removed from the configuration of {sender}."
            ));
        }
        EndCause::ConfigurationChange => {
            explanation.tell(format!("The configuration of {sender} changed in something that needs a new session (addresses, AS, hold time, capabilities, families)."));
        }
        EndCause::ConnectionRejected => {
            explanation.tell(format!("{sender} did not take the connection: the neighbor is disabled, not ready, or the connection was not expected from that address or in that direction."));
        }
        EndCause::Collision => {
            explanation.tell(format!("Both ends connected at once; {sender} closed this connection, as the other is kept: that which the end with the higher BGP identifier opened (RFC 4271 section 6.8)."));
            match session.beside {
                Some(id) => {
                    explanation.seen(format!(
                        "the other connection between the two at the same time: {id}"
                    ));
                }
                None => {
                    explanation.tell("The other connection is not in the capture.");
                }
            }
        }
        EndCause::OutOfResources => {
            explanation.tell(format!("{sender} ran out of memory or another resource."));
        }
        EndCause::BfdDown => {
            explanation.tell(format!("BFD of {sender} found the path to {other} down, and that ended the BGP session (RFC 9384): look for the cause in the path or in BFD, not in BGP."));
            explanation.confirm(
                "BFD session logs and counters of both ends; loss or CPU at that time; BFD timers",
            );
        }
        _ => {
            explanation.tell(format!("{sender} closed the session: {notification}."));
            explanation.confirm(format!("the log of {sender} at that time"));
        }
    }
    explanation.culprit = Some(sender);
    match notification.communication() {
        Some(text) => {
            explanation.tell(format!("It says: \"{}\" (RFC 9003).", text.escape_debug()));
        }
        None if notification.may_communicate() => {
            explanation.confirm(format!(
                "who was logged in to {sender} then: it gave no text (RFC 9003)"
            ));
        }
        None => {}
    }
}

/// 6/1 and its data: family and limit (RFC 4486 section 4).
fn maximum(
    session: &Session<'_>,
    by: StreamDirection,
    notification: &Notification,
    explanation: &mut Explanation,
) {
    let (sender, author) = (session.end_of(by), session.end_of(by.opposite()));
    let voice = session.voice(by.opposite());
    let limit = match notification.data[..] {
        [a, b, safi, c, d, e, f, ..] => {
            let family = Family::new(Afi(u16::from_be_bytes([a, b])), Safi(safi));
            let limit = u32::from_be_bytes([c, d, e, f]);
            format!(" of {limit} for {family}")
        }
        _ => String::new(),
    };
    explanation
        .tell(format!("{author} announced more prefixes than the limit{limit} that {sender} has for it."))
        .seen(format!("{author} announced {} route(s) and withdrew {} in this connection", voice.announced, voice.withdrawn))
        .confirm(format!("whether {author} leaks routes (a full table in place of its own), or the limit is simply too low"));
    if let Some(last) = &voice.last {
        explanation.message(last, format!("last message of {author}: {}", last.kind));
    }
    explanation.culprit = Some(author);
}

fn shortened(octets: &[u8]) -> String {
    const SHOWN: usize = 32;
    let more = if octets.len() > SHOWN { "…" } else { "" };
    format!("{}{more}", hex::text(&octets[..octets.len().min(SHOWN)]))
}

/// How it ended, for a NOTIFICATION of `by`.
pub(super) fn ending(
    session: &Session<'_>,
    by: StreamDirection,
    (place, notification): (&MessagePlace, &Notification),
) -> SessionEnd {
    let talk = session.talk;
    let then = match (
        talk.reset,
        talk.voices.iter().filter_map(|voice| voice.finished).min(),
    ) {
        (Some((_, reset)), Some(fin)) if fin <= reset => Some("FIN, RST"),
        (Some(_), _) => Some("RST"),
        (None, Some(_)) => Some("FIN"),
        (None, None) => None,
    };
    SessionEnd::Notification {
        by,
        at: place.time,
        codes: (notification.code.0, notification.subcode),
        text: notification.to_string(),
        then,
    }
}
