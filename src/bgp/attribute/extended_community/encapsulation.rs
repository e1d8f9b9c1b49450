//! Encapsulation (RFC 9012 section 4.1): a tunnel type in the last two octets.

use std::fmt;

use super::Kind;

/// The tunnel that leads to the next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encapsulation {
    /// IANA "BGP Tunnel Encapsulation Attribute Tunnel Types".
    pub tunnel: u16,
}

impl Kind for Encapsulation {
    const CODES: &'static [(u8, u8)] = &[(0x03, 0x0c)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        Some(Self {
            tunnel: u16::from_be_bytes([octets[6], octets[7]]),
        })
    }
}

impl fmt::Display for Encapsulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.tunnel {
            0x00 => "encap:Default",
            0x01 => "encap:L2TPv3",
            0x02 => "encap:GRE",
            0x07 => "encap:IP-in-IP",
            0x08 => "encap:VXLAN",
            0x09 => "encap:NVGRE",
            0x0a => "encap:MPLS",
            0x0c => "encap:VXLAN-GPE",
            0x0d => "encap:MPLS-in-UDP",
            // Parity: the word stands twice.
            other => return write!(f, "encap:encap:UNKNOWN-{other}"),
        })
    }
}
