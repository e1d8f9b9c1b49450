//! From two OPENs to what the session may do, or why there is none (RFC 4271 section 6.2).

use std::net::Ipv4Addr;

use super::negotiated::{Missing, Negotiated, Refresh};
use super::open::worded;
use crate::bgp::attribute::WireContext;
use crate::bgp::capability::Capability;
use crate::bgp::capability::add_path::SendReceive;
use crate::bgp::family::{Families, Family};
use crate::bgp::iana::Afi;
use crate::bgp::message::open::AS_TRANS;
use crate::bgp::message::{Notification, NotificationCode, Open};
use crate::speaker::neighbor::{self, AsNumber, Neighbor};

/// The least hold time but 0, in seconds (RFC 4271 section 4.2).
const LEAST_HOLD_TIME: u16 = 3;

/// Negotiates, as ExaBGP does.
///
/// # Errors
/// The NOTIFICATION to send, where the peer's OPEN is not acceptable.
pub(super) fn negotiate(
    neighbor: &Neighbor,
    sent: &Open,
    received: &Open,
) -> Result<Negotiated, Notification> {
    let four_octet_as = both(sent, received, |one| {
        matches!(one, Capability::FourOctetAs(_))
    });
    let peer_as = peer_as(received, four_octet_as);
    validate(neighbor, sent, received, peer_as)?;
    let multi_session = multi_session(sent, received)?;
    let extended_message = both(sent, received, |one| {
        matches!(one, Capability::ExtendedMessage(_))
    });
    let context = |add_path| WireContext {
        four_octet_as,
        add_path,
        extended_message,
        bgpsec: false,
    };
    let (ours, theirs) = (families(sent), families(received));
    Ok(Negotiated {
        local_as: sent.asn(),
        peer_as,
        local_id: Some(sent.identifier),
        peer_id: Some(received.identifier),
        hold_time: sent.hold_time.min(received.hold_time),
        families: theirs
            .iter()
            .filter(|family| ours.contains(*family))
            .collect(),
        nexthops: {
            let ours = nexthops(sent);
            let mut pairs = nexthops(received);
            pairs.retain(|pair| ours.contains(pair));
            pairs
        },
        link_local: neighbor.local_link_local.filter(|_| {
            both(sent, received, |one| {
                matches!(one, Capability::LinkLocalNextHop(_))
            })
        }),
        send: context(add_path(sent, received)),
        receive: context(add_path(received, sent)),
        refresh: refresh(sent, received),
        operational: both(sent, received, |one| {
            matches!(one, Capability::Operational(_))
        }),
        multi_session,
        aigp: neighbor.capability.aigp,
        graceful_restart: has(sent, |one| matches!(one, Capability::GracefulRestart(_))),
        peer_restart_time: received.capabilities().find_map(|one| match one {
            Capability::GracefulRestart(restart) => Some(restart.time),
            _ => None,
        }),
        mismatch: ours
            .iter()
            .filter(|family| !theirs.contains(*family))
            .map(|family| (Missing::Peer, family))
            .chain(
                theirs
                    .iter()
                    .filter(|family| !ours.contains(*family))
                    .map(|family| (Missing::Local, family)),
            )
            .collect(),
    })
}

impl Negotiated {
    /// What a session comes to with a peer that agrees to all that `neighbor` offers. An AS number that is not known
    /// before the session is taken to be ours.
    #[must_use]
    pub fn hoped(neighbor: &Neighbor) -> Self {
        let number = |asn| match asn {
            AsNumber::Number(number) => Some(number),
            AsNumber::Auto => None,
        };
        let (local, peer) = (number(neighbor.local_as), number(neighbor.peer_as));
        let settings = &neighbor.capability;
        let offered_paths = match settings.add_path {
            neighbor::AddPath::Disabled | neighbor::AddPath::Receive => Families::new(),
            _ if neighbor.add_paths.is_empty() => neighbor.families.clone(),
            _ => neighbor.add_paths.clone(),
        };
        Self {
            local_as: local.or(peer).unwrap_or_default(),
            peer_as: peer.or(local).unwrap_or_default(),
            families: neighbor.families.clone(),
            link_local: neighbor
                .local_link_local
                .filter(|_| settings.link_local_nexthop == Some(true)),
            send: WireContext {
                four_octet_as: settings.asn4,
                add_path: offered_paths,
                extended_message: settings.extended_message,
                bgpsec: false,
            },
            aigp: settings.aigp,
            ..Self::default()
        }
    }
}

