//! A network that applies faults to its connections: the same wrapper over the kernel, the simulation and turmoil.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::net::abort::Abort;
use crate::net::name::{Attempts, ConnectionName, Opener};
use crate::net::timer::{Sleep, sleep_until};
use crate::net::{Connecting, Connection, Listener, Network, PeerKey, SocketOptions, Stream};
use crate::sim::connection_faults::ConnectionFaults;
use crate::sim::fault::{Action, Faults, Unsupported};
use crate::sim::fault_context::FaultContext;
use crate::sim::sysctl::TcpSettings;
use crate::sim::trace::Trace;

/// A network that applies faults to its connections.
#[derive(Debug, Clone)]
pub struct FaultyNetwork<N> {
    inner: N,
    common: Rc<FaultContext>,
}

/// A connection with faults.
#[derive(Debug)]
pub struct FaultyConnection<C: Connection + Abort> {
    /// Gone once a fault has ended it.
    inner: Option<C>,
    name: ConnectionName,
    local: SocketAddr,
    peer: SocketAddr,
    common: Rc<FaultContext>,
    /// Absent where no fault aims at this connection: then nothing is in the way.
    connection_faults: Option<Box<ConnectionFaults>>,
}

/// A listener whose connections have faults.
#[derive(Debug)]
pub struct FaultyListener<L> {
    inner: L,
    common: Rc<FaultContext>,
}

/// A connection attempt with faults.
pub struct FaultyConnecting<N: Network> {
    name: ConnectionName,
    common: Rc<FaultContext>,
    course: ConnectState<N>,
}

enum ConnectState<N: Network> {
    Real(N::Connecting),
    Refused,
    Unanswered(Sleep),
}

impl<N> FaultyNetwork<N>
where
    N: Network,
    N::Connection: Abort,
{
    /// Applies `faults` to the connections of `inner`; those that trigger are recorded in `trace` under `host`.
    ///
    /// # Errors
    /// A fault that `inner` cannot cause.
    pub fn new(inner: N, host: &str, trace: &Trace, faults: &Faults) -> Result<Self, Unsupported> {
        faults.check::<N::Connection>()?;
        Ok(Self {
            inner,
            common: Rc::new(FaultContext::new(host, trace, faults)),
        })
    }
}

impl<N> Network for FaultyNetwork<N>
where
    N: Network,
    N::Connection: Abort,
{
    type Connection = FaultyConnection<N::Connection>;
    type Listener = FaultyListener<N::Listener>;
    type Connecting = FaultyConnecting<N>;

    fn attempts(&self) -> &Attempts {
        self.inner.attempts()
    }

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> FaultyConnecting<N> {
        let mut name = self.attempts().next(to.ip(), Opener::Us);
        let course = match self.common.attempt(name) {
            Some(Action::Refuse) => {
                name = self.attempts().take(to.ip(), Opener::Us);
                ConnectState::Refused
            }
            Some(_) => {
                name = self.attempts().take(to.ip(), Opener::Us);
                let unanswered = TcpSettings::default().unanswered(self.common.now());
                let end = self.common.at(unanswered);
                ConnectState::Unanswered(sleep_until(end))
            }
            None => ConnectState::Real(self.inner.connect(to, options)),
        };
        FaultyConnecting {
            name,
            common: self.common.clone(),
            course,
        }
    }

    fn listen(&self, at: SocketAddr) -> io::Result<Self::Listener> {
        Ok(FaultyListener {
            inner: self.inner.listen(at)?,
            common: self.common.clone(),
        })
    }
}

impl<N> Future for FaultyConnecting<N>
where
    N: Network,
    N::Connection: Abort,
{
    type Output = io::Result<FaultyConnection<N::Connection>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let connection = match &mut self.course {
            ConnectState::Real(connecting) => ready!(Pin::new(connecting).poll(context))?,
            ConnectState::Refused => {
                return Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()));
            }
            ConnectState::Unanswered(sleep) => {
                ready!(Pin::new(sleep).poll(context));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        };
        let opened = FaultyConnection::open(connection, self.name, &self.common);
        Poll::Ready(Ok(opened))
    }
}

impl<N> Connecting<FaultyConnection<N::Connection>> for FaultyConnecting<N>
where
    N: Network,
    N::Connection: Abort,
{
    fn name(&self) -> ConnectionName {
        self.name
    }
}

impl<L> Listener for FaultyListener<L>
where
    L: Listener,
    L::Connection: Abort,
{
    type Connection = FaultyConnection<L::Connection>;

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Self::Connection>> {
        loop {
            let connection = ready!(self.inner.poll_accept(context))?;
            let name = connection.name();
            match self.common.attempt(name) {
                Some(Action::Refuse) => connection.abort(),
                Some(_) => self.common.silence(connection),
                None => {
                    let opened = FaultyConnection::open(connection, name, &self.common);
                    return Poll::Ready(Ok(opened));
                }
            }
        }
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

impl<C: Connection + Abort> FaultyConnection<C> {
    fn open(inner: C, name: ConnectionName, common: &Rc<FaultContext>) -> Self {
        let (local, peer) = (inner.local_address(), inner.peer_address());
        let mut inner = Some(inner);
        let mut connection_faults = ConnectionFaults::new(common.faults.of(name));
        if let Some(connection_faults) = &mut connection_faults {
            connection_faults.begin(&mut inner, common);
        }
        Self {
            inner,
            name,
            local,
            peer,
            common: common.clone(),
            connection_faults,
        }
    }
}

impl<C: Connection + Abort> Stream for FaultyConnection<C> {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match (&mut self.connection_faults, &mut self.inner) {
            (None, Some(inner)) => inner.poll_read(context, buffer),
            (None, None) => Poll::Ready(Ok(0)),
            (Some(connection_faults), inner) => {
                connection_faults.read(inner, &self.common, context, buffer)
            }
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match (&mut self.connection_faults, &mut self.inner) {
            (None, Some(inner)) => inner.poll_write(context, bytes),
            (None, None) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            (Some(connection_faults), inner) => {
                connection_faults.write(inner, &self.common, context, bytes)
            }
        }
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match (&mut self.connection_faults, &mut self.inner) {
            (None, Some(inner)) => inner.poll_shutdown(context),
            (None, None) => Poll::Ready(Ok(())),
            (Some(connection_faults), inner) => {
                connection_faults.shutdown(inner, &self.common, context)
            }
        }
    }
}

impl<C: Connection + Abort> Connection for FaultyConnection<C> {
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
        self.inner
            .as_ref()
            .map_or(Ok(()), |inner| inner.restrict(options))
    }

    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.inner {
            Some(inner) => inner.poll_gone(context),
            None => Poll::Ready(()),
        }
    }
}

impl<C: Connection + Abort> FaultyConnection<C> {
    /// Closes with RST, unless a fault has silenced it: then nothing more is heard of it.
    pub(super) fn reset(&mut self) {
        let silent = self
            .connection_faults
            .as_ref()
            .is_some_and(|it| it.silent());
        if !silent && let Some(inner) = self.inner.take() {
            inner.abort();
        }
    }
}

impl<C: Connection + Abort> Drop for FaultyConnection<C> {
    fn drop(&mut self) {
        let Some(connection_faults) = &mut self.connection_faults else {
            return;
        };
        connection_faults.settle_before_close(&mut self.inner, &self.common);
        let Some(inner) = self.inner.take() else {
            return;
        };
        if connection_faults.silent() {
            self.common.silence(inner);
        } else if connection_faults.unread() {
            inner.abort();
        }
    }
}
