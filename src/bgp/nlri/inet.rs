//! IPv4 and IPv6 unicast and multicast (RFC 4271 section 4.3, RFC 4760 section 5).
//!
//! ```text
//!  +---------------------------+
//!  |   Length (1 octet)        |  in bits
//!  +---------------------------+
//!  |   Prefix (variable)       |  the least octets that hold Length bits
//!  +---------------------------+
//! ```

use std::fmt;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{Around, Nlri, NlriFamily, NlriValue, PathId, qualifier};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer, extend_part};

/// A prefix: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The address. Bits past `length` are as they came: they are not compared on the wire (RFC 4271 section 4.3).
    pub address: IpAddr,
    /// Bits that count.
    pub length: u8,
}

impl Prefix {
    /// The prefix, its bits past `length` set to zero; `None` where the address has fewer bits.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(v4) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
            }
            IpAddr::V6(v6) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
            }
            _ => return None,
        };
        Some(Self { address, length })
    }

    /// Reads `10.0.0.0/8`, and whether the address had no bits beyond that length.
    ///
    /// # Errors
    /// The text is no prefix.
    pub fn read(text: &str) -> Result<(Self, bool), NotAPrefix> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotAPrefix)?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse().map_err(|_| NotAPrefix)?,
            None => whole,
        };
        let prefix = Self::new(address, length).ok_or(NotAPrefix)?;
        Ok((prefix, prefix.address == address))
    }

    /// Decodes the octets of a prefix of `length` bits.
    ///
    /// # Errors
    /// Truncated, or a length that `afi` does not have.
    #[inline]
    pub fn decode_bits(afi: Afi, length: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let used = usize::from(length.div_ceil(8));
        let octets = reader.peek();
        let address = match afi {
            Afi::IPV4 if length <= 32 => {
                reader.bytes(used)?;
                IpAddr::V4(v4(octets, used))
            }
            Afi::IPV6 if length <= 128 => {
                reader.bytes(used)?;
                IpAddr::V6(v6(octets, used))
            }
            _ => return Err(reader.error(DecodeErrorKind::Value("prefix length"), used)),
        };
        Ok(Self { address, length })
    }

    /// Reads a prefix of `afi`.
    ///
    /// # Errors
    /// Where the word is no prefix, or one of the other AFI.
    pub fn parse(afi: Afi, words: &mut Words<'_>) -> Result<Self, TextError> {
        let (expected, v4) = match afi {
            Afi::IPV4 => ("an IPv4 prefix", true),
            _ => ("an IPv6 prefix", false),
        };
        let span = words.span();
        let prefix: Self = words.parse(expected)?;
        if prefix.address.is_ipv4() != v4 {
            return Err(TextError::new(
                span,
                format!("`{prefix}` is not {expected}"),
            ));
        }
        Ok(prefix)
    }

    /// Reads a prefix of `afi` and keeps the bits past its length, as ExaBGP does in some families.
    ///
    /// # Errors
    /// As for [`Prefix::parse`].
    pub fn parse_unmasked(afi: Afi, words: &mut Words<'_>) -> Result<Self, TextError> {
        let before = words.clone();
        let mut prefix = Self::parse(afi, words)?;
        let address = before
            .peek()
            .and_then(|word| word.split('/').next()?.parse().ok());
        prefix.address = address.unwrap_or(prefix.address);
        Ok(prefix)
    }

    /// Appends the octets that hold the prefix's bits.
    #[inline]
    pub fn encode_bits(&self, out: &mut Writer) {
        let octets = usize::from(self.length.div_ceil(8));
        match self.address {
            IpAddr::V4(v4) => extend_part(out, v4.octets(), octets),
            IpAddr::V6(v6) => extend_part(out, v6.octets(), octets),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", qualifier::address(self.address), self.length)
    }
}

/// Text that is no prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a prefix")]
pub struct NotAPrefix;

impl FromStr for Prefix {
    type Err = NotAPrefix;

    /// Reads `10.0.0.0/8`; an address alone is a host route, as in ExaBGP.
    fn from_str(text: &str) -> Result<Self, NotAPrefix> {
        Self::read(text).map(|(prefix, _)| prefix)
    }
}

/// The address that the first `used` of `octets` begin; they are there. Where the octets of a whole address follow, they
/// are loaded at once and masked as one number, which is quicker than a copy of any size.
#[inline]
fn v4(octets: &[u8], used: usize) -> Ipv4Addr {
    let number = match octets.first_chunk() {
        Some(whole) => u32::from_be_bytes(*whole),
        None => octets
            .iter()
            .zip([24, 16, 8])
            .fold(0, |number, (octet, bits)| {
                number | u32::from(*octet) << bits
            }),
    };
    Ipv4Addr::from(number & (u64::MAX << (32 - 8 * used)) as u32)
}

/// As [`v4`].
#[inline]
fn v6(octets: &[u8], used: usize) -> Ipv6Addr {
    let number = match octets.first_chunk() {
        Some(whole) => u128::from_be_bytes(*whole),
        None => {
            let mut whole = [0; 16];
            whole[..used].copy_from_slice(&octets[..used]);
            u128::from_be_bytes(whole)
        }
    };
    let mask = u128::MAX.checked_shl(128 - 8 * used as u32).unwrap_or(0);
    Ipv6Addr::from(number & mask)
}

