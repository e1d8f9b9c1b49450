//! BGP-LS (RFC 9552 section 5.2, RFC 9514 section 6) and BGP-LS-VPN.
//!
//! ```text
//!  +------------------------------+---------------------------------+
//!  |  NLRI Type (2 octets)        |  Total NLRI Length (2 octets)   |
//!  +------------------------------+---------------------------------+
//!  |  Route distinguisher (8 octets), of BGP-LS-VPN                 |
//!  +------------------------------+---------------------------------+
//!  |  Protocol-ID (1)  |  Identifier (8)  |  descriptor TLVs        |
//!  +------------------------------+---------------------------------+
//!   1 node, 2 link, 3 IPv4 prefix, 4 IPv6 prefix, 6 SRv6 SID
//! ```

mod descriptor;
mod object;

use std::fmt::Write as _;

use super::qualifier::{RouteDistinguisher, address, dissect};
use super::{Around, NlriFamily, parse_octets};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::iana::Safi;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Prefix as LengthPrefix, Reader, Writer, length_prefixed};
pub use descriptor::NodeDescriptor;
pub use object::{Descriptors, Object};

/// A link-state object: its octets, so that unknown types and descriptors go on unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkState {
    /// The NLRI type.
    pub kind: u16,
    /// The VPN, of BGP-LS-VPN and a known type.
    pub rd: Option<RouteDistinguisher>,
    /// Protocol-ID, identifier and descriptors; all that follows the length where the type is not known.
    pub value: Vec<u8>,
}

impl LinkState {
    /// What the octets say; `None` for a type that no RFC read here has.
    ///
    /// # Errors
    /// Where the octets are not of their type's form.
    pub fn object(&self) -> Result<Option<Object>, DecodeError> {
        Object::decode(self.kind, Reader::new(&self.value))
    }
}

impl NlriFamily for LinkState {
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = reader.u16()?;
        let length = usize::from(reader.u16()?);
        let mut value = reader.sub(length)?;
        let rd = match family.safi == Safi::BGP_LS_VPN && Object::is_known(kind) {
            true => Some(RouteDistinguisher::decode(&mut value)?),
            false => None,
        };
        Object::decode(kind, value)?;
        Ok(Self {
            kind,
            rd,
            value: value.rest().to_vec(),
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.kind.to_be_bytes());
        length_prefixed(out, "BGP-LS NLRI length", LengthPrefix::U16, |out| {
            if let Some(rd) = self.rd {
                out.extend_from_slice(&rd.0);
            }
            out.extend_from_slice(&self.value);
            Ok(())
        })
    }

    /// ExaBGP has no words for link-state objects: this reads their octets in hexadecimal.
    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        parse_octets(family, words)
    }
    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        let name = |kind: u16| match kind {
            1 => "Node NLRI",
            2 => "Link NLRI",
            3 => "IPv4 Topology Prefix NLRI",
            4 => "IPv6 Topology Prefix NLRI",
            6 => "SRv6 SID NLRI",
            _ => "unknown",
        };
        let walk = |fields: &mut Dissector<'_>| {
            let kind = fields.u16_as("type", "NLRI Type", |kind| {
                format!("{kind} ({})", name(kind))
            })?;
            let length = fields.u16("length", "Total NLRI Length")?;
            fields.group("object", name(kind), usize::from(length), "", |fields| {
                let walk = |fields: &mut Dissector<'_>| {
                    if !Object::is_known(kind) {
                        return None;
                    }
                    if family.safi == Safi::BGP_LS_VPN {
                        dissect::rd(fields)?;
                    }
                    fields.u8("protocol", "Protocol-ID")?;
                    fields.u64("identifier", "Identifier")?;
                    descriptor::tlvs(fields);
                    Some(())
                };
                walk(fields);
            });
            Some(())
        };
        walk(fields);
    }

    fn text(&self, around: &Around, out: &mut String) {
        match self.kind {
            1..=4 => self.json(around, out),
            6 => {
                let _ = write!(out, "bgp-ls:srv6_sid:0x{}", hex::lower(&self.value));
            }
            _ => {
                let _ = write!(out, "bgp-ls:unknown:0x{}", hex::lower(&self.value));
            }
        }
    }

    fn json(&self, around: &Around, out: &mut String) {
        let Ok(Some(object)) = self.object() else {
            let mut raw = Vec::new();
            // The value came from a field of two octets, or is refused when it is sent.
            let _ = self.encode(&mut raw);
            let _ = write!(
                out,
                "{{ \"code\": {}, \"parsed\": false, \"raw\": \"{}\" }}",
                self.kind,
                hex::upper(&raw)
            );
            return;
        };
        let next_hop = around
            .next_hop
            .map_or_else(|| "None".to_owned(), |ip| address(ip).to_string());
        object.json(self.rd, &next_hop, out);
    }
}

#[cfg(test)]
mod tests;
