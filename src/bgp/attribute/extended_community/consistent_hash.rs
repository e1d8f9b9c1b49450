//! Consistent hash sort order (draft-ietf-bess-service-chaining).

use std::fmt;

use super::{Kind, four_and_two};

/// Where a next hop stands when traffic is spread over several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsistentHash {
    /// The place.
    pub order: u32,
}

impl Kind for ConsistentHash {
    const CODES: &'static [(u8, u8)] = &[(0x03, 0x14)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        Some(Self {
            order: four_and_two(octets).0,
        })
    }
}

impl fmt::Display for ConsistentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "consistentHashSortOrder:{}", self.order)
    }
}
