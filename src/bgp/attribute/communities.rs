//! COMMUNITIES (RFC 1997): four octets for each community.

use std::fmt;

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::json::join;
use crate::bgp::text::{TextError, Word, Words};
use crate::bgp::wire::{Reader, Writer, extend_chunks};

/// One community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Community(pub u32);

impl Community {
    /// RFC 1997: stays inside the confederation.
    pub const NO_EXPORT: Self = Self(0xffff_ff01);
    /// RFC 1997: stays with the receiver.
    pub const NO_ADVERTISE: Self = Self(0xffff_ff02);
    /// RFC 1997: stays inside the AS.
    pub const NO_EXPORT_SUBCONFED: Self = Self(0xffff_ff03);
    /// RFC 3765: is not sent to peers.
    pub const NO_PEER: Self = Self(0xffff_ff04);
    /// RFC 7999: traffic is dropped.
    pub const BLACKHOLE: Self = Self(0xffff_029a);

    /// Reads `65000:1`, a number, `0xfde80001`, or a well-known name.
    ///
    /// # Errors
    /// Where the word is none of these.
    pub fn parse(word: &Word) -> Result<Self, TextError> {
        if let Some(value) = pair(&word.text) {
            return Ok(Self(value));
        }
        let text = word.text.to_ascii_lowercase();
        let value = match text.as_str() {
            "no-export" | "no_export" => Some(Self::NO_EXPORT.0),
            "no-advertise" | "no_advertise" => Some(Self::NO_ADVERTISE.0),
            "no-export-subconfed" => Some(Self::NO_EXPORT_SUBCONFED.0),
            "no-peer" | "nopeer" => Some(Self::NO_PEER.0),
            "blackhole" => Some(Self::BLACKHOLE.0),
            _ if text.contains(':') => None,
            _ => match text.strip_prefix("0x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            },
        };
        value.map(Self).ok_or_else(|| {
            TextError::new(
                word.span.clone(),
                format!("`{}` is not a community", word.text),
            )
            .help("write 65000:1, a number, or no-export, no-advertise, no-export-subconfed, no-peer, blackhole")
        })
    }
}

/// The value of `65000:1`.
fn pair(text: &str) -> Option<u32> {
    let (high, low) = text.split_once(':')?;
    let (high, low) = (high.parse::<u16>().ok()?, low.parse::<u16>().ok()?);
    Some(u32::from(high) << 16 | u32::from(low))
}

impl fmt::Display for Community {
    /// The well-known name, or `65000:1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NO_EXPORT => f.write_str("no-export"),
            Self::NO_ADVERTISE => f.write_str("no-advertise"),
            Self::NO_EXPORT_SUBCONFED => f.write_str("no-export-subconfed"),
            Self::NO_PEER => f.write_str("no-peer"),
            Self::BLACKHOLE => f.write_str("blackhole"),
            Self(value) => write!(f, "{}:{}", value >> 16, value & 0xffff),
        }
    }
}

/// The communities of a route, in wire order. Those that a person writes are sorted, as ExaBGP sends them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Communities(pub Vec<Community>);

impl PathAttribute for Communities {
    const CODE: u8 = 0x08;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "community";

    #[inline]
    fn decode(_: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError> {
        // RFC 7606 section 7.8: a non-zero multiple of 4.
        let (communities, rest) = reader.peek().as_chunks::<4>();
        if communities.is_empty() || !rest.is_empty() {
            return Err(reader.error(DecodeErrorKind::Length, 4));
        }
        let communities = communities
            .iter()
            .map(|octets| Community(u32::from_be_bytes(*octets)));
        Ok(Self(communities.collect()))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        extend_chunks(out, self.0.iter().map(|one| one.0.to_be_bytes()));
        Ok(())
    }

    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        let mut position = 0;
        while !fields.is_empty() {
            let show = |value| Community(value).to_string();
            fields.u32_as(&position.to_string(), "Community", show);
            position += 1;
        }
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        let mut communities = words
            .list("a community")?
            .into_iter()
            .map(Community::parse)
            .collect::<Result<Vec<_>, _>>()?;
        communities.sort_unstable();
        Ok(Self(communities))
    }

    fn text(&self, out: &mut String) {
        text_of(&self.0, out);
    }

    fn json(&self, out: &mut String) {
        out.push_str("[ ");
        let items = sorted(&self.0)
            .into_iter()
            .map(|Community(value)| format!("[ {}, {} ]", value >> 16, value & 0xffff));
        join(items, ", ", out);
        out.push_str(" ]");
    }
}

/// ExaBGP shows communities of any kind sorted.
pub(super) fn sorted<T: Copy + Ord>(communities: &[T]) -> Vec<T> {
    let mut sorted = communities.to_vec();
    sorted.sort_unstable();
    sorted
}

/// One alone, or several in brackets.
pub(super) fn text_of<T: Copy + Ord + fmt::Display>(communities: &[T], out: &mut String) {
    let several = communities.len() > 1;
    out.push_str(if several { "[ " } else { "" });
    join(sorted(communities), " ", out);
    out.push_str(if several { " ]" } else { "" });
}
