//! NEXT_HOP (RFC 4271 section 5.1.3): an IPv4 address.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::message::error::UpdateErrorKind;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// The next hop of the IPv4 unicast routes of the UPDATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextHopAddress(pub Ipv4Addr);

impl PathAttribute for NextHopAddress {
    const CODE: u8 = 0x03;
    const FLAGS: Flags = Flags::WELL_KNOWN;
    const NAME: &'static str = "next-hop";
    const VALUE_ERROR: UpdateErrorKind = UpdateErrorKind::InvalidNextHop;

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let address = reader.array::<4>()?.into();
        reader.finish()?;
        Ok(Self(address))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.0.octets());
        Ok(())
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        words.parse("an IPv4 address").map(Self)
    }

    fn text(&self, out: &mut String) {
        let _ = write!(out, "{}", self.0);
    }
}
