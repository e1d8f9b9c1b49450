//! BGP PREFIX-SID (RFC 8669 section 3, RFC 9252 section 2).
//!
//! ```text
//!  +----------------+---------------------+--------------------+
//!  |  Type (1)      |  Length (2)         |  Value (variable)  |   and so on
//!  +----------------+---------------------+--------------------+
//!   1 Label-Index, 3 Originator SRGB, 5 SRv6 L3 Service, 6 SRv6 L2 Service
//! ```

mod parse;
mod srv6;

use std::fmt::Write as _;

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError, ErrorAction};
use crate::bgp::hex;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Prefix as LengthPrefix, Reader, Writer, length_prefixed};
pub use srv6::{Layer, Service, SidInformation, SidStructure};

const LABEL_INDEX: u8 = 1;
const ORIGINATOR_SRGB: u8 = 3;

/// How a prefix is reached by segment routing: TLVs as they came, so that unknown ones and reserved bits go on unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PrefixSid {
    /// The TLVs in order.
    pub tlvs: Vec<Tlv>,
}

/// One TLV.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tlv {
    /// IANA "BGP Prefix-SID TLV Types".
    pub code: u8,
    /// The value; what the constructors of this module or the decoder made holds to its form.
    pub value: Vec<u8>,
}

/// What a TLV says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The index of the label in the SRGB (RFC 8669 section 3.1).
    LabelIndex(u32),
    /// Ranges of labels, each its first and its size (RFC 8669 section 3.2).
    OriginatorSrgb(Vec<(u32, u32)>),
    /// SIDs of SRv6 (RFC 9252 section 2).
    Service(Layer, Service),
    /// A type that no RFC read here has.
    Unknown,
}

impl Tlv {
    /// A label index.
    #[must_use]
    pub fn label_index(index: u32) -> Self {
        let mut value = vec![0; 3];
        value.extend_from_slice(&index.to_be_bytes());
        Self {
            code: LABEL_INDEX,
            value,
        }
    }

    /// Ranges of labels, each its first and its size.
    ///
    /// # Errors
    /// Where either has more than 24 bits.
    pub fn originator_srgb(ranges: &[(u32, u32)]) -> Result<Self, EncodeError> {
        let mut value = vec![0; 2];
        for (base, range) in ranges {
            EncodeError::within("SRGB base", *base as usize, 0xff_ffff)?;
            EncodeError::within("SRGB range", *range as usize, 0xff_ffff)?;
            value.extend_from_slice(&base.to_be_bytes()[1..]);
            value.extend_from_slice(&range.to_be_bytes()[1..]);
        }
        Ok(Self {
            code: ORIGINATOR_SRGB,
            value,
        })
    }

    /// What it says.
    ///
    /// # Errors
    /// Where the value is not of its type's form.
    pub fn meaning(&self) -> Result<Meaning, DecodeError> {
        meaning(self.code, Reader::new(&self.value))
    }
}

fn meaning(code: u8, mut reader: Reader<'_>) -> Result<Meaning, DecodeError> {
    let length = reader.error(DecodeErrorKind::Length, 7);
    match code {
        LABEL_INDEX => {
            if reader.remaining() != 7 {
                return Err(length);
            }
            reader.bytes(3)?;
            reader.u32().map(Meaning::LabelIndex)
        }
        ORIGINATOR_SRGB => {
            reader.u16()?;
            if reader.is_empty() || !reader.remaining().is_multiple_of(6) {
                return Err(length);
            }
            let mut ranges = Vec::new();
            while !reader.is_empty() {
                ranges.push((reader.u24()?, reader.u24()?));
            }
            Ok(Meaning::OriginatorSrgb(ranges))
        }
        _ => match Layer::from_code(code) {
            Some(layer) => Ok(Meaning::Service(layer, Service::decode(reader)?)),
            None => Ok(Meaning::Unknown),
        },
    }
}

impl PrefixSid {
    /// ExaBGP's keyword for the words of [`PrefixSid::parse_srv6`].
    pub const SRV6_NAME: &'static str = "bgp-prefix-sid-srv6";

    /// Reads `( l3-service 2001:db8:: )`, and after the SID perhaps a behavior and a structure:
    /// `( l2-service 2001:db8:: 0x15 [48,16,0,0,16,64] )`.
    ///
    /// # Errors
    /// Where the words are of another form.
    pub fn parse_srv6(words: &mut Words<'_>) -> Result<Self, TextError> {
        parse::srv6(words)
    }

