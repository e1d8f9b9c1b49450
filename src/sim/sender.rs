//! The sending half of an end: what is on its way, how much may be, and what must have been lost.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::sim::rtt::RoundTrip;
use crate::sim::segment::Kind;

/// Segments that a connection may send before it has heard anything (RFC 6928).
const INITIAL_WINDOW: usize = 10;
/// Segments beyond a gap that prove a loss (RFC 5681 section 3.2).
const DUPLICATES: usize = 3;

/// The sending half of an end.
#[derive(Debug)]
pub(super) struct Sender {
    /// The first octet that is not known to have arrived.
    pub(super) una: u64,
    /// The next octet to be sent for the first time.
    pub(super) next: u64,
    /// Where the peer's window ends.
    pub(super) edge: u64,
    pub(super) flight: VecDeque<Sent>,
    pub(super) round_trip: RoundTrip,
    /// In octets.
    pub(super) congestion_window: usize,
    pub(super) threshold: usize,
    /// Loss recovery lasts until this has been acknowledged.
    pub(super) recovery: Option<u64>,
    /// When the segment that was sent last of those that have arrived was sent, and its round trip (RFC 8985).
    pub(super) newest: (Duration, Duration),
    pub(super) backoff: u32,
    /// When what is being sent again was first sent.
    pub(super) since: Option<Duration>,
    pub(super) probed: bool,
    /// Unanswered probes of a closed window, or of an idle connection.
    pub(super) probes: u32,
    pub(super) timer: Option<(Duration, Timer)>,
    /// When to look whether the connection is idle, where that is asked for.
    pub(super) keepalive: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// Retransmission timeout.
    Retransmit,
    /// Tail loss probe (RFC 8985 section 7).
    TailLoss,
    /// Segments may only have been reordered (RFC 8985 section 6).
    Reorder,
    /// The peer's window is closed.
    Window,
}

/// A segment that is not known to have arrived; a FIN has no octets.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) seq: u64,
    pub(super) bytes: Option<Bytes>,
    pub(super) at: Duration,
    pub(super) again: bool,
    pub(super) sacked: bool,
    pub(super) lost: bool,
}

impl Sent {
    pub(super) fn length(&self) -> usize {
        self.bytes.as_ref().map_or(1, Bytes::len)
    }

    pub(super) fn end(&self) -> u64 {
        self.seq + self.length() as u64
    }

    pub(super) fn kind(&self) -> Kind {
        match &self.bytes {
            Some(bytes) => Kind::Data {
                seq: self.seq,
                bytes: bytes.clone(),
            },
            None => Kind::Fin { seq: self.seq },
        }
    }
}

impl Sender {
    pub fn new(window: u64, segment: usize) -> Self {
        Self {
            una: 0,
            next: 0,
            edge: window,
            flight: VecDeque::new(),
            round_trip: RoundTrip::default(),
            congestion_window: INITIAL_WINDOW * segment,
            threshold: usize::MAX,
            recovery: None,
            newest: (Duration::ZERO, Duration::ZERO),
            backoff: 0,
            since: None,
            probed: false,
            probes: 0,
            timer: None,
            keepalive: None,
        }
    }

    pub fn stop(&mut self) {
        self.flight.clear();
        self.timer = None;
        self.una = self.next;
    }

    /// Sends octets, or a FIN, for the first time.
    pub fn sends(&mut self, bytes: Option<Bytes>, now: Duration) -> Kind {
        let sent = Sent {
            seq: self.next,
            bytes,
            at: now,
            again: false,
            sacked: false,
            lost: false,
        };
        self.next = sent.end();
        let kind = sent.kind();
        self.flight.push_back(sent);
        kind
    }

    /// Octets (and a FIN) that are not known to have arrived.
    pub fn outstanding(&self) -> usize {
        (self.next - self.una) as usize
    }

    /// The handshake took so long.
    pub fn handshake_took(&mut self, time: Duration, rto_min: Duration) {
        self.round_trip.sample(time, rto_min, 0, 0);
    }

    /// Octets that are on their way, as far as is known; in a recovery each segment counts as a whole one.
    pub(super) fn in_flight(&self, segment: usize) -> usize {
        let moving = self.flight.iter().filter(|it| !it.sacked && !it.lost);
        match self.recovery {
            None => moving.map(Sent::length).sum(),
            Some(_) => moving.count() * segment,
        }
    }

    /// Marks what must have been lost, as later segments have arrived; says when more will be known.
    pub(super) fn detect_loss(&mut self, now: Duration) -> Option<Duration> {
        let last = self.flight.iter().rposition(|sent| sent.sacked)?;
        let sacked = self.flight.iter().filter(|sent| sent.sacked).count();
        let least = self.round_trip.least.unwrap_or_default();
        let patience = if self.recovery.is_some() || sacked >= DUPLICATES {
            Duration::ZERO
        } else {
            least / 4
        };
        let (newest, round_trip) = self.newest;
        let mut later = None;
        for sent in self.flight.iter_mut().take(last) {
            if sent.sacked || sent.lost || sent.at > newest {
                continue;
            }
            let known = sent.at + round_trip + patience;
            if known <= now || patience.is_zero() {
                sent.lost = true;
            } else {
                later = later.max(Some(known));
            }
        }
        later
    }
}
