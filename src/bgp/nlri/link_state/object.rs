//! Nodes, links, prefixes and SIDs.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};

use super::descriptor::NodeDescriptor;
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::hex;
use crate::bgp::json;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::nlri::qualifier::{RouteDistinguisher, address, address6};
use crate::bgp::wire::Reader;

const LOCAL_NODE: u16 = 256;
const REMOTE_NODE: u16 = 257;
const LINK_IDENTIFIERS: u16 = 258;
const IPV4_INTERFACE: u16 = 259;
const IPV4_NEIGHBOR: u16 = 260;
const IPV6_INTERFACE: u16 = 261;
const IPV6_NEIGHBOR: u16 = 262;
const MULTI_TOPOLOGY: u16 = 263;
const OSPF_ROUTE_TYPE: u16 = 264;
const IP_REACHABILITY: u16 = 265;
const SRV6_SID: u16 = 518;

/// A link-state object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where the information comes from: IANA "BGP-LS Protocol-IDs".
    pub protocol: u8,
    /// The routing universe.
    pub identifier: u64,
    /// The node, or the node that the object belongs to.
    pub local: Vec<NodeDescriptor>,
    /// The descriptor TLVs that follow the identifier, in wire order.
    pub descriptors: Descriptors,
}

/// What the descriptors after the local node's say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Descriptors {
    /// Type 1.
    Node,
    /// Type 2.
    Link {
        /// The node at the other end.
        remote: Vec<NodeDescriptor>,
        /// Local and remote identifier.
        identifiers: Option<(u32, u32)>,
        /// Addresses of the near end.
        interfaces: Vec<IpAddr>,
        /// Addresses of the far end.
        neighbors: Vec<IpAddr>,
        /// Topologies: the first of each TLV.
        topologies: Vec<u16>,
    },
    /// Types 3 and 4.
    Prefix {
        /// OSPF's type of route.
        ospf_type: Option<u8>,
        /// The reachable IPv4 or IPv6 prefix.
        prefix: Prefix,
    },
    /// Type 6.
    Srv6Sid {
        /// Topologies: the first of each TLV.
        topologies: Vec<u16>,
        /// What else is said, in order: the SID, and values of unknown TLVs.
        said: Vec<SidDescriptor>,
    },
}

/// What is said of a SID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SidDescriptor {
    /// The SID.
    Sid(Ipv6Addr),
    /// Values of one unknown TLV type.
    Other(u16, Vec<Vec<u8>>),
}

impl Object {
    pub(super) const fn is_known(kind: u16) -> bool {
        matches!(kind, 1..=4 | 6)
    }

    pub(super) fn decode(kind: u16, mut reader: Reader<'_>) -> Result<Option<Self>, DecodeError> {
        if !Self::is_known(kind) {
            return Ok(None);
        }
        let protocol = reader.u8()?;
        let identifier = reader.u64()?;
        let tlvs = tlvs(reader)?;
        let local_first = || match tlvs.first() {
            Some((LOCAL_NODE, value)) => NodeDescriptor::decode_all(protocol, *value),
            _ => Err(reader.error(DecodeErrorKind::Value("BGP-LS local node"), 4)),
        };
        let (local, descriptors) = match kind {
            1 => (local_first()?, Descriptors::Node),
            2 => link(protocol, &tlvs)?,
            3 | 4 => prefix(kind == 4, protocol, &tlvs, reader)?,
            _ => (local_first()?, srv6_sid(&tlvs[1..])?),
        };
        Ok(Some(Self {
            protocol,
            identifier,
            local,
            descriptors,
        }))
    }

