//! Route refresh (RFC 2918 section 2): no value. Code 128 is what it had before it was assigned one.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::wire::{Reader, Writer};

const CISCO: u8 = 0x80;

/// The speaker takes ROUTE-REFRESH messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RouteRefresh {
    /// Code 2.
    Rfc,
    /// Code 128.
    Cisco,
}

impl CapabilityForm for RouteRefresh {
    fn code(&self) -> u8 {
        match self {
            Self::Rfc => 0x02,
            Self::Cisco => CISCO,
        }
    }

    fn decode(code: u8, reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.finish()?;
        Ok(match code {
            CISCO => Self::Cisco,
            _ => Self::Rfc,
        })
    }

    fn encode(&self, _: &mut Writer) -> Result<(), EncodeError> {
        Ok(())
    }

    fn json(instances: &[&Self], out: &mut String) {
        out.push_str(match instances.last() {
            Some(Self::Cisco) => r#"{ "name": "route-refresh", "variant": "Cisco" }"#,
            _ => r#"{ "name": "route-refresh", "variant": "RFC" }"#,
        });
    }

    fn text(instances: &[&Self], out: &mut String) {
        out.push_str(match instances.last() {
            Some(Self::Cisco) => "Cisco Route Refresh",
            _ => "Route Refresh",
        });
    }
}
