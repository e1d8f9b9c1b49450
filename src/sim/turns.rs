//! How many turns the tasks of a run take: a bound for those that never wait for anything, and why a run has no end.

use std::time::Duration;

/// Turns between two looks at the clock.
const LOOK: u32 = 4_096;
/// Looks at which the clock may show the same time: a turn is up to 61 steps of tasks, so this is a second or two.
const STILL: u32 = 24;
/// Turns of a whole run: a day of virtual time with hundreds of sessions takes a fraction of it.
const ALL: u64 = 20_000_000;

/// The future of a run did not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Endless {
    /// Its virtual time was over. A run in which everything waits for everything else ends like this too, at once.
    #[error("the run did not end within {} s of virtual time", limit.as_secs_f64())]
    Time {
        /// The time that was allowed, counted from the world's start.
        limit: Duration,
    },
    /// Its tasks did not come to rest, so that virtual time stood still.
    #[error(
        "the run spins: {turns} turns at {:.6} s of virtual time, and something has still to do at that instant",
        at.as_secs_f64()
    )]
    Instant {
        /// Turns at that time.
        turns: u64,
        /// Virtual time since the world's start.
        at: Duration,
    },
    /// Its tasks took more turns than any run needs.
    #[error("the run does not come to its end: {turns} turns by {:.6} s of virtual time", at.as_secs_f64())]
    Turns {
        /// Turns in all.
        turns: u64,
        /// Virtual time since the world's start.
        at: Duration,
    },
}

/// Counts the turns of one run.
#[derive(Debug, Default)]
pub(super) struct Turns {
    since_look: u32,
    looks: u64,
    still: u32,
    seen: Duration,
}

impl Turns {
    /// Counts one turn; `now` is asked for the time now and then. Something is wrong if it returns what.
    #[inline]
    pub(super) fn take(&mut self, now: impl FnOnce() -> Duration) -> Option<Endless> {
        self.since_look += 1;
        if self.since_look < LOOK {
            return None;
        }
        self.look(now())
    }

    #[cold]
    fn look(&mut self, now: Duration) -> Option<Endless> {
        self.since_look = 0;
        self.looks += 1;
        if now != self.seen {
            self.seen = now;
            self.still = 0;
        }
        self.still += 1;
        let turns = self.looks * u64::from(LOOK);
        if self.still > STILL {
            return Some(Endless::Instant {
                turns: u64::from(LOOK) * u64::from(STILL),
                at: now,
            });
        }
        (turns > ALL).then_some(Endless::Turns { turns, at: now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_at_one_instant_are_bounded() {
        let mut turns = Turns::default();
        let end = (0..10_000_000).find_map(|_| turns.take(|| Duration::from_secs(3)));
        assert!(matches!(end, Some(Endless::Instant { at, .. }) if at == Duration::from_secs(3)));
    }

    #[test]
    fn turns_of_a_run_are_bounded_where_time_goes_on() {
        let mut turns = Turns::default();
        let end = (0..ALL + 10_000).find_map(|turn| turns.take(|| Duration::from_nanos(turn)));
        assert!(matches!(end, Some(Endless::Turns { .. })));
    }
}
