//! The kernel's TCP, through tokio.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::abort::Abort;
use crate::reactor::network::{Connection, Listener, Network, SocketOptions, Stream};

/// The queue of connections that wait to be accepted.
const BACKLOG: u32 = 128;

/// The kernel's network; needs a tokio runtime with I/O.
#[derive(Debug, Clone, Copy, Default)]
pub struct KernelNetwork;

/// A TCP connection.
#[derive(Debug)]
pub struct KernelConnection {
    stream: TcpStream,
    local: SocketAddr,
    peer: SocketAddr,
}

/// A listening TCP socket.
#[derive(Debug)]
pub struct KernelListener {
    listener: TcpListener,
    local: SocketAddr,
}

/// A connect in progress.
pub struct KernelConnecting {
    attempt: Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>,
}

impl Network for KernelNetwork {
    type Connection = KernelConnection;
    type Listener = KernelListener;
    type Connecting = KernelConnecting;

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> KernelConnecting {
        let socket = prepare(to, options);
        KernelConnecting {
            attempt: Box::pin(async move { socket?.connect(to).await }),
        }
    }

    fn listen(&self, at: SocketAddr) -> io::Result<KernelListener> {
        let socket = socket_for(at)?;
        socket.set_reuseaddr(true)?;
        socket.bind(at)?;
        let listener = socket.listen(BACKLOG)?;
        let local = listener.local_addr()?;
        Ok(KernelListener { listener, local })
    }
}

fn prepare(to: SocketAddr, options: &SocketOptions) -> io::Result<TcpSocket> {
    let SocketOptions {
        source,
        outgoing_ttl,
        incoming_ttl,
        md5,
    } = options;
    if md5.is_some() {
        return Err(unsupported("TCP MD5 signatures (RFC 2385)"));
    }
    if incoming_ttl.is_some() {
        return Err(unsupported("a least incoming TTL (RFC 5082)"));
    }
    let socket = socket_for(to)?;
    socket.set_nodelay(true)?;
    if let Some(ttl) = outgoing_ttl {
        let socket = SockRef::from(&socket);
        match to {
            SocketAddr::V4(_) => socket.set_ttl_v4(u32::from(*ttl))?,
            SocketAddr::V6(_) => socket.set_unicast_hops_v6(u32::from(*ttl))?,
        }
    }
    if let Some(source) = source {
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(*source, 0))?;
    }
    Ok(socket)
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

/// What no safe crate offers is refused: a session that its owner wants protected must not run bare.
fn unsupported(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!(
            "{what} cannot be asked of the kernel without unsafe code; leave it out of the configuration"
        ),
    )
}

impl KernelConnection {
    fn open(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let peer = stream.peer_addr()?;
        Ok(Self {
            stream,
            local,
            peer,
        })
    }
}

impl Future for KernelConnecting {
    type Output = io::Result<KernelConnection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let stream = ready!(self.attempt.as_mut().poll(context))?;
        Poll::Ready(KernelConnection::open(stream))
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
            return Poll::Ready(Ok(KernelConnection {
                stream,
                local,
                peer,
            }));
        }
    }

    fn local_address(&self) -> SocketAddr {
        self.local
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
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn peer_address(&self) -> SocketAddr {
        self.peer
    }
}

impl Abort for KernelConnection {
    const RESETS: bool = true;

    fn abort(self) {
        // Where the option fails the connection is gone already.
        let _ = self.stream.set_zero_linger();
    }
}
