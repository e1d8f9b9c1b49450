//! Discovery of interwork segments (type 1) and of direct segments (type 2).

use std::fmt;
use std::net::IpAddr;

use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::family::Family;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::nlri::mvpn::parse_address;
use crate::bgp::nlri::qualifier::{RouteDistinguisher, address};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// A prefix that an interwork segment (a RAN) has.
///
/// ```text
///  +------------------+----------------------+--------------------+
///  |  RD (8 octets)   |  Prefix length (1)   |  Prefix (variable) |
///  +------------------+----------------------+--------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterworkSegment {
    /// The VPN.
    pub rd: RouteDistinguisher,
    /// The prefix, as written.
    pub prefix: Prefix,
}

impl InterworkSegment {
    pub(super) fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let rd = RouteDistinguisher::decode(reader)?;
        let length = reader.u8()?;
        let prefix = Prefix::decode_bits(family.afi, length, reader)?;
        Ok(Self { rd, prefix })
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        out.extend_from_slice(&self.rd.0);
        out.push(self.prefix.length);
        self.prefix.encode_bits(out);
    }

    pub(super) fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let prefix = Prefix::parse_unmasked(family.afi, words)?;
        words.expect("rd")?;
        let rd = RouteDistinguisher::parse(words)?;
        Ok(Self { rd, prefix })
    }

    pub(super) fn json(&self) -> String {
        format!(
            "\"prefix_ip_len\": {}, \"prefix_ip\": \"{}\", \"rd\": \"{}\"",
            self.prefix.length,
            address(self.prefix.address),
            self.rd
        )
    }
}

impl fmt::Display for InterworkSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.rd, self.prefix)
    }
}

/// The address of a direct segment (a data network's PE).
///
/// ```text
///  +------------------+--------------------------+
///  |  RD (8 octets)   |  Address (4 or 16)       |
///  +------------------+--------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectSegment {
    /// The VPN.
    pub rd: RouteDistinguisher,
    /// The address of the PE or the segment (draft-mpmz-bess-mup-safi).
    pub address: IpAddr,
}

impl DirectSegment {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let rd = RouteDistinguisher::decode(reader)?;
        let address = match reader.remaining() {
            4 => IpAddr::from(reader.array::<4>()?),
            16 => IpAddr::from(reader.array::<16>()?),
            _ => return Err(reader.error(DecodeErrorKind::Value("MUP address length"), 4)),
        };
        Ok(Self { rd, address })
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        out.extend_from_slice(&self.rd.0);
        push_address(self.address, out);
    }

    pub(super) fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let address = parse_address(family.afi, words)?;
        words.expect("rd")?;
        let rd = RouteDistinguisher::parse(words)?;
        Ok(Self { rd, address })
    }

    pub(super) fn json(&self) -> String {
        format!(
            "\"ip\": \"{}\", \"rd\": \"{}\"",
            address(self.address),
            self.rd
        )
    }
}

impl fmt::Display for DirectSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.rd, address(self.address))
    }
}

/// Appends the octets of an address.
pub(super) fn push_address(address: IpAddr, out: &mut Writer) {
    match address {
        IpAddr::V4(v4) => out.extend_from_slice(&v4.octets()),
        IpAddr::V6(v6) => out.extend_from_slice(&v6.octets()),
    }
}
