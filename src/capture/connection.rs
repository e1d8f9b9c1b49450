//! How a connection is named: by its peer and the attempt, never by ports or a global counter.

use std::fmt;
use std::net::IpAddr;

use super::internet::Endpoint;

/// Which end of a connection sent something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamDirection {
    /// From the end that opened the connection.
    FromClient,
    /// From the end that accepted it.
    FromServer,
}

impl StreamDirection {
    /// Both, the client's first.
    pub const BOTH: [Self; 2] = [Self::FromClient, Self::FromServer];

    /// The opposite direction.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::FromClient => Self::FromServer,
            Self::FromServer => Self::FromClient,
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// Two hosts, by who connected to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// Address of the end that opened the connection.
    pub client: IpAddr,
    /// Address of the end that accepted it.
    pub server: IpAddr,
}

impl Peer {
    /// Address of the sender in `direction`.
    #[must_use]
    pub const fn sender(&self, direction: StreamDirection) -> IpAddr {
        match direction {
            StreamDirection::FromClient => self.client,
            StreamDirection::FromServer => self.server,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.client, self.server)
    }
}

/// The name of a connection that is the same in every run: the peer, and which of its connections this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    /// The two addresses.
    pub peer: Peer,
    /// From 1, counting the connections of this peer on which BGP was spoken.
    pub attempt: u32,
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.peer, self.attempt)
    }
}

/// A TCP connection of a capture on which BGP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// Its name in every run.
    pub id: ConnectionId,
    /// Its number in this capture, from 0.
    pub number: usize,
    /// Address and port of the end that opened it (as far as the capture shows).
    pub client: Endpoint,
    /// Address and port of the end that accepted it.
    pub server: Endpoint,
    /// Whether its SYN is in the capture; without, who opened it is taken from the ports, and its beginning may be
    /// missing.
    pub handshake: bool,
    /// Nanoseconds since 1970 of its first packet.
    pub opened: u64,
    /// The kind of record that it comes from.
    pub via: Via,
    /// What is known of how its UPDATEs are written, OPENs or not.
    pub encoding: Encoding,
}

impl Connection {
    /// The number of a connection attempt on which no BGP was spoken.
    pub const NO_NUMBER: usize = usize::MAX;
}

/// What a session of a capture was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Via {
    /// Its own TCP connection.
    #[default]
    Tcp,
    /// The router that reported it to a BMP station (RFC 7854).
    Bmp(IpAddr),
    /// The messages of an MRT file (RFC 6396, BGP4MP).
    MrtMessages,
    /// The routes of an MRT file (RFC 6396, TABLE_DUMP): an UPDATE made of each.
    MrtTable,
}

/// The encoding of UPDATEs, if the source itself states it; `None` if the OPENs decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Encoding {
    /// AS numbers have four octets in AS_PATH and AGGREGATOR.
    pub four_octet_as: Option<bool>,
    /// NLRI of every family carry a path identifier.
    pub add_path: Option<bool>,
}
