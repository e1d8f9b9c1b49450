//! What a neighbor's configuration asks of its TCP connections.

use crate::net::SocketOptions;
use crate::speaker::neighbor::{Address, Neighbor};

/// The TTL that a sender uses where the receiver checks it (RFC 5082 section 3).
const GREATEST_TTL: u8 = 255;

/// The options of a connection with `neighbor`.
pub(super) fn socket_options(neighbor: &Neighbor) -> SocketOptions {
    let expects = neighbor.incoming_ttl.map(|_| GREATEST_TTL);
    SocketOptions {
        source: match neighbor.local_address {
            Address::Ip(address) => Some(neighbor.md5_ip.unwrap_or(address)),
            Address::Auto => None,
        },
        interface: neighbor.source_interface.clone(),
        outgoing_ttl: neighbor.outgoing_ttl.or(expects),
        incoming_ttl: neighbor.incoming_ttl,
        md5: neighbor.md5_key(),
        md5_is_known: true,
        ..SocketOptions::default()
    }
}
