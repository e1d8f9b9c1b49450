//! [`Network`] over the simulated world: what a reactor on a host is given.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::net::abort::Abort;
use crate::net::name::{Attempts, ConnectionName, Opener};
use crate::net::{Connecting, Connection, Listener, Network, PeerKey, SocketOptions, Stream};
use crate::sim::readiness::Readiness;
use crate::sim::state::{ConnectionId, HostId, Shared};
use crate::sim::tcp::{Effects, Side, Tcp};
use crate::sim::ttl::Ttls;
use crate::sim::written::Written;

/// The network as one host sees it.
#[derive(Debug, Clone)]
pub struct SimNetwork {
    pub(super) shared: Rc<Shared>,
    pub(super) host: HostId,
    pub(super) attempts: Attempts,
}

/// A simulated TCP connection.
#[derive(Debug)]
pub struct SimConnection {
    name: ConnectionName,
    shared: Rc<Shared>,
    id: ConnectionId,
    side: Side,
    local: SocketAddr,
    peer: SocketAddr,
}

/// A simulated listening socket.
#[derive(Debug)]
pub struct SimListener {
    shared: Rc<Shared>,
    host: HostId,
    attempts: Attempts,
    local: SocketAddr,
}

/// A simulated connect in progress.
#[derive(Debug)]
pub struct SimConnecting {
    name: ConnectionName,
    shared: Rc<Shared>,
    id: ConnectionId,
    connected: bool,
}

impl Network for SimNetwork {
    type Connection = SimConnection;
    type Listener = SimListener;
    type Connecting = SimConnecting;

    fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> SimConnecting {
        let (id, local) = self.shared.with(|state| {
            let id = state.connect(self.host, options, to);
            let flow = state.connections.get(&id);
            (id, flow.map(|flow| flow.tcp.address(Side::Client)))
        });
        let name = self.attempts.take(to.ip(), Opener::Us);
        if let Some(local) = local {
            // The peer may speak of it before this end knows that it is open.
            self.attempts.opened(name, local, to);
        }
        SimConnecting {
            name,
            shared: self.shared.clone(),
            id,
            connected: false,
        }
    }

    fn listen(&self, at: SocketAddr) -> io::Result<SimListener> {
        let local = self.shared.with(|state| state.listen(self.host, at))?;
        Ok(SimListener {
            shared: self.shared.clone(),
            host: self.host,
            attempts: self.attempts.clone(),
            local,
        })
    }
}

impl SimConnection {
    fn open(
        shared: &Rc<Shared>,
        id: ConnectionId,
        side: Side,
        name: impl FnOnce(SocketAddr, SocketAddr) -> ConnectionName,
    ) -> Self {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let (local, peer) = shared.with(|state| match state.connections.get(&id) {
            Some(flow) => (flow.tcp.address(side), flow.tcp.address(side.other())),
            None => (unknown, unknown),
        });
        Self {
            name: name(local, peer),
            shared: shared.clone(),
            id,
            side,
            local,
            peer,
        }
    }
}

impl Future for SimConnecting {
    type Output = io::Result<SimConnection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.id;
        let waker = context.waker();
        let polled = self
            .shared
            .with(|state| match state.connections.get_mut(&id) {
                Some(flow) => flow
                    .tcp
                    .poll_connected(waker)
                    .map_ok(|()| (id, Side::Client)),
                None => state.poll_crossed(id, waker).map(|met| match met {
                    Some(met) => Ok((met, Side::Server)),
                    None => Err(io::ErrorKind::NotConnected.into()),
                }),
            });
        polled.map_ok(|(id, side)| {
            self.connected = true;
            SimConnection::open(&self.shared, id, side, |_, _| self.name)
        })
    }
}

impl Connecting<SimConnection> for SimConnecting {
    fn name(&self) -> ConnectionName {
        self.name
    }
}

impl Drop for SimConnecting {
    fn drop(&mut self) {
        if !self.connected {
            self.shared.with(|state| state.abandon(self.id));
        }
    }
}

impl Listener for SimListener {
    type Connection = SimConnection;

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<SimConnection>> {
        let place = (self.host, self.local);
        let accepted = self
            .shared
            .with(|state| state.accept(place, context.waker()));
        accepted.map_ok(|id| {
            SimConnection::open(&self.shared, id, Side::Server, |local, peer| {
                let name = self.attempts.take(peer.ip(), Opener::Peer);
                self.attempts.opened(name, local, peer);
                name
            })
        })
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn restrict(&mut self, options: &SocketOptions) {
        let place = (self.host, self.local);
        let ttls = Ttls::of(options);
        self.shared
            .with(|state| state.set_listener_ttls(place, ttls));
    }

    fn set_keys(&mut self, keys: &[PeerKey]) -> io::Result<()> {
        self.shared
            .with(|state| state.set_keys((self.host, self.local), keys));
        Ok(())
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        self.shared
            .with(|state| state.unlisten((self.host, self.local)));
    }
}

impl Stream for SimConnection {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.shared.with(|state| {
            state.call(self.id, |tcp, effects| {
                tcp.read(self.side, buffer, context.waker(), effects)
            })
        })
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = self.shared.with(|state| {
            state.call(self.id, |tcp, effects| {
                tcp.write(self.side, bytes, context.waker(), effects)
            })
        });
        if let (Poll::Ready(Ok(count)), Some(listener)) = (&wrote, self.shared.listener.get()) {
            (listener.0)(&Written {
                at: self.shared.clock().now(),
                name: self.name,
                local: self.local,
                peer: self.peer,
                octets: &bytes[..*count],
            });
        }
        wrote
    }

