//! The seam between a reactor and whatever carries its bytes.
//!
//! It is poll-with-waker, the least that the kernel, the simulation and
//! turmoil can all give.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use crate::net::name::{Attempts, ConnectionName};

/// A duplex byte stream, as a user of sockets (or pipes) sees one.
///
/// Dropping it is `close(2)`: what was written is still delivered, followed by
/// FIN, unless received bytes were left unread, which turns the close into RST.
pub trait Stream: Unpin + 'static {
    /// Reads at most `buffer.len()` octets; `Ok(0)` is the peer's FIN (or a program's end of output).
    ///
    /// # Errors
    /// `ConnectionReset` once, after the bytes that arrived before the RST; `TimedOut` after silence.
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>>;

    /// Writes a prefix of `bytes` and says how long it was; pending while the window is closed.
    ///
    /// # Errors
    /// `ConnectionReset` or `BrokenPipe` where nobody will read.
    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Half-closes: no more will be written; reading continues.
    ///
    /// # Errors
    /// As for a write.
    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A [`Stream`] between two addresses.
pub trait Connection: Stream {
    /// Its name, which the network of this end gave.
    fn name(&self) -> ConnectionName;

    /// Address and port of this end.
    fn local_address(&self) -> SocketAddr;

    /// Address and port of the peer's end.
    fn peer_address(&self) -> SocketAddr;

    /// Ready once the connection is gone for both directions: reset, or timed out. Reading and writing say so too, but
    /// each only when its turn comes: after the peer's FIN a read returns nothing else (`POLLHUP` of poll(2)).
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let _ = context;
        Poll::Pending
    }

    /// Puts the TTLs of `options` on a connection that was accepted; a network without TTLs has nothing to do.
    ///
    /// # Errors
    /// What the network says: the connection must not be used.
    fn restrict(&self, options: &SocketOptions) -> io::Result<()> {
        let _ = options;
        Ok(())
    }
}

/// A connection on its way; dropping it abandons the attempt.
pub trait Connecting<C>: Future<Output = io::Result<C>> + Unpin + 'static {
    /// The name of the attempt, and of the connection that comes of it.
    fn name(&self) -> ConnectionName;
}

/// A listening socket.
pub trait Listener: Unpin + 'static {
    /// The type of accepted connections.
    type Connection: Connection;

    /// The next connection of the backlog.
    ///
    /// # Errors
    /// What the network says; the listener stays usable.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Self::Connection>>;

    /// The address and port it listens at.
    fn local_address(&self) -> SocketAddr;

    /// The connections that it accepts from now on have the TTLs of `options`; a network that knows them only of each
    /// connection has nothing to do.
    fn restrict(&mut self, options: &SocketOptions) {
        let _ = options;
    }

    /// From now on connections of these peers must be signed with their keys, and those of others must not be signed;
    /// a network without signatures has nothing to do.
    ///
    /// # Errors
    /// What the network says: connections of these peers must not be accepted.
    fn set_keys(&mut self, keys: &[PeerKey]) -> io::Result<()> {
        let _ = keys;
        Ok(())
    }
}

/// What a connection asks of TCP before it opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// The address to connect from.
    pub source: Option<IpAddr>,
    /// The port to connect from; an ephemeral one if it is absent.
    pub source_port: Option<u16>,
    /// The interface to connect through.
    pub interface: Option<String>,
    /// TTL (or hop limit) of what is sent: RFC 5082, or multihop.
    pub outgoing_ttl: Option<u8>,
    /// Least TTL accepted (RFC 5082).
    pub incoming_ttl: Option<u8>,
    /// TCP MD5 signature key (RFC 2385).
    pub md5: Option<Vec<u8>>,
    /// The key, or that there is none, is what this end really has: a listener that has its keys receives no segment
    /// of a peer whose key differs. Without this, a simulated end agrees to any key, as a scripted peer does.
    pub md5_is_known: bool,
}

/// The TCP MD5 signature key (RFC 2385) of a peer, or of a range of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerKey {
    /// The peer, or the first address of the range.
    pub peer: IpAddr,
    /// How many bits of it count.
    pub prefix_length: u8,
    /// At most 80 octets.
    pub key: Vec<u8>,
}

/// A network on which one host connects and listens.
pub trait Network: Clone + 'static {
    /// An open connection.
    type Connection: Connection;
    /// A listening socket.
    type Listener: Listener<Connection = Self::Connection>;
    /// A connection on its way; dropping it abandons the attempt.
    type Connecting: Connecting<Self::Connection>;

    /// The names of this network's connections.
    fn attempts(&self) -> &Attempts;

    /// Starts to connect to `to`.
    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> Self::Connecting;

    /// Listens at `at`.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`, `PermissionDenied`.
    fn listen(&self, at: SocketAddr) -> io::Result<Self::Listener>;
}

/// The next connection of `listener`.
///
/// # Errors
/// As for [`Listener::poll_accept`].
pub async fn accept<L: Listener>(listener: &mut L) -> io::Result<L::Connection> {
    poll_fn(|context| listener.poll_accept(context)).await
}
