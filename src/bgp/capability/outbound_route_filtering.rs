//! Outbound route filtering (RFC 5291 section 5).
//!
//! ```text
//!  +-----------------------------+
//!  |   AFI (2), Reserved (1), SAFI (1)
//!  +-----------------------------+
//!  |   Number of ORFs (1 octet)  |
//!  +-----------------------------+
//!  |   ORF Type (1), Send/Receive (1), for each
//!  +-----------------------------+
//! ```

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::wire::{Reader, Writer};

/// The filters that the speaker takes or sends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OutboundRouteFiltering {
    /// An entry for each family.
    pub entries: Vec<FamilyFilters>,
}

/// The filters of one family.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FamilyFilters {
    /// The AFI and SAFI that the filter types are for.
    pub family: Family,
    /// (ORF type, 1 receive, 2 send, 3 both).
    pub filters: Vec<(u8, u8)>,
}

impl CapabilityForm for OutboundRouteFiltering {
    fn code(&self) -> u8 {
        0x03
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        while !reader.is_empty() {
            let family = Family::decode_spaced(&mut reader)?;
            let count = reader.u8()?;
            let (pairs, _) = reader.bytes(2 * usize::from(count))?.as_chunks::<2>();
            entries.push(FamilyFilters {
                family,
                filters: pairs.iter().map(|&[kind, way]| (kind, way)).collect(),
            });
        }
        Ok(Self { entries })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        for entry in &self.entries {
            entry.family.encode_spaced(out);
            let count = entry.filters.len();
            let limit = usize::from(u8::MAX);
            let octet = u8::try_from(count)
                .map_err(|_| EncodeError::new("number of ORFs", count, limit))?;
            out.push(octet);
            for &(kind, way) in &entry.filters {
                out.extend_from_slice(&[kind, way]);
            }
        }
        Ok(())
    }
}
