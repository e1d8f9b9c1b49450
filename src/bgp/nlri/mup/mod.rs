//! Mobile user plane (draft-ietf-bess-mup-safi section 3.1).
//!
//! ```text
//!  +-----------------------------------+
//!  |    Architecture type (1 octet)    |  1: 3GPP 5G
//!  +-----------------------------------+
//!  |       Route type (2 octets)       |  1 ISD, 2 DSD, 3 T1ST, 4 T2ST
//!  +-----------------------------------+
//!  |         Length (1 octet)          |
//!  +-----------------------------------+
//!  |  Route type specific (variable)   |
//!  +-----------------------------------+
//! ```

mod discovery;
mod session;

use std::fmt::Write as _;

use super::qualifier::dissect;
use super::{Around, NlriFamily};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::iana::Afi;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Prefix as LengthPrefix, Reader, Writer, length_prefixed};
pub use discovery::{DirectSegment, InterworkSegment};
pub use session::{Type1Session, Type2Session};

/// The architecture type of 3GPP 5G.
const GPP_5G: u8 = 1;

/// A route of the mobile user plane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mup {
    /// Type 1.
    InterworkSegment(InterworkSegment),
    /// Type 2.
    DirectSegment(DirectSegment),
    /// Type 3.
    Type1Session(Type1Session),
    /// Type 4.
    Type2Session(Type2Session),
    /// Another architecture or type.
    Other {
        /// The architecture type.
        architecture: u8,
        /// The route type.
        kind: u16,
        /// What follows the length.
        value: Vec<u8>,
    },
}

impl Mup {
    const fn codes(&self) -> (u8, u16) {
        match self {
            Self::InterworkSegment(_) => (GPP_5G, 1),
            Self::DirectSegment(_) => (GPP_5G, 2),
            Self::Type1Session(_) => (GPP_5G, 3),
            Self::Type2Session(_) => (GPP_5G, 4),
            Self::Other {
                architecture, kind, ..
            } => (*architecture, *kind),
        }
    }

    fn write(
        &self,
        out: &mut Writer,
        value: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let (architecture, kind) = self.codes();
        out.push(architecture);
        out.extend_from_slice(&kind.to_be_bytes());
        length_prefixed(out, "MUP route length", LengthPrefix::U8, value)
    }
}

