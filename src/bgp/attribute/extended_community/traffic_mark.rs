//! Traffic marking (RFC 8955 section 7.5): a DSCP in the last octet.

use std::fmt;

use super::{ExtendedCommunity, Kind};

/// The DSCP that a flow's packets get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficMark {
    /// Six bits.
    pub dscp: u8,
}

impl From<TrafficMark> for ExtendedCommunity {
    fn from(mark: TrafficMark) -> Self {
        Self::new(0x80, 0x09, [0, 0, 0, 0, 0, mark.dscp])
    }
}

impl Kind for TrafficMark {
    const CODES: &'static [(u8, u8)] = &[(0x00, 0x09)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        Some(Self {
            dscp: octets[7] & 0x3f,
        })
    }
}

impl fmt::Display for TrafficMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mark {}", self.dscp)
    }
}