    pub(super) fn json(&self, rd: Option<RouteDistinguisher>, next_hop: &str, out: &mut String) {
        let name = match &self.descriptors {
            Descriptors::Node => "bgpls-node",
            Descriptors::Link { .. } => "bgpls-link",
            Descriptors::Prefix { prefix, .. } if prefix.address.is_ipv4() => "bgpls-prefix-v4",
            Descriptors::Prefix { .. } => "bgpls-prefix-v6",
            Descriptors::Srv6Sid { .. } => "bgpls-srv6sid",
        };
        let nodes = match &self.descriptors {
            Descriptors::Link { .. } => "local-node-descriptors",
            _ => "node-descriptors",
        };
        let _ = write!(
            out,
            "{{ \"ls-nlri-type\": \"{name}\", \"l3-routing-topology\": {}, \"protocol-id\": {}, \"{nodes}\": ",
            self.identifier, self.protocol
        );
        NodeDescriptor::json_list(&self.local, out);
        match &self.descriptors {
            Descriptors::Node => {
                let _ = write!(out, ", \"nexthop\": \"{next_hop}\"");
            }
            Descriptors::Link {
                remote,
                identifiers,
                interfaces,
                neighbors,
                topologies,
            } => {
                out.push_str(", \"remote-node-descriptors\": ");
                NodeDescriptor::json_list(remote, out);
                let quoted = |ip: &IpAddr| format!("\"{}\"", address(*ip));
                let identifier = identifiers.map(|(local, remote)| {
                    format!("{{ \"link-local-id\": {local}, \"link-remote-id\": {remote} }}")
                });
                for (name, items) in [
                    (
                        "interface-addresses",
                        interfaces.iter().map(quoted).collect(),
                    ),
                    ("neighbor-addresses", neighbors.iter().map(quoted).collect()),
                    (
                        "multi-topology-ids",
                        topologies.iter().map(u16::to_string).collect(),
                    ),
                    ("link-identifiers", Vec::from_iter(identifier)),
                ] {
                    let _ = write!(out, ", \"{name}\": [ ");
                    json::join(items, ", ", out);
                    out.push_str(" ]");
                }
            }
            Descriptors::Prefix { ospf_type, prefix } => {
                let (address, length) = (shown_prefix(prefix.address), prefix.length);
                let _ = write!(
                    out,
                    ", \"ip-reachability-tlv\": \"{address}\", \"ip-reach-prefix\": \"{address}/{length}\", \
                     \"nexthop\": \"{next_hop}\""
                );
                if let Some(ospf_type) = ospf_type {
                    let _ = write!(out, ", \"ospf-route-type\": {ospf_type}");
                }
            }
            Descriptors::Srv6Sid { topologies, said } => {
                out.push_str(", \"srv6-sid-descriptors\": {\"multi-topology-ids\": [");
                json::join(topologies.iter().map(|id| format!("\"{id}\"")), ", ", out);
                out.push(']');
                for descriptor in said {
                    let _ = match descriptor {
                        SidDescriptor::Sid(sid) => {
                            write!(out, ", \"srv6-sid\": \"{}\"", address6(*sid))
                        }
                        SidDescriptor::Other(code, values) => {
                            let _ = write!(out, ", \"generic-tlv-{code}\": [");
                            let values = values
                                .iter()
                                .map(|value| format!("\"0x{}\"", hex::upper(value)));
                            json::join(values, ", ", out);
                            write!(out, "]")
                        }
                    };
                }
                // ExaBGP leaves the route distinguisher out here.
                out.push_str("} }");
                return;
            }
        }
        if let Some(rd) = rd {
            let _ = write!(out, ", \"rd\": \"{rd}\"");
        }
        out.push_str(" }");
    }
}

/// The prefix's address as Python's `ipaddress` writes it: never with a dotted end.
fn shown_prefix(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0xffff, high, low] => format!("::ffff:{high:x}:{low:x}"),
            _ => v6.to_string(),
        },
        IpAddr::V4(v4) => v4.to_string(),
    }
}

fn tlvs(mut reader: Reader<'_>) -> Result<Vec<(u16, Reader<'_>)>, DecodeError> {
    let mut tlvs = Vec::new();
    while !reader.is_empty() {
        let code = reader.u16()?;
        let length = usize::from(reader.u16()?);
        tlvs.push((code, reader.sub(length)?));
    }
    Ok(tlvs)
}

