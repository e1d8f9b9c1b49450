//! [`Network`] over the simulated world: what a reactor on a host is given.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::net::abort::Abort;

use crate::net::{Connection, Listener, Network, PeerKey, SocketOptions, Stream};
use crate::sim::state::{ConnectionId, HostId, Shared};
use crate::sim::tcp::Side;

/// The network as one host sees it.
#[derive(Debug, Clone)]
pub struct SimNetwork {
    pub(super) shared: Rc<Shared>,
    pub(super) host: HostId,
}

/// A simulated TCP connection.
#[derive(Debug)]
pub struct SimConnection {
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
    local: SocketAddr,
}

/// A simulated connect in progress.
#[derive(Debug)]
pub struct SimConnecting {
    shared: Rc<Shared>,
    id: ConnectionId,
    connected: bool,
}

impl Network for SimNetwork {
    type Connection = SimConnection;
    type Listener = SimListener;
    type Connecting = SimConnecting;

    /// TTLs are taken as agreed upon: no simulated path is long enough to tell.
    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> SimConnecting {
        let id = self
            .shared
            .with(|state| state.connect(self.host, options, to));
        SimConnecting {
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
            local,
        })
    }
}

impl SimConnection {
    fn open(shared: &Rc<Shared>, id: ConnectionId, side: Side) -> Self {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let (local, peer) = shared.with(|state| match state.connections.get(&id) {
            Some(carried) => (carried.tcp.address(side), carried.tcp.address(side.other())),
            None => (unknown, unknown),
        });
        Self {
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
        let polled = self
            .shared
            .with(|state| match state.connections.get_mut(&id) {
                Some(carried) => carried.tcp.poll_connected(context.waker()),
                None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            });
        polled.map_ok(|()| {
            self.connected = true;
            SimConnection::open(&self.shared, id, Side::Client)
        })
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
        accepted.map_ok(|id| SimConnection::open(&self.shared, id, Side::Server))
    }

    fn local_address(&self) -> SocketAddr {
        self.local
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
        self.shared.with(|state| {
            state.call(self.id, |tcp, effects| {
                tcp.write(self.side, bytes, context.waker(), effects)
            })
        })
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

impl Connection for SimConnection {
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
}

impl Abort for SimConnection {
    const RESETS: bool = true;
    const PEER_RESETS: bool = true;

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
