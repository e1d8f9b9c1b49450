//! Who wants to know what the sockets of a world are given to send.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::net::name::ConnectionName;

/// Octets that a socket took, to be sent.
#[derive(Debug)]
pub struct Written<'a> {
    /// When, since the start of the run.
    pub at: Duration,
    /// The connection, as the network of this end calls it.
    pub name: ConnectionName,
    /// Address and port of this end.
    pub local: SocketAddr,
    /// Address and port of the other.
    pub peer: SocketAddr,
    /// What it took.
    pub octets: &'a [u8],
}

/// Is told of each.
pub(super) struct WriteListener(pub(super) Box<dyn Fn(&Written<'_>)>);

impl fmt::Debug for WriteListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteListener")
    }
}