fn link(
    protocol: u8,
    tlvs: &[(u16, Reader<'_>)],
) -> Result<(Vec<NodeDescriptor>, Descriptors), DecodeError> {
    let mut local = Vec::new();
    let mut remote = Vec::new();
    let mut identifiers = None;
    let mut interfaces = Vec::new();
    let mut neighbors = Vec::new();
    let mut topologies = Vec::new();
    for &(code, mut value) in tlvs {
        match code {
            LOCAL_NODE => local = NodeDescriptor::decode_all(protocol, value)?,
            REMOTE_NODE => remote = NodeDescriptor::decode_all(protocol, value)?,
            LINK_IDENTIFIERS => identifiers = Some((value.u32()?, value.u32()?)),
            IPV4_INTERFACE | IPV6_INTERFACE => interfaces.push(decode_address(value)?),
            IPV4_NEIGHBOR | IPV6_NEIGHBOR => neighbors.push(decode_address(value)?),
            MULTI_TOPOLOGY => topologies.push(topology(value)?),
            _ => {}
        }
    }
    let descriptors = Descriptors::Link {
        remote,
        identifiers,
        interfaces,
        neighbors,
        topologies,
    };
    Ok((local, descriptors))
}

fn prefix(
    six: bool,
    protocol: u8,
    tlvs: &[(u16, Reader<'_>)],
    reader: Reader<'_>,
) -> Result<(Vec<NodeDescriptor>, Descriptors), DecodeError> {
    let mut local = Vec::new();
    let mut ospf_type = None;
    let mut prefix = None;
    for &(code, mut value) in tlvs {
        match code {
            LOCAL_NODE => local = NodeDescriptor::decode_all(protocol, value)?,
            OSPF_ROUTE_TYPE => {
                ospf_type = Some(value.u8()?);
                value.finish()?;
            }
            IP_REACHABILITY => prefix = Some(reachability(six, value)?),
            _ => {}
        }
    }
    let missing = reader.error(DecodeErrorKind::Value("BGP-LS IP reachability"), 4);
    let prefix = prefix.ok_or(missing)?;
    Ok((local, Descriptors::Prefix { ospf_type, prefix }))
}

fn srv6_sid(tlvs: &[(u16, Reader<'_>)]) -> Result<Descriptors, DecodeError> {
    let mut topologies = Vec::new();
    let mut said: Vec<SidDescriptor> = Vec::new();
    for &(code, mut value) in tlvs {
        match code {
            MULTI_TOPOLOGY => topologies.push(topology(value)?),
            SRV6_SID => {
                let sid = SidDescriptor::Sid(value.array::<16>()?.into());
                value.finish()?;
                // Of several, the last counts, in the place of the first.
                match said
                    .iter_mut()
                    .find(|held| matches!(held, SidDescriptor::Sid(_)))
                {
                    Some(held) => *held = sid,
                    None => said.push(sid),
                }
            }
            _ => {
                let octets = value.rest().to_vec();
                let held = said.iter_mut().find_map(|held| match held {
                    SidDescriptor::Other(other, values) if *other == code => Some(values),
                    _ => None,
                });
                match held {
                    Some(values) => values.push(octets),
                    None => said.push(SidDescriptor::Other(code, vec![octets])),
                }
            }
        }
    }
    Ok(Descriptors::Srv6Sid { topologies, said })
}

fn decode_address(mut reader: Reader<'_>) -> Result<IpAddr, DecodeError> {
    match reader.remaining() {
        4 => Ok(IpAddr::from(reader.array::<4>()?)),
        16 => Ok(IpAddr::from(reader.array::<16>()?)),
        _ => Err(reader.error(DecodeErrorKind::Value("BGP-LS address length"), 4)),
    }
}

/// The first topology; its four highest bits are reserved (RFC 9552 section 5.2.2.1).
fn topology(mut reader: Reader<'_>) -> Result<u16, DecodeError> {
    reader.u16().map(|id| id & 0x0fff)
}

/// A length in bits and as many octets as it needs; some routers send one fewer.
fn reachability(six: bool, mut reader: Reader<'_>) -> Result<Prefix, DecodeError> {
    let length = reader.u8()?;
    let octets = reader.rest();
    let most = if six { 128 } else { 32 };
    if length > most || octets.len() > usize::from(length.div_ceil(8)) {
        return Err(reader.error(DecodeErrorKind::Value("BGP-LS prefix length"), 0));
    }
    let address = if six {
        let mut address = [0; 16];
        address[..octets.len()].copy_from_slice(octets);
        IpAddr::from(address)
    } else {
        let mut address = [0; 4];
        address[..octets.len()].copy_from_slice(octets);
        IpAddr::from(address)
    };
    Ok(Prefix { address, length })
}
