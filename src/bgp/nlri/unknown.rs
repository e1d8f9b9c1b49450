//! A family that no file here knows: its octets as they came (RFC 4760 leaves their form to the family).

use std::fmt::Write as _;

use super::{Around, NlriFamily, parse_octets};
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// All the octets of an NLRI field, since nothing says where one route ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unknown {
    /// The NLRI field as it stands on the wire, unparsed.
    pub bytes: Box<[u8]>,
}

impl NlriFamily for Unknown {
    fn decode(_: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            bytes: reader.rest().into(),
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.bytes);
        Ok(())
    }

    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        parse_octets(family, words)
    }

    fn text(&self, _: &Around, out: &mut String) {
        let _ = write!(out, "0x{}", hex::upper(&self.bytes));
    }

    fn json(&self, _: &Around, out: &mut String) {
        let _ = write!(out, "{{ \"raw\": \"{}\" }}", hex::upper(&self.bytes));
    }
}
