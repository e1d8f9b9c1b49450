//! The receiving half of an end: order, and acknowledgements that wait.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

/// The least pause of a delayed acknowledgement (`TCP_ATO_MIN`).
pub(super) const DELAY: Duration = Duration::from_millis(40);
/// Acknowledgements that are never delayed, at the beginning of a connection (`TCP_MAX_QUICKACKS`).
const QUICK: u32 = 16;

/// The receiving half of an end.
#[derive(Debug)]
pub(super) struct Receiver {
    /// The next octet expected.
    pub next: u64,
    /// The end of the window as the peer knows it.
    pub(super) edge: u64,
    /// What has arrived out of order; a FIN is `None`.
    pub(super) ahead: BTreeMap<u64, Option<Bytes>>,
    /// The latest block beyond `next`.
    pub sacked: Option<(u64, u64)>,
    pub(super) unacknowledged: usize,
    pub(super) quick: u32,
    /// The application answers soon: acknowledgements may wait for it (`pingpong`).
    pub(super) interactive: bool,
    pub(super) last_data: Duration,
    /// When a delayed acknowledgement goes out.
    pub delayed: Option<Duration>,
    /// When anything was last heard of the peer.
    pub heard: Duration,
}

impl Receiver {
    pub fn new(window: u64) -> Self {
        Self {
            next: 0,
            edge: window,
            ahead: BTreeMap::new(),
            sacked: None,
            unacknowledged: 0,
            quick: QUICK,
            interactive: false,
            last_data: Duration::ZERO,
            delayed: None,
            heard: Duration::ZERO,
        }
    }

    pub fn stop(&mut self) {
        self.delayed = None;
        self.ahead.clear();
    }

    /// The application has sent something.
    pub fn answered(&mut self, now: Duration) {
        if self.unacknowledged > 0 && now.saturating_sub(self.last_data) < DELAY {
            self.interactive = true;
        }
    }

    /// An acknowledgement leaves, alone or with data.
    pub(super) fn acknowledged(&mut self) {
        self.unacknowledged = 0;
        self.delayed = None;
    }
}

impl Receiver {
    /// What is there without a gap around the segment at `seq`.
    pub(super) fn block(&self, seq: u64, length: usize) -> (u64, u64) {
        let (mut start, mut end) = (seq, seq + length as u64);
        for (at, bytes) in &self.ahead {
            let after = at + bytes.as_ref().map_or(1, |bytes| bytes.len() as u64);
            if *at <= end && after >= start {
                start = start.min(*at);
                end = end.max(after);
            }
        }
        (start, end)
    }
}
