//! bgpkit-parser: owned values.

use std::net::Ipv4Addr;

use bgpkit_parser::models::{
    AsPathSegment, AsnLength, AttributeValue, BgpMessage, BgpUpdateMessage, Community,
    NetworkPrefix, NextHopAddress,
};
use bgpkit_parser::parser::bgp::parse_bgp_message;
use bytes::Bytes;

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
