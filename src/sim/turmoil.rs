//! turmoil's network: an independent simulator, for a second opinion.
//!
//! It is used inside the limits within which it is sound: whole-millisecond
//! ticks, one fixed latency (with two, an RST overtakes data), a capacity of at
//! least 65,536 segments (a FIN behind a full queue is never delivered), no
//! injected RST and no loss.
//!
//! turmoil gives a host one address and no choice of source. Here any address
//! may be listened on and connected from: a registry, shared by the parties of
//! a world, translates, as if all parties were on one machine.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

use crate::net::abort::Abort;
use crate::net::name::{Attempts, ConnectionName, Opener};
use crate::net::{Connecting, Connection, Listener, Network, SocketOptions, Stream};

/// Segments that may be under way on a connection.
const CAPACITY: usize = 65_536;
/// The first port given to a listener inside turmoil; ephemeral ones begin at 49,152.
const FIRST_PORT: u16 = 1_024;

/// A world of turmoil: parties, each a host of its own.
pub struct TurmoilWorld {
    sim: turmoil::Sim<'static>,
    limit: Duration,
    registry: Rc<RefCell<Registry>>,
}

/// Why a run on turmoil ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("turmoil: {0}")]
pub struct TurmoilFailure(pub String);

/// The network as one party sees it; usable only inside that party's future.
#[derive(Debug, Clone)]
pub struct TurmoilNetwork {
    party: Rc<str>,
    attempts: Attempts,
    registry: Rc<RefCell<Registry>>,
}

/// A connection over turmoil.
#[derive(Debug)]
pub struct TurmoilConnection {
    name: ConnectionName,
    stream: TcpStream,
    local: SocketAddr,
    peer: SocketAddr,
    /// The reset has been reported.
    over: bool,
}

type Accepting = Pin<Box<dyn Future<Output = io::Result<(TcpStream, SocketAddr)>>>>;

/// A listening socket over turmoil.
pub struct TurmoilListener {
    attempts: Attempts,
    listener: Rc<TcpListener>,
    accepting: Option<Accepting>,
    local: SocketAddr,
    inside: SocketAddr,
    registry: Rc<RefCell<Registry>>,
}

/// A connect in progress over turmoil.
pub struct TurmoilConnecting {
    name: ConnectionName,
    attempts: Attempts,
    stream: Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>,
    dial: Dial,
    to: SocketAddr,
    registry: Rc<RefCell<Registry>>,
}

/// Who listens where, and who is on the way.
#[derive(Debug, Default)]
struct Registry {
    /// From the address that a listener asked for to the one inside turmoil.
    listeners: BTreeMap<SocketAddr, SocketAddr>,
    /// Connects under way, by the address inside turmoil, oldest first: with one latency they arrive in this order.
    dials: BTreeMap<SocketAddr, VecDeque<Dial>>,
    dialled: u64,
    next_port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dial {
    number: u64,
    inside: SocketAddr,
    source: IpAddr,
    target: SocketAddr,
}

impl fmt::Debug for TurmoilWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurmoilWorld")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

impl TurmoilWorld {
    /// A world in which every segment takes `latency` (at least a millisecond), that lasts at most `limit`.
    #[must_use]
    pub fn new(seed: u64, latency: Duration, limit: Duration) -> Self {
        let tick = Duration::from_millis(1);
        let latency = latency.max(tick);
        let sim = turmoil::Builder::new()
            .rng_seed(seed)
            .epoch(SystemTime::UNIX_EPOCH)
            .tick_duration(tick)
            .min_message_latency(latency)
            .max_message_latency(latency)
            .tcp_capacity(CAPACITY)
            // The limit is ours to keep.
            .simulation_duration(Duration::MAX)
            .build();
        Self {
            sim,
            limit,
            registry: Rc::default(),
        }
    }

    /// The network of the party `name`, with connection names of its own.
    #[must_use]
    pub fn network(&self, name: &str) -> TurmoilNetwork {
        TurmoilNetwork {
            party: name.into(),
            attempts: Attempts::default(),
            registry: self.registry.clone(),
        }
    }

    /// Adds a party that lives in `future`, on a host of its own.
    pub fn party(&mut self, name: &str, future: impl Future<Output = ()> + 'static) {
        self.sim.client(name, async move {
            future.await;
            Ok(())
        });
    }

    /// Runs the party `name` to the end of `future`; the others end with it.
    ///
    /// # Errors
    /// The time is over, or turmoil says why not.
    pub fn run<F>(mut self, name: &str, future: F) -> Result<F::Output, TurmoilFailure>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let output = Rc::new(RefCell::new(None));
        let shared = output.clone();
        self.party(name, async move {
            let finished = future.await;
            *shared.borrow_mut() = Some(finished);
        });
        loop {
            let stepped = self.sim.step();
            if let Some(finished) = output.borrow_mut().take() {
                return Ok(finished);
            }
            if let Err(error) = stepped {
                return Err(TurmoilFailure(error.to_string()));
            }
            if self.sim.elapsed() >= self.limit {
                let limit = self.limit.as_secs_f64();
                let words = format!("the run did not end within {limit} s of virtual time");
                return Err(TurmoilFailure(words));
            }
        }
    }
}

impl Registry {
    fn listener(&self, to: SocketAddr) -> Option<SocketAddr> {
        let inside = self.listeners.get(&to);
        inside
            .or_else(|| self.listeners.get(&wildcard(to)))
            .copied()
    }

