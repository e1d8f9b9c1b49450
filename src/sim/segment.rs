//! What travels between the two ends of a connection, and what a step of one leaves to be done.

use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;

/// The two ends: the one that connected, and the one that accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What travels from one end to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) kind: Kind,
    /// The next octet expected; sequence numbers count from 0 after the SYN.
    pub(super) ack: u64,
    /// The sequence number at which the sender's window ends.
    pub(super) edge: u64,
    /// Octets beyond `ack` that have arrived, the latest first (RFC 2018).
    pub(super) sacked: Option<(u64, u64)>,
}

/// What a segment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The server has a place for the connection.
    SynAck,
    Ack,
    /// Asks for an acknowledgement: of the window, or whether anybody is there.
    Probe,
    Data {
        seq: u64,
        bytes: Bytes,
    },
    Fin {
        seq: u64,
    },
    Reset,
}

impl Segment {
    /// A segment of the handshake, without data or acknowledgement.
    pub(super) fn bare(kind: Kind) -> Self {
        Self {
            kind,
            ack: 0,
            edge: 0,
            sacked: None,
        }
    }

    /// Octets on the line, headers of IP and TCP included.
    pub(super) fn length(&self) -> usize {
        const HEADERS: usize = 40;
        match &self.kind {
            Kind::Data { bytes, .. } => HEADERS + bytes.len(),
            _ => HEADERS,
        }
    }

    /// Whether it is sent again where it is lost, or ends the connection: what a fault counts.
    pub(super) fn counts(&self) -> bool {
        matches!(
            self.kind,
            Kind::Data { .. } | Kind::Fin { .. } | Kind::Reset
        )
    }
}

/// What a step leaves to be done: segments to carry, tasks to wake.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// When the step is taken.
    pub(super) now: Duration,
    pub(super) segments: Vec<(Side, Segment)>,
    pub(super) wakers: Vec<Waker>,
}
