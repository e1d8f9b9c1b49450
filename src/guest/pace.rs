//! What a guest's work costs in virtual time. Without a cost, a loop that waits for time to pass would never end.

use std::fmt;

/// A cost in nanoseconds of virtual time: always the same, or drawn anew each time from a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// The least that it costs.
    pub least: i64,
    /// The most that it costs.
    pub most: i64,
}

impl Cost {
    /// The same each time.
    #[must_use]
    pub const fn constant(nanoseconds: i64) -> Self {
        Self {
            least: nanoseconds,
            most: nanoseconds,
        }
    }

    /// Whether it is drawn.
    #[must_use]
    pub const fn is_drawn(self) -> bool {
        self.least != self.most
    }
}

impl fmt::Display for Cost {
    /// `2us`, or `2us..3ms` where it is drawn.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Nanoseconds(self.least))?;
        if self.is_drawn() {
            write!(f, "..{}", Nanoseconds(self.most))?;
        }
        Ok(())
    }
}

/// A time in the largest unit that says it whole.
struct Nanoseconds(i64);

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
        let (per, unit) = units
            .into_iter()
            .find(|(per, _)| self.0 % per == 0)
            .unwrap_or((1, "ns"));
        write!(f, "{}{unit}", self.0 / per)
    }
}

/// The pace of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A call that stops in the tracer.
    pub call: Cost,
    /// A look at readiness that finds nothing and was not meant to wait, or for less than this.
    pub empty_poll: Cost,
    /// How much later than asked for a wait of a loop that has long been idle may end where nothing else is due.
    pub late_poll: Cost,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            call: Cost::constant(1_000),
            empty_poll: Cost::constant(100_000),
            late_poll: Cost::constant(90_000_000),
        }
    }
}

impl Pace {
    /// This pace; what is as usual in it is as `other` has it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let usual = Self::default();
        let chosen = |own: Cost, usual: Cost, other: Cost| if own == usual { other } else { own };
        Self {
            call: chosen(self.call, usual.call, other.call),
            empty_poll: chosen(self.empty_poll, usual.empty_poll, other.empty_poll),
            late_poll: chosen(self.late_poll, usual.late_poll, other.late_poll),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_written_in_the_largest_unit_that_says_it_whole() {
        let written = |least, most| Cost { least, most }.to_string();
        assert_eq!(written(1, 1), "1ns");
        assert_eq!(written(1_500, 2_600_000), "1500ns..2600us");
        assert_eq!(written(2_000, 3_000_000), "2us..3ms");
        assert_eq!(written(60_000_000_000, 60_000_000_000), "60s");
    }
}
