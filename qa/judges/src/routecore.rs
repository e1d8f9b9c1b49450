//! routecore: values read from the octets as they are asked for.

use std::net::{IpAddr, Ipv4Addr};

use routecore::bgp::message::SessionConfig;
use routecore::bgp::message::update::UpdateMessage;
use routecore::bgp::nlri::afisafi::{Addpath, AfiSafiNlri, IsPrefix, Nlri};
use routecore::bgp::nlri::mpls::Labels;
use routecore::bgp::path_attributes::WireformatPathAttribute;
use routecore::bgp::types::{AddpathDirection, AfiSafiType, NextHop};

use crate::families::told;
use crate::{Session, Visitor};

/// The configuration of a session.
pub fn context(session: Session) -> SessionConfig {
    let mut config = if session.four_octet_as {
        SessionConfig::modern()
    } else {
        SessionConfig::legacy()
    };
    if session.add_path {
        for family in [AfiSafiType::Ipv4Unicast, AfiSafiType::Ipv6Unicast] {
            config.add_addpath(family, AddpathDirection::SendReceive);
        }
    }
    config
}

/// Looks at the lengths; the rest comes in [`walk`].
pub fn decode<'a>(
    config: &SessionConfig,
    bytes: &'a [u8],
) -> Result<UpdateMessage<&'a [u8]>, String> {
    UpdateMessage::from_octets(bytes, config).map_err(|error| error.to_string())
}

/// Tells everything.
pub fn walk(
    session: Session,
    update: &UpdateMessage<&[u8]>,
    visitor: &mut impl Visitor,
) -> Result<(), String> {
    for route in update.withdrawals().map_err(|error| error.to_string())? {
        if let Some((address, length, path)) = split(route.map_err(|error| error.to_string())?) {
            visitor.withdraw(address, length, path);
        }
    }
    for attribute in update
        .path_attributes()
        .map_err(|error| error.to_string())?
    {
        tell(
            session,
            attribute.map_err(|error| error.to_string())?,
            visitor,
        )?;
    }
    if let Ok(Some(next_hop)) = update.mp_next_hop() {
        match next_hop {
            NextHop::Unicast(address) | NextHop::Multicast(address) => visitor.next_hop(address),
            NextHop::Ipv6LL { global, link_local } => {
                visitor.next_hop(global.into());
                visitor.next_hop(link_local.into());
            }
            _ => {}
        }
    }
    for route in update.announcements().map_err(|error| error.to_string())? {
        if let Some((address, length, path)) = split(route.map_err(|error| error.to_string())?) {
            visitor.announce(address, length, path);
        }
    }
    Ok(())
}

fn split(route: Nlri<&[u8]>) -> Option<(IpAddr, u8, Option<u32>)> {
    let (prefix, path) = match route {
        Nlri::Ipv4Unicast(one) => (one.prefix(), None),
        Nlri::Ipv6Unicast(one) => (one.prefix(), None),
        Nlri::Ipv4UnicastAddpath(one) => (one.prefix(), Some(Addpath::path_id(&one).0)),
        Nlri::Ipv6UnicastAddpath(one) => (one.prefix(), Some(Addpath::path_id(&one).0)),
        _ => return None,
    };
    Some((prefix.addr(), prefix.len(), path))
}

fn word(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |word| u32::from_be_bytes(*word))
}

