//! ADD-PATH (RFC 7911 section 4).
//!
//! ```text
//!  +-----------------------------+
//!  |   AFI (2 octets)            |
//!  +-----------------------------+
//!  |   SAFI (1 octet)            |
//!  +-----------------------------+
//!  |   Send/Receive (1 octet)    |
//!  +-----------------------------+
//!   repeated
//! ```

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::json::join;
use crate::bgp::wire::{Reader, Writer};

/// Families of which the speaker takes or sends several paths.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddPath {
    /// Families, and what the speaker does: see [`SendReceive`].
    pub entries: Vec<(Family, SendReceive)>,
}

/// 1 receives, 2 sends, 3 both; any other value is kept and means neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendReceive(pub u8);

impl SendReceive {
    /// Takes several paths.
    pub const RECEIVE: Self = Self(1);
    /// Sends several paths.
    pub const SEND: Self = Self(2);
    /// Send and receive (RFC 7911 section 4).
    pub const BOTH: Self = Self(3);

    /// Whether the speaker takes several paths.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::RECEIVE | Self::BOTH)
    }

    /// Whether the speaker sends several paths.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SEND | Self::BOTH)
    }
}

impl std::fmt::Display for SendReceive {
    /// ExaBGP's word for it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => f.write_str("disabled"),
            1 => f.write_str("receive"),
            2 => f.write_str("send"),
            3 => f.write_str("send/receive"),
            other => write!(f, "invalid ({other})"),
        }
    }
}

impl CapabilityForm for AddPath {
    fn code(&self) -> u8 {
        0x45
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        while !reader.is_empty() {
            let family = Family::decode(&mut reader)?;
            entries.push((family, SendReceive(reader.u8()?)));
        }
        Ok(Self { entries })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        for (family, way) in &self.entries {
            family.encode(out);
            out.push(way.0);
        }
        Ok(())
    }

    fn json(instances: &[&Self], out: &mut String) {
        let entries = merged(instances);
        out.push_str("{ \"name\": \"addpath\"");
        if !entries.is_empty() {
            out.push_str(", ");
        }
        let items = entries
            .iter()
            .map(|(family, way)| format!("\"{}/{}\": \"{way}\"", family.afi, family.safi));
        join(items, ",", out);
        out.push_str(" }");
    }

    fn text(instances: &[&Self], out: &mut String) {
        out.push_str("AddPath(");
        let entries = merged(instances);
        let items = entries
            .iter()
            .map(|(family, way)| format!("{way} {family}"));
        join(items, ",", out);
        out.push(')');
    }
}

/// The entries of all instances, each family as it was last given.
fn merged(instances: &[&AddPath]) -> Vec<(Family, SendReceive)> {
    super::by_family(instances.iter().flat_map(|one| &one.entries).copied())
}
