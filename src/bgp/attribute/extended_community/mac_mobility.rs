//! MAC mobility (RFC 7432 section 7.7).

use std::fmt;

use super::{ExtendedCommunity, Kind, join_two_and_four, two_and_four};

/// How often a MAC address has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacMobility {
    /// Moves so far.
    pub sequence: u32,
    /// The address does not move.
    pub sticky: bool,
}

impl From<MacMobility> for ExtendedCommunity {
    fn from(mobility: MacMobility) -> Self {
        let flags = u16::from(mobility.sticky) << 8;
        Self::new(0x06, 0x00, join_two_and_four(flags, mobility.sequence))
    }
}

impl Kind for MacMobility {
    const CODES: &'static [(u8, u8)] = &[(0x06, 0x00)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        Some(Self {
            sequence: two_and_four(octets).1,
            sticky: octets[2] == 1,
        })
    }
}

impl fmt::Display for MacMobility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sticky = if self.sticky { ":sticky" } else { "" };
        write!(f, "mac-mobility:{}{sticky}", self.sequence)
    }
}
