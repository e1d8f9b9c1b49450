//! The kernel's TCP, through tokio.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::net::abort::Abort;
use crate::net::name::{Attempts, ConnectionName, Opener};
use crate::net::{Connecting, Connection, Listener, Network, PeerKey, SocketOptions, Stream};
use crate::os::restrict;

/// The queue of connections that wait to be accepted.
const BACKLOG: u32 = 128;

/// The kernel's network; needs a tokio runtime with I/O.
#[derive(Debug, Clone, Default)]
pub struct KernelNetwork {
    attempts: Attempts,
}

/// A TCP connection.
#[derive(Debug)]
pub struct KernelConnection {
    name: ConnectionName,
    stream: TcpStream,
    local: SocketAddr,
    peer: SocketAddr,
}

/// A listening TCP socket.
#[derive(Debug)]
pub struct KernelListener {
    attempts: Attempts,
    listener: TcpListener,
    local: SocketAddr,
    keys: Vec<PeerKey>,
}

/// A connect in progress.
pub struct KernelConnecting {
    name: ConnectionName,
    attempts: Attempts,
    stream: Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>,
}

impl Network for KernelNetwork {
    type Connection = KernelConnection;
    type Listener = KernelListener;
    type Connecting = KernelConnecting;

    fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> KernelConnecting {
        let socket = prepare(to, options);
        KernelConnecting {
            name: self.attempts.take(to.ip(), Opener::Us),
            attempts: self.attempts.clone(),
            stream: Box::pin(async move { socket?.connect(to).await }),
        }
    }

    fn listen(&self, at: SocketAddr) -> io::Result<KernelListener> {
        let socket = socket_for(at)?;
        socket.set_reuseaddr(true)?;
        socket.bind(at)?;
        let listener = socket.listen(BACKLOG)?;
        let local = listener.local_addr()?;
        Ok(KernelListener {
            attempts: self.attempts.clone(),
            listener,
            local,
            keys: Vec::new(),
        })
    }
}

fn prepare(to: SocketAddr, options: &SocketOptions) -> io::Result<TcpSocket> {
    let socket = socket_for(to)?;
    socket.set_nodelay(true)?;
    if let Some(interface) = &options.interface {
        SockRef::from(&socket).bind_device(Some(interface.as_bytes()))?;
    }
    if let Some(key) = &options.md5 {
        let key = PeerKey {
            peer: to.ip(),
            prefix_length: if to.is_ipv4() { 32 } else { 128 },
            key: key.clone(),
        };
        restrict::set_md5(&socket, &key)?;
    }
    set_ttls(&socket, to.ip(), options)?;
    if options.source.is_some() || options.source_port.is_some() {
        let any = match to {
            SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        let source = options.source.unwrap_or(any);
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(source, options.source_port.unwrap_or(0)))?;
    }
    Ok(socket)
}

fn set_ttls(socket: &impl AsFd, peer: IpAddr, options: &SocketOptions) -> io::Result<()> {
    if let Some(ttl) = options.outgoing_ttl {
        let socket = SockRef::from(socket);
        match peer {
            IpAddr::V4(_) => socket.set_ttl_v4(u32::from(ttl))?,
            IpAddr::V6(_) => socket.set_unicast_hops_v6(u32::from(ttl))?,
        }
    }
    if let Some(ttl) = options.incoming_ttl {
        restrict::set_least_ttl(socket, peer, ttl)?;
    }
    Ok(())
}

fn socket_for(address: SocketAddr) -> io::Result<TcpSocket> {
    match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            SockRef::from(&socket).set_only_v6(true)?;
            Ok(socket)
        }
    }
}

impl KernelConnection {
    fn open(stream: TcpStream, name: ConnectionName, attempts: &Attempts) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let peer = stream.peer_addr()?;
        attempts.opened(name, local, peer);
        Ok(Self {
            name,
            stream,
            local,
            peer,
        })
    }
}

impl Future for KernelConnecting {
    type Output = io::Result<KernelConnection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let stream = ready!(self.stream.as_mut().poll(context))?;
        Poll::Ready(KernelConnection::open(stream, self.name, &self.attempts))
    }
}

impl Connecting<KernelConnection> for KernelConnecting {
    fn name(&self) -> ConnectionName {
        self.name
    }
}

impl Listener for KernelListener {
    type Connection = KernelConnection;

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<KernelConnection>> {
        loop {
            let (stream, peer) = ready!(self.listener.poll_accept(context))?;
            // A connection may be reset while it waits in the backlog: getpeername then fails, the stream still reads.
            let local = stream.local_addr().unwrap_or(self.local);
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            let name = self.attempts.take(peer.ip(), Opener::Peer);
            self.attempts.opened(name, local, peer);
            return Poll::Ready(Ok(KernelConnection {
                name,
                stream,
                local,
                peer,
            }));
        }
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn set_keys(&mut self, keys: &[PeerKey]) -> io::Result<()> {
        // A listener has the keys of peers of its own address family only.
        let ours = |key: &&PeerKey| key.peer.is_ipv4() == self.local.is_ipv4();
        let same_peers = |one: &PeerKey, other: &PeerKey| {
            (one.peer, one.prefix_length) == (other.peer, other.prefix_length)
        };
        let gone = |key: &&PeerKey| !keys.iter().any(|wanted| same_peers(wanted, key));
        for old in self.keys.iter().filter(gone) {
            let key = Vec::new();
            restrict::set_md5(&self.listener, &PeerKey { key, ..old.clone() })?;
        }
        let wanted: Vec<PeerKey> = keys.iter().filter(ours).cloned().collect();
        for key in wanted.iter().filter(|key| !self.keys.contains(key)) {
            restrict::set_md5(&self.listener, key)?;
        }
        self.keys = wanted;
        Ok(())
    }
}

impl Stream for KernelConnection {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connection for KernelConnection {
    fn name(&self) -> ConnectionName {
        self.name
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn peer_address(&self) -> SocketAddr {
        self.peer
    }

    fn restrict(&self, options: &SocketOptions) -> io::Result<()> {
        set_ttls(&self.stream, self.peer.ip(), options)
    }
}

impl Abort for KernelConnection {
    const RESETS: bool = true;

