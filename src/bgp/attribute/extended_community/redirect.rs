//! Redirection to a VPN by its route target (RFC 8955 section 7.4): types 0x80 with a 2-octet AS, 0x82 with a 4-octet one.

use std::fmt;

use super::{
    ExtendedCommunity, Kind, four_and_two, join_four_and_two, join_two_and_four, two_and_four,
};

/// The subtype of all forms.
pub const SUBTYPE: u8 = 0x08;

/// The route target of the VPN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirect {
    /// A 2-octet AS number and a number of four.
    As2(u16, u32),
    /// A 4-octet AS number and a number of two.
    As4(u32, u16),
}

impl From<Redirect> for ExtendedCommunity {
    fn from(redirect: Redirect) -> Self {
        match redirect {
            Redirect::As2(asn, number) => Self::new(0x80, SUBTYPE, join_two_and_four(asn, number)),
            Redirect::As4(asn, number) => Self::new(0x82, SUBTYPE, join_four_and_two(asn, number)),
        }
    }
}

impl Kind for Redirect {
    const CODES: &'static [(u8, u8)] = &[(0x00, SUBTYPE), (0x02, SUBTYPE)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        Some(if octets[0] & 0x0f == 0 {
            let (asn, number) = two_and_four(octets);
            Self::As2(asn, number)
        } else {
            let (asn, number) = four_and_two(octets);
            Self::As4(asn, number)
        })
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::As2(asn, number) => write!(f, "redirect:{asn}:{number}"),
            Self::As4(asn, number) => write!(f, "redirect:{asn}:{number}"),
        }
    }
}
