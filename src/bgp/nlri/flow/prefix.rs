//! Source and destination prefixes (RFC 8955 section 4.2.2.1, RFC 8956 section 3.1).

use std::net::{IpAddr, Ipv6Addr};

use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::iana::Afi;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::wire::{Reader, Writer};

/// A source or destination prefix.
///
/// That of IPv6 may leave out its first bits (RFC 8956 section 3.1):
/// ```text
///  +----------+----------+-----------------------------------------+
///  |  Length  |  Offset  |  Pattern: bits from Offset to Length    |
///  +----------+----------+-----------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowPrefix {
    /// The prefix, its address as written.
    pub prefix: Prefix,
    /// Leading bits that are not compared; always 0 for IPv4.
    pub offset: u8,
}

impl FlowPrefix {
    pub(super) fn decode(afi: Afi, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.u8()?;
        if afi != Afi::IPV6 {
            let prefix = Prefix::decode_bits(afi, length, reader)?;
            return Ok(Self { prefix, offset: 0 });
        }
        let offset = reader.u8()?;
        let whole = length == 0 && offset == 0;
        if !whole && (offset >= length || length > 128) {
            return Err(reader.error(DecodeErrorKind::Value("flow IPv6 prefix"), 0));
        }
        let octets = usize::from((length - offset).div_ceil(8));
        let mut left_aligned = [0; 16];
        left_aligned[..octets].copy_from_slice(reader.bytes(octets)?);
        let pattern = u128::from_be_bytes(left_aligned) & mask(length - offset);
        let address = pattern.checked_shr(u32::from(offset)).unwrap_or(0);
        Ok(Self {
            prefix: Prefix {
                address: IpAddr::V6(Ipv6Addr::from(address)),
                length,
            },
            offset,
        })
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        out.push(self.prefix.length);
        let IpAddr::V6(address) = self.prefix.address else {
            self.prefix.encode_bits(out);
            return;
        };
        out.push(self.offset);
        let bits = self.prefix.length - self.offset;
        let shifted = u128::from(address)
            .checked_shl(u32::from(self.offset))
            .unwrap_or(0);
        let pattern = (shifted & mask(bits)).to_be_bytes();
        out.extend_from_slice(&pattern[..usize::from(bits.div_ceil(8))]);
    }
}

/// The first `bits` bits set.
fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

impl std::fmt::Display for FlowPrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.prefix.fmt(f)?;
        match self.prefix.address {
            IpAddr::V4(_) => Ok(()),
            IpAddr::V6(_) => write!(f, "/{}", self.offset),
        }
    }
}