    fn abort(self) {
        // Where the option fails the connection is gone already.
        let _ = self.stream.set_zero_linger();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn key(peer: &str, prefix_length: u8, key: &str) -> PeerKey {
        PeerKey {
            peer: peer.parse().unwrap(),
            prefix_length,
            key: key.as_bytes().to_vec(),
        }
    }

    fn signed(key: &str) -> SocketOptions {
        SocketOptions {
            md5: Some(key.as_bytes().to_vec()),
            ..SocketOptions::default()
        }
    }

    async fn accept(listener: &mut KernelListener) -> KernelConnection {
        poll_fn(|context| listener.poll_accept(context))
            .await
            .unwrap()
    }

    /// Sends an octet from `one` to `other`.
    async fn carry(one: &mut KernelConnection, other: &mut KernelConnection) {
        let sent = poll_fn(|context| one.poll_write(context, b"!")).await;
        assert_eq!(sent.unwrap(), 1);
        let mut buffer = [0; 2];
        let received = poll_fn(|context| other.poll_read(context, &mut buffer)).await;
        assert_eq!(received.unwrap(), 1);
    }

    /// Whether `connecting` still waits; on the loopback a connection that is let in is open at once.
    async fn waits(connecting: &mut KernelConnecting) -> bool {
        poll_fn(|context| Poll::Ready(Pin::new(&mut *connecting).poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn only_those_who_sign_with_the_right_key_come_in() {
        for (at, prefix_length) in [("127.0.0.1:0", 32), ("[::1]:0", 128), ("127.0.0.1:0", 8)] {
            let mut listener = KernelNetwork::default()
                .listen(at.parse().unwrap())
                .unwrap();
            let to = listener.local_address();
            let peer = to.ip().to_string();
            listener
                .set_keys(&[key(&peer, prefix_length, "secret")])
                .unwrap();
            let mut wrong = KernelNetwork::default().connect(to, &signed("other"));
            assert!(waits(&mut wrong).await);
            let mut unsigned = KernelNetwork::default().connect(to, &SocketOptions::default());
            assert!(waits(&mut unsigned).await);

            let mut right = KernelNetwork::default()
                .connect(to, &signed("secret"))
                .await
                .unwrap();
            let mut accepted = accept(&mut listener).await;
            assert_eq!(accepted.peer_address(), right.local_address());
            carry(&mut right, &mut accepted).await;
            carry(&mut accepted, &mut right).await;
            assert!(waits(&mut wrong).await && waits(&mut unsigned).await);
        }
    }

    #[tokio::test]
    async fn a_key_that_is_gone_is_asked_for_no_more() {
        let mut listener = KernelNetwork::default()
            .listen("127.0.0.1:0".parse().unwrap())
            .unwrap();
        let to = listener.local_address();
        let (local, elsewhere) = (key("127.0.0.1", 32, "secret"), key("2001:db8::1", 128, "x"));
        listener.set_keys(&[local, elsewhere]).unwrap();
        listener.set_keys(&[]).unwrap();
        let mut unsigned = KernelNetwork::default()
            .connect(to, &SocketOptions::default())
            .await
            .unwrap();
        let mut accepted = accept(&mut listener).await;
        carry(&mut unsigned, &mut accepted).await;
    }

    #[tokio::test]
    async fn what_comes_with_a_lower_ttl_is_dropped() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let mut listener = KernelNetwork::default()
                .listen(at.parse().unwrap())
                .unwrap();
            let to = listener.local_address();
            let near = SocketOptions {
                outgoing_ttl: Some(255),
                incoming_ttl: Some(255),
                ..SocketOptions::default()
            };
            let mut one = KernelNetwork::default()
                .connect(
                    to,
                    &SocketOptions {
                        incoming_ttl: None,
                        ..near.clone()
                    },
                )
                .await
                .unwrap();
            let mut other = accept(&mut listener).await;
            other.restrict(&near).unwrap();
            carry(&mut one, &mut other).await;
            carry(&mut other, &mut one).await;

            // The answer to this one comes with the system's own TTL.
            let mut far = KernelNetwork::default().connect(to, &near);
            assert!(waits(&mut far).await);
        }
    }

    #[tokio::test]
    async fn a_key_that_is_too_long_and_an_interface_that_is_not_there_are_told() {
        let to = "127.0.0.1:179".parse().unwrap();
        let told = KernelNetwork::default()
            .connect(to, &signed(&"x".repeat(81)))
            .await;
        assert_eq!(
            told.unwrap_err().to_string(),
            "an MD5 key has at most 80 octets, not 81"
        );
        let through = SocketOptions {
            interface: Some("nowhere0".to_owned()),
            ..SocketOptions::default()
        };
        let told = KernelNetwork::default()
            .connect(to, &through)
            .await
            .unwrap_err();
        assert_eq!(told.kind(), io::Error::from_raw_os_error(19).kind());
    }
}
