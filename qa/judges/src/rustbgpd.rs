//! rustbgpd-wire: owned values.

use bytes::Bytes;
use rustbgpd_wire::{
    Afi, AsPathSegment, Ipv4UnicastMode, Message, NlriEntry, ParsedUpdate, PathAttribute, Prefix,
    Safi, UpdateMessage, decode_message,
};

use crate::{Session, Visitor};

/// Decodes.
pub fn decode(session: Session, bytes: Bytes) -> Result<ParsedUpdate, String> {
    let mut bytes = bytes;
    let families = [(Afi::Ipv4, Safi::Unicast), (Afi::Ipv6, Safi::Unicast)];
    let families = if session.add_path { &families[..] } else { &[] };
    match decode_message(&mut bytes, 4096) {
        Ok(Message::Update(update)) => update
            .parse(session.four_octet_as, session.add_path, families)
            .map_err(|error| error.to_string()),
        Ok(_) => Err("not an UPDATE".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Appends the whole message.
pub fn encode(session: Session, update: &ParsedUpdate, out: &mut Vec<u8>) -> Result<(), String> {
    let built = UpdateMessage::try_build(
        &update.announced,
        &update.withdrawn,
        &update.attributes,
        session.four_octet_as,
        session.add_path,
        Ipv4UnicastMode::Body,
    );
    built
        .and_then(|message| message.encode(out))
        .map_err(|error| error.to_string())
}

/// Tells everything.
pub fn walk(session: Session, update: &ParsedUpdate, visitor: &mut impl Visitor) {
    let path = |id: u32| session.add_path.then_some(id);
    for route in &update.withdrawn {
        visitor.withdraw(
            route.prefix.addr.into(),
            route.prefix.len,
            path(route.path_id),
        );
    }
    for attribute in &update.attributes {
        tell(session, attribute, visitor);
    }
    for route in &update.announced {
        visitor.announce(
            route.prefix.addr.into(),
            route.prefix.len,
            path(route.path_id),
        );
    }
}

fn route(session: Session, route: &NlriEntry) -> (std::net::IpAddr, u8, Option<u32>) {
    let path = session.add_path.then_some(route.path_id);
    match route.prefix {
        Prefix::V4(prefix) => (prefix.addr.into(), prefix.len, path),
        Prefix::V6(prefix) => (prefix.addr.into(), prefix.len, path),
    }
}

fn tell(session: Session, attribute: &PathAttribute, visitor: &mut impl Visitor) {
    match attribute {
        PathAttribute::Origin(origin) => visitor.origin(*origin as u8),
        PathAttribute::AsPath(path) => {
            for segment in &path.segments {
                match segment {
                    AsPathSegment::AsSet(asns) => visitor.segment(1, asns.iter().copied()),
                    AsPathSegment::AsSequence(asns) => visitor.segment(2, asns.iter().copied()),
                }
            }
        }
        PathAttribute::NextHop(next_hop) => visitor.next_hop((*next_hop).into()),
        PathAttribute::Med(med) => visitor.med(*med),
        PathAttribute::LocalPref(preference) => visitor.local_pref(*preference),
        PathAttribute::AtomicAggregate => visitor.atomic_aggregate(),
        PathAttribute::Aggregator(one) => visitor.aggregator(one.asn, one.router_id),
        PathAttribute::Communities(communities) => {
            for community in communities {
                visitor.community(*community);
            }
        }
        PathAttribute::LargeCommunities(communities) => {
            for one in communities {
                visitor.large_community([one.global_admin, one.local_data1, one.local_data2]);
            }
        }
        PathAttribute::OriginatorId(id) => visitor.originator_id(*id),
        PathAttribute::ClusterList(clusters) => {
            for cluster in clusters {
                visitor.cluster(*cluster);
            }
        }
        PathAttribute::MpReachNlri(reach) => {
            visitor.next_hop(reach.next_hop);
            if let Some(link_local) = reach.link_local_next_hop {
                visitor.next_hop(link_local.into());
            }
            for entry in &reach.announced {
                let (address, length, path) = route(session, entry);
                visitor.announce(address, length, path);
            }
        }
        PathAttribute::MpUnreachNlri(unreach) => {
            for entry in &unreach.withdrawn {
                let (address, length, path) = route(session, entry);
                visitor.withdraw(address, length, path);
            }
        }
        _ => {}
    }
}
