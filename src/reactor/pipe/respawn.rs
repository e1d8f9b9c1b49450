//! How often a program that dies is started again.

use std::time::Duration;

/// Counts deaths in windows of 64 seconds, as ExaBGP does: a window is a slice of the clock, not the time since the last death.
#[derive(Debug, Clone, Copy, Default)]
pub struct RespawnBudget {
    window: u64,
    deaths: u32,
}

impl RespawnBudget {
    /// Deaths within one window that are forgiven.
    pub const LIMIT: u32 = 5;

    /// Length of a window in seconds.
    const WINDOW: u64 = 64;

    /// Counts a death at `now`; `false` where it was one too many.
    #[must_use]
    pub const fn spend(&mut self, now: Duration) -> bool {
        let window = now.as_secs() / Self::WINDOW;
        if window != self.window {
            *self = Self { window, deaths: 0 };
        }
        self.deaths += 1;
        self.deaths <= Self::LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_death_in_a_window_is_one_too_many() {
        let mut budget = RespawnBudget::default();
        let spent: Vec<bool> = (0..6)
            .map(|_| budget.spend(Duration::from_secs(63)))
            .collect();
        assert_eq!(spent, [true, true, true, true, true, false]);
        assert!(budget.spend(Duration::from_secs(64)));
    }
}
