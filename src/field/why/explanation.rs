//! The answer for one session: how it ended, why, how sure that is, and on what evidence.

use std::net::IpAddr;

use super::cause::{Confidence, EndCause};
use super::talk::MessagePlace;
use crate::capture::{Connection, StreamDirection};

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// By a NOTIFICATION of this end, with its code and subcode and its words.
    Notification {
        /// Who sent it.
        by: StreamDirection,
        /// When, in nanoseconds since 1970.
        at: u64,
        /// Code and subcode.
        codes: (u8, u8),
        /// Name of both, and the shutdown communication (RFC 9003).
        text: String,
        /// What followed: "FIN", "RST", or nothing.
        then: Option<&'static str>,
    },
    /// By FIN of this end.
    Fin {
        /// Who sent it.
        by: StreamDirection,
        /// Time of the packet, in nanoseconds of the capture's clock.
        at: u64,
    },
    /// By RST of this end.
    Rst {
        /// Who sent it.
        by: StreamDirection,
        /// Time of the packet, in nanoseconds of the capture's clock.
        at: u64,
    },
    /// Without a word; the last packet came then.
    Silence {
        /// Time of the packet, in nanoseconds of the capture's clock.
        at: u64,
    },
    /// A SYN that came to nothing, the first of so many.
    Attempt {
        /// Time of the packet, in nanoseconds of the capture's clock.
        at: u64,
        /// Number of SYNs seen, retransmissions included.
        count: u32,
    },
    /// Told by a BMP station or an MRT file.
    Told {
        /// Time of the packet, in nanoseconds of the capture's clock.
        at: u64,
        /// In what words.
        text: String,
    },
    /// It has not ended in the capture.
    Open,
}

impl SessionEnd {
    /// When it ended, in nanoseconds since 1970.
    #[must_use]
    pub const fn at(&self) -> Option<u64> {
        match self {
            Self::Notification { at, .. }
            | Self::Fin { at, .. }
            | Self::Rst { at, .. }
            | Self::Silence { at }
            | Self::Attempt { at, .. }
            | Self::Told { at, .. } => Some(*at),
            Self::Open => None,
        }
    }

    /// The end that ended it.
    #[must_use]
    pub const fn by(&self) -> Option<StreamDirection> {
        match self {
            Self::Notification { by, .. } | Self::Fin { by, .. } | Self::Rst { by, .. } => {
                Some(*by)
            }
            _ => None,
        }
    }
}

/// Something in the capture that speaks for the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndEvidence {
    /// The message, where it is one.
    pub message: Option<u64>,
    /// When, in nanoseconds since 1970.
    pub time: Option<u64>,
    /// Octets of the stream before it.
    pub octet: Option<u64>,
    /// What it is.
    pub text: String,
}

/// Why one session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Which connection.
    pub connection: Connection,
    /// Its number in the capture, from 1; `None` for attempts on which no BGP was spoken.
    pub session: Option<usize>,
    /// How it ended.
    pub ending: SessionEnd,
    /// Why the session ended.
    pub cause: EndCause,
    /// What lies behind it: of a NOTIFICATION that was overtaken, its own cause.
    pub behind: Option<EndCause>,
    /// How sure the cause is.
    pub certainty: Confidence,
    /// The end in which the cause lies, if it lies in one.
    pub culprit: Option<IpAddr>,
    /// What led to it, sentence by sentence.
    pub story: Vec<String>,
    /// What in the capture says so.
    pub evidence: Vec<EndEvidence>,
    /// What else it may have been, and what speaks for that.
    pub instead: Vec<(EndCause, String)>,
    /// What would confirm it.
    pub confirm: Vec<String>,
    /// That it happened before in the same way.
    pub pattern: Option<String>,
}

impl Explanation {
    pub(super) const fn new(connection: Connection, ending: SessionEnd) -> Self {
        Self {
            connection,
            session: None,
            ending,
            cause: EndCause::Unknown,
            behind: None,
            certainty: Confidence::Possible,
            culprit: None,
            story: Vec::new(),
            evidence: Vec::new(),
            instead: Vec::new(),
            confirm: Vec::new(),
            pattern: None,
        }
    }

    /// Whether the session ended in the capture.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        !matches!(self.ending, SessionEnd::Open)
    }

    pub(super) const fn judge(&mut self, cause: EndCause, certainty: Confidence) -> &mut Self {
        self.cause = cause;
        self.certainty = certainty;
        self
    }

    pub(super) fn tell(&mut self, sentence: impl Into<String>) -> &mut Self {
        self.story.push(sentence.into());
        self
    }

    pub(super) fn confirm(&mut self, what: impl Into<String>) -> &mut Self {
        self.confirm.push(what.into());
        self
    }

    pub(super) fn instead(&mut self, cause: EndCause, why: impl Into<String>) -> &mut Self {
        self.instead.push((cause, why.into()));
        self
    }

    pub(super) fn message(&mut self, place: &MessagePlace, text: impl Into<String>) -> &mut Self {
        self.evidence.push(EndEvidence {
            message: Some(place.number),
            time: Some(place.time),
            octet: Some(place.offset),
            text: text.into(),
        });
        self
    }

    pub(super) fn at(&mut self, time: u64, text: impl Into<String>) -> &mut Self {
        self.evidence.push(EndEvidence {
            message: None,
            time: Some(time),
            octet: None,
            text: text.into(),
        });
        self
    }

    pub(super) fn seen(&mut self, text: impl Into<String>) -> &mut Self {
        self.evidence.push(EndEvidence {
            message: None,
            time: None,
            octet: None,
            text: text.into(),
        });
        self
    }
}
