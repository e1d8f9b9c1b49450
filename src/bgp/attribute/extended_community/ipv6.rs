//! IPV6 EXTENDED COMMUNITIES (RFC 5701): twenty octets each.
//!
//! ```text
//!  +------------+-------------+--------------------------+------------------+
//!  | Type (1)   | Subtype (1) |  IPv6 address (16)       |  Number (2)      |
//!  +------------+-------------+--------------------------+------------------+
//! ```

use std::fmt;
use std::net::Ipv6Addr;

use super::{dissect_each, json_of};
use crate::bgp::attribute::communities::{sorted, text_of};
use crate::bgp::attribute::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::hex;
use crate::bgp::json::decimal;
use crate::bgp::nlri::qualifier::address6;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// One IPv6 extended community: its octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedCommunityIpv6(pub [u8; 20]);

impl ExtendedCommunityIpv6 {
    /// Redirection (or, with `copy`, a copy) to `next_hop` (draft-ietf-idr-flowspec-redirect-ip).
    #[must_use]
    pub fn redirect_to_next_hop(next_hop: Ipv6Addr, copy: bool) -> Self {
        let mut octets = [0; 20];
        octets[1] = 0x0c;
        octets[2..18].copy_from_slice(&next_hop.octets());
        octets[19] = u8::from(copy);
        Self(octets)
    }

    const fn code(self) -> (u8, u8) {
        (self.0[0] & 0x0f, self.0[1])
    }

    fn address(self) -> Ipv6Addr {
        let mut octets = [0; 16];
        octets.copy_from_slice(&self.0[2..18]);
        octets.into()
    }
}

impl fmt::Display for ExtendedCommunityIpv6 {
    /// ExaBGP's text; only redirections to a next hop have one that is not hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code() != (0x00, 0x0c) {
            return write!(f, "0x{}", hex::upper(&self.0));
        }
        let next_hop = address6(self.address());
        match self.0[19] & 1 {
            0 => write!(f, "redirect-to-nexthop-ietf {next_hop}"),
            _ => write!(f, "copy-to-nexthop-ietf {next_hop} (with copy)"),
        }
    }
}

/// The communities in the order in which they are sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ExtendedCommunitiesIpv6(pub Vec<ExtendedCommunityIpv6>);

impl ExtendedCommunitiesIpv6 {
    /// Puts `community` in its place.
    pub fn add(&mut self, community: ExtendedCommunityIpv6) {
        let at = self.0.partition_point(|held| *held <= community);
        self.0.insert(at, community);
    }

    /// Adds all of `others`.
    pub fn merge(&mut self, others: &Self) {
        for community in &others.0 {
            self.add(*community);
        }
    }
}

impl PathAttribute for ExtendedCommunitiesIpv6 {
    const CODE: u8 = 0x19;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "extended-community-ipv6";

    fn decode(_: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError> {
        // RFC 7606 section 7.15: a non-zero multiple of 20.
        let (communities, rest) = reader.peek().as_chunks::<20>();
        if communities.is_empty() || !rest.is_empty() {
            return Err(reader.error(DecodeErrorKind::Length, 20));
        }
        Ok(Self(
            communities
                .iter()
                .copied()
                .map(ExtendedCommunityIpv6)
                .collect(),
        ))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        for community in &self.0 {
            out.extend_from_slice(&community.0);
        }
        Ok(())
    }

    /// Reads 40 hexadecimal digits, or several of them between brackets.
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        let mut all = Self::default();
        for word in words.list("an IPv6 extended community")? {
            let octets = hex::octets(&word.text)
                .and_then(|octets| octets.try_into().ok())
                .ok_or_else(|| {
                    let message = format!("`{}` is not an IPv6 extended community", word.text);
                    TextError::new(word.span.clone(), message)
                        .help("write 0x and 40 hexadecimal digits")
                })?;
            all.add(ExtendedCommunityIpv6(octets));
        }
        Ok(all)
    }

    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        dissect_each(fields, "IPv6 Extended Community", ExtendedCommunityIpv6);
    }

    fn text(&self, out: &mut String) {
        text_of(&self.0, out);
    }

    fn json(&self, out: &mut String) {
        let shown = |community: ExtendedCommunityIpv6| {
            let named = matches!(community.code(), (0x00, 0x0b | 0x0c));
            (decimal(&community.0), named.then(|| community.to_string()))
        };
        json_of(sorted(&self.0).into_iter().map(shown), out);
    }
}
