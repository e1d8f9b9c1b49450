//! ATOMIC_AGGREGATE (RFC 4271 section 5.1.6): no octets.

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::error::{DecodeError, EncodeError, ErrorAction};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// Some AS numbers were left out of the AS_PATH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AtomicAggregate;

impl PathAttribute for AtomicAggregate {
    const CODE: u8 = 0x06;
    const FLAGS: Flags = Flags::WELL_KNOWN;
    const NAME: &'static str = "atomic-aggregate";
    const ON_ERROR: ErrorAction = ErrorAction::AttributeDiscard;

    fn decode(_: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.finish()?;
        Ok(Self)
    }

    fn encode(&self, _: &WireContext, _: &mut Writer) -> Result<(), EncodeError> {
        Ok(())
    }

    fn parse(_: &mut Words<'_>) -> Result<Self, TextError> {
        Ok(Self)
    }

    fn text(&self, _: &mut String) {}

    fn json(&self, out: &mut String) {
        out.push_str("true");
    }
}
