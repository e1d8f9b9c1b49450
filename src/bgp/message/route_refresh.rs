//! ROUTE-REFRESH (RFC 2918 section 3) with the subtypes of RFC 7313 section 3.2.
//!
//! ```text
//!  +-----------------------------+
//!  |   AFI (2 octets)            |
//!  +-----------------------------+
//!  |   Message Subtype (1 octet) |  "Reserved" in RFC 2918
//!  +-----------------------------+
//!  |   SAFI (1 octet)            |
//!  +-----------------------------+
//!  |   ORF entries (variable)    |  RFC 5291 section 4
//!  +-----------------------------+
//! ```

use super::error::MessageError;
use super::header::framed;
use crate::bgp::attribute::WireContext;
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, MessageType, Safi, registry};
use crate::bgp::wire::{Reader, Writer};

registry! {
    /// ROUTE-REFRESH message subtypes (IANA "BGP Route Refresh Subcodes"; RFC 7313).
    RefreshSubtype(u8) {
        /// A request for the routes (RFC 2918).
        REQUEST = 0, "query";
        /// Beginning of the routes: BoRR.
        BEGIN = 1, "begin";
        /// End of the routes: EoRR.
        END = 2, "end";
    }
}

/// A request for routes of one family, or the marks around the answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RouteRefresh {
    /// The family.
    pub family: Family,
    /// What the message says.
    pub subtype: RefreshSubtype,
    /// Outbound route filters (RFC 5291), uninterpreted.
    pub orf: Vec<u8>,
}

impl RouteRefresh {
    /// A message without outbound route filters.
    #[must_use]
    pub const fn new(family: Family, subtype: RefreshSubtype) -> Self {
        Self {
            family,
            subtype,
            orf: Vec::new(),
        }
    }

    pub(super) fn decode(mut reader: Reader<'_>) -> Result<Self, MessageError> {
        let body = reader.peek();
        let (Ok(afi), Ok([subtype, safi])) = (reader.u16(), reader.array()) else {
            return Err(invalid_length(body));
        };
        let refresh = Self {
            family: Family::new(Afi(afi), Safi(safi)),
            subtype: RefreshSubtype(subtype),
            orf: reader.rest().to_vec(),
        };
        if matches!(refresh.subtype, RefreshSubtype::BEGIN | RefreshSubtype::END)
            && !refresh.orf.is_empty()
        {
            return Err(invalid_length(body));
        }
        Ok(refresh)
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        out.extend_from_slice(&self.family.afi.0.to_be_bytes());
        out.extend_from_slice(&[self.subtype.0, self.family.safi.0]);
        out.extend_from_slice(&self.orf);
    }
}

/// "Invalid Message Length", whose data is the whole message (RFC 7313 section 5).
fn invalid_length(body: &[u8]) -> MessageError {
    let context = WireContext {
        extended_message: true,
        ..WireContext::default()
    };
    let mut message = Vec::new();
    let _ = framed(&context, MessageType::ROUTE_REFRESH, &mut message, |out| {
        out.extend_from_slice(body);
        Ok(())
    });
    MessageError::RouteRefreshLength(message)
}
