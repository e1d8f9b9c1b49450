//! What a guest's work costs in virtual time. Without a cost, a loop that waits for time to pass would never end.

/// The pace of a host, in nanoseconds of virtual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A call that stops in the tracer.
    pub call: i64,
    /// A look at readiness that finds nothing and was not meant to wait, or for less than this.
    pub empty_poll: i64,
    /// How much later than asked for a wait of a loop that has long been idle may end where nothing else is due.
    pub leniency: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            call: 1_000,
            empty_poll: 100_000,
            leniency: 90_000_000,
        }
    }
}