fn validate(
    neighbor: &Neighbor,
    sent: &Open,
    received: &Open,
    peer_as: u32,
) -> Result<(), Notification> {
    let refuse = |subcode, text: String| Err(worded(NotificationCode::OPEN, subcode, &text));
    if let AsNumber::Number(expected) = neighbor.peer_as
        && expected != peer_as
    {
        let found = received.my_as;
        return refuse(
            2,
            format!("ASN in OPEN ({found}) did not match ASN expected ({expected})"),
        );
    }
    if received.identifier == Ipv4Addr::UNSPECIFIED {
        return refuse(3, String::from("0.0.0.0 is an invalid router_id"));
    }
    if peer_as == sent.asn() && received.identifier == sent.identifier {
        let id = received.identifier;
        return refuse(
            3,
            format!(
                "BGP Identifier collision, same router-id ({id}) on both sides of this IBGP session"
            ),
        );
    }
    if (1..LEAST_HOLD_TIME).contains(&received.hold_time) {
        return refuse(6, format!("Hold Time is invalid ({})", received.hold_time));
    }
    Ok(())
}

fn has(open: &Open, wanted: impl Fn(&Capability) -> bool) -> bool {
    open.capabilities().any(wanted)
}

fn both(sent: &Open, received: &Open, wanted: impl Fn(&Capability) -> bool + Copy) -> bool {
    has(sent, wanted) && has(received, wanted)
}

fn peer_as(received: &Open, four_octet_as: bool) -> u32 {
    if received.my_as == AS_TRANS && four_octet_as {
        received.asn()
    } else {
        u32::from(received.my_as)
    }
}

fn families(open: &Open) -> Families {
    open.capabilities()
        .filter_map(|one| match one {
            Capability::Multiprotocol(multiprotocol) => Some(multiprotocol.family),
            _ => None,
        })
        .collect()
}

fn nexthops(open: &Open) -> Vec<(Family, Afi)> {
    open.capabilities()
        .filter_map(|one| match one {
            Capability::ExtendedNextHop(next_hop) => Some(next_hop.entries.iter().copied()),
            _ => None,
        })
        .flatten()
        .collect()
}

/// Families of which `sender` sends several paths and `receiver` takes them (RFC 7911 section 4).
fn add_path(sender: &Open, receiver: &Open) -> Families {
    let way = |open: &Open, family| {
        ways(open)
            .filter(|(known, _)| *known == family)
            .last()
            .map_or(SendReceive(0), |(_, way)| way)
    };
    ways(sender)
        .map(|(family, _)| family)
        .filter(|family| way(sender, *family).sends() && way(receiver, *family).receives())
        .collect()
}

fn ways(open: &Open) -> impl Iterator<Item = (Family, SendReceive)> + '_ {
    open.capabilities()
        .filter_map(|one| match one {
            Capability::AddPath(add_path) => Some(add_path.entries.iter().copied()),
            _ => None,
        })
        .flatten()
}

fn refresh(sent: &Open, received: &Open) -> Refresh {
    if both(sent, received, |one| {
        matches!(one, Capability::EnhancedRouteRefresh(_))
    }) {
        Refresh::Enhanced
    } else if both(sent, received, |one| {
        matches!(
            one,
            Capability::RouteRefresh(crate::bgp::capability::RouteRefresh::Rfc)
        )
    }) {
        Refresh::Normal
    } else {
        Refresh::Absent
    }
}

/// draft-ietf-idr-bgp-multisession section 7: with it configured, a peer without it is refused.
fn multi_session(sent: &Open, received: &Open) -> Result<bool, Notification> {
    let session_id = |open: &Open, cisco| {
        open.capabilities().find_map(|one| match one {
            Capability::Multisession(session) if session.cisco == cisco => {
                let mut codes: Vec<u8> = session.session_id().collect();
                codes.sort_unstable();
                codes.dedup();
                // An empty Session Id means that of the families (section 4).
                if codes.is_empty() {
                    codes.push(MULTIPROTOCOL);
                }
                Some(codes)
            }
            _ => None,
        })
    };
    let offered = [false, true].map(|cisco| (session_id(sent, cisco), session_id(received, cisco)));
    let refuse = |subcode, text: &str| Err(worded(NotificationCode::OPEN, subcode, text));
    let Some((ours, theirs)) = offered.iter().find_map(|pair| match pair {
        (Some(ours), Some(theirs)) => Some((ours, theirs)),
        _ => None,
    }) else {
        return if offered.iter().any(|(ours, _)| ours.is_some()) {
            refuse(9, "multisession is mandatory with this peer")
        } else {
            Ok(false)
        };
    };
    if ours != theirs {
        return refuse(
            8,
            "multisession, our peer did not reply with the same sessionid",
        );
    }
    if ours.contains(&MULTIPROTOCOL) && !families(sent).iter().eq(families(received).iter()) {
        return refuse(
            8,
            "when checking session id, capability multiprotocol did not match",
        );
    }
    Ok(true)
}

const MULTIPROTOCOL: u8 = 0x01;
