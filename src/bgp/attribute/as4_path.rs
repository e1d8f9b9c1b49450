//! AS4_PATH (RFC 6793 section 3): AS_PATH with four-octet AS numbers, for sessions without those.

use super::as_path::AsPath;
use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::{self, Dissector};
use crate::bgp::error::{DecodeError, EncodeError, ErrorAction};
use crate::bgp::message::error::UpdateErrorKind;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// The ASes that the route passed, the last one first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct As4Path(pub AsPath);

impl PathAttribute for As4Path {
    const CODE: u8 = 0x11;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "as4-path";
    const ON_ERROR: ErrorAction = ErrorAction::AttributeDiscard;
    const VALUE_ERROR: UpdateErrorKind = UpdateErrorKind::MalformedAsPath;
    const HAS_NAME: bool = false;

    fn decode(_: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError> {
        AsPath::decode_segments(true, reader).map(Self)
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        self.0.encode_segments(true, out);
        Ok(())
    }

    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        dissect::segments(true, fields);
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        AsPath::words(words).map(Self)
    }

    fn text(&self, out: &mut String) {
        self.0.write_text(out);
    }
}
