//! netgauze-bgp-pkt: owned values.

use std::collections::HashMap;

use ipnet::IpNet;
use netgauze_bgp_pkt::BgpMessage;
use netgauze_bgp_pkt::nlri::{
    BgpLsNlriValue, BgpLsNodeDescriptorSubTlv, BgpLsPrefixDescriptor, BgpLsVpnNlri,
    Ipv4MulticastAddress, Ipv6MulticastAddress, L2EvpnIpPrefixRoute, L2EvpnRoute, MplsLabel,
};
use netgauze_bgp_pkt::path_attribute::{
    Aggregator, AsPath, MpReach, MpUnreach, PathAttribute, PathAttributeValue,
};
use netgauze_bgp_pkt::update::BgpUpdateMessage;
use netgauze_bgp_pkt::wire::deserializer::BgpParsingContext;
use netgauze_iana::address_family::AddressType;
use netgauze_parse_utils::WritablePdu;
use netgauze_parse_utils::reader::SliceReader;
use netgauze_parse_utils::traits::ParseFromWithOneInput;

use crate::families::told;
use crate::{Session, Visitor};

/// Label stacks may have so many labels (RFC 8277 section 2.1).
const MOST_LABELS: u8 = 4;

/// The parsing context of a session.
pub fn context(session: Session) -> BgpParsingContext {
    let add_path = [AddressType::Ipv4Unicast, AddressType::Ipv6Unicast]
        .into_iter()
        .filter(|_| session.add_path)
        .map(|family| (family, true))
        .collect();
    let labels = [
        AddressType::Ipv4NlriMplsLabels,
        AddressType::Ipv6NlriMplsLabels,
        AddressType::Ipv4MplsLabeledVpn,
        AddressType::Ipv6MplsLabeledVpn,
    ];
    BgpParsingContext::new(
        session.four_octet_as,
        HashMap::from(labels.map(|family| (family, MOST_LABELS))),
        add_path,
        true,
        true,
        true,
        true,
    )
}

/// Decodes.
pub fn decode(context: &mut BgpParsingContext, bytes: &[u8]) -> Result<BgpMessage, String> {
    let mut reader = SliceReader::new(bytes);
    BgpMessage::parse(&mut reader, context).map_err(|error| format!("{error:?}"))
}

/// Appends the whole message.
pub fn encode(message: &BgpMessage, out: &mut Vec<u8>) -> Result<(), String> {
    message.write(out).map_err(|error| format!("{error:?}"))
}

/// Reads a message of any type and writes it again; `None` where it keeps the value of an attribute as octets.
pub fn rewrite(session: Session, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let message = decode(&mut context(session), bytes)?;
    let unknown = |attribute: &PathAttribute| {
        matches!(attribute.value(), PathAttributeValue::UnknownAttribute(_))
    };
    if matches!(&message, BgpMessage::Update(update) if update.path_attributes().iter().any(unknown))
    {
        return Ok(None);
    }
    let mut out = Vec::new();
    encode(&message, &mut out)?;
    Ok(Some(out))
}

/// Tells everything.
pub fn walk(message: &BgpMessage, visitor: &mut impl Visitor) {
    let BgpMessage::Update(update) = message else {
        return;
    };
    tell_update(update, visitor);
}

fn tell_update(update: &BgpUpdateMessage, visitor: &mut impl Visitor) {
    for route in update.withdraw_routes() {
        let network = route.network().address();
        visitor.withdraw(
            network.network().into(),
            network.prefix_len(),
            route.path_id(),
        );
    }
    for attribute in update.path_attributes() {
        tell(attribute, visitor);
    }
    for route in update.nlri() {
        let network = route.network().address();
        visitor.announce(
            network.network().into(),
            network.prefix_len(),
            route.path_id(),
        );
    }
}

fn tell(attribute: &PathAttribute, visitor: &mut impl Visitor) {
    match attribute.value() {
        PathAttributeValue::Origin(origin) => visitor.origin(*origin as u8),
        PathAttributeValue::AsPath(AsPath::As2PathSegments(segments)) => {
            for segment in segments {
                let asns = segment.as_numbers().iter().map(|asn| u32::from(*asn));
                visitor.segment(segment.segment_type() as u8, asns);
            }
        }
        PathAttributeValue::AsPath(AsPath::As4PathSegments(segments)) => {
            for segment in segments {
                let asns = segment.as_numbers().iter().copied();
                visitor.segment(segment.segment_type() as u8, asns);
            }
        }
        PathAttributeValue::NextHop(next_hop) => visitor.next_hop(next_hop.next_hop().into()),
        PathAttributeValue::MultiExitDiscriminator(med) => visitor.med(med.metric()),
        PathAttributeValue::LocalPreference(preference) => visitor.local_pref(preference.metric()),
        PathAttributeValue::AtomicAggregate(_) => visitor.atomic_aggregate(),
        PathAttributeValue::Aggregator(Aggregator::As2Aggregator(one)) => {
            visitor.aggregator(u32::from(*one.asn()), one.origin());
        }
        PathAttributeValue::Aggregator(Aggregator::As4Aggregator(one)) => {
            visitor.aggregator(*one.asn(), one.origin());
        }
        PathAttributeValue::Communities(communities) => {
            for community in communities.communities() {
                visitor.community(community.value());
            }
        }
        PathAttributeValue::LargeCommunities(communities) => {
            for one in communities.communities() {
                visitor.large_community([one.global_admin(), one.local_data1(), one.local_data2()]);
            }
        }
        PathAttributeValue::Originator(id) => visitor.originator_id(id.id()),
        PathAttributeValue::ClusterList(clusters) => {
            for cluster in clusters.cluster_list() {
                visitor.cluster(cluster.id());
            }
        }
        PathAttributeValue::MpReach(reach) => tell_reach(reach, visitor),
        PathAttributeValue::MpUnreach(unreach) => tell_unreach(unreach, visitor),
        _ => {}
    }
}

