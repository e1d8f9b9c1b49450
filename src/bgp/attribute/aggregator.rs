//! AGGREGATOR (RFC 4271 section 5.1.7, RFC 6793 section 3): an AS number of two or four octets and a BGP Identifier.

use std::fmt;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::as4_aggregator::As4Aggregator;
use super::{Attribute, Flags, PathAttribute, WireContext};
use crate::bgp::asn;
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, EncodeError, ErrorAction};
use crate::bgp::message::open::AS_TRANS;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// Who aggregated the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aggregator {
    /// Its AS number.
    pub asn: u32,
    /// Its BGP Identifier.
    pub speaker: Ipv4Addr,
}

impl Aggregator {
    /// Reads `65000:10.0.0.1`, with or without parentheses around it.
    ///
    /// # Errors
    /// Where the words are not of that form.
    pub fn words(words: &mut Words<'_>) -> Result<Self, TextError> {
        let group = words.accept("(");
        let word = words.word("an aggregator")?;
        let value = word.text.split_once(':').and_then(|(number, address)| {
            Some(Self {
                asn: asn::parse(number)?,
                speaker: address.parse().ok()?,
            })
        });
        if group {
            words.expect(")")?;
        }
        value.ok_or_else(|| {
            TextError::new(
                word.span.clone(),
                format!("`{}` is not an aggregator", word.text),
            )
            .help("write the AS number and the router's address, as in ( 65000:10.0.0.1 )")
        })
    }
}

impl fmt::Display for Aggregator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.asn, self.speaker)
    }
}

impl PathAttribute for Aggregator {
    const CODE: u8 = 0x07;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "aggregator";
    const ON_ERROR: ErrorAction = ErrorAction::AttributeDiscard;

    fn decode(context: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let asn = if context.four_octet_as {
            reader.u32()?
        } else {
            u32::from(reader.u16()?)
        };
        let speaker = reader.array::<4>()?.into();
        reader.finish()?;
        Ok(Self { asn, speaker })
    }

    fn encode(&self, context: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        if context.four_octet_as {
            out.extend_from_slice(&self.asn.to_be_bytes());
        } else {
            let asn = u16::try_from(self.asn).unwrap_or(AS_TRANS);
            out.extend_from_slice(&asn.to_be_bytes());
        }
        out.extend_from_slice(&self.speaker.octets());
        Ok(())
    }

    fn companion(&self, _: &WireContext) -> Option<Attribute> {
        (self.asn > u32::from(u16::MAX)).then(|| As4Aggregator(*self).into())
    }

    fn dissect(context: &WireContext, fields: &mut Dissector<'_>) {
        if context.four_octet_as {
            fields.u32("as", "Aggregator AS");
        } else {
            fields.u16("as", "Aggregator AS");
        }
        fields.ipv4("speaker", "Aggregator BGP Identifier");
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        Self::words(words)
    }

    fn text(&self, out: &mut String) {
        let _ = write!(out, "( {self} )");
    }

    fn json(&self, out: &mut String) {
        let _ = write!(out, "\"{self}\"");
    }
}
