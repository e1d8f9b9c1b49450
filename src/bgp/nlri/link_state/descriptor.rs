//! Node descriptors (RFC 9552 section 5.2.1): sub-TLVs in ascending order, each at most once.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::hex;
use crate::bgp::nlri::qualifier::address;
use crate::bgp::wire::Reader;

const AUTONOMOUS_SYSTEM: u16 = 512;
const BGP_LS_IDENTIFIER: u16 = 513;
const OSPF_AREA: u16 = 514;
const IGP_ROUTER_ID: u16 = 515;

/// Something that identifies a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeDescriptor {
    /// Type 512.
    AutonomousSystem(u32),
    /// Type 513.
    BgpLsIdentifier(u32),
    /// Type 514; ExaBGP reads one of 16 octets as well.
    OspfArea(IpAddr),
    /// Type 515 of IS-IS: a system ID, and the number of a pseudonode.
    IsisRouter([u8; 6], Option<u8>),
    /// Type 515 of OSPF: a router ID, and the address of the designated router for a pseudonode.
    OspfRouter(Ipv4Addr, Option<Ipv4Addr>),
    /// Another type, or the router ID of another protocol.
    Other(u16, Vec<u8>),
}

impl NodeDescriptor {
    /// Decodes all descriptors of a node known to `protocol`.
    pub(super) fn decode_all(
        protocol: u8,
        mut reader: Reader<'_>,
    ) -> Result<Vec<Self>, DecodeError> {
        let mut descriptors = Vec::new();
        let mut last = None;
        while !reader.is_empty() {
            let order = reader.error(DecodeErrorKind::Value("node descriptor order"), 0);
            let code = reader.u16()?;
            let length = usize::from(reader.u16()?);
            let value = reader.sub(length)?;
            if last.is_some_and(|last| last >= code) {
                return Err(order);
            }
            last = Some(code);
            descriptors.push(Self::decode(protocol, code, value)?);
        }
        Ok(descriptors)
    }

    fn decode(protocol: u8, code: u16, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.error(DecodeErrorKind::Length, 4);
        let descriptor = match (code, protocol) {
            (AUTONOMOUS_SYSTEM, _) => Self::AutonomousSystem(reader.u32()?),
            (BGP_LS_IDENTIFIER, _) => Self::BgpLsIdentifier(reader.u32()?),
            (OSPF_AREA, _) => Self::OspfArea(match reader.remaining() {
                4 => IpAddr::from(reader.array::<4>()?),
                16 => IpAddr::from(reader.array::<16>()?),
                _ => return Err(length),
            }),
            // IS-IS, both levels.
            (IGP_ROUTER_ID, 1 | 2) => {
                let system = reader.array()?;
                let pseudonode = match reader.is_empty() {
                    true => None,
                    false => Some(reader.u8()?),
                };
                Self::IsisRouter(system, pseudonode)
            }
            // Parity: OSPFv2, static (which ExaBGP calls direct), OSPFv3, and FreeRtr's own number.
            (IGP_ROUTER_ID, 3 | 5 | 6 | 227) => {
                let router = reader.array::<4>()?.into();
                let designated = match reader.is_empty() {
                    true => None,
                    false => Some(reader.array::<4>()?.into()),
                };
                Self::OspfRouter(router, designated)
            }
            _ => Self::Other(code, reader.rest().to_vec()),
        };
        reader.finish().map_err(|_| length)?;
        Ok(descriptor)
    }

    pub(super) fn json(&self, out: &mut String) {
        out.push_str("{ ");
        let _ = match self {
            Self::AutonomousSystem(asn) => write!(out, "\"autonomous-system\": {asn}"),
            Self::BgpLsIdentifier(id) => write!(out, "\"bgp-ls-identifier\": \"{id}\""),
            Self::OspfArea(area) => write!(out, "\"ospf-area-id\": \"{}\"", address(*area)),
            // Parity: the number of a pseudonode stands in the router ID as well, and alone only if it is not 0.
            Self::IsisRouter(system, pseudonode) => {
                let system = hex::lower(system);
                let _ = match pseudonode {
                    None => write!(out, "\"router-id\": \"{system}\""),
                    Some(number) => write!(out, "\"router-id\": \"{system}{number:02x}\""),
                };
                match pseudonode {
                    Some(number @ 1..) => write!(out, ", \"psn\": \"{number}\""),
                    _ => Ok(()),
                }
            }
            Self::OspfRouter(router, None) => write!(out, "\"router-id\": \"{router}\""),
            Self::OspfRouter(router, Some(designated)) => write!(
                out,
                "\"router-id\": \"{router}\", \"designated-router-id\": \"{designated}\""
            ),
            Self::Other(code, value) => {
                write!(
                    out,
                    "\"generic-node-descriptor-{code}\": \"0x{}\"",
                    hex::upper(value)
                )
            }
        };
        out.push_str(" }");
    }

    /// Appends `[ … ]`.
    pub(super) fn json_list(descriptors: &[Self], out: &mut String) {
        out.push_str("[ ");
        for (at, descriptor) in descriptors.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            descriptor.json(out);
        }
        out.push_str(" ]");
    }
}

/// Descriptors, explained; those of nodes have descriptors inside.
pub(super) fn tlvs(fields: &mut Dissector<'_>) {
    while fields.remaining() >= 4 {
        let bytes = fields.peek();
        let code = u16::from_be_bytes([bytes[0], bytes[1]]);
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        let name = match code {
            256 => "Local Node Descriptors",
            257 => "Remote Node Descriptors",
            258 => "Link Local/Remote Identifiers",
            259 => "IPv4 interface address",
            260 => "IPv4 neighbor address",
            261 => "IPv6 interface address",
            262 => "IPv6 neighbor address",
            263 => "Multi-Topology Identifier",
            264 => "OSPF Route Type",
            265 => "IP Reachability Information",
            AUTONOMOUS_SYSTEM => "Autonomous System",
            BGP_LS_IDENTIFIER => "BGP-LS Identifier",
            OSPF_AREA => "OSPF Area-ID",
            IGP_ROUTER_ID => "IGP Router-ID",
            516 => "BGP Router-ID",
            518 => "SRv6 SID Information",
            _ => "unknown",
        };
        let shown = format!("{code} ({name})");
        fields.group(&format!("tlv-{code}"), name, 4 + length, shown, |fields| {
            fields.u16("type", "Type");
            fields.u16("length", "Length");
            if matches!(code, 256 | 257) {
                tlvs(fields);
            } else {
                fields.rest("value", "Value");
            }
        });
    }
}
