//! A tap on a network: every observable of every connection goes into a trace.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::net::abort::Abort;
use crate::net::name::{Attempts, ConnectionName};
use crate::net::{Connecting, Connection, Listener, Network, PeerKey, SocketOptions, Stream};
use crate::sim::faulty::{FaultyConnecting, FaultyConnection, FaultyListener, FaultyNetwork};
use crate::sim::trace::{Socket, Trace, TraceEvent};

/// A network with a tap on it; what it tells is what the reactor above it sees, faults included.
#[derive(Debug, Clone)]
pub struct TappedNetwork<N> {
    inner: FaultyNetwork<N>,
    tap: Tap,
}

/// A connection with a tap on it.
#[derive(Debug)]
pub struct TappedConnection<C: Connection + Abort> {
    inner: FaultyConnection<C>,
    tap: Tap,
    finished: bool,
    /// The last write found no room.
    blocked: bool,
}

/// A listener whose connections have a tap on them.
#[derive(Debug)]
pub struct TappedListener<L: Listener> {
    inner: FaultyListener<L>,
    tap: Tap,
}

/// A tapped connect in progress.
pub struct TappedConnecting<N: Network> {
    inner: FaultyConnecting<N>,
    tap: Tap,
}

#[derive(Debug, Clone)]
struct Tap {
    host: Rc<str>,
    trace: Trace,
}

impl Tap {
    fn tell(&self, name: ConnectionName, socket: Socket) {
        self.trace
            .record(&self.host, TraceEvent::Socket(name, socket));
    }
}

impl<N> TappedNetwork<N> {
    /// Taps `inner` for `host`, the word by which its records are known.
    #[must_use]
    pub fn new(inner: FaultyNetwork<N>, host: &str, trace: &Trace) -> Self {
        let tap = Tap {
            host: host.into(),
            trace: trace.clone(),
        };
        Self { inner, tap }
    }
}

impl<C: Connection + Abort> TappedConnection<C> {
    fn open(inner: FaultyConnection<C>, tap: &Tap) -> Self {
        let (local, peer) = (inner.local_address(), inner.peer_address());
        tap.tell(inner.name(), Socket::Open(local, peer));
        Self {
            inner,
            tap: tap.clone(),
            finished: false,
            blocked: false,
        }
    }
}

impl<N> Network for TappedNetwork<N>
where
    N: Network,
    N::Connection: Abort,
{
    type Connection = TappedConnection<N::Connection>;
    type Listener = TappedListener<N::Listener>;
    type Connecting = TappedConnecting<N>;

    fn attempts(&self) -> &Attempts {
        self.inner.attempts()
    }

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> Self::Connecting {
        let inner = self.inner.connect(to, options);
        self.tap.tell(inner.name(), Socket::Connecting(to));
        TappedConnecting {
            inner,
            tap: self.tap.clone(),
        }
    }

    fn listen(&self, at: SocketAddr) -> io::Result<Self::Listener> {
        Ok(TappedListener {
            inner: self.inner.listen(at)?,
            tap: self.tap.clone(),
        })
    }
}

impl<N> Future for TappedConnecting<N>
where
    N: Network,
    N::Connection: Abort,
{
    type Output = io::Result<TappedConnection<N::Connection>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.inner).poll(context);
        polled.map(|connected| match connected {
            Ok(connection) => Ok(TappedConnection::open(connection, &self.tap)),
            Err(error) => {
                let name = self.inner.name();
                self.tap.tell(name, Socket::Failed(error.kind()));
                Err(error)
            }
        })
    }
}

impl<N> Connecting<TappedConnection<N::Connection>> for TappedConnecting<N>
where
    N: Network,
    N::Connection: Abort,
{
    fn name(&self) -> ConnectionName {
        self.inner.name()
    }
}

impl<L> Listener for TappedListener<L>
where
    L: Listener,
    L::Connection: Abort,
{
    type Connection = TappedConnection<L::Connection>;

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Self::Connection>> {
        let accepted = self.inner.poll_accept(context);
        accepted.map_ok(|connection| TappedConnection::open(connection, &self.tap))
    }

    fn local_address(&self) -> SocketAddr {
        self.inner.local_address()
    }

    fn restrict(&mut self, options: &SocketOptions) {
        self.inner.restrict(options);
    }

    fn set_keys(&mut self, keys: &[PeerKey]) -> io::Result<()> {
        self.inner.set_keys(keys)
    }
}

impl<C: Connection + Abort> TappedConnection<C> {
    fn told<T>(&self, result: &io::Result<T>) {
        if let Err(error) = result {
            self.tap
                .tell(self.inner.name(), Socket::Broken(error.kind()));
        }
    }
}

impl<C: Connection + Abort> Stream for TappedConnection<C> {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let polled = self.inner.poll_read(context, buffer);
        if let Poll::Ready(read) = &polled {
            match read {
                Ok(0) if !self.finished && !buffer.is_empty() => {
                    self.finished = true;
                    self.tap.tell(self.inner.name(), Socket::Finished);
                }
                Ok(0) => {}
                Ok(count) => {
                    let bytes = Bytes::copy_from_slice(&buffer[..*count]);
                    self.tap.tell(self.inner.name(), Socket::Received(bytes));
                }
                Err(_) => {
                    // What follows a broken connection is its end of file, no FIN.
                    self.finished = true;
                    self.told(read);
                }
            }
        }
        polled
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = self.inner.poll_write(context, bytes);
        let blocked = polled.is_pending() && !bytes.is_empty();
        if blocked && !self.blocked {
            self.tap.tell(self.inner.name(), Socket::Blocked);
        }
        self.blocked = blocked;
        if let Poll::Ready(wrote) = &polled {
            match wrote {
                Ok(count) => {
                    let bytes = Bytes::copy_from_slice(&bytes[..*count]);
                    self.tap.tell(self.inner.name(), Socket::Sent(bytes));
                }
                Err(_) => {
                    self.finished = true;
                    self.told(wrote);
                }
            }
        }
        polled
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.inner.poll_shutdown(context);
        if let Poll::Ready(shut) = &polled {
            match shut {
                Ok(()) => self.tap.tell(self.inner.name(), Socket::Shutdown),
                Err(_) => self.told(shut),
            }
        }
        polled
    }
}

impl<C: Connection + Abort> Connection for TappedConnection<C> {
    fn name(&self) -> ConnectionName {
        self.inner.name()
    }

    fn local_address(&self) -> SocketAddr {
        self.inner.local_address()
    }

    fn peer_address(&self) -> SocketAddr {
        self.inner.peer_address()
    }

    fn restrict(&self, options: &SocketOptions) -> io::Result<()> {
        self.inner.restrict(options)
    }

    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_gone(context)
    }
}

impl<C: Connection + Abort> Abort for TappedConnection<C> {
    const RESETS: bool = C::RESETS;

    fn abort(mut self) {
        self.inner.reset();
    }
}

impl<C: Connection + Abort> Drop for TappedConnection<C> {
    fn drop(&mut self) {
        self.tap.tell(self.inner.name(), Socket::Closed);
    }
}
