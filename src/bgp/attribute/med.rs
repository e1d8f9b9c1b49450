//! MULTI_EXIT_DISC (RFC 4271 section 5.1.4): four octets.

use std::fmt::Write as _;

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// How this entry into the AS ranks among several: less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Med(pub u32);

impl PathAttribute for Med {
    const CODE: u8 = 0x04;
    const FLAGS: Flags = Flags::OPTIONAL;
    const NAME: &'static str = "med";

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let value = reader.u32()?;
        reader.finish()?;
        Ok(Self(value))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.0.to_be_bytes());
        Ok(())
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        words
            .parse("a MED: a number from 0 to 4294967295")
            .map(Self)
    }

    fn text(&self, out: &mut String) {
        let _ = write!(out, "{}", self.0);
    }

    fn json(&self, out: &mut String) {
        self.text(out);
    }
}
