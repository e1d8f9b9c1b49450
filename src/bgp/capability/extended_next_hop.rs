//! Extended next hop encoding (RFC 8950 section 4).
//!
//! ```text
//!  +-----------------------------+
//!  |   NLRI AFI (2 octets)       |
//!  +-----------------------------+
//!  |   NLRI SAFI (2 octets)      |
//!  +-----------------------------+
//!  |   Nexthop AFI (2 octets)    |
//!  +-----------------------------+
//!   repeated
//! ```

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::iana::Afi;
use crate::bgp::json::join;
use crate::bgp::wire::{Reader, Writer};

/// Families whose next hop may be of another address family.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExtendedNextHop {
    /// (family, AFI of the next hop).
    pub entries: Vec<(Family, Afi)>,
}

impl CapabilityForm for ExtendedNextHop {
    fn code(&self) -> u8 {
        0x05
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        while !reader.is_empty() {
            let family = Family::decode_spaced(&mut reader)?;
            entries.push((family, Afi(reader.u16()?)));
        }
        Ok(Self { entries })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        for (family, next_hop) in &self.entries {
            family.encode_spaced(out);
            out.extend_from_slice(&next_hop.0.to_be_bytes());
        }
        Ok(())
    }

    fn json(instances: &[&Self], out: &mut String) {
        out.push_str("{ \"name\": \"nexthop\", \"conversion\": [");
        let entries = distinct(instances);
        let items = entries
            .iter()
            .map(|(family, next_hop)| format!(" \"{}/{}/{next_hop}\"", family.afi, family.safi));
        join(items, ",", out);
        out.push_str(" ] }");
    }

    fn text(instances: &[&Self], out: &mut String) {
        out.push_str("NextHop(");
        let entries = distinct(instances);
        let items = entries
            .iter()
            .map(|(family, next_hop)| format!("{family} {next_hop}"));
        join(items, ",", out);
        out.push(')');
    }
}

fn distinct(instances: &[&ExtendedNextHop]) -> Vec<(Family, Afi)> {
    let mut entries = Vec::new();
    for entry in instances.iter().flat_map(|one| &one.entries) {
        if !entries.contains(entry) {
            entries.push(*entry);
        }
    }
    entries
}
