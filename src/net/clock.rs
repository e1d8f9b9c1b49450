//! The one place that reads a clock.
//!
//! Everything above it is handed the time as a [`Duration`] since the run began.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// Nanoseconds that a true clock counts while `MILLION + skew` pass on a skewed one.
const MILLION: i64 = 1_000_000;

thread_local! {
    /// The present, while it is known that tokio's clock stands still.
    static PRESENT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The present by tokio's clock.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one reader of the clock")]
pub fn present() -> Instant {
    PRESENT.get().unwrap_or_else(Instant::now)
}

/// Remembers the present until [`release`]: reading tokio's clock takes a lock. For whoever moves a paused clock, and
/// knows that nothing else does until then.
#[allow(clippy::disallowed_methods, reason = "the one reader of the clock")]
pub fn hold() {
    PRESENT.set(Some(Instant::now()));
}

/// The clock may move from now on.
pub fn release() {
    PRESENT.set(None);
}

/// [`release`]s when it is dropped, in a panic too.
#[derive(Debug)]
pub struct Released;

impl Drop for Released {
    fn drop(&mut self) {
        release();
    }
}

/// The clock of one run: tokio's, which a simulation pauses and jumps.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    /// How much faster than true time this clock runs, in parts per million.
    skew: i32,
}

impl Clock {
    /// A clock that reads zero now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            start: present(),
            skew: 0,
        }
    }

    /// The same clock running `skew` parts per million fast (or slow, below zero): another host's.
    ///
    /// A clock slower than a thousandth of true time is held at that.
    #[must_use]
    pub fn skewed(self, skew: i32) -> Self {
        Self {
            skew: skew.max(-999_000),
            ..self
        }
    }

    /// Time since the start.
    #[must_use]
    pub fn now(&self) -> Duration {
        let elapsed = present() - self.start;
        if self.skew == 0 {
            return elapsed;
        }
        scale(elapsed, MILLION + i64::from(self.skew), MILLION)
    }

    /// The instant at `time` since the start, for tokio's timers.
    #[must_use]
    pub fn at(&self, time: Duration) -> Instant {
        if self.skew == 0 {
            return self.start + time;
        }
        // One nanosecond over, so that a timer never wakes before its time on this clock.
        let elapsed = scale(time, MILLION, MILLION + i64::from(self.skew));
        self.start + elapsed + Duration::from_nanos(1)
    }
}

impl Clock {
    /// The time of `instant` since the start; zero for what was before. Of a true clock only.
    #[must_use]
    pub fn since_start(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.start)
    }
}

fn scale(time: Duration, numerator: i64, denominator: i64) -> Duration {
    let nanos = time.as_nanos() * numerator as u128 / denominator as u128;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The time since 1970 by the machine's clock, for dates in files that a person reads; no run sees it.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one reader of the clock")]
pub fn since_1970() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_skewed_clock_wakes_at_its_own_time() {
        let clock = Clock::start();
        let fast = clock.skewed(500_000);
        let slow = clock.skewed(-500_000);
        tokio::time::sleep_until(fast.at(Duration::from_secs(90))).await;
        assert_eq!(clock.now().as_secs(), 60);
        assert!(fast.now() >= Duration::from_secs(90));
        assert_eq!(slow.now().as_secs(), 30);
    }
}
