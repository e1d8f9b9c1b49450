//! bgpkit-parser: owned values.

use std::net::Ipv4Addr;

use bgpkit_parser::models::linkstate::{LinkStateNlri, NodeDescriptor};
use bgpkit_parser::models::{
    AsPathSegment, AsnLength, AttributeValue, BgpMessage, BgpUpdateMessage, Community,
    NetworkPrefix, NextHopAddress, Safi,
};
use bgpkit_parser::models::{
    BitmaskOperator, FlowSpecComponent, NumericOperator, parse_flowspec_nlri,
};
use bgpkit_parser::parser::bgp::parse_bgp_message;
use bytes::Bytes;
use ipnet::IpNet;

use crate::families::told;
use crate::{Session, Visitor};

fn width(session: Session) -> AsnLength {
    if session.four_octet_as {
        AsnLength::Bits32
    } else {
        AsnLength::Bits16
    }
}

/// Decodes.
pub fn decode(session: Session, bytes: Bytes) -> Result<BgpMessage, String> {
    let mut bytes = bytes;
    parse_bgp_message(&mut bytes, session.add_path, &width(session))
        .map_err(|error| error.to_string())
}

/// The whole message.
pub fn encode(session: Session, message: &BgpMessage) -> Result<Bytes, String> {
    message
        .encode(width(session))
        .map_err(|error| format!("{error:?}"))
}

/// Reads a message of any type and writes it again; `None` where it keeps the value of an attribute as octets.
pub fn rewrite(session: Session, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let message = decode(session, Bytes::copy_from_slice(bytes))?;
    let unknown = |value: &AttributeValue| {
        matches!(
            value,
            AttributeValue::Raw(_) | AttributeValue::Unknown(_) | AttributeValue::Deprecated(_)
        )
    };
    if matches!(&message, BgpMessage::Update(update) if update.attributes.iter().any(unknown)) {
        return Ok(None);
    }
    encode(session, &message).map(|out| Some(out.to_vec()))
}

/// Tells everything.
pub fn walk(message: &BgpMessage, visitor: &mut impl Visitor) {
    if let BgpMessage::Update(update) = message {
        tell_update(update, visitor);
    }
}

fn tell_update(update: &BgpUpdateMessage, visitor: &mut impl Visitor) {
    for route in &update.withdrawn_prefixes {
        let (address, length, path) = split(route);
        visitor.withdraw(address, length, path);
    }
    for attribute in &update.attributes {
        tell(attribute, visitor);
    }
    for route in &update.announced_prefixes {
        let (address, length, path) = split(route);
        visitor.announce(address, length, path);
    }
}

fn split(route: &NetworkPrefix) -> (std::net::IpAddr, u8, Option<u32>) {
    (
        route.prefix.addr(),
        route.prefix.prefix_len(),
        route.path_id,
    )
}

fn tell(value: &AttributeValue, visitor: &mut impl Visitor) {
    match value {
        AttributeValue::Origin(origin) => visitor.origin(*origin as u8),
        AttributeValue::AsPath(path) => {
            for segment in path.iter_segments() {
                let (kind, asns) = match segment {
                    AsPathSegment::AsSet(asns) => (1, asns),
                    AsPathSegment::AsSequence(asns) => (2, asns),
                    AsPathSegment::ConfedSequence(asns) => (3, asns),
                    AsPathSegment::ConfedSet(asns) => (4, asns),
                };
                visitor.segment(kind, asns.iter().map(|asn| u32::from(*asn)));
            }
        }
        AttributeValue::NextHop(next_hop) => visitor.next_hop(*next_hop),
        AttributeValue::MultiExitDiscriminator(med) => visitor.med(*med),
        AttributeValue::LocalPreference(preference) => visitor.local_pref(*preference),
        AttributeValue::AtomicAggregate => visitor.atomic_aggregate(),
        AttributeValue::Aggregator { asn, id } => visitor.aggregator(u32::from(*asn), *id),
        AttributeValue::Communities(communities) => {
            for community in communities {
                visitor.community(match community {
                    Community::NoExport => 0xffff_ff01,
                    Community::NoAdvertise => 0xffff_ff02,
                    Community::NoExportSubConfed => 0xffff_ff03,
                    Community::Custom(asn, value) => u32::from(*asn) << 16 | u32::from(*value),
                });
            }
        }
        AttributeValue::LargeCommunities(communities) => {
            for one in communities {
                visitor.large_community([one.global_admin, one.local_data[0], one.local_data[1]]);
            }
        }
        AttributeValue::OriginatorId(id) => visitor.originator_id(*id),
        AttributeValue::Clusters(clusters) => {
            for cluster in clusters {
                visitor.cluster(Ipv4Addr::from(*cluster));
            }
        }
        AttributeValue::MpReachNlri(nlri) => {
            match nlri.next_hop {
                Some(NextHopAddress::Ipv4(address)) => visitor.next_hop(address.into()),
                Some(NextHopAddress::Ipv6(address)) => visitor.next_hop(address.into()),
                Some(NextHopAddress::Ipv6LinkLocal(global, link_local)) => {
                    visitor.next_hop(global.into());
                    visitor.next_hop(link_local.into());
                }
                _ => {}
            }
            for route in &nlri.prefixes {
                let (address, length, path) = split(route);
                visitor.announce(address, length, path);
            }
        }
        AttributeValue::MpUnreachNlri(nlri) => {
            for route in &nlri.prefixes {
                let (address, length, path) = split(route);
                visitor.withdraw(address, length, path);
            }
        }
        _ => {}
    }
}
/// Tells the routes of MP_REACH_NLRI, of whatever family; `None` where this codec does not keep them.
pub fn routes(message: &BgpMessage) -> Option<Vec<String>> {
    let BgpMessage::Update(update) = message else {
        return None;
    };
    let nlri = update.attributes.iter().find_map(|one| match one {
        AttributeValue::MpReachNlri(nlri) => Some(nlri),
        _ => None,
    })?;
    if matches!(
        nlri.safi,
        Safi::MplsVpn | Safi::MulticastVpn | Safi::FlowSpec
    ) {
        // Labels, route distinguishers and components are taken for addresses.
        return None;
    }
    let mut all: Vec<String> = nlri.prefixes.iter().map(|one| net(&one.prefix)).collect();
    for one in nlri.labeled_prefixes.iter().flatten() {
        let labels = one.labels.iter().map(|label| label.value());
        all.push(told::labelled(labels, &net(&one.prefix)));
    }
    all.extend(nlri.link_state_nlris.iter().flatten().map(link_state));
    (!all.is_empty()).then_some(all)
}

