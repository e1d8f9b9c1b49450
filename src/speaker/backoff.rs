//! How long to wait before the next connection.

use std::time::Duration;

/// ExaBGP's delay: 0 s after the first loss, then 1, 2, 3, 4, 5, 7 … s up to a minute (`int(1 + 1.2 × last)`).
///
/// RFC 4271 section 8 leaves the growth of IdleHoldTimer to the implementation; this is the
/// reference's, see [`super::parity`]. It starts over once a session has lasted [`Backoff::LASTED`], or was ended by us: with
/// a peer that ends each session as soon as it is established, starting over at every session would be a busy loop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    seconds: u64,
    until: Duration,
    /// Since when a session is established.
    established: Option<Duration>,
    /// When the last session or attempt ended, and how it stood before.
    lost: Option<(Duration, u64, Duration)>,
    /// What was lost was a session, and it was not said yet that sessions do not last.
    news: News,
}

/// Whether it is to be said that sessions do not last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum News {
    #[default]
    Nothing,
    Ended,
    Said,
}

const LONGEST: u64 = 60;

impl Backoff {
    /// A session that was established for this long is no reason to wait.
    pub const LASTED: Duration = Duration::from_secs(10);

    /// Starts over: the next attempt may come at once.
    pub const fn reset(&mut self, now: Duration) {
        *self = Self {
            seconds: 0,
            until: now,
            established: None,
            lost: None,
            news: News::Nothing,
        };
    }

    /// The next attempt may come now, but not within a second of the last one.
    pub fn hurry(&mut self, now: Duration) {
        let earliest = self
            .lost
            .map_or(now, |(at, ..)| now.max(at + Duration::from_secs(1)));
        self.until = self.until.min(earliest);
    }

    /// A session is established.
    pub const fn established(&mut self, now: Duration) {
        self.established = Some(now);
    }

    /// A session ended: as for an attempt that failed, unless it had lasted.
    pub fn session_ended(&mut self, now: Duration) {
        self.increase(now);
        if self.news == News::Nothing {
            self.news = News::Ended;
        }
    }

    /// An attempt failed: the next may come after the delay, and the one after that later still.
    pub fn increase(&mut self, now: Duration) {
        if let Some(since) = self.established.take()
            && now.saturating_sub(since) >= Self::LASTED
        {
            self.reset(now);
        }
        self.lost = Some((now, self.seconds, self.until));
        self.until = now + Duration::from_secs(self.seconds);
        self.seconds = (1 + self.seconds * 6 / 5).min(LONGEST);
    }

    /// The session that was lost gave way to another connection of the same peer: its end does not count.
    pub const fn forgive(&mut self) {
        if let Some((_, seconds, until)) = self.lost.take() {
            self.seconds = seconds;
            self.until = until;
        }
    }

    /// When the next attempt may come.
    #[must_use]
    pub const fn until(&self) -> Duration {
        self.until
    }

    /// The delay before the next attempt, once, as soon as there is one after a session.
    pub fn news(&mut self) -> Option<Duration> {
        let (at, ..) = self.lost?;
        let delay = self.until.saturating_sub(at);
        if self.news != News::Ended || delay.is_zero() {
            return None;
        }
        self.news = News::Said;
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

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
        backoff.reset(seconds(9));
        assert_eq!(backoff.until(), seconds(9));
    }

    #[test]
    fn it_starts_over_after_a_session_that_lasted_and_not_after_one_that_did_not() {
        let mut backoff = Backoff::default();
        let mut now = Duration::ZERO;
        let mut session = |lasts: Duration| {
            backoff.established(now);
            now += lasts;
            backoff.session_ended(now);
            let delay = backoff.until() - now;
            now = backoff.until();
            (delay.as_secs(), backoff.news().map(|said| said.as_secs()))
        };
        let short = Duration::from_millis(9_999);
        assert_eq!(session(short), (0, None));
        assert_eq!(session(short), (1, Some(1)));
        assert_eq!(session(short), (2, None));
        assert_eq!(session(Backoff::LASTED), (0, None));
        assert_eq!(session(short), (1, Some(1)));
    }

    #[test]
    fn what_gave_way_does_not_count_and_hurry_keeps_a_second() {
        let mut backoff = Backoff::default();
        backoff.increase(seconds(1));
        backoff.increase(seconds(2));
        let before = backoff.until();
        backoff.increase(seconds(3));
        backoff.forgive();
        assert_eq!(backoff.until(), before);
        backoff.increase(seconds(20));
        backoff.increase(seconds(30));
        assert_eq!(backoff.until(), seconds(33));
        backoff.hurry(seconds(30));
        assert_eq!(backoff.until(), seconds(31));
        backoff.hurry(seconds(40));
        assert_eq!(backoff.until(), seconds(31));
    }
}