    fn meanings(&self) -> impl Iterator<Item = (&Tlv, Meaning)> {
        self.tlvs
            .iter()
            .map(|tlv| (tlv, tlv.meaning().unwrap_or(Meaning::Unknown)))
    }
}

impl PathAttribute for PrefixSid {
    const CODE: u8 = 0x28;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "bgp-prefix-sid";
    const ON_ERROR: ErrorAction = ErrorAction::AttributeDiscard;

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        if reader.is_empty() {
            return Err(reader.error(DecodeErrorKind::Length, 3));
        }
        let mut sid = Self::default();
        while !reader.is_empty() {
            let code = reader.u8()?;
            let length = usize::from(reader.u16()?);
            let value = reader.sub(length)?;
            meaning(code, value)?;
            // RFC 8669 section 6: of a TLV that may be there once, the first counts.
            let once = matches!(code, LABEL_INDEX | ORIGINATOR_SRGB);
            if once && sid.tlvs.iter().any(|held| held.code == code) {
                continue;
            }
            let value = value.peek().to_vec();
            sid.tlvs.push(Tlv { code, value });
        }
        Ok(sid)
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        for tlv in &self.tlvs {
            out.push(tlv.code);
            length_prefixed(out, "prefix-SID TLV length", LengthPrefix::U16, |out| {
                out.extend_from_slice(&tlv.value);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads `[ 777 ]` or `[ 300, [ ( 800000,4096 ), ( 1000000,5000 ) ] ]`: a label index, then ranges.
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        parse::mpls(words)
    }
    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        while fields.remaining() >= 3 {
            let bytes = fields.peek();
            let code = bytes[0];
            let length = usize::from(u16::from_be_bytes([bytes[1], bytes[2]]));
            let name = match code {
                LABEL_INDEX => "Label-Index TLV",
                ORIGINATOR_SRGB => "Originator SRGB TLV",
                5 => "SRv6 L3 Service TLV",
                6 => "SRv6 L2 Service TLV",
                _ => "unknown TLV",
            };
            let show = |tlv: &Self| {
                let mut text = String::new();
                tlv.text(&mut text);
                text
            };
            fields.group(&format!("tlv-{code}"), name, 3 + length, name, |fields| {
                let value = fields.peek().get(3..).unwrap_or_default().to_vec();
                let sid = Self {
                    tlvs: vec![Tlv { code, value }],
                };
                fields.u8("type", "Type");
                fields.u16("length", "Length");
                if !fields.is_empty() {
                    fields.field("value", "Value", fields.remaining(), |_| show(&sid));
                }
            });
        }
    }

    fn text(&self, out: &mut String) {
        let index = self.meanings().find_map(|(_, meaning)| match meaning {
            Meaning::LabelIndex(index) => Some(index),
            _ => None,
        });
        let mut parts: Vec<String> = Vec::new();
        if let Some(index) = index {
            parts.push(index.to_string());
        }
        for (tlv, meaning) in self.meanings() {
            match meaning {
                Meaning::LabelIndex(_) => {}
                Meaning::OriginatorSrgb(ranges) => {
                    let ranges: Vec<String> = ranges
                        .iter()
                        .map(|(base, range)| format!("( {base},{range} )"))
                        .collect();
                    parts.push(format!("[ {} ]", ranges.join(", ")));
                }
                // Parity: with a label index ExaBGP shows nothing but it and the ranges.
                _ if index.is_some() => {}
                Meaning::Service(layer, service) => parts.push(service.text(layer)),
                Meaning::Unknown => parts.push(format!(
                    "Attribute with code [ {} ] not implemented",
                    tlv.code
                )),
            }
        }
        let _ = write!(out, "[ {} ]", parts.join(", "));
    }

    fn json(&self, out: &mut String) {
        out.push_str("{ ");
        for (at, (tlv, meaning)) in self.meanings().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            let _ = match meaning {
                Meaning::LabelIndex(index) => write!(out, "\"sr-label-index\": {index}"),
                Meaning::OriginatorSrgb(ranges) => {
                    let ranges: Vec<String> = ranges
                        .iter()
                        .map(|(base, range)| format!("[{base}, {range}]"))
                        .collect();
                    write!(out, "\"sr-srgbs\": [{}]", ranges.join(", "))
                }
                Meaning::Service(layer, service) => {
                    out.push_str(&service.json(layer));
                    Ok(())
                }
                Meaning::Unknown => write!(
                    out,
                    "\"attribute-not-implemented-{}\": \"0x{}\"",
                    tlv.code,
                    hex::upper(&tlv.value)
                ),
            };
        }
        out.push_str(" }");
    }
}

#[cfg(test)]
mod tests;
