//! The octets of a packet from one header on.

use super::tally::Skipped;

/// Headers in headers that are followed.
const MAX_DEPTH: u8 = 24;

/// A header and what follows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer<'a> {
    /// The octets of the packet, from its link header on.
    pub(super) octets: &'a [u8],
    /// Octets that were on the wire after these and that the snap length cut off.
    pub(super) cut: usize,
    /// How many headers lie around it.
    depth: u8,
}

impl<'a> Layer<'a> {
    pub(super) const fn new(octets: &'a [u8], cut: usize) -> Self {
        Self {
            octets,
            cut,
            depth: 0,
        }
    }

    /// Octets on the wire.
    #[inline]
    pub(super) const fn length(&self) -> usize {
        self.octets.len() + self.cut
    }

    /// What follows the first `count` octets.
    #[inline]
    pub(super) fn after(self, count: usize) -> Result<Self, Skipped> {
        let octets = self.octets.get(count..).ok_or(self.short(count))?;
        Ok(Self { octets, ..self })
    }

    /// The first `count` octets on the wire: what follows is padding, or of another header.
    #[inline]
    pub(super) fn upto(self, count: usize) -> Self {
        let captured = self.octets.len().min(count);
        Self {
            octets: &self.octets[..captured],
            cut: self.cut.min(count - captured),
            ..self
        }
    }

    /// `N` octets from `at` on.
    #[inline]
    pub(super) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Skipped> {
        let octets = self.octets.get(at..).and_then(|rest| rest.first_chunk());
        octets.copied().ok_or(self.short(at + N))
    }

    /// Why there are not `count` octets.
    const fn short(&self, count: usize) -> Skipped {
        if count <= self.length() {
            Skipped::Cut
        } else {
            Skipped::Malformed
        }
    }

    /// One header further in.
    pub(super) fn deeper(self) -> Result<Self, Skipped> {
        if self.depth == MAX_DEPTH {
            return Err(Skipped::Malformed);
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}
