//! BGP extended message (RFC 8654 section 3): no value.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::wire::{Reader, Writer};

/// The speaker takes messages of up to 65,535 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExtendedMessage;

impl CapabilityForm for ExtendedMessage {
    fn code(&self) -> u8 {
        0x06
    }

    fn decode(_: u8, reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.finish()?;
        Ok(Self)
    }

    fn encode(&self, _: &mut Writer) -> Result<(), EncodeError> {
        Ok(())
    }

    fn json(_: &[&Self], out: &mut String) {
        out.push_str(r#"{ "name": "extended-message", "size": 65535 }"#);
    }

    fn text(_: &[&Self], out: &mut String) {
        out.push_str("Extended Message(65535)");
    }
}
