//! How long to wait before the next connection.

use std::time::Duration;

/// ExaBGP's delay: 0 s after the first loss, then 1, 2, 3, 4, 5, 7 … s up to a minute (`int(1 + 1.2 × last)`).
///
/// RFC 4271 section 8 leaves the growth of IdleHoldTimer to the implementation; this is the
/// reference's, see [`super::parity`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    seconds: u64,
    until: Duration,
}

const LONGEST: u64 = 60;

impl Backoff {
    /// Starts over: the next attempt may come at once.
    pub const fn reset(&mut self, now: Duration) {
        self.seconds = 0;
        self.until = now;
    }

    /// A session ended (or an attempt failed): the next may come after the delay, and the one after that later still.
    pub fn increase(&mut self, now: Duration) {
        self.until = now + Duration::from_secs(self.seconds);
        self.seconds = (1 + self.seconds * 6 / 5).min(LONGEST);
    }

    /// When the next attempt may come.
    #[must_use]
    pub const fn until(&self) -> Duration {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_to_a_minute_and_a_reset_forgets_it() {
        let mut backoff = Backoff::default();
        let delays: Vec<u64> = (0..20)
            .map(|_| {
                backoff.increase(Duration::ZERO);
                backoff.until().as_secs()
            })
            .collect();
        assert_eq!(
            delays,
            [
                0, 1, 2, 3, 4, 5, 7, 9, 11, 14, 17, 21, 26, 32, 39, 47, 57, 60, 60, 60
            ]
        );
        backoff.reset(Duration::from_secs(9));
        assert_eq!(backoff.until(), Duration::from_secs(9));
    }
}
