//! Address families: the pair (AFI, SAFI), their names in ExaBGP's words, and sets of them.

use std::fmt;
use std::str::FromStr;

use super::error::DecodeError;
use super::iana::{Afi, Safi};
use super::wire::{Reader, Writer};

/// An address family (RFC 4760 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family {
    /// Address Family Identifier.
    pub afi: Afi,
    /// Subsequent Address Family Identifier.
    pub safi: Safi,
}

impl Family {
    /// IPv4 unicast, the family of RFC 4271 itself.
    pub const IPV4_UNICAST: Self = Self::new(Afi::IPV4, Safi::UNICAST);
    /// IPv6 unicast.
    pub const IPV6_UNICAST: Self = Self::new(Afi::IPV6, Safi::UNICAST);
    /// IPv4 multicast.
    pub const IPV4_MULTICAST: Self = Self::new(Afi::IPV4, Safi::MULTICAST);
    /// IPv6 multicast.
    pub const IPV6_MULTICAST: Self = Self::new(Afi::IPV6, Safi::MULTICAST);

    /// The pair.
    #[must_use]
    pub const fn new(afi: Afi, safi: Safi) -> Self {
        Self { afi, safi }
    }

    /// Reads AFI and SAFI, three octets.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::new(Afi(reader.u16()?), Safi(reader.u8()?)))
    }

    /// Appends AFI and SAFI, three octets.
    #[inline]
    pub fn encode(self, out: &mut Writer) {
        out.extend_from_slice(&self.afi.0.to_be_bytes());
        out.push(self.safi.0);
    }

    /// Reads AFI, an octet that is ignored, and SAFI (RFC 4760 section 8).
    ///
    /// # Errors
    /// Where fewer than four octets are left.
    pub fn decode_spaced(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let afi = Afi(reader.u16()?);
        let [_, safi] = reader.array()?;
        Ok(Self::new(afi, Safi(safi)))
    }

    /// Appends AFI, an octet of zero, and SAFI (RFC 4760 section 8).
    pub fn encode_spaced(self, out: &mut Writer) {
        out.extend_from_slice(&self.afi.0.to_be_bytes());
        out.extend_from_slice(&[0, self.safi.0]);
    }
}

impl fmt::Display for Family {
    /// ExaBGP's name for it: `ipv4 unicast`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.afi, self.safi)
    }
}

/// A name that is no family's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address family")]
pub struct UnknownFamily(pub String);

impl FromStr for Family {
    type Err = UnknownFamily;

    /// Reads `ipv4 unicast` or `ipv4-unicast`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pair = |(afi, safi): (&str, &str)| {
            let afi = afi.parse().ok()?;
            Some(Self::new(afi, safi.trim().parse().ok()?))
        };
        // `bgp-ls` has a hyphen of its own: each is tried as the one between AFI and SAFI.
        text.split_once(' ')
            .and_then(pair)
            .or_else(|| {
                text.match_indices('-')
                    .find_map(|(at, _)| pair((&text[..at], &text[at + 1..])))
            })
            .ok_or_else(|| UnknownFamily(text.to_owned()))
    }
}

/// A small set of families in the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Families(Vec<Family>);

impl Families {
    /// No family.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds `family` at the end unless it is there.
    pub fn insert(&mut self, family: Family) {
        if !self.contains(family) {
            self.0.push(family);
        }
    }

    /// Whether `family` is in the set.
    #[must_use]
    pub fn contains(&self, family: Family) -> bool {
        self.0.contains(&family)
    }

    /// The families in order.
    pub fn iter(&self) -> impl Iterator<Item = Family> + '_ {
        self.0.iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Family> for Families {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        let mut set = Self::new();
        families.into_iter().for_each(|family| set.insert(family));
        set
    }
}
