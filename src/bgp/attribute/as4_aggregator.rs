//! AS4_AGGREGATOR (RFC 6793 section 3): AGGREGATOR with an AS number of four octets, for sessions without those.

use std::fmt::Write as _;

use super::aggregator::Aggregator;
use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, EncodeError, ErrorAction};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// Who aggregated the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct As4Aggregator(pub Aggregator);

impl PathAttribute for As4Aggregator {
    const CODE: u8 = 0x12;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "aggregator";
    const ON_ERROR: ErrorAction = ErrorAction::AttributeDiscard;

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let asn = reader.u32()?;
        let speaker = reader.array::<4>()?.into();
        reader.finish()?;
        Ok(Self(Aggregator { asn, speaker }))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.0.asn.to_be_bytes());
        out.extend_from_slice(&self.0.speaker.octets());
        Ok(())
    }

    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        fields.u32("as", "Aggregator AS");
        fields.ipv4("speaker", "Aggregator BGP Identifier");
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        Aggregator::words(words).map(Self)
    }

    fn text(&self, out: &mut String) {
        let _ = write!(out, "( {} )", self.0);
    }

    fn json(&self, out: &mut String) {
        let _ = write!(out, "\"{}\"", self.0);
    }
}
