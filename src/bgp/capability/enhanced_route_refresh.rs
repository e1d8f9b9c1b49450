//! Enhanced route refresh (RFC 7313 section 3.1): no value.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::wire::{Reader, Writer};

/// The speaker marks beginning and end of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedRouteRefresh;

impl CapabilityForm for EnhancedRouteRefresh {
    fn code(&self) -> u8 {
        0x46
    }

    fn decode(_: u8, reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.finish()?;
        Ok(Self)
    }

    fn encode(&self, _: &mut Writer) -> Result<(), EncodeError> {
        Ok(())
    }

    fn json(_: &[&Self], out: &mut String) {
        out.push_str(r#"{ "name": "enhanced-route-refresh" }"#);
    }

    fn text(_: &[&Self], out: &mut String) {
        out.push_str("Enhanced Route Refresh");
    }
}
