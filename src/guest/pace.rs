//! What a guest's work costs in virtual time. Without a cost, a loop that waits for time to pass would never end.

/// The pace of a host, in nanoseconds of virtual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A call that stops in the tracer.
    pub call: i64,
    /// A look at readiness that finds nothing and was not meant to wait, or for less than this.
    pub empty_poll: i64,
    /// How much later than asked for a wait of a loop that has long been idle may end where nothing else is due.
    pub late_poll: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            call: 1_000,
            empty_poll: 100_000,
            late_poll: 90_000_000,
        }
    }
}

impl Pace {
    /// This pace; what is as usual in it is as `other` has it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let usual = Self::default();
        let chosen = |own: i64, usual: i64, other: i64| if own == usual { other } else { own };
        Self {
            call: chosen(self.call, usual.call, other.call),
            empty_poll: chosen(self.empty_poll, usual.empty_poll, other.empty_poll),
            late_poll: chosen(self.late_poll, usual.late_poll, other.late_poll),
        }
    }
}
