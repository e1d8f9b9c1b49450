//! Interface set (draft-ietf-idr-flowspec-interfaceset): where a flow is filtered.
//!
//! ```text
//!  +--------------------+---+---+---------------------------+
//!  |  AS (4 octets)     | O | I |  Group identifier (14)    |
//!  +--------------------+---+---+---------------------------+
//! ```

use std::fmt;

use super::{ExtendedCommunity, Kind, four_and_two, join_four_and_two};
use crate::bgp::error::EncodeError;

/// A group of interfaces and the direction of the traffic through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceSet {
    /// Whether it crosses ASes: type 0x07, else 0x47.
    pub transitive: bool,
    /// The AS that the group belongs to.
    pub asn: u32,
    /// The group; 14 bits.
    pub group: u16,
    /// 1 input, 2 output, 3 both.
    pub direction: u8,
}

impl TryFrom<InterfaceSet> for ExtendedCommunity {
    type Error = EncodeError;

    /// Refuses a group of more than 14 bits and a direction of more than 2.
    fn try_from(set: InterfaceSet) -> Result<Self, EncodeError> {
        EncodeError::within("interface group", usize::from(set.group), 0x3fff)?;
        EncodeError::within("interface direction", usize::from(set.direction), 3)?;
        let kind = if set.transitive { 0x07 } else { 0x47 };
        let target = u16::from(set.direction) << 14 | set.group;
        Ok(Self::new(kind, 0x02, join_four_and_two(set.asn, target)))
    }
}

impl Kind for InterfaceSet {
    const CODES: &'static [(u8, u8)] = &[(0x07, 0x02)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        let (asn, target) = four_and_two(octets);
        Some(Self {
            transitive: octets[0] & 0x40 == 0,
            asn,
            group: target & 0x3fff,
            direction: (target >> 14) as u8,
        })
    }
}

impl fmt::Display for InterfaceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            1 => "input",
            2 => "output",
            3 => "input-output",
            _ => "0",
        };
        // Parity: ExaBGP shows 13 bits of the 14.
        let group = self.group & 0x1fff;
        write!(f, "interface-set:{direction}:{}:{group}", self.asn)
    }
}
