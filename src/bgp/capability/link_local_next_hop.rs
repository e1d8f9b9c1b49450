//! Link-local next hop (draft-ietf-idr-linklocal-capability): no value.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::wire::{Reader, Writer};

/// The speaker takes a link-local next hop alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkLocalNextHop;

impl CapabilityForm for LinkLocalNextHop {
    fn code(&self) -> u8 {
        0x4d
    }

    fn decode(_: u8, reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.finish()?;
        Ok(Self)
    }

    fn encode(&self, _: &mut Writer) -> Result<(), EncodeError> {
        Ok(())
    }
}
