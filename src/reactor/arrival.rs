//! Whose connection it is that was accepted.

use std::net::{IpAddr, SocketAddr};

use crate::config::Configuration;
use crate::net::PeerKey;
use crate::speaker::neighbor::{Address, Neighbor};
use crate::speaker::settings::Settings;

/// Whose it is, by the key of the neighbor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// A neighbor's.
    Neighbor(usize),
    /// That of a peer in a range.
    Range(usize),
    /// It could be that of peers of several ranges.
    Several,
    /// Nobody's.
    Nobody,
}

/// Finds the neighbor that a connection from `remote` to `local` belongs to: the first that names both addresses, else
/// the only range that they are in.
pub(super) fn find<'a>(
    neighbors: impl Iterator<Item = (usize, &'a Neighbor)>,
    local: IpAddr,
    remote: IpAddr,
) -> Match {
    let mut range = Match::Nobody;
    for (key, neighbor) in neighbors {
        let ours = match neighbor.local_address {
            Address::Ip(address) => address == local,
            Address::Auto => true,
        };
        if !ours || !covers(neighbor, remote) {
            continue;
        }
        if !is_range(neighbor) {
            return Match::Neighbor(key);
        }
        range = match range {
            Match::Nobody => Match::Range(key),
            _ => Match::Several,
        };
    }
    range
}

fn is_range(neighbor: &Neighbor) -> bool {
    u32::from(neighbor.peer_prefix_length) < width(neighbor.peer_address)
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn covers(neighbor: &Neighbor, remote: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let width = width(neighbor.peer_address);
    let host = width.saturating_sub(u32::from(neighbor.peer_prefix_length));
    let prefix = |address: IpAddr| bits(address).checked_shr(host).unwrap_or(0);
    neighbor.peer_address.is_ipv4() == remote.is_ipv4()
        && prefix(neighbor.peer_address) == prefix(remote)
}

/// The neighbor of one peer of a range.
pub(super) fn generated(range: &Neighbor, local: IpAddr, remote: IpAddr) -> Neighbor {
    Neighbor {
        peer_address: remote,
        peer_prefix_length: width(remote) as u8,
        local_address: Address::Ip(local),
        ..range.clone()
    }
}

/// Where a speaker should listen: at its own addresses, and where neighbors have `listen`.
pub(super) fn places(configuration: &Configuration, settings: &Settings) -> Vec<SocketAddr> {
    let own = settings
        .bind
        .iter()
        .map(|&address| (address, settings.port));
    let theirs = configuration.neighbors.iter().filter_map(|neighbor| {
        let address = match neighbor.local_address {
            Address::Ip(address) => address,
            Address::Auto if neighbor.peer_address.is_ipv4() => IpAddr::from([0, 0, 0, 0]),
            Address::Auto => IpAddr::from([0_u16; 8]),
        };
        neighbor.listen.map(|port| (address, port))
    });
    let mut places: Vec<SocketAddr> = Vec::new();
    for place in own.chain(theirs).map(SocketAddr::from) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The keys with which those who connect must sign.
pub(super) fn keys(configuration: &Configuration) -> Vec<PeerKey> {
    let key = |neighbor: &Neighbor| {
        Some(PeerKey {
            peer: neighbor.peer_address,
            prefix_length: neighbor.peer_prefix_length,
            key: neighbor.md5_key()?,
        })
    };
    configuration.neighbors.iter().filter_map(key).collect()
}

/// A neighbor's short name among `labels` that are taken: its address, and a number where that is not enough.
pub(super) fn label(neighbor: &Neighbor, taken: impl Fn(&str) -> bool) -> String {
    let address = neighbor.peer();
    if !taken(&address) {
        return address;
    }
    (2..)
        .map(|number| format!("{address}/{number}"))
        .find(|label| !taken(label))
        .unwrap_or(address)
}
