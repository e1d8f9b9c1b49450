//! TUNNEL_ENCAPSULATION (RFC 9012 section 2), and what it carries for segment routing policies (RFC 9830 section 2.4).
//!
//! ```text
//!  +-------------------------+--------------------+----------------------+
//!  |  Tunnel type (2 octets) |  Length (2 octets) |  sub-TLVs (variable) |   and so on
//!  +-------------------------+--------------------+----------------------+
//!  sub-TLV:  Type (1), Length (1 octet where the type is below 128, else 2), Value
//! ```
//!
//! ExaBGP 5.0.15 does not know the attribute, and shows it by its code.

mod policy;
mod segment;

use std::fmt::Write as _;

use super::{Flags, PathAttribute, WireContext, generic};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::hex;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Prefix as LengthPrefix, Reader, Writer, length_prefixed};
pub use policy::{PolicyWords, Preference, SubTlvMeaning, is_policy_keyword};
pub use segment::{EndpointBehavior, Segment, SegmentList};

/// The tunnel type of a segment routing policy.
pub const SR_POLICY: u16 = 15;

/// The tunnels that lead to a route's next hop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TunnelEncapsulation {
    /// The tunnels in order.
    pub tunnels: Vec<Tunnel>,
}

/// A tunnel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tunnel {
    /// IANA "BGP Tunnel Encapsulation Attribute Tunnel Types".
    pub kind: u16,
    /// What is said of it, in order.
    pub sub_tlvs: Vec<SubTlv>,
}

/// One statement about a tunnel: its octets, so that unknown types go on unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubTlv {
    /// IANA "BGP Tunnel Encapsulation Attribute Sub-TLVs".
    pub code: u8,
    /// The value.
    pub value: Vec<u8>,
}

impl SubTlv {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = reader.u8()?;
        let length = match code {
            0..=127 => usize::from(reader.u8()?),
            _ => usize::from(reader.u16()?),
        };
        let value = reader.bytes(length)?.to_vec();
        Ok(Self { code, value })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(self.code);
        let width = match self.code {
            0..=127 => LengthPrefix::U8,
            _ => LengthPrefix::U16,
        };
        length_prefixed(out, "tunnel sub-TLV length", width, |out| {
            out.extend_from_slice(&self.value);
            Ok(())
        })
    }
}

impl PathAttribute for TunnelEncapsulation {
    const CODE: u8 = 0x17;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "tunnel-encap";
    const HAS_NAME: bool = false;

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut tunnels: Vec<Tunnel> = Vec::new();
        while !reader.is_empty() {
            let twice = reader.error(DecodeErrorKind::Value("second SR policy tunnel"), 0);
            let kind = reader.u16()?;
            let length = usize::from(reader.u16()?);
            let mut value = reader.sub(length)?;
            let mut sub_tlvs = Vec::new();
            while !value.is_empty() {
                sub_tlvs.push(SubTlv::decode(&mut value)?);
            }
            // RFC 9830 section 2.4: one at most.
            if kind == SR_POLICY && tunnels.iter().any(|held| held.kind == SR_POLICY) {
                return Err(twice);
            }
            tunnels.push(Tunnel { kind, sub_tlvs });
        }
        Ok(Self { tunnels })
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        for tunnel in &self.tunnels {
            out.extend_from_slice(&tunnel.kind.to_be_bytes());
            length_prefixed(out, "tunnel TLV length", LengthPrefix::U16, |out| {
                tunnel.sub_tlvs.iter().try_for_each(|held| held.encode(out))
            })?;
        }
        Ok(())
    }

    /// Reads the value in hexadecimal; the words of a policy are read by [`PolicyWords`].
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        generic::parse_octets(words, "tunnel encapsulation", "0x000f00080c06000000000064")
    }
    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        while fields.remaining() >= 4 {
            let bytes = fields.peek();
            let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
            let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
            let name = if kind == SR_POLICY {
                "SR Policy"
            } else {
                "Tunnel"
            };
            fields.group(
                &format!("tunnel-{kind}"),
                name,
                4 + length,
                kind.to_string(),
                |fields| {
                    fields.u16("type", "Tunnel Type");
                    fields.u16("length", "Length");
                    while !fields.is_empty() {
                        let show = |sub_tlv: &SubTlv| match (kind, sub_tlv.meaning()) {
                            (SR_POLICY, Ok(meaning)) => format!("{} {meaning:?}", sub_tlv.code),
                            _ => format!("{} 0x{}", sub_tlv.code, hex::lower(&sub_tlv.value)),
                        };
                        if fields
                            .decoded("sub-tlv", "Sub-TLV", SubTlv::decode, show)
                            .is_none()
                        {
                            return;
                        }
                    }
                },
            );
        }
    }

    fn text(&self, out: &mut String) {
        let mut octets = Vec::new();
        // What does not fit cannot be sent either.
        let _ = self.encode(&WireContext::default(), &mut octets);
        let _ = write!(out, "0x{}", hex::lower(&octets));
    }
}

#[cfg(test)]
mod tests;
