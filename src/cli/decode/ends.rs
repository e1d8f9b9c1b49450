//! The two ends that a line of JSON tells of.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::input::Session;
use crate::api::PeerIdentity;
use crate::net::clock;
use crate::speaker::neighbor::Neighbor;

/// The AS number that is told where none is known, so that the line is JSON.
const UNKNOWN: u32 = 0;

/// A message's receiver and sender.
#[derive(Debug, Clone)]
pub struct Ends {
    /// The sender, as the receiver knows it.
    pub peer: PeerIdentity,
    /// When the message was captured, since 1970; `None` where it was not.
    captured: Option<Duration>,
}

impl Default for Ends {
    /// Those of ExaBGP's `decode`.
    fn default() -> Self {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            peer: PeerIdentity {
                name: String::new(),
                peer: address.to_string(),
                local: Some(address),
                local_as: Some(65533),
                peer_as: Some(65533),
                router_id: Some(Ipv4Addr::new(10, 0, 0, 2)),
            },
            captured: None,
        }
    }
}

impl Ends {
    /// Those of a configuration.
    pub fn of(neighbor: &Neighbor) -> Self {
        let mut peer = PeerIdentity::new(neighbor, None);
        peer.local_as.get_or_insert(UNKNOWN);
        peer.peer_as.get_or_insert(UNKNOWN);
        Self {
            peer,
            captured: None,
        }
    }

    /// Those of a captured session, as the receiver of the message sees them.
    pub fn of_session(session: &Session<'_>) -> Self {
        let Session {
            sender,
            receiver,
            sender_open,
            receiver_open,
            time,
            context: _,
        } = session;
        Self {
            peer: PeerIdentity {
                name: format!("{sender} {receiver}"),
                peer: sender.to_string(),
                local: Some(*receiver),
                local_as: Some(receiver_open.map_or(UNKNOWN, |open| open.asn())),
                peer_as: Some(sender_open.map_or(UNKNOWN, |open| open.asn())),
                router_id: receiver_open.map(|open| open.identifier),
            },
            captured: Some(*time),
        }
    }

    /// When the message came, in seconds since 1970: now where it was not captured.
    pub fn time(&self) -> f64 {
        self.captured
            .unwrap_or_else(clock::since_1970)
            .as_secs_f64()
    }
}