impl NlriFamily for Mup {
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let architecture = reader.u8()?;
        let kind = reader.u16()?;
        let length = usize::from(reader.u8()?);
        let mut value = reader.sub(length)?;
        let route = match (architecture, kind) {
            (GPP_5G, 1) => Self::InterworkSegment(InterworkSegment::decode(family, &mut value)?),
            (GPP_5G, 2) => Self::DirectSegment(DirectSegment::decode(&mut value)?),
            (GPP_5G, 3) => Self::Type1Session(Type1Session::decode(family, &mut value)?),
            (GPP_5G, 4) => Self::Type2Session(Type2Session::decode(family, &mut value)?),
            _ => Self::Other {
                architecture,
                kind,
                value: value.rest().to_vec(),
            },
        };
        value.finish()?;
        Ok(route)
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        self.write(out, |out| {
            match self {
                Self::InterworkSegment(route) => route.encode(out),
                Self::DirectSegment(route) => route.encode(out),
                Self::Type1Session(route) => route.encode(out),
                Self::Type2Session(route) => return route.encode(out),
                Self::Other { value, .. } => out.extend_from_slice(value),
            }
            Ok(())
        })
    }

    /// Reads `mup-isd PREFIX rd RD`, `mup-dsd ADDRESS rd RD`,
    /// `mup-t1st PREFIX rd RD teid TEID qfi QFI endpoint ADDRESS [source ADDRESS]` or `mup-t2st ADDRESS rd RD teid TEID/BITS`.
    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let word = words.word("a route type")?;
        match word.text.as_str() {
            "mup-isd" => InterworkSegment::parse(family, words).map(Self::InterworkSegment),
            "mup-dsd" => DirectSegment::parse(family, words).map(Self::DirectSegment),
            "mup-t1st" => Type1Session::parse(family, words).map(Self::Type1Session),
            "mup-t2st" => Type2Session::parse(family, words).map(Self::Type2Session),
            other => {
                let message = format!("`{other}` is not a type of MUP route");
                Err(TextError::new(word.span.clone(), message)
                    .help("write mup-isd, mup-dsd, mup-t1st or mup-t2st"))
            }
        }
    }
    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        let name = |kind: u16| match kind {
            1 => "Interwork Segment Discovery route",
            2 => "Direct Segment Discovery route",
            3 => "Type 1 Session Transformed route",
            4 => "Type 2 Session Transformed route",
            _ => "unknown",
        };
        let walk = |fields: &mut Dissector<'_>| {
            let architecture = fields.u8("architecture", "Architecture Type")?;
            let kind = fields.u16_as("type", "Route Type", |kind| {
                format!("{kind} ({})", name(kind))
            })?;
            let length = fields.u8("length", "Length")?;
            fields.group("route", name(kind), usize::from(length), "", |fields| {
                if architecture == GPP_5G && (1..=4).contains(&kind) {
                    route_fields(family.afi, kind, fields);
                }
            });
            Some(())
        };
        walk(fields);
    }

    fn text(&self, _: &Around, out: &mut String) {
        let _ = match self {
            Self::InterworkSegment(route) => write!(out, "mup:isd::{route}"),
            Self::DirectSegment(route) => write!(out, "mup:dsd::{route}"),
            Self::Type1Session(route) => write!(out, "mup:t1st::{route}"),
            Self::Type2Session(route) => write!(out, "mup:t2st::{route}"),
            Self::Other { value, .. } => write!(out, "mup:unknown:0x{}", hex::lower(value)),
        };
    }

    fn json(&self, _: &Around, out: &mut String) {
        let mut raw = Vec::new();
        // A value that does not fit cannot be sent either.
        let _ = self.encode(&mut raw);
        let raw = hex::upper(&raw);
        let (architecture, code) = self.codes();
        let codes = format!("\"arch\": {architecture}, \"code\": {code}, ");
        let _ = match self {
            Self::InterworkSegment(route) => write!(
                out,
                "{{ \"name\": \"InterworkSegmentDiscoveryRoute\", {codes}{}, \"raw\": \"{raw}\" }}",
                route.json()
            ),
            Self::DirectSegment(route) => write!(
                out,
                "{{ \"name\": \"DirectSegmentDiscoveryRoute\", {codes}{}, \"raw\": \"{raw}\" }}",
                route.json()
            ),
            Self::Type1Session(route) => write!(
                out,
                "{{ \"name\": \"Type1SessionTransformedRoute\", {codes}{}, \"raw\": \"{raw}\" }}",
                route.json()
            ),
            // The second space is ExaBGP's.
            Self::Type2Session(route) => write!(
                out,
                "{{ \"name\": \"Type2SessionTransformedRoute\",  {codes}{}, \"raw\": \"{raw}\" }}",
                route.json()
            ),
            Self::Other { .. } => write!(out, "{{ {codes}\"raw\": \"{raw}\" }}"),
        };
    }

    /// Parity: ExaBGP takes two type-1 sessions of one prefix for the same route, whatever TEID, QFI and endpoint;
    /// and writes the whole address.
    fn index(&self, out: &mut Writer) -> Result<(), EncodeError> {
        match self {
            Self::Type1Session(route) => self.write(out, |out| {
                route.index(out);
                Ok(())
            }),
            _ => self.encode(out),
        }
    }
}

/// The fields of a route of 3GPP 5G.
fn route_fields(afi: Afi, kind: u16, fields: &mut Dissector<'_>) -> Option<()> {
    dissect::rd(fields)?;
    match kind {
        1 => {
            dissect::sized_prefix(afi, fields);
        }
        2 => {
            let octets = fields.remaining();
            dissect::whole_address("address", "Address", octets, fields)?;
        }
        3 => {
            dissect::sized_prefix(afi, fields);
            fields.u32("teid", "TEID")?;
            fields.u8("qfi", "QFI")?;
            dissect::sized_address("endpoint", "Endpoint Address", fields)?;
            if !fields.is_empty() {
                dissect::sized_address("source", "Source Address", fields)?;
            }
        }
        _ => {
            fields.u8_as("endpoint-length", "Endpoint Length", |bits| {
                format!("{bits} bits")
            })?;
            let octets = if afi == Afi::IPV4 { 4 } else { 16 };
            dissect::whole_address("endpoint", "Endpoint Address", octets, fields)?;
            fields.rest("teid", "TEID");
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
