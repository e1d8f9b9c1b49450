//! Everything that can be seen of a run, as one list of events with a stable text form: the trace and its hash,
//! the output of `--verbose` and the evidence of the oracles are made of it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::bgp::error::EncodeError;
use crate::bgp::hex;
use crate::bgp::message::error::MessageError;
use crate::net::ConnectionName;
use crate::speaker::session::{Cause, SessionEvent, State, TimerKind};

use crate::reactor::control::Control;

/// An event of a run, as observers receive it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeakerEvent<'a> {
    /// The speaker listens.
    Listening {
        /// The local address and port.
        at: SocketAddr,
    },
    /// The speaker cannot listen at the configured address.
    NotListening {
        /// The local address and port that it was to listen at.
        at: SocketAddr,
        /// The kind of error that `bind` or `listen` returned.
        reason: io::ErrorKind,
    },
    /// A connection was begun.
    Connecting {
        /// The name of the connection.
        connection: &'a ConnectionName,
        /// The address and port that it connects to.
        to: SocketAddr,
    },
    /// A connection is open.
    Connected {
        /// The name of the connection.
        connection: &'a ConnectionName,
        /// The neighbor: its peer's address, followed by `/2`, `/3` … where the configuration has several neighbors
        /// there.
        peer: &'a str,
    },
    /// A connection could not be opened.
    ConnectFailed {
        /// The name of the connection.
        connection: &'a ConnectionName,
        /// The kind of error that `connect` returned.
        reason: io::ErrorKind,
    },
    /// A connection that a peer opened was refused with a NOTIFICATION.
    Rejected {
        /// The name of the connection.
        connection: &'a ConnectionName,
        /// The reason, in the words of the NOTIFICATION.
        reason: &'static str,
    },
    /// Two connections with one neighbor met (RFC 4271 section 6.8).
    Collision {
        /// The connection that was open or under way.
        old: &'a ConnectionName,
        /// The connection that the peer opened meanwhile.
        new: &'a ConnectionName,
        /// Whether the new one is kept; else the old one is.
        new_lives: bool,
    },
    /// A session's state changed.
    State {
        /// The connection that the session is on.
        connection: &'a ConnectionName,
        /// The state that it left (RFC 4271 section 8.2.2).
        from: State,
        /// The state that it entered.
        to: State,
        /// The event that caused the change.
        cause: &'a Cause,
    },
    /// A message was queued for sending.
    Sent {
        /// The name of the connection.
        connection: &'a ConnectionName,
        /// The whole message, header included.
        raw: &'a [u8],
    },
    /// A whole message was received.
    Received {
        /// The name of the connection.
        connection: &'a ConnectionName,
        /// The whole message, header included.
        raw: &'a [u8],
    },
    /// Octets were received that are no message.
    Malformed {
        /// The name of the connection.
        connection: &'a ConnectionName,
        /// The message with its header.
        raw: &'a [u8],
        /// What is wrong with them.
        error: &'a MessageError,
    },
    /// A message did not fit and was not sent.
    Unsendable {
        /// The connection that it was for.
        connection: &'a ConnectionName,
        /// The field that did not fit.
        error: &'a EncodeError,
    },
    /// A timer expired.
    Expired {
        /// The connection of the timer's session.
        connection: &'a ConnectionName,
        /// The timer that expired.
        timer: TimerKind,
    },
    /// A session ended.
    Closed {
        /// The connection that the session was on.
        connection: &'a ConnectionName,
        /// The event that ended it.
        cause: &'a Cause,
    },
    /// A socket was given up; what it still had to say was said, unless the connection was lost.
    Disconnected {
        /// The name of the connection.
        connection: &'a ConnectionName,
    },
    /// A peer will be connected to again.
    Retry {
        /// The neighbor, as in [`Self::Connected`].
        peer: &'a str,
        /// The earliest time of the next attempt, since the start of the run.
        at: Duration,
    },
    /// A peer is given up: its attempts are used up, or it is not wanted any more.
    PeerEnded {
        /// The neighbor, as in [`Self::Connected`].
        peer: &'a str,
    },
    /// A peer took the changes made so far into its own outgoing batch.
    Taken {
        /// The neighbor, as in [`Self::Connected`].
        peer: &'a str,
    },
    /// An API program runs.
    ProgramStarted {
        /// The name of its `process` section.
        program: &'a str,
    },
    /// An API program could not be started.
    ProgramFailed {
        /// The name of its `process` section.
        program: &'a str,
        /// The error of the operating system, in words.
        reason: &'a str,
    },
    /// An API program ended, or was ended.
    ProgramEnded {
        /// The name of its `process` section.
        program: &'a str,
        /// What ended it, in words.
        reason: &'a str,
    },
    /// An API program gave a command.
    Command {
        /// The name of its `process` section.
        program: &'a str,
        /// The line that it wrote, without its end.
        line: &'a str,
    },
    /// A command was answered.
    Answer {
        /// The name of its `process` section.
        program: &'a str,
        /// The line that it was sent, without its end.
        line: &'a str,
    },
    /// An API program was sent a line that is not an answer: an event.
    ProgramEvent {
        /// The name of its `process` section.
        program: &'a str,
        /// The line that it was sent, without its end.
        line: &'a str,
    },
    /// A request from outside was taken up.
    Control(Control),
    /// The configuration was read again.
    Reloaded {
        /// Whether it was understood; else the old one stands.
        accepted: bool,
        /// What was wrong with it.
        reason: &'a str,
    },
    /// A speaker of somebody else printed something.
    Printed {
        /// What, without the end of its last line.
        text: &'a str,
        /// How much it matters, as its description tells from the words.
        level: LogLevel,
    },
    /// The system calls of a speaker that ran as a guest.
    Calls {
        /// Number of calls answered.
        count: u64,
        /// SHA-256 over all of them, with their times and results.
        digest: &'a [u8; 32],
    },
    /// The speaker ended.
    Ended,
}

