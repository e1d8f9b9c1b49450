//! Lockstep's own codec.

use lockstep::bgp::attribute::{Attribute, AttributeValue, NextHop, WireContext};
use lockstep::bgp::message::view::{AttributeView, UpdateView};
use lockstep::bgp::message::{Message, Update};
use lockstep::bgp::nlri::{Nlri, NlriValue};

use crate::Visitor;

/// Decodes into owned values.
pub fn decode(context: &WireContext, bytes: &[u8]) -> Result<Update, String> {
    match Message::decode(context, bytes) {
        Ok(Message::Update(update)) => Ok(update),
        Ok(_) => Err("not an UPDATE".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Appends the whole message.
pub fn encode(context: &WireContext, update: &Message, out: &mut Vec<u8>) {
    update.encode(context, out).expect("what was decoded fits");
}

/// Tells everything.
pub fn walk(update: &Update, visitor: &mut impl Visitor) {
    for nlri in &update.withdrawn_routes {
        route(nlri, |address, length, path| {
            visitor.withdraw(address, length, path)
        });
    }
    for attribute in &update.attributes {
        tell(attribute, visitor);
    }
    for nlri in &update.nlri {
        route(nlri, |address, length, path| {
            visitor.announce(address, length, path)
        });
    }
}

fn route(nlri: &Nlri, tell: impl FnOnce(std::net::IpAddr, u8, Option<u32>)) {
    if let NlriValue::Inet(inet) = &nlri.value {
        let path = nlri.path_id.map(|id| id.0);
        tell(inet.prefix.address, inet.prefix.length, path);
    }
}

fn tell(attribute: &Attribute, visitor: &mut impl Visitor) {
    match &attribute.value {
        AttributeValue::Origin(origin) => visitor.origin(*origin as u8),
        AttributeValue::AsPath(path) => {
            for segment in &path.segments {
                visitor.segment(segment.kind as u8, segment.asns.iter().copied());
            }
        }
        AttributeValue::NextHop(next_hop) => visitor.next_hop(next_hop.0.into()),
        AttributeValue::Med(med) => visitor.med(med.0),
        AttributeValue::LocalPref(preference) => visitor.local_pref(preference.0),
        AttributeValue::AtomicAggregate(_) => visitor.atomic_aggregate(),
        AttributeValue::Aggregator(one) => visitor.aggregator(one.asn, one.speaker),
        AttributeValue::Communities(communities) => {
            for community in &communities.0 {
                visitor.community(community.0);
            }
        }
        AttributeValue::OriginatorId(id) => visitor.originator_id(id.0),
        AttributeValue::ClusterList(clusters) => {
            for cluster in &clusters.0 {
                visitor.cluster(*cluster);
            }
        }
        AttributeValue::LargeCommunities(communities) => {
            for one in &communities.0 {
                visitor.large_community([one.global, one.local1, one.local2]);
            }
        }
        AttributeValue::MpReach(reach) => {
            match &reach.next_hop {
                NextHop::Address(address) => visitor.next_hop(*address),
                NextHop::WithLinkLocal(global, link_local) => {
                    visitor.next_hop((*global).into());
                    visitor.next_hop((*link_local).into());
                }
                NextHop::None | NextHop::Other(_) => {}
            }
            for nlri in &reach.nlri {
                route(nlri, |address, length, path| {
                    visitor.announce(address, length, path)
                });
            }
        }
        AttributeValue::MpUnreach(unreach) => {
            for nlri in &unreach.nlri {
                route(nlri, |address, length, path| {
                    visitor.withdraw(address, length, path)
                });
            }
        }
        _ => {}
    }
}

/// Tells everything without taking it out of the octets first.
pub fn walk_view(
    context: &WireContext,
    bytes: &[u8],
    visitor: &mut impl Visitor,
) -> Result<(), String> {
    let view = UpdateView::new(context, bytes).map_err(|error| error.to_string())?;
    for route in view.withdrawn_routes() {
        let (path, prefix) = route.map_err(|error| error.to_string())?;
        visitor.withdraw(prefix.address, prefix.length, path.map(|id| id.0));
    }
    for attribute in view.attributes() {
        tell_view(attribute.map_err(|fault| format!("{fault:?}"))?, visitor)?;
    }
    for route in view.nlri() {
        let (path, prefix) = route.map_err(|error| error.to_string())?;
        visitor.announce(prefix.address, prefix.length, path.map(|id| id.0));
    }
    Ok(())
}

fn tell_view(attribute: AttributeView<'_>, visitor: &mut impl Visitor) -> Result<(), String> {
    match attribute {
        AttributeView::Origin(origin) => visitor.origin(origin as u8),
        AttributeView::AsPath(path) => {
            for segment in path {
                visitor.segment(segment.kind as u8, segment.asns());
            }
        }
        AttributeView::NextHop(address) => visitor.next_hop(address.into()),
        AttributeView::Med(med) => visitor.med(med),
        AttributeView::LocalPref(preference) => visitor.local_pref(preference),
        AttributeView::AtomicAggregate => visitor.atomic_aggregate(),
        AttributeView::Aggregator(asn, speaker) => visitor.aggregator(asn, speaker),
        AttributeView::Communities(communities) => {
            for community in communities {
                visitor.community(u32::from_be_bytes(*community));
            }
        }
        AttributeView::OriginatorId(id) => visitor.originator_id(id),
        AttributeView::ClusterList(clusters) => {
            for cluster in clusters {
                visitor.cluster((*cluster).into());
            }
        }
        AttributeView::LargeCommunities(communities) => {
            for [a, b, c, d, e, f, g, h, i, j, k, l] in communities.iter().copied() {
                let parts = [[a, b, c, d], [e, f, g, h], [i, j, k, l]];
                visitor.large_community(parts.map(u32::from_be_bytes));
            }
        }
        AttributeView::Reach { routes, .. } => {
            if let Some(NextHop::Address(address)) = attribute.next_hop() {
                visitor.next_hop(address);
            }
            for route in routes {
                let (path, prefix) = route.map_err(|error| error.to_string())?;
                visitor.announce(prefix.address, prefix.length, path.map(|id| id.0));
            }
        }
        AttributeView::Unreach { routes, .. } => {
            for route in routes {
                let (path, prefix) = route.map_err(|error| error.to_string())?;
                visitor.withdraw(prefix.address, prefix.length, path.map(|id| id.0));
            }
        }
        AttributeView::Other(..) => {}
    }
    Ok(())
}
