//! The timers of a session: an array indexed by what each is for. When to connect again is the peer's business, not
//! that of a session: [`crate::speaker::backoff`].

use std::time::Duration;

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum TimerKind {
    /// The peer's OPEN has not come (the "large value" of the hold timer in OpenSent: RFC 4271 section 8.2.2).
    OpenWait,
    /// Nothing was received for the hold time.
    Hold,
    /// A KEEPALIVE is due.
    Keepalive,
    /// The peer does not read what we send (RFC 9687).
    SendHold,
    /// The next piece of a verbatim is due.
    Verbatim,
}

impl TimerKind {
    const COUNT: usize = 5;
    const ALL: [Self; Self::COUNT] = [
        Self::OpenWait,
        Self::Hold,
        Self::Keepalive,
        Self::SendHold,
        Self::Verbatim,
    ];
}

/// When to wake a session, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// Time since the start of the run.
    pub at: Duration,
    /// The timer that expires then.
    pub reason: TimerKind,
}

/// Timers that run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timers([Option<Duration>; TimerKind::COUNT]);

impl Timers {
    /// Starts `timer` anew, to expire at `at`.
    pub const fn set(&mut self, timer: TimerKind, at: Duration) {
        self.0[timer as usize] = Some(at);
    }

    pub const fn stop(&mut self, timer: TimerKind) {
        self.0[timer as usize] = None;
    }

    pub const fn stop_all(&mut self) {
        self.0 = [None; TimerKind::COUNT];
    }

    pub const fn at(&self, timer: TimerKind) -> Option<Duration> {
        self.0[timer as usize]
    }

    /// The earliest to expire; of several at once the first in the order of [`TimerKind`].
    pub fn next(&self) -> Option<Deadline> {
        TimerKind::ALL
            .into_iter()
            .filter_map(|reason| self.at(reason).map(|at| Deadline { at, reason }))
            .min()
    }

    /// The earliest that has expired by `now`, which is stopped thereby.
    pub fn expired(&mut self, now: Duration) -> Option<TimerKind> {
        let deadline = self.next().filter(|deadline| deadline.at <= now)?;
        self.stop(deadline.reason);
        Some(deadline.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_earliest_deadline_comes_first_and_says_why() {
        let mut timers = Timers::default();
        timers.set(TimerKind::Hold, 9 * SECOND);
        timers.set(TimerKind::Keepalive, 3 * SECOND);
        assert_eq!(
            timers.next(),
            Some(Deadline {
                at: 3 * SECOND,
                reason: TimerKind::Keepalive
            })
        );
        assert_eq!(timers.expired(2 * SECOND), None);
        assert_eq!(timers.expired(9 * SECOND), Some(TimerKind::Keepalive));
        assert_eq!(timers.expired(9 * SECOND), Some(TimerKind::Hold));
        assert_eq!(timers.expired(9 * SECOND), None);
    }
}
