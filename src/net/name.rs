//! How connections are named.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// Who opened a connection, seen from the host whose network names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Opener {
    /// This host connected.
    Us,
    /// This host accepted.
    Peer,
}

/// A connection's name: the same in every run, whatever the order in which connections to several peers open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionName {
    /// The other end's address.
    pub peer: IpAddr,
    /// Who opened it: each has a count of its own, so that two that cross do not trade names.
    pub opener: Opener,
    /// From 1, failed attempts included.
    pub attempt: u32,
}

/// `10.0.0.2#1`, or `10.0.0.2<1` where the peer opened it.
impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.opener {
            Opener::Us => '#',
            Opener::Peer => '<',
        };
        write!(f, "{}{mark}{}", self.peer, self.attempt)
    }
}

/// Counts attempts by peer.
#[derive(Debug, Default)]
pub struct Attempts {
    made: BTreeMap<(IpAddr, Opener), u32>,
}

impl Attempts {
    /// The name of the next connection with `peer`.
    pub fn name(&mut self, peer: IpAddr, opener: Opener) -> ConnectionName {
        let made = self.made.entry((peer, opener)).or_default();
        *made += 1;
        ConnectionName {
            peer,
            opener,
            attempt: *made,
        }
    }
}