fn tell(
    session: Session,
    attribute: WireformatPathAttribute<'_, &[u8]>,
    visitor: &mut impl Visitor,
) -> Result<(), String> {
    use WireformatPathAttribute as Wire;
    match attribute {
        Wire::Origin(value) => visitor.origin(value.value_into_parser().peek_all()[0]),
        Wire::AsPath(value) => {
            let parser = value.value_into_parser();
            // Its own segments do not tell their type; their octets were held to their form above.
            let mut bytes = parser.peek_all();
            let width = if session.four_octet_as { 4 } else { 2 };
            while let [kind, count, rest @ ..] = bytes {
                let (asns, rest) = rest.split_at(usize::from(*count) * width);
                bytes = rest;
                if session.four_octet_as {
                    visitor.segment(*kind, asns.chunks_exact(4).map(word));
                } else {
                    let asn = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair[1]]));
                    visitor.segment(*kind, asns.chunks_exact(2).map(asn));
                }
            }
        }
        Wire::ConventionalNextHop(value) => {
            let address = Ipv4Addr::from(word(value.value_into_parser().peek_all()));
            visitor.next_hop(address.into());
        }
        Wire::MultiExitDisc(value) => visitor.med(word(value.value_into_parser().peek_all())),
        Wire::LocalPref(value) => visitor.local_pref(word(value.value_into_parser().peek_all())),
        Wire::AtomicAggregate(_) => visitor.atomic_aggregate(),
        Wire::Aggregator(value) => {
            let parser = value.value_into_parser();
            let bytes = parser.peek_all();
            let (asn, speaker) = if session.four_octet_as {
                (word(bytes), word(&bytes[4..]))
            } else {
                let asn = u16::from_be_bytes([bytes[0], bytes[1]]);
                (u32::from(asn), word(&bytes[2..]))
            };
            visitor.aggregator(asn, speaker.into());
        }
        Wire::StandardCommunities(value) => {
            for community in value.value_into_parser().peek_all().chunks_exact(4) {
                visitor.community(word(community));
            }
        }
        Wire::LargeCommunities(value) => {
            for one in value.value_into_parser().peek_all().chunks_exact(12) {
                visitor.large_community([word(one), word(&one[4..]), word(&one[8..])]);
            }
        }
        Wire::OriginatorId(value) => {
            visitor.originator_id(word(value.value_into_parser().peek_all()).into());
        }
        Wire::ClusterList(value) => {
            for cluster in value.value_into_parser().peek_all().chunks_exact(4) {
                visitor.cluster(word(cluster).into());
            }
        }
        _ => {}
    }
    Ok(())
}
/// Tells the routes of MP_REACH_NLRI, of whatever family; `None` where this codec keeps them as octets.
pub fn routes(update: &UpdateMessage<&[u8]>) -> Result<Option<Vec<String>>, String> {
    let mut all = Vec::new();
    for route in update.announcements().map_err(|error| error.to_string())? {
        match told_of(&route.map_err(|error| error.to_string())?) {
            Some(told) => all.push(told),
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}

fn told_of(route: &Nlri<&[u8]>) -> Option<String> {
    let labelled = |labels: &Labels<&[u8]>, prefix: String| {
        told::labelled(labels.iter().map(|label| label.value()), &prefix)
    };
    macro_rules! prefix {
        ($of:expr) => {
            told::prefix($of.prefix().addr(), $of.prefix().len())
        };
    }
    Some(match route {
        Nlri::Ipv4Multicast(one) => prefix!(one),
        Nlri::Ipv6Multicast(one) => prefix!(one),
        Nlri::Ipv4MplsUnicast(one) => labelled(one.nlri().labels(), prefix!(one.nlri())),
        Nlri::Ipv6MplsUnicast(one) => labelled(one.nlri().labels(), prefix!(one.nlri())),
        Nlri::Ipv4MplsVpnUnicast(one) => {
            let one = one.nlri();
            told::vpn(one.rd().as_ref(), &labelled(one.labels(), prefix!(one)))
        }
        Nlri::Ipv6MplsVpnUnicast(one) => {
            let one = one.nlri();
            told::vpn(one.rd().as_ref(), &labelled(one.labels(), prefix!(one)))
        }
        Nlri::Ipv4RouteTarget(one) => {
            let one = one.nlri();
            match (one.origin_as(), one.route_target()) {
                (Some(origin), Some(target)) => {
                    told::membership(origin.into_u32(), &target.to_raw())
                }
                _ => "rtc all".to_owned(),
            }
        }
        // Its fields are not to be had but so.
        Nlri::L2VpnVpls(one) => {
            let text = format!("{:?}", one.nlri());
            let fields = text.split_once("ve_id")?.1;
            format!("vpls ve_id{fields}")
        }
        _ => return None,
    })
}