fn tell_reach(reach: &MpReach, visitor: &mut impl Visitor) {
    match reach {
        MpReach::Ipv4Unicast {
            next_hop,
            next_hop_local,
            nlri,
        } => {
            visitor.next_hop(*next_hop);
            if let Some(link_local) = next_hop_local {
                visitor.next_hop((*link_local).into());
            }
            for route in nlri {
                let network = route.network().address();
                visitor.announce(
                    network.network().into(),
                    network.prefix_len(),
                    route.path_id(),
                );
            }
        }
        MpReach::Ipv6Unicast {
            next_hop_global,
            next_hop_local,
            nlri,
        } => {
            visitor.next_hop((*next_hop_global).into());
            if let Some(link_local) = next_hop_local {
                visitor.next_hop((*link_local).into());
            }
            for route in nlri {
                let network = route.network().address();
                visitor.announce(
                    network.network().into(),
                    network.prefix_len(),
                    route.path_id(),
                );
            }
        }
        _ => {}
    }
}

fn tell_unreach(unreach: &MpUnreach, visitor: &mut impl Visitor) {
    match unreach {
        MpUnreach::Ipv4Unicast { nlri } => {
            for route in nlri {
                let network = route.network().address();
                visitor.withdraw(
                    network.network().into(),
                    network.prefix_len(),
                    route.path_id(),
                );
            }
        }
        MpUnreach::Ipv6Unicast { nlri } => {
            for route in nlri {
                let network = route.network().address();
                visitor.withdraw(
                    network.network().into(),
                    network.prefix_len(),
                    route.path_id(),
                );
            }
        }
        _ => {}
    }
}
/// Tells the routes of MP_REACH_NLRI, of whatever family; `None` where this codec keeps them as octets.
pub fn routes(message: &BgpMessage) -> Option<Vec<String>> {
    let BgpMessage::Update(update) = message else {
        return None;
    };
    let reach = update.path_attributes().iter().find_map(|attribute| {
        let PathAttributeValue::MpReach(reach) = attribute.value() else {
            return None;
        };
        Some(reach)
    })?;
    let all = match reach {
        MpReach::Ipv4Multicast { nlri, .. } => {
            let network = |one: &Ipv4MulticastAddress| one.network().address();
            nlri.iter().map(|one| net(network(one).into())).collect()
        }
        MpReach::Ipv6Multicast { nlri, .. } => {
            let network = |one: &Ipv6MulticastAddress| one.network().address();
            nlri.iter().map(|one| net(network(one).into())).collect()
        }
        MpReach::Ipv4NlriMplsLabels { nlri, .. } => nlri
            .iter()
            .map(|one| labelled(one.labels(), one.prefix().into()))
            .collect(),
        MpReach::Ipv6NlriMplsLabels { nlri, .. } => nlri
            .iter()
            .map(|one| labelled(one.labels(), one.prefix().into()))
            .collect(),
        MpReach::Ipv4MplsVpnUnicast { nlri, .. } => nlri
            .iter()
            .map(|one| {
                let prefix = one.network().address().into();
                told::vpn(&written(&one.rd()), &labelled(one.label_stack(), prefix))
            })
            .collect(),
        MpReach::Ipv6MplsVpnUnicast { nlri, .. } => nlri
            .iter()
            .map(|one| {
                let prefix = one.network().address().into();
                told::vpn(&written(&one.rd()), &labelled(one.label_stack(), prefix))
            })
            .collect(),
        MpReach::RouteTargetMembership { nlri, .. } => nlri
            .iter()
            .map(|one| match one.membership() {
                None => "rtc all".to_owned(),
                Some(one) => told::membership(one.origin_as(), one.route_target()),
            })
            .collect(),
        MpReach::L2Evpn { nlri, .. } => {
            return nlri.iter().map(|one| evpn(one.route())).collect();
        }
        MpReach::BgpLs { nlri, .. } => {
            return nlri
                .iter()
                .map(|one| link_state(None, one.nlri()))
                .collect();
        }
        MpReach::BgpLsVpn { nlri, .. } => {
            let rd = |one: &BgpLsVpnNlri| written(&one.rd());
            return nlri
                .iter()
                .map(|one| link_state(Some(&rd(one)), one.nlri()))
                .collect();
        }
        _ => return None,
    };
    Some(all)
}