    fn poll_shutdown(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|state| {
            state.call(self.id, |tcp, effects| {
                tcp.shutdown(self.side, effects);
                Poll::Ready(Ok(()))
            })
        })
    }
}

impl SimConnection {
    /// `recv(2)` that does not block.
    ///
    /// # Errors
    /// `WouldBlock`, and as for a read.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.poll_read(&mut Context::from_waker(Waker::noop()), buffer) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// `send(2)` that does not block: takes octets as long as there is any room at all.
    ///
    /// # Errors
    /// `WouldBlock`, and as for a write.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.now(|tcp, effects, side| tcp.try_write(side, bytes, effects))
    }

    /// `shutdown(2)` of the sending direction.
    ///
    /// # Errors
    /// `NotConnected` after an RST, or when both directions have ended.
    pub fn try_shutdown(&mut self) -> io::Result<()> {
        self.now(|tcp, effects, side| tcp.try_shutdown(side, effects))
    }

    /// What the socket is ready for, now.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.shared.with(|state| {
            let flow = state.connections.get(&self.id);
            flow.map_or_else(Readiness::default, |it| it.tcp.readiness(self.side))
        })
    }

    /// Takes the pending error, as `SO_ERROR` does.
    #[must_use]
    pub fn take_error(&mut self) -> Option<io::ErrorKind> {
        self.now(|tcp, _, side| Ok(tcp.take_error(side))).ok()?
    }

    /// Octets that were written and are not known to have arrived (`SIOCOUTQ`).
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.with(|state| {
            let flow = state.connections.get(&self.id);
            flow.map_or(0, |flow| match self.side {
                Side::Client => flow.tcp.client.queued(),
                Side::Server => flow.tcp.server.queued(),
            })
        })
    }

    /// Waits for a readiness other than `known`.
    pub fn poll_readiness(
        &mut self,
        context: &mut Context<'_>,
        known: Readiness,
    ) -> Poll<Readiness> {
        let readiness = self.readiness();
        if readiness != known {
            return Poll::Ready(readiness);
        }
        let _ = self.now(|tcp, _, side| {
            tcp.watch(side, context.waker());
            Ok(())
        });
        Poll::Pending
    }

    fn now<T>(
        &mut self,
        call: impl FnOnce(&mut Tcp, &mut Effects, Side) -> io::Result<T>,
    ) -> io::Result<T> {
        let side = self.side;
        self.shared.with(|state| {
            let answered = state.step(state.now, self.id, |tcp, effects| {
                Some(call(tcp, effects, side))
            });
            answered.unwrap_or_else(|| Err(io::ErrorKind::NotConnected.into()))
        })
    }
}

impl Connection for SimConnection {
    fn name(&self) -> ConnectionName {
        self.name
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn peer_address(&self) -> SocketAddr {
        self.peer
    }

    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.shared
            .with(|state| {
                state.call(self.id, |tcp, _| {
                    tcp.poll_gone(self.side, context.waker()).map(Ok)
                })
            })
            .map(|_: io::Result<()>| ())
    }

    fn restrict(&self, options: &SocketOptions) -> io::Result<()> {
        let ttls = Ttls::of(options);
        self.shared
            .with(|state| state.set_ttls(self.id, self.side, ttls));
        Ok(())
    }
}

impl Abort for SimConnection {
    const RESETS: bool = true;
    const PEER_RESETS: bool = true;
    const LOSES: bool = true;

    fn abort(self) {
        self.shared.with(|state| {
            state.step(state.now, self.id, |tcp, effects| {
                tcp.reset(self.side, effects);
            });
        });
    }

    fn abort_peer(&mut self) {
        self.shared.with(|state| {
            state.step(state.now, self.id, |tcp, effects| {
                tcp.lose(self.side.other(), effects);
            });
        });
    }

    fn lose(&mut self, sent: bool, nth: u64) {
        let from = if sent { self.side } else { self.side.other() };
        self.shared.with(|state| {
            if let Some(flow) = state.connections.get_mut(&self.id) {
                flow.direction(from).lose.push(nth.max(1));
            }
        });
    }

    fn silence(&mut self, time: Option<Duration>) {
        self.shared.with(|state| {
            let until = time.map(|time| state.now + time);
            if let Some(flow) = state.connections.get_mut(&self.id) {
                flow.silent = Some(until);
            }
        });
    }
}

impl Drop for SimConnection {
    fn drop(&mut self) {
        self.shared.with(|state| {
            state.step(state.now, self.id, |tcp, effects| {
                tcp.close(self.side, effects);
            });
        });
    }
}
