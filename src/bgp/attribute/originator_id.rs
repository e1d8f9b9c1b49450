//! ORIGINATOR_ID (RFC 4456 section 8): the BGP Identifier of the route's first reflection.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// Who brought the route into the AS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginatorId(pub Ipv4Addr);

impl PathAttribute for OriginatorId {
    const CODE: u8 = 0x09;
    const FLAGS: Flags = Flags::OPTIONAL;
    const NAME: &'static str = "originator-id";

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let identifier = reader.array::<4>()?.into();
        reader.finish()?;
        Ok(Self(identifier))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.0.octets());
        Ok(())
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        words.parse("an originator id: an IPv4 address").map(Self)
    }

    fn text(&self, out: &mut String) {
        let _ = write!(out, "{}", self.0);
    }
}
