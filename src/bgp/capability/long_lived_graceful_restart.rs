//! Long-lived graceful restart (RFC 9494 section 3.1).
//!
//! ```text
//!  +-----------------------------+
//!  |   AFI (2), SAFI (1), Flags (1)
//!  +-----------------------------+
//!  |   Long-lived Stale Time (3 octets), seconds
//!  +-----------------------------+
//!   repeated
//! ```

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::wire::{Reader, Writer};

/// How long stale routes live.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LongLivedGracefulRestart {
    /// An entry for each family.
    pub entries: Vec<FamilyStaleTime>,
}

/// One family's stale time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FamilyStaleTime {
    /// The family.
    pub family: Family,
    /// 0x80: forwarding state was preserved.
    pub flags: u8,
    /// Seconds; 24 bits.
    pub stale_time: u32,
}

const MAXIMUM_STALE_TIME: u32 = 0x00ff_ffff;

impl CapabilityForm for LongLivedGracefulRestart {
    fn code(&self) -> u8 {
        0x47
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        while !reader.is_empty() {
            entries.push(FamilyStaleTime {
                family: Family::decode(&mut reader)?,
                flags: reader.u8()?,
                stale_time: reader.u24()?,
            });
        }
        Ok(Self { entries })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        for entry in &self.entries {
            let (time, limit) = (entry.stale_time as usize, MAXIMUM_STALE_TIME as usize);
            EncodeError::within("long-lived stale time", time, limit)?;
            entry.family.encode(out);
            out.push(entry.flags);
            out.extend_from_slice(&entry.stale_time.to_be_bytes()[1..]);
        }
        Ok(())
    }
}
