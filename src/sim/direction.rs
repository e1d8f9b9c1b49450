//! One direction of a connection with faults: how much may move, and when.

use std::time::Duration;

/// Until a time, or for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Until(pub Option<Duration>);

impl Until {
    pub fn over(self, now: Duration) -> bool {
        self.0.is_some_and(|end| end <= now)
    }
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct DirectionState {
    pub passed: u64,
    pub stalled: Option<Until>,
    pub split: Option<usize>,
    /// Octets per second.
    pub rate: Option<u64>,
    /// When the rate allows more.
    pub free_at: Duration,
    pub coalesce: Option<(usize, Duration)>,
    pub delay: Option<Duration>,
    pub ended: bool,
}

impl DirectionState {
    pub fn blocked(&self, now: Duration) -> bool {
        self.stalled.is_some() || self.free_at > now
    }

    /// The most octets that may move at once.
    pub fn limit(&self, wanted: usize) -> usize {
        let mut limit = wanted;
        if let Some(most) = self.split {
            limit = limit.min(most);
        }
        if let Some(rate) = self.rate {
            // Twenty steps a second are smooth enough.
            limit = limit.min(usize::try_from(rate / 20).unwrap_or(usize::MAX).max(1));
        }
        limit
    }

    pub fn pass(&mut self, count: usize, now: Duration) {
        self.passed += count as u64;
        if let Some(rate) = self.rate {
            let nanos = count as u64 * 1_000_000_000 / rate.max(1);
            self.free_at = self.free_at.max(now) + Duration::from_nanos(nanos);
        }
    }

    pub fn next(&self) -> Option<Duration> {
        let stall = self.stalled.and_then(|until| until.0);
        let free = (!self.free_at.is_zero()).then_some(self.free_at);
        stall.into_iter().chain(free).max()
    }
}
