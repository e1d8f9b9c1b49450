//! Events that API processes receive.

use std::net::{IpAddr, Ipv4Addr};

use crate::bgp::message::Message;
use crate::net::Direction;
use crate::speaker::neighbor::{Address, AsNumber, Neighbor};
use crate::speaker::session::{Negotiated, State};

/// ExaBGP's word for the way a message goes.
#[must_use]
pub const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Received => "receive",
        Direction::Sent => "send",
    }
}

/// The neighbor that an event is of, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The name in the configuration, unique among neighbors.
    pub name: String,
    /// The peer's address, in text form.
    pub peer: String,
    /// Our address; `None` until a socket says it.
    pub local: Option<IpAddr>,
    /// Our AS number; `None` while it is the peer's, which is not known yet.
    pub local_as: Option<u32>,
    /// The peer's AS number; `None` while any is accepted.
    pub peer_as: Option<u32>,
    /// Our router identifier.
    pub router_id: Option<Ipv4Addr>,
}

impl PeerIdentity {
    /// That of `neighbor`; `local` is the socket's own address, where there is a socket.
    #[must_use]
    pub fn new(neighbor: &Neighbor, local: Option<IpAddr>) -> Self {
        let configured = match neighbor.local_address {
            Address::Ip(address) => Some(address),
            Address::Auto => None,
        };
        let number = |configured| match configured {
            AsNumber::Number(number) => Some(number),
            AsNumber::Auto => None,
        };
        let local = configured.or(local);
        let own = match local {
            Some(IpAddr::V4(address)) => Some(address),
            _ => None,
        };
        Self {
            name: neighbor.name(),
            peer: neighbor.peer(),
            local,
            local_as: number(neighbor.local_as),
            peer_as: number(neighbor.peer_as),
            router_id: neighbor.effective_router_id().or(own),
        }
    }
}

/// An event that API processes receive.
#[derive(Debug, Clone, Copy)]
pub enum ApiEvent<'a> {
    /// A connection to the peer is open.
    Connected,
    /// The session is established.
    Up,
    /// The session has ended, and why.
    Down {
        /// ExaBGP's words for it: `peer reset, message …`.
        reason: &'a str,
    },
    /// What both OPENs agreed on.
    Negotiated(&'a Negotiated),
    /// The session is in another state.
    Fsm(State),
    /// The speaker received a signal of that number.
    Signal(u8),
    /// A message, understood.
    Message {
        /// Which way it went.
        direction: Direction,
        /// The decoded message.
        message: &'a Message,
        /// What was negotiated, if processes subscribe to it.
        negotiated: Option<&'a Negotiated>,
        /// Its octets, header included, if they are sent too.
        raw: Option<&'a [u8]>,
    },
    /// A message that was read outside any session, as ExaBGP's `decode` shows it: it came `in`, and its routes stand
    /// as they were written, whatever its malformed attributes make of them.
    Decoded(&'a Message),
    /// The octets of a message.
    Packet {
        /// Which way it went.
        direction: Direction,
        /// What was negotiated, if processes subscribe to it.
        negotiated: Option<&'a Negotiated>,
        /// The octets, header included.
        raw: &'a [u8],
    },
}
