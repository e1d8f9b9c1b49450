//! Lockstep's own codec.

use std::net::IpAddr;

use lockstep::bgp::attribute::{Attribute, AttributeValue, NextHop, WireContext};
use lockstep::bgp::message::view::{AttributeView, UpdateView};
use lockstep::bgp::message::{Message, Update};
use lockstep::bgp::nlri::evpn::Route;
use lockstep::bgp::nlri::flow::Component;
use lockstep::bgp::nlri::inet::Prefix;
use lockstep::bgp::nlri::link_state::{Descriptors, NodeDescriptor, Object};
use lockstep::bgp::nlri::qualifier::Labels;
use lockstep::bgp::nlri::rtc::Rtc;
use lockstep::bgp::nlri::{Nlri, NlriValue};

use crate::Visitor;
use crate::families::told;

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
/// Tells the routes of MP_REACH_NLRI, of whatever family.
pub fn routes(update: &Update) -> Vec<String> {
    let routes = update.mp_reach().map_or(&[][..], |reach| &reach.nlri);
    routes.iter().map(told_of).collect()
}

fn told_of(nlri: &Nlri) -> String {
    match &nlri.value {
        NlriValue::Inet(inet) => prefix(&inet.prefix),
        NlriValue::Labelled(one) => labelled(&one.labels, &one.prefix),
        NlriValue::Vpn(one) => told::vpn(&one.rd.0, &labelled(&one.labels, &one.prefix)),
        NlriValue::Flow(flow) => {
            let components: Vec<String> = flow.components.iter().map(component).collect();
            format!("flow {components:?}")
        }
        NlriValue::Vpls(one) => told::vpls(one.endpoint, one.offset, one.size, one.label),
        NlriValue::Rtc(Rtc::Default) => "rtc all".to_owned(),
        NlriValue::Rtc(Rtc::Target { origin, target, .. }) => told::membership(*origin, &target.0),
        NlriValue::Evpn(one) => one
            .route()
            .ok()
            .flatten()
            .map_or_else(|| "evpn unknown".to_owned(), |route| evpn(&route)),
        NlriValue::LinkState(one) => one.object().ok().flatten().map_or_else(
            || "ls unknown".to_owned(),
            |object| link_state(one.kind, one.rd.map(|rd| rd.0), &object),
        ),
        _ => "none of these".to_owned(),
    }
}

fn prefix(prefix: &Prefix) -> String {
    told::prefix(prefix.address, prefix.length)
}

fn labelled(labels: &Labels, of: &Prefix) -> String {
    told::labelled(labels.0.iter().map(|entry| entry >> 4), &prefix(of))
}

fn component(component: &Component) -> String {
    let kind = component.kind().code();
    match component {
        Component::Prefix(_, one) => told::component(
            kind,
            &format!("{} from {}", prefix(&one.prefix), one.offset),
        ),
        Component::Tests(_, tests) => {
            let mask = matches!(kind, 9 | 12);
            let tests: Vec<String> = tests
                .iter()
                .map(|test| told::test(mask, test.operator, test.value))
                .collect();
            told::component(kind, &tests.join(" "))
        }
    }
}

fn evpn(route: &Route) -> String {
    let first = |labels: &Labels| labels.0.first().copied().unwrap_or_default();
    match route {
        Route::EthernetAutoDiscovery {
            rd,
            esi,
            tag,
            labels,
        } => told::evpn(1, &rd.0, &[&told::hex(&esi.0), &tag.0, &first(labels)]),
        Route::MacIp {
            rd,
            esi,
            tag,
            mac,
            ip,
            labels,
        } => told::evpn(
            2,
            &rd.0,
            &[
                &told::hex(&esi.0),
                &tag.0,
                &told::hex(&mac.0),
                &told::optional(*ip),
                &first(labels),
            ],
        ),
        Route::InclusiveMulticast {
            rd,
            tag,
            originator,
        } => told::evpn(3, &rd.0, &[&tag.0, originator]),
        Route::EthernetSegment {
            rd,
            esi,
            originator,
        } => told::evpn(4, &rd.0, &[&told::hex(&esi.0), originator]),
        Route::IpPrefix {
            rd,
            esi,
            tag,
            prefix: of,
            gateway,
            labels,
        } => told::evpn(
            5,
            &rd.0,
            &[
                &told::hex(&esi.0),
                &tag.0,
                &prefix(of),
                gateway,
                &first(labels),
            ],
        ),
        Route::Multicast(one) => told::evpn(
            6,
            &one.rd.0,
            &[
                &one.tag.0,
                &told::optional(one.source),
                &told::optional(one.group),
                &told::optional(one.originator),
                &one.flags,
            ],
        ),
    }
}

fn link_state(kind: u16, rd: Option<[u8; 8]>, object: &Object) -> String {
    let node = |all: &[NodeDescriptor]| -> Vec<String> { all.iter().map(descriptor).collect() };
    let (remote, of) = match &object.descriptors {
        Descriptors::Link { remote, .. } => (node(remote), None),
        Descriptors::Prefix { prefix: of, .. } => (Vec::new(), Some(prefix(of))),
        Descriptors::Node | Descriptors::Srv6Sid { .. } => (Vec::new(), None),
    };
    let rd = rd.as_ref().map(|rd| &rd[..]);
    let source = (object.protocol, object.identifier);
    told::link_state(kind, rd, source, &node(&object.local), &remote, of)
}

fn descriptor(one: &NodeDescriptor) -> String {
    match one {
        NodeDescriptor::AutonomousSystem(value) => told::descriptor(512, value),
        NodeDescriptor::BgpLsIdentifier(value) => told::descriptor(513, value),
        NodeDescriptor::OspfArea(IpAddr::V4(area)) => told::descriptor(514, u32::from(*area)),
        NodeDescriptor::OspfArea(IpAddr::V6(area)) => told::descriptor(514, area),
        NodeDescriptor::IsisRouter(id, _) => told::descriptor(515, told::hex(id)),
        NodeDescriptor::OspfRouter(id, _) => told::descriptor(515, told::hex(&id.octets())),
        NodeDescriptor::Other(code, value) => told::descriptor(*code, told::hex(value)),
    }
}
