//! Link bandwidth (draft-ietf-idr-link-bandwidth): an AS number and octets per second as an IEEE 754 single.
//!
//! It has no line in the table of kinds: ExaBGP writes it in hexadecimal.

use super::{ExtendedCommunity, join_two_and_four, two_and_four};

/// A link's bandwidth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bandwidth {
    /// The AS of the router.
    pub asn: u16,
    /// Octets per second.
    pub speed: f32,
}

impl From<Bandwidth> for ExtendedCommunity {
    fn from(bandwidth: Bandwidth) -> Self {
        let value = join_two_and_four(bandwidth.asn, bandwidth.speed.to_bits());
        Self::new(0x40, 0x04, value)
    }
}

impl Bandwidth {
    /// Reads the value of a community; `None` where it is of another kind.
    #[must_use]
    pub fn decode(community: ExtendedCommunity) -> Option<Self> {
        let (asn, speed) = two_and_four(community.0);
        let speed = f32::from_bits(speed);
        matches!(community.0, [0x00 | 0x40, 0x04, ..]).then_some(Self { asn, speed })
    }
}
