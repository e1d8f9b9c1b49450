//! What happens on the connections of a capture that speak BGP.

use std::time::Duration;

use super::connection::{Connection, StreamDirection};
use super::framing::JunkReason;

/// Something that happened on a connection that speaks BGP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureEvent<'a> {
    /// The connection that it happened on.
    pub connection: &'a Connection,
    /// Who did it. For [`EventKind::Opened`], who opened the connection.
    pub direction: StreamDirection,
    /// Nanoseconds since 1970: when its last octet was in order.
    pub time: u64,
    /// What happened.
    pub kind: EventKind<'a>,
}

impl CaptureEvent<'_> {
    /// The time as a duration since 1970.
    #[must_use]
    pub const fn since_epoch(&self) -> Duration {
        Duration::from_nanos(self.time)
    }
}

/// What happened on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind<'a> {
    /// The connection was opened. Reported with its first octets, so that connections without any are left out.
    Opened,
    /// A message, marker and all.
    Message {
        /// Octets of the stream before it.
        offset: u64,
        /// The message with its header (RFC 4271 section 4.1).
        octets: &'a [u8],
    },
    /// Octets that are not part of a message.
    Junk {
        /// Octets of the stream before them.
        offset: u64,
        /// Why they are not a message.
        reason: JunkReason,
        /// The octets that are not part of a message.
        octets: &'a [u8],
    },
    /// Octets that were sent and are not in the capture.
    Gap {
        /// Octets of the stream before them.
        offset: u64,
        /// Number of octets.
        lost: u64,
    },
    /// The sender will send no more (FIN).
    Finished,
    /// The sender reset the connection (RST).
    Reset,
    /// Something that no octets of the session say.
    Noted(Note),
}

/// What is known of a session, or of an attempt at one, beside its octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// A connection to port 179 that came to nothing; it has no number.
    Attempt(Attempt),
    /// The session went down, as reported to a BMP station (RFC 7854 section 4.9, with the FSM event of reason 2).
    PeerDown {
        /// Reason code of the Peer Down message.
        reason: u8,
        /// The event that led to it.
        event: u16,
    },
    /// The session changed its state, according to an MRT file (RFC 6396 section 4.4.1).
    State {
        /// Old state, as MRT numbers them (RFC 6396 section 4.4.1).
        from: u16,
        /// New state, numbered likewise.
        to: u16,
    },
}

/// How a connection ended on which nothing was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// RST in answer to the SYN.
    Refused,
    /// No answer to so many SYNs.
    Unanswered(u32),
    /// Opened, and closed or left without a word.
    Silent,
}