/// All the routes of a field at once: lengths are held against the family and against the octets first, which tells how
/// many routes there are; their memory is then asked for once, and nothing is left to go wrong.
/// `None` for families that are not of prefixes, and where something is wrong: one NLRI after another tells what and where.
pub(super) fn decode_all(family: Family, add_path: bool, reader: Reader<'_>) -> Option<Vec<Nlri>> {
    let octets = reader.peek();
    match (family.afi, family.safi) {
        (Afi::IPV4, Safi::UNICAST | Safi::MULTICAST) => {
            decode_of(family, add_path, octets, 32, |octets, used| {
                v4(octets, used).into()
            })
        }
        (Afi::IPV6, Safi::UNICAST | Safi::MULTICAST) => {
            decode_of(family, add_path, octets, 128, |octets, used| {
                v6(octets, used).into()
            })
        }
        _ => None,
    }
}

#[inline]
fn decode_of(
    family: Family,
    add_path: bool,
    octets: &[u8],
    bits: u8,
    address: impl Fn(&[u8], usize) -> IpAddr,
) -> Option<Vec<Nlri>> {
    let before = if add_path { 4 } else { 0 };
    let (mut at, mut count, mut longest) = (0, 0, 0);
    while at < octets.len() {
        let length = *octets.get(at + before)?;
        longest = longest.max(length);
        at += before + 1 + usize::from(length.div_ceil(8));
        count += 1;
    }
    if longest > bits || at != octets.len() {
        return None;
    }
    let mut rest = octets;
    let route = |_| {
        let mut path_id = None;
        if add_path && let Some((id, after)) = rest.split_first_chunk() {
            path_id = Some(PathId(u32::from_be_bytes(*id)));
            rest = after;
        }
        let length = rest[0];
        let used = usize::from(length.div_ceil(8));
        let address = address(&rest[1..], used);
        rest = &rest[1 + used..];
        let prefix = Prefix { address, length };
        let value = NlriValue::Inet(Inet { prefix });
        Nlri {
            family,
            path_id,
            value,
        }
    };
    Some((0..count).map(route).collect())
}

/// An IPv4 or IPv6 prefix as NLRI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inet {
    /// The IPv4 or IPv6 prefix.
    pub prefix: Prefix,
}

impl NlriFamily for Inet {
    #[inline]
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.u8()?;
        Ok(Self {
            prefix: Prefix::decode_bits(family.afi, length, reader)?,
        })
    }

    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        let Prefix { address, length } = self.prefix;
        let octets = 1 + usize::from(length.div_ceil(8));
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                extend_part(out, [length, a, b, c, d], octets);
            }
            IpAddr::V6(v6) => {
                let mut whole = [length; 17];
                whole[1..].copy_from_slice(&v6.octets());
                extend_part(out, whole, octets);
            }
        }
        Ok(())
    }

    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        Ok(Self {
            prefix: Prefix::parse(family.afi, words)?,
        })
    }

    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        let length = fields.u8_as("length", "Length", |bits| format!("{bits} bits"));
        let Some(length) = length else { return };
        fields.decoded(
            "prefix",
            "Prefix",
            |reader| Prefix::decode_bits(family.afi, length, reader),
            |prefix| prefix.address.to_string(),
        );
    }

    fn text(&self, around: &Around, out: &mut String) {
        let _ = write!(out, "{}", self.prefix);
        around.path_text(out);
        around.next_hop_text(out);
    }

    fn json(&self, around: &Around, out: &mut String) {
        if around.compact && around.path_id.is_none() {
            let _ = write!(out, "\"{}\"", self.prefix);
            return;
        }
        open_json(&self.prefix, around, out);
        out.push_str(" }");
    }
}

/// Opens the object that families of prefixes share: the prefix, then the path identifier.
pub(super) fn open_json(prefix: &Prefix, around: &Around, out: &mut String) {
    let _ = write!(out, "{{ \"nlri\": \"{prefix}\"");
    if let Some(PathId(id)) = around.path_id {
        let _ = write!(out, ", \"path-information\": \"{}\"", Ipv4Addr::from(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_keeps_only_the_octets_it_needs() {
        let inet = Inet {
            prefix: "10.1.2.0/23".parse().unwrap(),
        };
        let mut out = Vec::new();
        inet.encode(&mut out).unwrap();
        assert_eq!(out, [23, 10, 1, 2]);
        let decoded = Inet::decode(Family::IPV4_UNICAST, &mut Reader::new(&out)).unwrap();
        assert_eq!(decoded, inet);
    }

    #[test]
    fn a_length_that_the_family_does_not_have_is_refused() {
        let error = Inet::decode(Family::IPV4_UNICAST, &mut Reader::new(&[33, 1, 2, 3, 4, 5]));
        assert_eq!(
            error.unwrap_err().kind,
            DecodeErrorKind::Value("prefix length")
        );
    }
}