/// How much a line of a log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Neither of the others.
    Information,
    /// Something that its operator should look at.
    Warning,
    /// Something that went wrong.
    Error,
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Information => "printed",
            Self::Warning => "printed (warning)",
            Self::Error => "printed (error)",
        })
    }
}

impl fmt::Display for SpeakerEvent<'_> {
    #[allow(clippy::too_many_lines, reason = "one line per event")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { at } => write!(f, "listening {at}"),
            Self::NotListening { at, reason } => write!(f, "not-listening {at} {reason:?}"),
            Self::Connecting { connection, to } => write!(f, "connecting {connection} {to}"),
            Self::Connected { connection, peer } => {
                write!(f, "connected {connection} neighbor {peer}")
            }
            Self::ConnectFailed { connection, reason } => {
                write!(f, "connect-failed {connection} {reason:?}")
            }
            Self::Rejected { connection, reason } => write!(f, "rejected {connection} {reason}"),
            Self::Collision {
                old,
                new,
                new_lives,
            } => {
                write!(
                    f,
                    "collision {old} {new} {}",
                    if *new_lives { "new" } else { "old" }
                )
            }
            Self::State {
                connection,
                from,
                to,
                cause,
            } => {
                write!(f, "state {connection} {from} {to} {cause}")
            }
            Self::Sent { connection, raw } => write!(f, "sent {connection} {}", hex::lower(raw)),
            Self::Received { connection, raw } => {
                write!(f, "received {connection} {}", hex::lower(raw))
            }
            Self::Malformed {
                connection,
                raw,
                error,
            } => {
                write!(f, "malformed {connection} {} {error}", hex::lower(raw))
            }
            Self::Unsendable { connection, error } => write!(f, "unsendable {connection} {error}"),
            Self::Expired { connection, timer } => write!(f, "expired {connection} {timer:?}"),
            Self::Closed { connection, cause } => write!(f, "closed {connection} {cause}"),
            Self::Disconnected { connection } => write!(f, "disconnected {connection}"),
            Self::Retry { peer, at } => write!(f, "retry {peer} {}us", at.as_micros()),
            Self::PeerEnded { peer } => write!(f, "peer-ended {peer}"),
            Self::Taken { peer } => write!(f, "taken {peer}"),
            Self::ProgramStarted { program } => write!(f, "program-started {program}"),
            Self::ProgramFailed { program, reason } => {
                write!(f, "program-failed {program} {reason}")
            }
            Self::ProgramEnded { program, reason } => write!(f, "program-ended {program} {reason}"),
            Self::Command { program, line } => write!(f, "command {program} {line}"),
            Self::Answer { program, line } => write!(f, "answer {program} {line}"),
            Self::ProgramEvent { program, line } => write!(f, "event {program} {line}"),
            Self::Control(control) => write!(f, "control {control}"),
            Self::Reloaded { accepted: true, .. } => f.write_str("reloaded"),
            Self::Reloaded { reason, .. } => write!(f, "not-reloaded {reason}"),
            Self::Printed { text, level } => write!(f, "{level} {text}"),
            Self::Calls { count, digest } => write!(f, "calls {count} {}", hex::lower(*digest)),
            Self::Ended => f.write_str("ended"),
        }
    }
}

impl<'a> SpeakerEvent<'a> {
    /// The event that an observer receives for an event of a session, if any.
    #[must_use]
    pub const fn of_session(
        connection: &'a ConnectionName,
        event: &'a SessionEvent,
    ) -> Option<Self> {
        Some(match event {
            SessionEvent::State { from, to, cause } => Self::State {
                connection,
                from: *from,
                to: *to,
                cause,
            },
            SessionEvent::Sent { raw } => Self::Sent {
                connection,
                raw: raw.as_slice(),
            },
            SessionEvent::Received { raw, .. } => Self::Received {
                connection,
                raw: raw.as_slice(),
            },
            SessionEvent::Malformed { raw, error } => Self::Malformed {
                connection,
                raw: raw.as_slice(),
                error,
            },
            SessionEvent::Expired(timer) => Self::Expired {
                connection,
                timer: *timer,
            },
            SessionEvent::Refused(error) => Self::Unsendable { connection, error },
            SessionEvent::Closed { cause } => Self::Closed { connection, cause },
            SessionEvent::Negotiated(_) | SessionEvent::Established(_) => return None,
        })
    }
}

/// Receives every event of a run as it happens.
///
/// It must not call back into the reactor.
pub trait Observer {
    /// `event` happened at `at` since the start of the run.
    fn observe(&self, at: Duration, event: &SpeakerEvent<'_>);
}

/// Discards every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _at: Duration, _event: &SpeakerEvent<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Opener;

    #[test]
    fn the_text_form_is_stable() {
        let connection = ConnectionName::new([127, 0, 0, 1].into(), Opener::Peer, 2);
        let text = |event: SpeakerEvent<'_>| event.to_string();
        assert_eq!(
            text(SpeakerEvent::State {
                connection: &connection,
                from: State::OpenSent,
                to: State::OpenConfirm,
                cause: &Cause::OpenReceived
            }),
            "state 127.0.0.1<2 OPENSENT OPENCONFIRM OPEN received"
        );
        assert_eq!(
            text(SpeakerEvent::Sent {
                connection: &connection,
                raw: &[0xff, 0x04]
            }),
            "sent 127.0.0.1<2 ff04"
        );
        assert_eq!(
            text(SpeakerEvent::Answer {
                program: "service",
                line: "done"
            }),
            "answer service done"
        );
    }
}
