//! ONLY_TO_CUSTOMER (RFC 9234 section 5): an AS number of four octets.
//!
//! ExaBGP 5.0.15 does not know it, and shows it by its code.

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::hex;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};
use std::fmt::Write as _;

/// The AS that sent the route to a customer, peer or route server client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnlyToCustomer(pub u32);

impl PathAttribute for OnlyToCustomer {
    const CODE: u8 = 0x23;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "otc";
    const HAS_NAME: bool = false;

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let asn = reader.u32()?;
        reader.finish()?;
        Ok(Self(asn))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.0.to_be_bytes());
        Ok(())
    }

    /// Reads an AS number.
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        words.parse("an AS number").map(Self)
    }
    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        fields.u32("as", "AS Number");
    }

    fn text(&self, out: &mut String) {
        let _ = write!(out, "0x{}", hex::lower(&self.0.to_be_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::attribute::testing::{check_neighbors, encode, json};

    #[test]
    fn an_as_number() {
        let decoded =
            OnlyToCustomer::decode(&WireContext::default(), Reader::new(&[0, 0, 253, 232]));
        assert_eq!(decoded, Ok(OnlyToCustomer(65000)));
        assert_eq!(encode(&OnlyToCustomer(65000)), [0, 0, 253, 232]);
        // ExaBGP 5.0.15: "attribute-0x23-0xC0": "0x0000fde8"
        assert_eq!(json(&OnlyToCustomer(65000)), "\"0x0000fde8\"");
        check_neighbors::<OnlyToCustomer>("0000fde8");
    }
}
