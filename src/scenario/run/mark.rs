//! Events of a run other than messages: the marks on its time axis.

use std::fmt;
use std::time::Duration;

use crate::net::{HostName, Opener};
use crate::reactor::observer::{LogLevel, SpeakerEvent};
use crate::scenario::format::host_fault::Partition;
use crate::speaker::session::Cause;

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Time since the start of the run.
    pub at: Duration,
    /// The kind, by which reports select and colour it.
    pub kind: MarkKind,
    /// One line that begins with the connection, peer or program that it is about.
    pub text: String,
}

/// The kind of event that a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkKind {
    /// A fault triggered, or an error occurred.
    Fault,
    /// A session's state changed (RFC 4271 section 8.2.2).
    State,
    /// A connection was opened, refused, closed, or a timer of it expired.
    Connection,
    /// An API program sent a command or received a line; a signal arrived.
    Program,
    /// A speaker of somebody else printed something.
    Printed,
    /// A speaker of somebody else printed a warning or an error.
    Warning,
}

impl fmt::Display for MarkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fault => "fault",
            Self::State => "state",
            Self::Connection => "connection",
            Self::Program => "program",
            Self::Printed => "printed",
            Self::Warning => "warning",
        })
    }
}

impl Mark {
    /// A fault that triggered at `at`.
    #[must_use]
    pub fn fault(at: Duration, text: impl Into<String>) -> Self {
        Self {
            at,
            kind: MarkKind::Fault,
            text: text.into(),
        }
    }

    /// The marks of a partition: when it begins, and when it is over.
    #[must_use]
    pub fn partition(partition: Partition) -> [Self; 2] {
        let [one, other] = partition.ends;
        let over = format!("partition {one} {other} is over");
        [
            Self::fault(partition.at, partition.to_string()),
            Self::fault(partition.at + partition.time, over),
        ]
    }

    /// The same, said to be of `host` where it does not begin with the name of one of its connections.
    #[must_use]
    pub fn on(self, host: HostName) -> Self {
        if self.text.starts_with(&format!("{host}/")) {
            return self;
        }
        Self {
            text: format!("{host}: {}", self.text),
            ..self
        }
    }

    /// The mark that `event` leaves at `at`; none for messages, nor for what another mark says already.
    #[must_use]
    pub fn of(at: Duration, event: &SpeakerEvent<'_>) -> Option<Self> {
        use MarkKind::{Connection, Fault, Printed, Program, State as Change, Warning};
        let (kind, text) = match event {
            SpeakerEvent::State {
                connection,
                from,
                to,
                cause,
            } => (Change, format!("{connection} {from} → {to}: {cause}")),
            SpeakerEvent::Connected { connection, .. } => {
                let who = match connection.opener {
                    Opener::Us => "by the speaker",
                    Opener::Peer => "by the peer",
                };
                (Connection, format!("{connection} opened {who}"))
            }
            SpeakerEvent::ConnectFailed { connection, reason } => {
                (Connection, format!("{connection} not opened: {reason}"))
            }
            SpeakerEvent::Disconnected { connection } => {
                (Connection, format!("{connection} closed"))
            }
            SpeakerEvent::Expired { connection, timer } => {
                (Connection, format!("{connection} {timer:?} timer expired"))
            }
            SpeakerEvent::Rejected { connection, reason } => {
                (Connection, format!("{connection} rejected: {reason}"))
            }
            SpeakerEvent::Collision {
                old,
                new,
                new_lives,
            } => {
                let lives = if *new_lives { new } else { old };
                let text = format!("{old} and {new} collide: {lives} lives");
                (Connection, text)
            }
            SpeakerEvent::Retry { peer, at } => {
                let text = format!("{peer} again from {:.6} s on", at.as_secs_f64());
                (Connection, text)
            }
            SpeakerEvent::PeerEnded { peer } => (Connection, format!("{peer} given up")),
            SpeakerEvent::NotListening { at, reason } => {
                (Fault, format!("no listening at {at}: {reason}"))
            }
            SpeakerEvent::Malformed {
                connection,
                raw,
                error,
            } => {
                let octets = raw.len();
                let text =
                    format!("{connection} {octets} octets that are not a BGP message: {error}");
                (Fault, text)
            }
            SpeakerEvent::Unsendable { connection, error } => {
                (Fault, format!("{connection} not sent: {error}"))
            }
            SpeakerEvent::ProgramFailed { program, reason } => {
                (Fault, format!("{program} not started: {reason}"))
            }
            SpeakerEvent::ProgramEnded { program, reason } => {
                (Program, format!("{program} ended: {reason}"))
            }
            SpeakerEvent::Command { program, line } => (Program, format!("{program} ▸ {line}")),
            SpeakerEvent::Answer { program, line }
            | SpeakerEvent::ProgramEvent { program, line } => {
                (Program, format!("{program} ◂ {line}"))
            }
            SpeakerEvent::Printed {
                text,
                level: LogLevel::Information,
            } => (Printed, (*text).to_owned()),
            SpeakerEvent::Printed { text, .. } => (Warning, (*text).to_owned()),
            SpeakerEvent::Control(control) => (Program, format!("signal: {control}")),
            SpeakerEvent::Reloaded { accepted: true, .. } => {
                (Program, "configuration read again".to_owned())
            }
            SpeakerEvent::Reloaded { reason, .. } => {
                (Fault, format!("configuration refused: {reason}"))
            }
            SpeakerEvent::Ended => (Program, "the speaker ended".to_owned()),
            SpeakerEvent::Listening { .. }
            | SpeakerEvent::Connecting { .. }
            | SpeakerEvent::Sent { .. }
            | SpeakerEvent::Received { .. }
            | SpeakerEvent::Closed { .. }
            | SpeakerEvent::Taken { .. }
            | SpeakerEvent::Calls { .. }
            | SpeakerEvent::ProgramStarted { .. } => return None,
        };
        // A lost connection is shown as an error, not as a state change.
        let kind = match event {
            SpeakerEvent::State {
                cause: Cause::ConnectionLost(_) | Cause::SendHoldExpired,
                ..
            } => Fault,
            _ => kind,
        };
        Some(Self { at, kind, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ConnectionName;
    use crate::speaker::session::State;

    #[test]
    fn a_loss_is_a_fault_and_an_orderly_change_is_none() {
        let connection = ConnectionName::new([127, 0, 0, 1].into(), Opener::Us, 1);
        let change = |to, cause: &Cause| {
            let event = SpeakerEvent::State {
                connection: &connection,
                from: State::Established,
                to,
                cause,
            };
            Mark::of(Duration::ZERO, &event).unwrap()
        };
        let lost = Cause::ConnectionLost(std::io::ErrorKind::ConnectionReset);
        assert_eq!(change(State::Idle, &lost).kind, MarkKind::Fault);
        let opened = change(State::OpenSent, &Cause::Connected);
        assert_eq!(opened.kind, MarkKind::State);
        assert_eq!(opened.text, "127.0.0.1#1 ESTABLISHED → OPENSENT: connected");
        let raw = [0xff; 19];
        let sent = SpeakerEvent::Sent {
            connection: &connection,
            raw: &raw,
        };
        assert_eq!(Mark::of(Duration::ZERO, &sent), None);
    }
}
