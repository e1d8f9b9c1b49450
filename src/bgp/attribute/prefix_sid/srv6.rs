//! SRv6 services (RFC 9252 section 2).
//!
//! ```text
//!  service:          Reserved (1), then sub-TLVs: Type (1), Length (2), Value
//!  SID information:  Reserved (1), SID (16), Flags (1), Endpoint behavior (2), Reserved (1), then sub-sub-TLVs
//!  SID structure:    Locator block, locator node, function, argument,
//!                    transposition length, transposition offset (1 octet each, in bits)
//! ```

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use super::Tlv;
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::nlri::qualifier::address6;
use crate::bgp::wire::Reader;

/// What a service forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// IP: TLV type 5.
    L3,
    /// Ethernet: TLV type 6.
    L2,
}

impl Layer {
    pub(super) const fn from_code(code: u8) -> Option<Self> {
        match code {
            5 => Some(Self::L3),
            6 => Some(Self::L2),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::L3 => "l3-service",
            Self::L2 => "l2-service",
        }
    }
}

/// The SIDs of a service. Sub-TLVs of other types are counted, not read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Sub-TLVs of type 1.
    pub sids: Vec<SidInformation>,
    /// The types of the others.
    pub unknown: Vec<u8>,
}

/// A SID and what is done with packets to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidInformation {
    /// The SID.
    pub sid: Ipv6Addr,
    /// IANA "SRv6 Endpoint Behaviors"; 0xffff is opaque.
    pub behavior: u16,
    /// How the SID is built.
    pub structure: Option<SidStructure>,
    /// The types of sub-sub-TLVs that are not read.
    pub unknown: Vec<u8>,
}

/// How a SID is built: lengths and an offset in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SidStructure {
    /// Locator block, locator node, function, argument, transposition length and offset.
    pub octets: [u8; 6],
}

impl Service {
    pub(super) fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.u8()?;
        let mut service = Self::default();
        while !reader.is_empty() {
            let code = reader.u8()?;
            let length = usize::from(reader.u16()?);
            let value = reader.sub(length)?;
            match code {
                1 => service.sids.push(SidInformation::decode(value)?),
                _ => service.unknown.push(code),
            }
        }
        Ok(service)
    }

    pub(super) fn text(&self, layer: Layer) -> String {
        let mut parts: Vec<String> = self.sids.iter().map(SidInformation::text).collect();
        parts.extend(
            self.unknown
                .iter()
                .map(|code| format!("SRv6 Service Sub-TLV type {code} not implemented")),
        );
        format!("{} [ {} ]", layer.name(), parts.join(", "))
    }

    pub(super) fn json(&self, layer: Layer) -> String {
        let sids: Vec<String> = self.sids.iter().map(SidInformation::json).collect();
        format!("\"{}\": [ {} ]", layer.name(), sids.join(", "))
    }
}

impl SidInformation {
    fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.u8()?;
        let sid = Ipv6Addr::from(reader.array::<16>()?);
        reader.u8()?;
        let behavior = reader.u16()?;
        reader.u8()?;
        let mut structure = None;
        let mut unknown = Vec::new();
        while !reader.is_empty() {
            let code = reader.u8()?;
            let length = usize::from(reader.u16()?);
            let mut value = reader.sub(length)?;
            if code == 1 {
                let wrong = value.error(DecodeErrorKind::Length, 6);
                structure = Some(SidStructure {
                    octets: value.array().map_err(|_| wrong)?,
                });
            } else {
                unknown.push(code);
            }
        }
        Ok(Self {
            sid,
            behavior,
            structure,
            unknown,
        })
    }

    /// The TLV of a service that has this SID alone.
    #[must_use]
    pub fn tlv(&self, layer: Layer) -> Tlv {
        let mut information = vec![0];
        information.extend_from_slice(&self.sid.octets());
        information.push(0);
        information.extend_from_slice(&self.behavior.to_be_bytes());
        information.push(0);
        if let Some(structure) = self.structure {
            information.extend_from_slice(&[1, 0, 6]);
            information.extend_from_slice(&structure.octets);
        }
        let mut value = vec![0, 1, 0, information.len() as u8];
        value.append(&mut information);
        Tlv {
            code: match layer {
                Layer::L3 => 5,
                Layer::L2 => 6,
            },
            value,
        }
    }

    /// Parity: ExaBGP forgets the bracket that closes `sid-information`.
    fn text(&self) -> String {
        let mut text = format!(
            "sid-information [ sid:{} flags:0 endpoint_behavior:0x{:x} ",
            address6(self.sid),
            self.behavior
        );
        let structure = self.structure.map(|SidStructure { octets }| {
            let [a, b, c, d, e, f] = octets;
            format!("sid-structure [{a},{b},{c},{d},{e},{f}]")
        });
        let unknown = self
            .unknown
            .iter()
            .map(|code| format!("SRv6 Service Data Sub-Sub-TLV type {code} not implemented"));
        let parts: Vec<String> = structure.into_iter().chain(unknown).collect();
        if !parts.is_empty() {
            let _ = write!(text, " [ {} ]", parts.join(", "));
        }
        text
    }

    /// ExaBGP 5.0.15 writes `%s` and `%d` in the place of SID and behavior, which is no JSON: here stand their values.
    fn json(&self) -> String {
        let mut json = format!(
            "{{ \"sid\": \"{}\", \"flags\": 0, \"endpoint_behavior\": {}",
            address6(self.sid),
            self.behavior
        );
        if let Some(SidStructure {
            octets: [a, b, c, d, e, f],
        }) = self.structure
        {
            let _ = write!(
                json,
                ", \"structure\": {{\"locator-block-length\": {a}, \"locator-node-length\": {b}, \
                 \"function-length\": {c}, \"argument-length\": {d}, \"transposition-length\": {e}, \
                 \"transposition-offset\": {f}}}"
            );
        }
        json.push_str(" }");
        json
    }
}
