//! How fast UPDATEs go out on a connection, by the seconds of the sender's own clock.

use std::time::Duration;

/// The busiest second of a connection.
///
/// A rate limit counts by the second. While the send buffer is full, UPDATEs leave later than they were
/// admitted: those seconds count as one span, with the limit multiplied by its length.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    first: u64,
    last: u64,
    updates: u64,
    /// The send buffer was full in the span.
    held_up: bool,
    busiest: Span,
}

/// A span of seconds and the UPDATEs sent in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Number of UPDATEs.
    pub updates: u64,
    /// Length in seconds.
    pub seconds: u64,
}

impl Pace {
    /// An UPDATE went out when the sender's clock read `own`.
    pub fn update(&mut self, own: Duration) {
        let second = own.as_secs();
        if second != self.last && self.held_up {
            self.last = second;
            self.held_up = false;
        } else if second != self.last || self.updates == 0 {
            (self.first, self.last, self.updates) = (second, second, 0);
        }
        self.updates += 1;
        let span = Span {
            updates: self.updates,
            seconds: self.last.saturating_sub(self.first) + 1,
        };
        // By cross-multiplication: as many per second as in the busiest span, or more.
        if span.updates * self.busiest.seconds >= self.busiest.updates * span.seconds {
            self.busiest = span;
        }
    }

    /// The send buffer is full when the sender's clock reads `own`.
    pub fn held_up(&mut self, own: Duration) {
        let second = own.as_secs();
        if self.updates == 0 || (second != self.last && !self.held_up) {
            (self.first, self.updates) = (second, 0);
        }
        self.last = second;
        self.held_up = true;
    }

    /// The span with the most UPDATEs per second.
    #[must_use]
    pub const fn busiest(&self) -> Span {
        self.busiest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn seconds_are_those_of_the_clock() {
        let mut pace = Pace::default();
        for millis in [100, 900, 1_000, 1_100, 1_999, 2_000] {
            pace.update(at(millis));
        }
        let busiest = Span {
            updates: 3,
            seconds: 1,
        };
        assert_eq!(pace.busiest(), busiest);
    }

    #[test]
    fn what_a_full_buffer_held_up_counts_where_it_was_let_through() {
        let mut pace = Pace::default();
        pace.held_up(at(500));
        for _ in 0..6 {
            pace.update(at(2_500));
        }
        let busiest = Span {
            updates: 6,
            seconds: 3,
        };
        assert_eq!(pace.busiest(), busiest);
        // The buffer has room again: each second counts for itself.
        for _ in 0..4 {
            pace.update(at(3_500));
        }
        let busiest = Span {
            updates: 4,
            seconds: 1,
        };
        assert_eq!(pace.busiest(), busiest);
    }
}
