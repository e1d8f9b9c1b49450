//! Multiprotocol extensions (RFC 4760 section 8): one family for each instance.
//!
//! ```text
//!  +-----------------------------+
//!  |   AFI (2 octets)            |
//!  +-----------------------------+
//!  |   Reserved (1 octet)        |
//!  +-----------------------------+
//!  |   SAFI (1 octet)            |
//!  +-----------------------------+
//! ```

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::json::join;
use crate::bgp::wire::{Reader, Writer};

/// A family that the speaker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Multiprotocol {
    /// The family.
    pub family: Family,
}

impl CapabilityForm for Multiprotocol {
    fn code(&self) -> u8 {
        0x01
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let family = Family::decode_spaced(&mut reader)?;
        reader.finish()?;
        Ok(Self { family })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        self.family.encode_spaced(out);
        Ok(())
    }

    fn json(instances: &[&Self], out: &mut String) {
        let families = instances
            .iter()
            .map(|one| format!(" \"{}/{}\"", one.family.afi, one.family.safi));
        out.push_str("{ \"name\": \"multiprotocol\", \"families\": [");
        join(families, ",", out);
        out.push_str(" ] }");
    }

    fn text(instances: &[&Self], out: &mut String) {
        out.push_str("Multiprotocol(");
        join(instances.iter().map(|one| one.family), ",", out);
        out.push(')');
    }
}
