//! Our OPEN, and the NOTIFICATIONs that a session sends of itself.

use super::{Session, State};
use crate::bgp::capability::add_path::SendReceive;
use crate::bgp::capability::role::RoleValue;
use crate::bgp::capability::{
    AddPath, Capability, EnhancedRouteRefresh, ExtendedMessage, ExtendedNextHop, FourOctetAs,
    GracefulRestart, Hostname, LinkLocalNextHop, Multiprotocol, Multisession, Operational,
    PathsLimit, Role, RouteRefresh, SoftwareVersion,
};
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::message::open::{AS_TRANS, Parameter};
use crate::bgp::message::{Message, MessageError, Notification, NotificationCode, Open};
use crate::speaker::neighbor::{self, Neighbor};

/// Families whose encoder writes a path identifier, in the order in which ExaBGP offers them.
const ADD_PATH: [Family; 6] = [
    Family::IPV4_UNICAST,
    Family::IPV6_UNICAST,
    Family::new(Afi::IPV4, Safi::NLRI_MPLS),
    Family::new(Afi::IPV6, Safi::NLRI_MPLS),
    Family::new(Afi::IPV4, Safi::MPLS_VPN),
    Family::new(Afi::IPV6, Safi::MPLS_VPN),
];

/// Families for which ExaBGP offers an IPv6 next hop (RFC 8950), in its order.
const NEXT_HOP: [Family; 4] = [
    Family::IPV4_UNICAST,
    Family::IPV4_MULTICAST,
    Family::new(Afi::IPV4, Safi::NLRI_MPLS),
    Family::new(Afi::IPV4, Safi::MPLS_VPN),
];

/// The OPEN of `session` for our AS number `asn`.
pub(super) fn build(session: &Session, asn: u32) -> Result<Open, Notification> {
    let neighbor = &*session.neighbor;
    if asn == u32::from(AS_TRANS) {
        return Err(cannot_open(
            "AS_TRANS is a wire placeholder, not a resolved local ASN",
        ));
    }
    if asn > u32::from(u16::MAX) && !neighbor.capability.asn4 {
        return Err(cannot_open(
            "A four-octet local ASN requires ASN4 advertisement",
        ));
    }
    Ok(Open::new(
        asn,
        neighbor.hold_time,
        session.local_id(),
        capabilities(neighbor, asn, session.restarted, &session.version),
    ))
}

/// Capabilities in ExaBGP's order, which the goldens fix.
fn capabilities(neighbor: &Neighbor, asn: u32, restarted: bool, version: &str) -> Vec<Capability> {
    let settings = &neighbor.capability;
    let mut offered: Vec<Capability> = neighbor
        .families
        .iter()
        .map(|family| Capability::Multiprotocol(Multiprotocol { family }))
        .collect();
    if settings.asn4 {
        offered.push(Capability::FourOctetAs(FourOctetAs { asn }));
    }
    if settings.nexthop {
        offered.push(Capability::ExtendedNextHop(ExtendedNextHop {
            entries: NEXT_HOP
                .into_iter()
                .map(|family| (family, Afi::IPV6))
                .filter(|pair| neighbor.nexthops.contains(pair))
                .collect(),
        }));
    }
    offered.extend(add_path(neighbor));
    if !settings.paths_limit.is_empty() {
        let entries = settings.paths_limit.clone();
        offered.push(Capability::PathsLimit(PathsLimit { entries }));
    }
    if let Some(time) = settings.graceful_restart {
        offered.push(Capability::GracefulRestart(GracefulRestart {
            flags: if restarted {
                GracefulRestart::RESTART_STATE
            } else {
                0
            },
            time: time & GracefulRestart::MAXIMUM_TIME,
            families: neighbor
                .families
                .iter()
                .map(|family| (family, GracefulRestart::FORWARDING_STATE))
                .collect(),
        }));
    }
    if settings.route_refresh {
        offered.push(Capability::RouteRefresh(RouteRefresh::Rfc));
        offered.push(Capability::EnhancedRouteRefresh(EnhancedRouteRefresh));
    }
    if settings.operational {
        offered.push(Capability::Operational(Operational));
    }
    if settings.extended_message {
        offered.push(Capability::ExtendedMessage(ExtendedMessage));
    }
    offered.extend(hostname(neighbor));
    if settings.software_version {
        let version = software_version(version);
        offered.push(Capability::SoftwareVersion(SoftwareVersion { version }));
    }
    if settings.link_local_nexthop == Some(true) {
        offered.push(Capability::LinkLocalNextHop(LinkLocalNextHop));
    }
    if let Some(role) = settings.role {
        let role = RoleValue(role);
        offered.push(Capability::Role(Role { role }));
    }
    if settings.multi_session {
        // ExaBGP sends the octet of flags and each code of the Session Id as capabilities of their own.
        for (cisco, octet) in [(false, 0), (false, MULTIPROTOCOL), (true, 0)] {
            offered.push(Capability::Multisession(Multisession {
                cisco,
                value: vec![octet],
            }));
        }
    }
    offered
}

