//! The one place that reads a clock.
//!
//! Everything above it is handed the time as a [`Duration`] since the run began.

use std::time::Duration;

use tokio::time::Instant;

/// The clock of one run: tokio's, which a simulation pauses and jumps.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that reads zero now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one reader of the clock")]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Time since the start.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one reader of the clock")]
    pub fn now(&self) -> Duration {
        Instant::now() - self.start
    }

    /// The instant at `time` since the start, for tokio's timers.
    #[must_use]
    pub fn at(&self, time: Duration) -> Instant {
        self.start + time
    }
}