/// Tells the flow specifications of which `octets` are the NLRI, each shorter than 240 octets. In an UPDATE this codec
/// takes them for prefixes; of itself it reads them.
pub fn flows(octets: &[u8]) -> Result<Vec<String>, String> {
    let (mut all, mut rest) = (Vec::new(), octets);
    while let Some((length, _)) = rest.split_first() {
        let one;
        (one, rest) = rest
            .split_at_checked(1 + usize::from(*length))
            .ok_or("cut short")?;
        let flow = parse_flowspec_nlri(one).map_err(|error| format!("{error:?}"))?;
        let components: Vec<String> = flow.components.iter().map(component).collect();
        all.push(format!("flow {components:?}"));
    }
    Ok(all)
}

fn net(net: &IpNet) -> String {
    told::prefix(net.addr(), net.prefix_len())
}

fn component(component: &FlowSpecComponent) -> String {
    let numbers = |tests: &[NumericOperator]| {
        let tests = tests.iter().map(|one| {
            let bits = u8::from(one.and_with_next) << 6
                | u8::from(one.less_than) << 2
                | u8::from(one.greater_than) << 1
                | u8::from(one.equal);
            told::test(false, bits, one.value)
        });
        tests.collect::<Vec<_>>().join(" ")
    };
    let masks = |tests: &[BitmaskOperator]| {
        let tests = tests.iter().map(|one| {
            let bits = u8::from(one.and_with_next) << 6
                | u8::from(one.not) << 1
                | u8::from(one.match_flag);
            told::test(true, bits, one.bitmask)
        });
        tests.collect::<Vec<_>>().join(" ")
    };
    let value = match component {
        FlowSpecComponent::DestinationPrefix(one) | FlowSpecComponent::SourcePrefix(one) => {
            format!("{} from 0", net(&one.prefix))
        }
        FlowSpecComponent::DestinationIpv6Prefix { offset, prefix }
        | FlowSpecComponent::SourceIpv6Prefix { offset, prefix } => {
            format!("{} from {offset}", net(&prefix.prefix))
        }
        FlowSpecComponent::TcpFlags(tests) | FlowSpecComponent::Fragment(tests) => masks(tests),
        FlowSpecComponent::IpProtocol(tests)
        | FlowSpecComponent::Port(tests)
        | FlowSpecComponent::DestinationPort(tests)
        | FlowSpecComponent::SourcePort(tests)
        | FlowSpecComponent::IcmpType(tests)
        | FlowSpecComponent::IcmpCode(tests)
        | FlowSpecComponent::PacketLength(tests)
        | FlowSpecComponent::Dscp(tests)
        | FlowSpecComponent::FlowLabel(tests) => numbers(tests),
    };
    told::component(component.component_type(), &value)
}

fn link_state(one: &LinkStateNlri) -> String {
    let node = |node: &NodeDescriptor| -> Vec<String> {
        let numbers = [
            (512, node.autonomous_system),
            (513, node.bgp_ls_identifier),
            (514, node.ospf_area_id),
        ];
        let numbers = numbers
            .into_iter()
            .filter_map(|(code, value)| Some(told::descriptor(code, value?)));
        let router = node.igp_router_id.iter();
        let unknown = node.unknown_tlvs.iter();
        numbers
            .chain(router.map(|id| told::descriptor(515, told::hex(id))))
            .chain(unknown.map(|tlv| told::descriptor(tlv.tlv_type, told::hex(&tlv.value))))
            .collect()
    };
    let prefix = one.prefix_descriptors.as_ref();
    let prefix = prefix.and_then(|all| all.ip_reachability_information);
    let remote = one.remote_node_descriptors.as_ref().map(node);
    told::link_state(
        u16::from(one.nlri_type),
        None,
        (u8::from(one.protocol_id), one.identifier),
        &node(&one.local_node_descriptors),
        &remote.unwrap_or_default(),
        prefix.map(|one| net(&one.prefix)),
    )
}
