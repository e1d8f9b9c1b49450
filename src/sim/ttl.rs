//! The time to live of what is sent, and the least of what is accepted (RFC 5082, `IP_MINTTL` of ip(7)).
//!
//! Hosts are joined by links without routers between them: what is sent arrives with the TTL that it left with.

use std::net::SocketAddr;

use crate::net::network::SocketOptions;
use crate::sim::state::{ConnectionId, HostId, State};
use crate::sim::tcp::Side;

/// What is sent has this TTL where the socket does not say (`ip_default_ttl` of ip(7)).
pub const DEFAULT_TTL: u8 = 64;

/// The TTLs of a socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ttls {
    /// Of what it sends.
    outgoing: u8,
    /// The least that it accepts.
    least: u8,
}

impl Default for Ttls {
    fn default() -> Self {
        Self::of(&SocketOptions::default())
    }
}

impl Ttls {
    pub(super) fn of(options: &SocketOptions) -> Self {
        Self {
            outgoing: options.outgoing_ttl.unwrap_or(DEFAULT_TTL),
            least: options.incoming_ttl.unwrap_or(0),
        }
    }

    /// Whether it accepts what `sender` sends.
    pub(super) fn accept(self, sender: Self) -> bool {
        sender.outgoing >= self.least
    }
}

impl State {
    /// A listener has these from now on, and gives them to its connections.
    pub(super) fn set_listener_ttls(&mut self, place: (HostId, SocketAddr), ttls: Ttls) {
        if let Some(listening) = self.listeners.get_mut(&place) {
            listening.ttls = ttls;
        }
    }

    /// One end of a connection has these from now on.
    pub(super) fn set_ttls(&mut self, id: ConnectionId, side: Side, ttls: Ttls) {
        if let Some(flow) = self.connections.get_mut(&id) {
            flow.tcp.end(side).ttls = ttls;
        }
    }

    /// Whether the end `side` drops what the other sends (`tcp_v4_rcv`).
    pub(super) fn drops_by_ttl(&self, id: ConnectionId, side: Side) -> bool {
        self.connections.get(&id).is_some_and(|flow| {
            let (client, server) = (flow.tcp.client.ttls, flow.tcp.server.ttls);
            match side {
                Side::Client => !client.accept(server),
                Side::Server => !server.accept(client),
            }
        })
    }
}
