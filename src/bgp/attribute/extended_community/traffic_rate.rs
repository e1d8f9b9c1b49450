//! Traffic rate in octets or in packets (RFC 8955 sections 7.1 and 7.2): an AS number and an IEEE 754 single; 0 discards.

use std::fmt;

use super::{ExtendedCommunity, Kind, join_two_and_four, two_and_four};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Octets per second.
    Octets,
    /// Packets per second.
    Packets,
}

/// The most traffic that a flow may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrafficRate {
    /// An AS for information; people's routes have 0.
    pub asn: u16,
    /// The rate.
    pub rate: f32,
    /// What of.
    pub unit: Unit,
}

impl From<TrafficRate> for ExtendedCommunity {
    fn from(rate: TrafficRate) -> Self {
        let subtype = match rate.unit {
            Unit::Octets => 0x06,
            Unit::Packets => 0x0c,
        };
        Self::new(
            0x80,
            subtype,
            join_two_and_four(rate.asn, rate.rate.to_bits()),
        )
    }
}

impl Kind for TrafficRate {
    const CODES: &'static [(u8, u8)] = &[(0x00, 0x06), (0x00, 0x0c)];

    /// A negative rate is zero (RFC 8955 section 7.1); one that is not a number is no rate.
    fn decode(octets: [u8; 8]) -> Option<Self> {
        let (asn, rate) = two_and_four(octets);
        let rate = f32::from_bits(rate);
        rate.is_finite().then_some(Self {
            asn,
            rate: rate.max(0.0),
            unit: if octets[1] == 0x06 {
                Unit::Octets
            } else {
                Unit::Packets
            },
        })
    }
}

impl fmt::Display for TrafficRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rate-limit:{}", self.rate as u128)?;
        match self.unit {
            Unit::Octets => Ok(()),
            Unit::Packets => f.write_str(":packets"),
        }
    }
}