    fn dial(&mut self, inside: SocketAddr, source: IpAddr, target: SocketAddr) -> Dial {
        self.dialled += 1;
        let dial = Dial {
            number: self.dialled,
            inside,
            source,
            target,
        };
        self.dials.entry(inside).or_default().push_back(dial);
        dial
    }

    fn hang_up(&mut self, dial: Dial) {
        if let Some(dials) = self.dials.get_mut(&dial.inside) {
            dials.retain(|other| *other != dial);
        }
    }
}

fn wildcard(address: SocketAddr) -> SocketAddr {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(any, address.port())
}

/// What Linux would choose on a machine that has all addresses.
fn default_source(to: IpAddr) -> IpAddr {
    match to {
        IpAddr::V4(address) if address.is_loopback() => Ipv4Addr::LOCALHOST.into(),
        address => address,
    }
}

impl Network for TurmoilNetwork {
    type Connection = TurmoilConnection;
    type Listener = TurmoilListener;
    type Connecting = TurmoilConnecting;

    fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> TurmoilConnecting {
        let source = options.source.unwrap_or_else(|| default_source(to.ip()));
        let mut registry = self.registry.borrow_mut();
        // Where nobody listens turmoil is asked all the same: it refuses, in its own time.
        let nobody = SocketAddr::new(turmoil::lookup(&*self.party), 1);
        let inside = registry.listener(to).unwrap_or(nobody);
        let dial = registry.dial(inside, source, to);
        TurmoilConnecting {
            name: self.attempts.take(to.ip(), Opener::Us),
            attempts: self.attempts.clone(),
            stream: Box::pin(TcpStream::connect(inside)),
            dial,
            to,
            registry: self.registry.clone(),
        }
    }

    fn listen(&self, at: SocketAddr) -> io::Result<TurmoilListener> {
        let mut registry = self.registry.borrow_mut();
        let port = FIRST_PORT + registry.next_port;
        let mut at = at;
        if at.port() == 0 {
            at.set_port(port);
        }
        let taken = registry
            .listeners
            .keys()
            .any(|other| *other == at || wildcard(*other) == at || *other == wildcard(at));
        if taken {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        registry.next_port += 1;
        let bind = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port));
        // turmoil binds at once.
        let bound = pin!(bind).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(listener) = bound else {
            return Err(io::Error::other("turmoil did not bind at once"));
        };
        let inside = SocketAddr::new(turmoil::lookup(&*self.party), port);
        registry.listeners.insert(at, inside);
        Ok(TurmoilListener {
            attempts: self.attempts.clone(),
            listener: Rc::new(listener?),
            accepting: None,
            local: at,
            inside,
            registry: self.registry.clone(),
        })
    }
}

impl Future for TurmoilConnecting {
    type Output = io::Result<TurmoilConnection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let stream = ready!(self.stream.as_mut().poll(context))?;
        let port = stream.local_addr()?.port();
        let local = SocketAddr::new(self.dial.source, port);
        self.attempts.opened(self.name, local, self.to);
        Poll::Ready(Ok(TurmoilConnection {
            name: self.name,
            stream,
            local,
            peer: self.to,
            over: false,
        }))
    }
}

impl Connecting<TurmoilConnection> for TurmoilConnecting {
    fn name(&self) -> ConnectionName {
        self.name
    }
}

impl Drop for TurmoilConnecting {
    fn drop(&mut self) {
        self.registry.borrow_mut().hang_up(self.dial);
    }
}

impl Listener for TurmoilListener {
    type Connection = TurmoilConnection;

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<TurmoilConnection>> {
        let listener = &self.listener;
        let accepting = self.accepting.get_or_insert_with(|| {
            let listener = listener.clone();
            Box::pin(async move { listener.accept().await })
        });
        let accepted = ready!(accepting.as_mut().poll(context));
        self.accepting = None;
        let (stream, origin) = accepted?;
        let mut registry = self.registry.borrow_mut();
        let dials = registry.dials.entry(self.inside).or_default();
        let (source, local) = match dials.pop_front() {
            Some(dial) => (dial.source, dial.target),
            None => (default_source(self.local.ip()), self.local),
        };
        let peer = SocketAddr::new(source, origin.port());
        let name = self.attempts.take(source, Opener::Peer);
        self.attempts.opened(name, local, peer);
        Poll::Ready(Ok(TurmoilConnection {
            name,
            stream,
            local,
            peer,
            over: false,
        }))
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for TurmoilListener {
    fn drop(&mut self) {
        self.registry.borrow_mut().listeners.remove(&self.local);
    }
}

impl Stream for TurmoilConnection {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.over {
            return Poll::Ready(Ok(0));
        }
        let mut buffer = ReadBuf::new(buffer);
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
        self.over = read.is_err();
        Poll::Ready(read.map(|()| buffer.filled().len()))
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.stream).poll_shutdown(context)) {
            // Shut down already, or gone: nothing left to close.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotConnected | io::ErrorKind::BrokenPipe
                ) =>
            {
                Poll::Ready(Ok(()))
            }
            other => Poll::Ready(other),
        }
    }
}

impl Connection for TurmoilConnection {
    fn name(&self) -> ConnectionName {
        self.name
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn peer_address(&self) -> SocketAddr {
        self.peer
    }
}

impl Abort for TurmoilConnection {
    const RESETS: bool = false;

    /// An ordinary close: turmoil sends RST only where octets were left unread.
    fn abort(self) {}
}
