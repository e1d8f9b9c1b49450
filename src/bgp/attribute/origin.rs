//! ORIGIN (RFC 4271 section 5.1.1): one octet.

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::message::error::UpdateErrorKind;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// Where the route came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Origin {
    /// Interior to the originating AS.
    Igp = 0,
    /// Learned by EGP (RFC 904).
    Egp = 1,
    /// Learned by some other means.
    Incomplete = 2,
}

impl Origin {
    pub(in crate::bgp) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Igp,
            1 => Self::Egp,
            2 => Self::Incomplete,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Igp => "igp",
            Self::Egp => "egp",
            Self::Incomplete => "incomplete",
        }
    }
}

impl PathAttribute for Origin {
    const CODE: u8 = 0x01;
    const FLAGS: Flags = Flags::WELL_KNOWN;
    const NAME: &'static str = "origin";
    const VALUE_ERROR: UpdateErrorKind = UpdateErrorKind::InvalidOrigin;

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let invalid = reader.error(DecodeErrorKind::Value("ORIGIN"), 1);
        let origin = Self::from_code(reader.u8()?).ok_or(invalid)?;
        reader.finish()?;
        Ok(origin)
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(*self as u8);
        Ok(())
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        let word = words.word("an origin")?;
        match word.text.to_ascii_lowercase().as_str() {
            "igp" => Ok(Self::Igp),
            "egp" => Ok(Self::Egp),
            "incomplete" => Ok(Self::Incomplete),
            other => Err(
                TextError::new(word.span.clone(), format!("`{other}` is not an origin"))
                    .help("write igp, egp or incomplete"),
            ),
        }
    }

    fn text(&self, out: &mut String) {
        out.push_str(self.name());
    }
}
