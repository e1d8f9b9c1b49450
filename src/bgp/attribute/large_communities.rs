//! LARGE_COMMUNITY (RFC 8092): twelve octets for each community.

use std::fmt;

use super::communities::{sorted, text_of};
use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::json::join;
use crate::bgp::text::{TextError, Word, Words};
use crate::bgp::wire::{Reader, Writer, extend_chunks};

/// One large community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LargeCommunity {
    /// Global Administrator: an AS number.
    pub global: u32,
    /// Local Data Part 1.
    pub local1: u32,
    /// Local Data Part 2.
    pub local2: u32,
}

impl LargeCommunity {
    /// Reads `65000:1:2` or one number of 96 bits.
    ///
    /// # Errors
    /// Where the word is neither.
    pub fn parse(word: &Word) -> Result<Self, TextError> {
        let mut parts = word.text.split(':').map(str::parse::<u32>);
        let value = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(global)), Some(Ok(local1)), Some(Ok(local2)), None) => Some(Self {
                global,
                local1,
                local2,
            }),
            _ => Self::from_number(&word.text),
        };
        value.ok_or_else(|| {
            TextError::new(
                word.span.clone(),
                format!("`{}` is not a large community", word.text),
            )
            .help("write it as 65000:1:2, each part from 0 to 4294967295")
        })
    }

    fn from_number(text: &str) -> Option<Self> {
        let number: u128 = match text.to_ascii_lowercase().strip_prefix("0x") {
            Some(digits) => u128::from_str_radix(digits, 16).ok()?,
            None => text.parse().ok()?,
        };
        Some(Self {
            global: u32::try_from(number >> 64).ok()?,
            local1: (number >> 32) as u32,
            local2: number as u32,
        })
    }
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.global, self.local1, self.local2)
    }
}

/// The large communities of a route, in wire order. Those that a person writes are sorted and distinct (RFC 8092 section 3), as ExaBGP sends them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LargeCommunities(pub Vec<LargeCommunity>);

impl PathAttribute for LargeCommunities {
    const CODE: u8 = 0x20;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "large-community";

    #[inline]
    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        // RFC 8092 section 5: a non-zero multiple of 12.
        if reader.is_empty() || !reader.remaining().is_multiple_of(12) {
            return Err(reader.error(DecodeErrorKind::Length, 12));
        }
        let mut communities = Vec::with_capacity(reader.remaining() / 12);
        while !reader.is_empty() {
            communities.push(LargeCommunity {
                global: reader.u32()?,
                local1: reader.u32()?,
                local2: reader.u32()?,
            });
        }
        Ok(Self(communities))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        let parts = |one: &LargeCommunity| [one.global, one.local1, one.local2];
        let parts = self.0.iter().map(parts).map(|[a, b, c]| {
            let [a, b, c] = [a, b, c].map(u32::to_be_bytes);
            [
                a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3],
            ]
        });
        extend_chunks(out, parts);
        Ok(())
    }

    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        let mut position = 0;
        while !fields.is_empty() {
            let key = position.to_string();
            fields.group(&key, "Large Community", 12, "", |fields| {
                fields.u32("global", "Global Administrator");
                fields.u32("local1", "Local Data Part 1");
                fields.u32("local2", "Local Data Part 2");
            });
            position += 1;
        }
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        let communities = words
            .list("a large community")?
            .into_iter()
            .map(LargeCommunity::parse)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self(distinct(&communities)))
    }

    fn text(&self, out: &mut String) {
        text_of(&distinct(&self.0), out);
    }

    fn json(&self, out: &mut String) {
        out.push_str("[ ");
        let items = distinct(&self.0)
            .into_iter()
            .map(|one| format!("[ {}, {} , {} ]", one.global, one.local1, one.local2));
        join(items, ", ", out);
        out.push_str(" ]");
    }
}

/// Sorted, each once (RFC 8092 section 3).
fn distinct(communities: &[LargeCommunity]) -> Vec<LargeCommunity> {
    let mut communities = sorted(communities);
    communities.dedup();
    communities
}
