//! netgauze-bgp-pkt: owned values.

use std::collections::HashMap;

use netgauze_bgp_pkt::BgpMessage;
use netgauze_bgp_pkt::path_attribute::{
    Aggregator, AsPath, MpReach, MpUnreach, PathAttribute, PathAttributeValue,
};
use netgauze_bgp_pkt::update::BgpUpdateMessage;
use netgauze_bgp_pkt::wire::deserializer::BgpParsingContext;
use netgauze_iana::address_family::AddressType;
use netgauze_parse_utils::WritablePdu;
use netgauze_parse_utils::reader::SliceReader;
use netgauze_parse_utils::traits::ParseFromWithOneInput;

use crate::{Session, Visitor};

/// The parsing context of a session.
pub fn context(session: Session) -> BgpParsingContext {
    let add_path = [AddressType::Ipv4Unicast, AddressType::Ipv6Unicast]
        .into_iter()
        .filter(|_| session.add_path)
        .map(|family| (family, true))
        .collect();
    BgpParsingContext::new(
        session.four_octet_as,
        HashMap::new(),
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