const MULTIPROTOCOL: u8 = 0x01;

fn add_path(neighbor: &Neighbor) -> Option<Capability> {
    let way = match neighbor.capability.add_path {
        neighbor::AddPath::Disabled => return None,
        neighbor::AddPath::Receive => SendReceive::RECEIVE,
        neighbor::AddPath::Send => SendReceive::SEND,
        neighbor::AddPath::Both => SendReceive::BOTH,
    };
    let families = if neighbor.add_paths.is_empty() {
        &neighbor.families
    } else {
        &neighbor.add_paths
    };
    Some(Capability::AddPath(AddPath {
        entries: ADD_PATH
            .into_iter()
            .filter(|family| families.contains(*family))
            .map(|family| (family, way))
            .collect(),
    }))
}

/// The most octets of a host name, a domain name, and a software version that ExaBGP sends.
const NAME_MAXIMUM: usize = 64;

fn hostname(neighbor: &Neighbor) -> Option<Capability> {
    let host = neighbor
        .host_name
        .as_deref()
        .filter(|host| !host.is_empty())?;
    let domain = neighbor.domain_name.as_deref().unwrap_or_default();
    Some(Capability::Hostname(Hostname {
        host: Some(cut(host, NAME_MAXIMUM).to_owned()),
        domain: Some(cut(domain, NAME_MAXIMUM).to_owned()),
    }))
}

fn software_version(version: &str) -> String {
    let whole = format!("ExaBGP/{version}");
    if whole.len() <= NAME_MAXIMUM {
        return whole;
    }
    format!("{}...", cut(&whole, NAME_MAXIMUM - 3))
}

/// The longest start of `text` that has at most `octets` octets and whole characters.
fn cut(text: &str, octets: usize) -> &str {
    let mut end = text.len().min(octets);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A NOTIFICATION whose data is a text, as ExaBGP sends most of its own (see [`crate::speaker::parity`]).
pub(super) fn worded(code: NotificationCode, subcode: u8, text: &str) -> Notification {
    Notification::new(code, subcode, text.as_bytes().to_vec())
}

/// What to send for `error`: the RFC's code, subcode and data, but for a lost marker and an unknown type ExaBGP's text.
pub(super) fn notification(error: &MessageError) -> Notification {
    match error {
        MessageError::NotSynchronized => worded(
            NotificationCode::HEADER,
            1,
            "The packet received does not contain a BGP marker",
        ),
        MessageError::BadType { kind } => {
            let text = format!("can not decode message of type \"{kind}\"");
            worded(NotificationCode::HEADER, 3, &text)
        }
        other => other.notification(),
    }
}

/// ExaBGP parts AFI and SAFI by `mark`.
pub(super) fn unnegotiated(family: Family, mark: char) -> Notification {
    let Family { afi, safi } = family;
    let text = format!("presented a non-negotiated family {afi}{mark}{safi}");
    worded(NotificationCode::UPDATE, 9, &text)
}

pub(super) fn waited_too_long() -> Notification {
    worded(
        NotificationCode::HEADER,
        1,
        "waited for open too long, we do not like stuck in active",
    )
}

pub(super) const fn hold_timer_expired() -> Notification {
    Notification::new(NotificationCode::HOLD_TIMER, 0, Vec::new())
}

pub(super) fn keepalive_without_hold_time() -> Notification {
    worded(
        NotificationCode::OPEN,
        6,
        "Negotiated holdtime was zero, it was invalid to send us a keepalive messages",
    )
}

pub(super) fn cannot_open(text: &str) -> Notification {
    worded(NotificationCode::CEASE, 0, text)
}

/// RFC 6608: a message that `state` does not take.
pub(super) fn unexpected(state: State, message: &Message) -> Notification {
    match state {
        State::OpenConfirm => worded(
            NotificationCode::STATE_MACHINE,
            2,
            "Receive Unexpected Message in OpenConfirm State",
        ),
        State::Established => worded(
            NotificationCode::STATE_MACHINE,
            3,
            "Receive Unexpected Message in Established State",
        ),
        State::Idle | State::Connect | State::Active | State::OpenSent => {
            let name = message.kind().to_string().to_uppercase();
            let text = format!("The first packet received is not an open message ({name})");
            worded(NotificationCode::STATE_MACHINE, 1, &text)
        }
    }
}

/// RFC 4271 section 6.2: an optional parameter that is not capabilities.
pub(super) fn unsupported_parameter(open: &Open) -> Option<Notification> {
    open.parameters
        .iter()
        .find_map(|parameter| match parameter {
            Parameter::Capabilities(_) => None,
            Parameter::Other { kind: 1, .. } => Some(worded(
                NotificationCode::OPEN,
                5,
                "Authentication Notification (Deprecated)",
            )),
            Parameter::Other { kind, .. } => Some(worded(
                NotificationCode::OPEN,
                4,
                &format!("unknown OPEN parameter {kind:#x}"),
            )),
        })
}