fn net(net: IpNet) -> String {
    told::prefix(net.addr(), net.prefix_len())
}

fn labelled(labels: &[MplsLabel], prefix: IpNet) -> String {
    let label = |label: &MplsLabel| entry(label) >> 4;
    told::labelled(labels.iter().map(label), &net(prefix))
}

fn entry(label: &MplsLabel) -> u32 {
    let [a, b, c] = *label.value();
    u32::from_be_bytes([0, a, b, c])
}

fn written<E: std::fmt::Debug>(value: &impl WritablePdu<E>) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out).expect("a vector takes everything");
    out
}

fn evpn(route: &L2EvpnRoute) -> Option<String> {
    Some(match route {
        L2EvpnRoute::EthernetAutoDiscovery(one) => told::evpn(
            1,
            &written(&one.rd()),
            &[
                &told::hex(one.segment_id().value()),
                &one.tag().value(),
                &entry(one.mpls_label()),
            ],
        ),
        L2EvpnRoute::MacIpAdvertisement(one) => told::evpn(
            2,
            &written(&one.rd()),
            &[
                &told::hex(one.segment_id().value()),
                &one.tag().value(),
                &told::hex(one.mac().value()),
                &told::optional(one.ip()),
                &entry(one.mpls_label1()),
            ],
        ),
        L2EvpnRoute::InclusiveMulticastEthernetTagRoute(one) => {
            told::evpn(3, &written(&one.rd()), &[&one.tag().value(), &one.ip()])
        }
        L2EvpnRoute::EthernetSegmentRoute(one) => told::evpn(
            4,
            &written(&one.rd()),
            &[&told::hex(one.segment_id().value()), &one.ip()],
        ),
        L2EvpnRoute::IpPrefixRoute(L2EvpnIpPrefixRoute::V4(one)) => told::evpn(
            5,
            &written(&one.rd()),
            &[
                &told::hex(one.segment_id().value()),
                &one.tag().value(),
                &net(one.prefix().into()),
                &one.gateway(),
                &entry(one.label()),
            ],
        ),
        L2EvpnRoute::IpPrefixRoute(L2EvpnIpPrefixRoute::V6(one)) => told::evpn(
            5,
            &written(&one.rd()),
            &[
                &told::hex(one.segment_id().value()),
                &one.tag().value(),
                &net(one.prefix().into()),
                &one.gateway(),
                &entry(one.label()),
            ],
        ),
        L2EvpnRoute::Unknown { .. } => return None,
    })
}

fn link_state(rd: Option<&[u8]>, object: &BgpLsNlriValue) -> Option<String> {
    let kind = object.raw_code();
    let (source, local, remote, prefix) = match object {
        BgpLsNlriValue::Node(one) => (
            (one.protocol_id() as u8, one.identifier()),
            one.local_node_descriptors().subtlvs(),
            &[][..],
            None,
        ),
        BgpLsNlriValue::Link(one) => (
            (one.protocol_id() as u8, one.identifier()),
            one.local_node_descriptors().subtlvs(),
            one.remote_node_descriptors().subtlvs(),
            None,
        ),
        BgpLsNlriValue::Ipv4Prefix(one) | BgpLsNlriValue::Ipv6Prefix(one) => (
            (one.protocol_id() as u8, one.identifier()),
            one.local_node_descriptors().subtlvs(),
            &[][..],
            one.prefix_descriptors().iter().find_map(|one| match one {
                BgpLsPrefixDescriptor::IpReachabilityInformation(reach) => {
                    Some(net(*reach.address()))
                }
                _ => None,
            }),
        ),
        BgpLsNlriValue::Unknown { .. } => return None,
    };
    let node =
        |all: &[BgpLsNodeDescriptorSubTlv]| -> Vec<String> { all.iter().map(descriptor).collect() };
    let (local, remote) = (node(local), node(remote));
    Some(told::link_state(kind, rd, source, &local, &remote, prefix))
}

fn descriptor(one: &BgpLsNodeDescriptorSubTlv) -> String {
    let code = one.raw_code();
    match one {
        BgpLsNodeDescriptorSubTlv::IgpRouterId(id) => told::descriptor(code, told::hex(id)),
        BgpLsNodeDescriptorSubTlv::AutonomousSystem(value)
        | BgpLsNodeDescriptorSubTlv::BgpLsIdentifier(value)
        | BgpLsNodeDescriptorSubTlv::OspfAreaId(value)
        | BgpLsNodeDescriptorSubTlv::BgpRouterIdentifier(value)
        | BgpLsNodeDescriptorSubTlv::MemberAsNumber(value) => told::descriptor(code, value),
        BgpLsNodeDescriptorSubTlv::Unknown { value, .. } => {
            told::descriptor(code, told::hex(value))
        }
    }
}
