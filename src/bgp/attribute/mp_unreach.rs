//! MP_UNREACH_NLRI (RFC 4760 section 4).
//!
//! ```text
//!  +-----------------------------+
//!  |   AFI (2 octets)            |
//!  +-----------------------------+
//!  |   SAFI (1 octet)            |
//!  +-----------------------------+
//!  |   Withdrawn Routes          |
//!  +-----------------------------+
//! ```

use super::{Attribute, AttributeValue, Flags, WireContext};
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::nlri::Nlri;
use crate::bgp::wire::{Reader, Writer};

/// Withdrawn NLRI of one family; none at all is an End-of-RIB (RFC 4724 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MpUnreach {
    /// The family.
    pub family: Family,
    /// The routes.
    pub nlri: Vec<Nlri>,
}

impl MpUnreach {
    /// The type code.
    pub const CODE: u8 = 0x0f;

    pub(super) fn decode(
        context: &WireContext,
        mut reader: Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let family = Family::decode(&mut reader)?;
        let nlri = Nlri::decode_all(family, context.add_path.contains(family), reader)?;
        Ok(Self { family, nlri })
    }

    pub(super) fn encode(
        &self,
        context: &WireContext,
        out: &mut Writer,
    ) -> Result<(), EncodeError> {
        self.family.encode(out);
        let add_path = context.add_path.contains(self.family);
        self.nlri
            .iter()
            .try_for_each(|nlri| nlri.encode_withdraw(add_path, out))
    }
}

impl From<MpUnreach> for Attribute {
    /// An End-of-RIB has the extended length flag, as ExaBGP sends it.
    fn from(value: MpUnreach) -> Self {
        let flags = if value.nlri.is_empty() {
            Flags::OPTIONAL.with(Flags::EXTENDED_LENGTH)
        } else {
            Flags::OPTIONAL
        };
        Self {
            flags,
            value: AttributeValue::MpUnreach(Box::new(value)),
        }
    }
}
