//! Layer-2 information (RFC 4761 section 3.2.4).

use std::fmt;

use super::Kind;

/// How a VPLS encapsulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L2Info {
    /// Encapsulation type; 19 is VPLS.
    pub encapsulation: u8,
    /// Control flags.
    pub control: u8,
    /// Layer-2 MTU in octets.
    pub mtu: u16,
    /// Reserved; a preference in draft-ietf-l2vpn-vpls-multihoming.
    pub preference: u16,
}

impl Kind for L2Info {
    const CODES: &'static [(u8, u8)] = &[(0x00, 0x0a)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        let [_, _, encapsulation, control, a, b, c, d] = octets;
        Some(Self {
            encapsulation,
            control,
            mtu: u16::from_be_bytes([a, b]),
            preference: u16::from_be_bytes([c, d]),
        })
    }
}

impl fmt::Display for L2Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            encapsulation,
            control,
            mtu,
            preference,
        } = self;
        write!(f, "l2info:{encapsulation}:{control}:{mtu}:{preference}")
    }
}
