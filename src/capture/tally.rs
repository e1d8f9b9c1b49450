//! What a capture holds, in numbers.

use std::collections::BTreeMap;

use super::internet::Skipped;

/// What was met in a capture beside messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets read.
    pub packets: u64,
    /// TCP segments among them.
    pub segments: u64,
    /// Packets without a TCP segment, by reason.
    pub skipped: BTreeMap<Skipped, u64>,
    /// Connections on which BGP was spoken.
    pub connections: u64,
    /// Segments whose octets had all been seen.
    pub retransmitted: u64,
    /// TCP keep-alive probes.
    pub probes: u64,
    /// Segments that came before an earlier one.
    pub reordered: u64,
    /// Holes in streams that nothing filled.
    pub gaps: u64,
    /// Octets missing in them.
    pub lost: u64,
    /// Octets held at present for want of earlier ones.
    pub(super) held: usize,
}

impl Tally {
    pub(super) const fn count_old(&mut self, probe: bool) {
        if probe {
            self.probes += 1;
        } else {
            self.retransmitted += 1;
        }
    }
}
