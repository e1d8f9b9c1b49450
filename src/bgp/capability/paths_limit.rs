//! Paths limit (draft-abraitis-idr-addpath-paths-limit): AFI (2), SAFI (1), limit (2), for each family.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::wire::{Reader, Writer};

/// How many paths of a route the speaker takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PathsLimit {
    /// (family, most paths).
    pub entries: Vec<(Family, u16)>,
}

impl CapabilityForm for PathsLimit {
    fn code(&self) -> u8 {
        0x4c
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        while !reader.is_empty() {
            entries.push((Family::decode(&mut reader)?, reader.u16()?));
        }
        Ok(Self { entries })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        for (family, limit) in &self.entries {
            family.encode(out);
            out.extend_from_slice(&limit.to_be_bytes());
        }
        Ok(())
    }
}
