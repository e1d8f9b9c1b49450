//! Direct-type segment of the mobile user plane (draft-ietf-bess-mup-safi section 3.2).

use std::fmt;

use super::{Kind, two_and_four};

/// The direct segment that a session belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mup {
    /// First part of the segment identifier.
    pub high: u16,
    /// Second part.
    pub low: u32,
}

impl Kind for Mup {
    const CODES: &'static [(u8, u8)] = &[(0x0c, 0x00)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        let (high, low) = two_and_four(octets);
        Some(Self { high, low })
    }
}

impl fmt::Display for Mup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mup:{}:{}", self.high, self.low)
    }
}
