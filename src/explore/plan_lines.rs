//! The position of each line of a plan in its text.

use std::ops::Range;

/// A line of a plan that a mistake can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanLine {
    /// The line `speaker`.
    Speaker,
    /// The first line `pace`.
    Pace,
    /// The line `watch`.
    Watch,
    /// The setting of TCP with this index in [`Plan::tcp`](crate::explore::plan::Plan::tcp).
    Tcp(usize),
    /// The fault of a connection with this index in [`Plan::faults`](crate::explore::plan::Plan::faults).
    Fault(usize),
    /// The fault of a host or program with this index in
    /// [`Plan::host_faults`](crate::explore::plan::Plan::host_faults).
    HostFault(usize),
}

/// Where the lines of a plan are, as ranges of octets of its text. Kept beside the plan and not in it: two plans that
/// do the same are equal wherever their lines are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanSpans {
    /// The name of the scenario.
    pub scenario: Range<usize>,
    /// The line `speaker`, if there is one.
    pub speaker: Range<usize>,
    /// The first line `pace`, if there is one.
    pub pace: Range<usize>,
    /// The line `watch`, if there is one.
    pub watch: Range<usize>,
    /// In the order of [`Plan::tcp`](crate::explore::plan::Plan::tcp).
    pub tcp: Vec<Range<usize>>,
    /// In the order of [`Plan::faults`](crate::explore::plan::Plan::faults).
    pub faults: Vec<Range<usize>>,
    /// In the order of [`Plan::host_faults`](crate::explore::plan::Plan::host_faults).
    pub host_faults: Vec<Range<usize>>,
}

impl PlanSpans {
    /// Where `line` is; empty if the text has no such line.
    #[must_use]
    pub fn of(&self, line: PlanLine) -> Range<usize> {
        let span = match line {
            PlanLine::Speaker => Some(&self.speaker),
            PlanLine::Pace => Some(&self.pace),
            PlanLine::Watch => Some(&self.watch),
            PlanLine::Tcp(index) => self.tcp.get(index),
            PlanLine::Fault(index) => self.faults.get(index),
            PlanLine::HostFault(index) => self.host_faults.get(index),
        };
        span.cloned().unwrap_or_default()
    }
}
