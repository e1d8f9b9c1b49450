//! OPERATIONAL messages (draft-ietf-idr-operational-message, with the code that ExaBGP uses): no value.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::wire::{Reader, Writer};

/// The speaker takes OPERATIONAL messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operational;

impl CapabilityForm for Operational {
    fn code(&self) -> u8 {
        0xb9
    }

    fn decode(_: u8, reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.finish()?;
        Ok(Self)
    }

    fn encode(&self, _: &mut Writer) -> Result<(), EncodeError> {
        Ok(())
    }

    fn json(_: &[&Self], out: &mut String) {
        out.push_str(r#"{ "name": "operational" }"#);
    }

    fn text(_: &[&Self], out: &mut String) {
        out.push_str("Operational");
    }
}
