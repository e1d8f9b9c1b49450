//! BGP role (RFC 9234 section 4.1): one octet.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::iana::registry;
use crate::bgp::wire::{Reader, Writer};

registry! {
    /// BGP roles (IANA "BGP Role Value"; RFC 9234 section 4.1).
    RoleValue(u8) {
        /// Sends all routes to its customer.
        PROVIDER = 0, "provider";
        /// A route server.
        RS = 1, "rs";
        /// Takes routes from a route server.
        RS_CLIENT = 2, "rs-client";
        /// Sends its own and its customers' routes to its provider.
        CUSTOMER = 3, "customer";
        /// Sends its own and its customers' routes to its peer.
        PEER = 4, "peer";
    }
}

/// What the speaker is to its neighbor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Role {
    /// The sender's role in the session (RFC 9234 section 4.1).
    pub role: RoleValue,
}

impl CapabilityForm for Role {
    fn code(&self) -> u8 {
        0x09
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let role = RoleValue(reader.u8()?);
        reader.finish()?;
        Ok(Self { role })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(self.role.0);
        Ok(())
    }
}
