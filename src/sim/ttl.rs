//! The time to live of what is sent, and the least of what is accepted (RFC 5082, `IP_MINTTL` of ip(7)).
//!
//! Hosts are joined by links without routers between them: what is sent arrives with the TTL that it left with.

use crate::net::network::SocketOptions;

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
