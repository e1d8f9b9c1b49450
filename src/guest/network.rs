//! What the engine needs of the simulated network, and how it has it from [`crate::net`] and [`crate::sim`]: this file
//! alone names them.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use nix::errno::Errno;

use super::description::{Description, Kind};
use super::kernel::Id;
use crate::net::abort::Abort;
use crate::net::network as seam;
use seam::{Connection, Listener, PeerKey, SocketOptions, Stream};

/// How much is read ahead of the guest, to know that there is something to read.
const AHEAD: usize = 16_384;

/// What is asked of TCP when a socket connects.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The address to connect from.
    pub source: Option<IpAddr>,
    /// `IP_TTL`.
    pub outgoing_ttl: Option<u8>,
    /// `IP_MINTTL`.
    pub incoming_ttl: Option<u8>,
    /// `TCP_MD5SIG` keys by peer.
    pub keys: Vec<(IpAddr, u8, Vec<u8>)>,
}

/// What became of a socket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Its handshake is over.
    pub connected: bool,
    /// It is on its way.
    pub connecting: bool,
    /// There are octets, the end of them, or a connection to accept.
    pub readable: bool,
    /// There is room.
    pub writable: bool,
    /// The peer sends no more.
    pub finished: bool,
    /// The connection is gone: a hang-up.
    pub gone: bool,
    /// What went wrong and was not reported yet (`SO_ERROR`).
    pub error: Option<Errno>,
    /// Counts what made it readable.
    pub arrivals: u64,
    /// Counts what made it writable.
    pub departures: u64,
    /// This end.
    pub local: Option<SocketAddr>,
    /// The other end.
    pub peer: Option<SocketAddr>,
}

/// The simulated network as one host's guests need it. Nothing here blocks.
pub trait Network {
    /// Starts to connect.
    fn connect(&mut self, id: u64, to: SocketAddr, options: &Options);

    /// Listens at all of `at`: two where an IPv6 socket listens for IPv4 too.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL`.
    fn listen(
        &mut self,
        id: u64,
        at: &[SocketAddr],
        options: &Options,
    ) -> Result<SocketAddr, Errno>;

    /// Changes the TTLs of a socket, and the signature keys of a listener.
    fn set_options(&mut self, id: u64, options: &Options);

    /// Takes a connection that waits at `listener`, as `id`.
    fn accept(&mut self, listener: u64, id: u64) -> Option<Status>;

    /// Reads up to `most` octets; nothing at the end.
    ///
    /// # Errors
    /// `EAGAIN`, or what broke the connection.
    fn read(&mut self, id: u64, most: usize, peek: bool) -> Result<Vec<u8>, Errno>;

    /// Writes what fits.
    ///
    /// # Errors
    /// `EAGAIN`, `EPIPE`, or what broke the connection.
    fn write(&mut self, id: u64, octets: &[u8]) -> Result<usize, Errno>;

    /// Sends no more.
    fn shutdown(&mut self, id: u64);

    /// close(2); with RST where `reset`.
    fn close(&mut self, id: u64, reset: bool);

    /// Octets that wait to be read.
    fn waiting(&self, id: u64) -> usize;

    /// What is known of a socket now.
    fn status(&self, id: u64) -> Option<Status>;

    /// Takes what went wrong (`SO_ERROR`).
    fn take_error(&mut self, id: u64) -> Option<Errno>;

    /// The host's addresses.
    fn addresses(&self) -> Vec<IpAddr>;

    /// Takes in what has happened, and puts it into the sockets' [`Status`].
    fn take_in(&mut self, context: &mut Context<'_>, sockets: &mut dyn Sockets);
}

/// The sockets whose status [`Network::take_in`] writes.
pub trait Sockets {
    /// The status of one.
    fn status(&mut self, id: u64) -> Option<&mut Status>;
}

impl Sockets for BTreeMap<Id, Description> {
    fn status(&mut self, id: u64) -> Option<&mut Status> {
        match &mut self.get_mut(&id)?.kind {
            Kind::Inet(socket) => Some(&mut socket.status),
            _ => None,
        }
    }
}

/// A host that is on no network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Network for Alone {
    fn connect(&mut self, _id: u64, _to: SocketAddr, _options: &Options) {}

    fn listen(
        &mut self,
        _id: u64,
        at: &[SocketAddr],
        _options: &Options,
    ) -> Result<SocketAddr, Errno> {
        at.first().copied().ok_or(Errno::EADDRNOTAVAIL)
    }

    fn set_options(&mut self, _id: u64, _options: &Options) {}

    fn accept(&mut self, _listener: u64, _id: u64) -> Option<Status> {
        None
    }

    fn read(&mut self, _id: u64, _most: usize, _peek: bool) -> Result<Vec<u8>, Errno> {
        Err(Errno::ENOTCONN)
    }

    fn write(&mut self, _id: u64, _octets: &[u8]) -> Result<usize, Errno> {
        Err(Errno::ENOTCONN)
    }

    fn shutdown(&mut self, _id: u64) {}

    fn close(&mut self, _id: u64, _reset: bool) {}

    fn waiting(&self, _id: u64) -> usize {
        0
    }

    fn status(&self, _id: u64) -> Option<Status> {
        None
    }

    fn take_error(&mut self, _id: u64) -> Option<Errno> {
        None
    }

    fn addresses(&self) -> Vec<IpAddr> {
        vec![]
    }

    fn take_in(&mut self, _context: &mut Context<'_>, _sockets: &mut dyn Sockets) {}
}

/// Tells one direction of one socket that it is worth another look, and wakes the host's task.
#[derive(Debug, Default)]
struct Bell {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Relaxed);
        let task = self.task.lock().ok().and_then(|mut it| it.take());
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Bell {
    fn new() -> Arc<Self> {
        let bell = Self::default();
        bell.rung.store(true, Ordering::Relaxed);
        Arc::new(bell)
    }

    fn listen(&self, task: &Waker) {
        if let Ok(mut place) = self.task.lock() {
            *place = Some(task.clone());
        }
    }

    fn take(&self) -> bool {
        self.rung.swap(false, Ordering::Relaxed)
    }
}

/// A socket's place in the network.
enum Place<N: seam::Network> {
    Connecting(N::Connecting),
    Connected(Open<N::Connection>),
    Listening(Vec<N::Listener>, VecDeque<N::Connection>),
    /// Broken, or shut down by both.
    Over,
}

struct Open<C> {
    connection: C,
    ahead: VecDeque<u8>,
    finished: bool,
    broken: Option<Errno>,
    full: bool,
}

struct Socket<N: seam::Network> {
    place: Place<N>,
    status: Status,
    reading: Arc<Bell>,
    writing: Arc<Bell>,
    ending: Arc<Bell>,
}

/// A host's guests on a network of this crate, taps and faults included.
pub struct Simulated<N: seam::Network> {
    network: N,
    addresses: Vec<IpAddr>,
    sockets: BTreeMap<u64, Socket<N>>,
}

impl<N: seam::Network> Simulated<N>
where
    N::Connection: Abort,
{
    /// Guests of a host with these addresses.
    pub fn new(network: N, addresses: &[IpAddr]) -> Self {
        Self {
            network,
            addresses: addresses.to_vec(),
            sockets: BTreeMap::new(),
        }
    }
}

fn errno(error: &io::Error) -> Errno {
    if let Some(number) = error.raw_os_error() {
        return Errno::from_raw(number);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Errno::ECONNREFUSED,
        io::ErrorKind::ConnectionReset => Errno::ECONNRESET,
        io::ErrorKind::ConnectionAborted => Errno::ECONNABORTED,
        io::ErrorKind::BrokenPipe => Errno::EPIPE,
        io::ErrorKind::TimedOut => Errno::ETIMEDOUT,
        io::ErrorKind::AddrInUse => Errno::EADDRINUSE,
        io::ErrorKind::AddrNotAvailable => Errno::EADDRNOTAVAIL,
        io::ErrorKind::NotConnected => Errno::ENOTCONN,
        io::ErrorKind::PermissionDenied => Errno::EACCES,
        io::ErrorKind::NetworkUnreachable => Errno::ENETUNREACH,
        io::ErrorKind::HostUnreachable => Errno::EHOSTUNREACH,
        io::ErrorKind::InvalidInput => Errno::EINVAL,
        _ => Errno::EIO,
    }
}

fn keys_of(options: &Options) -> Vec<PeerKey> {
    let keys = options.keys.iter();
    keys.map(|(peer, prefix_length, key)| PeerKey {
        peer: *peer,
        prefix_length: *prefix_length,
        key: key.clone(),
    })
    .collect()
}

fn ttls_of(options: &Options) -> SocketOptions {
    SocketOptions {
        outgoing_ttl: options.outgoing_ttl,
        incoming_ttl: options.incoming_ttl,
        ..SocketOptions::default()
    }
}

impl<N: seam::Network> Socket<N> {
    fn new(place: Place<N>, status: Status) -> Self {
        Self {
            place,
            status,
            reading: Bell::new(),
            writing: Bell::new(),
            ending: Bell::new(),
        }
    }

    fn opened(connection: N::Connection) -> Self {
        let status = Status {
            connected: true,
            writable: true,
            departures: 1,
            local: Some(connection.local_address()),
            peer: Some(connection.peer_address()),
            ..Status::default()
        };
        let open = Open {
            connection,
            ahead: VecDeque::new(),
            finished: false,
            broken: None,
            full: false,
        };
        Self::new(Place::Connected(open), status)
    }

    /// Looks at what the bells have rung for.
    fn take_in(&mut self, task: &Waker) {
        if matches!(self.place, Place::Connecting(_)) {
            self.finish_connecting(task);
        }
        match &mut self.place {
            Place::Connecting(_) | Place::Over => {}
            Place::Listening(listeners, queue) => {
                if self.reading.take() {
                    self.reading.listen(task);
                    let waker = Waker::from(self.reading.clone());
                    let mut context = Context::from_waker(&waker);
                    for listener in listeners {
                        while let Poll::Ready(Ok(connection)) = listener.poll_accept(&mut context) {
                            queue.push_back(connection);
                            self.status.arrivals += 1;
                        }
                    }
                } else {
                    self.reading.listen(task);
                }
                self.status.readable = !queue.is_empty();
            }
            Place::Connected(open) => {
                let wrote = self.writing.take();
                // A fault of the connection wakes who polled last, be it for the other direction.
                if self.reading.take() | wrote {
                    self.reading.listen(task);
                    open.read_ahead(&self.reading, &mut self.status);
                } else {
                    self.reading.listen(task);
                }
                if wrote && open.full {
                    open.full = false;
                    self.status.departures += 1;
                }
                self.writing.listen(task);
                if self.ending.take() {
                    self.ending.listen(task);
                    open.look_for_end(&self.ending, &mut self.status);
                } else {
                    self.ending.listen(task);
                }
                open.show(&mut self.status);
            }
        }
    }

    fn finish_connecting(&mut self, task: &Waker) {
        let Place::Connecting(connecting) = &mut self.place else {
            return;
        };
        if !self.reading.take() {
            return self.reading.listen(task);
        }
        self.reading.listen(task);
        let waker = Waker::from(self.reading.clone());
        match Pin::new(connecting).poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => {}
            Poll::Ready(Ok(connection)) => *self = Self::opened(connection),
            Poll::Ready(Err(error)) => {
                self.place = Place::Over;
                self.status = Status {
                    error: Some(errno(&error)),
                    gone: true,
                    readable: true,
                    writable: true,
                    arrivals: self.status.arrivals + 1,
                    departures: self.status.departures + 1,
                    ..Status::default()
                };
            }
        }
    }
}

impl<C: Connection> Open<C> {
    /// One read of the connection where nothing waits for the guest.
    fn read_ahead(&mut self, bell: &Arc<Bell>, status: &mut Status) {
        if !self.ahead.is_empty() || self.finished || self.broken.is_some() {
            return;
        }
        let waker = Waker::from(bell.clone());
        let mut buffer = [0; AHEAD];
        match self
            .connection
            .poll_read(&mut Context::from_waker(&waker), &mut buffer)
        {
            Poll::Pending => {}
            Poll::Ready(Ok(0)) => {
                self.finished = true;
                status.arrivals += 1;
            }
            Poll::Ready(Ok(count)) => {
                self.ahead.extend(&buffer[..count]);
                status.arrivals += 1;
            }
            Poll::Ready(Err(error)) => {
                self.broken = Some(errno(&error));
                self.finished = true;
                status.error = self.broken;
                status.arrivals += 1;
                status.departures += 1;
            }
        }
    }

    /// After the peer's FIN a reset is seen here alone.
    fn look_for_end(&mut self, bell: &Arc<Bell>, status: &mut Status) {
        let waker = Waker::from(bell.clone());
        let gone = self.connection.poll_gone(&mut Context::from_waker(&waker));
        if gone.is_ready() && self.finished && self.broken.is_none() {
            self.broken = Some(Errno::EPIPE);
            status.error = self.broken;
            status.arrivals += 1;
            status.departures += 1;
        }
    }

    fn show(&self, status: &mut Status) {
        status.readable = !self.ahead.is_empty() || self.finished;
        status.writable = !self.full;
        status.finished = self.finished;
        status.gone = self.broken.is_some();
    }
}

impl<N: seam::Network> Network for Simulated<N>
where
    N::Connection: Abort,
{
    fn connect(&mut self, id: u64, to: SocketAddr, options: &Options) {
        let asked = SocketOptions {
            source: options.source,
            md5_is_known: true,
            md5: options
                .keys
                .iter()
                .find(|(peer, ..)| *peer == to.ip())
                .map(|it| it.2.clone()),
            ..ttls_of(options)
        };
        let connecting = self.network.connect(to, &asked);
        let status = Status {
            connecting: true,
            peer: Some(to),
            ..Status::default()
        };
        self.sockets
            .insert(id, Socket::new(Place::Connecting(connecting), status));
    }

    fn listen(
        &mut self,
        id: u64,
        at: &[SocketAddr],
        options: &Options,
    ) -> Result<SocketAddr, Errno> {
        let mut listeners: Vec<N::Listener> = vec![];
        for address in at {
            let mut address = *address;
            if let Some(first) = listeners.first() {
                address.set_port(first.local_address().port());
            }
            let mut listener = self
                .network
                .listen(address)
                .map_err(|error| errno(&error))?;
            listener
                .set_keys(&keys_of(options))
                .map_err(|error| errno(&error))?;
            listener.restrict(&ttls_of(options));
            listeners.push(listener);
        }
        let local = listeners
            .first()
            .ok_or(Errno::EADDRNOTAVAIL)?
            .local_address();
        let status = Status {
            local: Some(local),
            ..Status::default()
        };
        self.sockets.insert(
            id,
            Socket::new(Place::Listening(listeners, VecDeque::new()), status),
        );
        Ok(local)
    }

    fn set_options(&mut self, id: u64, options: &Options) {
        match self.sockets.get_mut(&id).map(|socket| &mut socket.place) {
            Some(Place::Listening(listeners, _)) => {
                for listener in listeners {
                    let _ = listener.set_keys(&keys_of(options));
                    listener.restrict(&ttls_of(options));
                }
            }
            Some(Place::Connected(open)) => {
                let _ = open.connection.restrict(&ttls_of(options));
            }
            _ => {}
        }
    }

    fn accept(&mut self, listener: u64, id: u64) -> Option<Status> {
        let found = self.sockets.get_mut(&listener)?;
        let Place::Listening(_, queue) = &mut found.place else {
            return None;
        };
        let connection = queue.pop_front()?;
        found.status.readable = !queue.is_empty();
        let socket = Socket::<N>::opened(connection);
        let status = socket.status.clone();
        self.sockets.insert(id, socket);
        Some(status)
    }

    fn read(&mut self, id: u64, most: usize, peek: bool) -> Result<Vec<u8>, Errno> {
        let socket = self.sockets.get_mut(&id).ok_or(Errno::ENOTCONN)?;
        let Place::Connected(open) = &mut socket.place else {
            return socket.status.error.take().map_or(Ok(vec![]), Err);
        };
        if open.ahead.is_empty() {
            if let Some(error) = socket.status.error.take() {
                return Err(error);
            }
            if open.finished || most == 0 {
                return Ok(vec![]);
            }
            return Err(Errno::EAGAIN);
        }
        let count = most.min(open.ahead.len());
        if peek {
            return Ok(open.ahead.iter().take(count).copied().collect());
        }
        let octets = open.ahead.drain(..count).collect();
        if open.ahead.is_empty() {
            // Whatever else has come is to be seen before the guest looks again.
            open.read_ahead(&socket.reading, &mut socket.status);
        }
        open.show(&mut socket.status);
        Ok(octets)
    }

    fn write(&mut self, id: u64, octets: &[u8]) -> Result<usize, Errno> {
        let socket = self.sockets.get_mut(&id).ok_or(Errno::EPIPE)?;
        let Place::Connected(open) = &mut socket.place else {
            return Err(socket.status.error.take().unwrap_or(Errno::EPIPE));
        };
        if let Some(error) = socket.status.error.take() {
            return Err(error);
        }
        if open.broken.is_some() {
            return Err(Errno::EPIPE);
        }
        if octets.is_empty() {
            return Ok(0);
        }
        let waker = Waker::from(socket.writing.clone());
        match open
            .connection
            .poll_write(&mut Context::from_waker(&waker), octets)
        {
            Poll::Pending => {
                open.full = true;
                open.show(&mut socket.status);
                Err(Errno::EAGAIN)
            }
            Poll::Ready(written) => written.map_err(|error| errno(&error)),
        }
    }

    fn shutdown(&mut self, id: u64) {
        if let Some(socket) = self.sockets.get_mut(&id)
            && let Place::Connected(open) = &mut socket.place
        {
            let waker = Waker::from(socket.writing.clone());
            let _ = open
                .connection
                .poll_shutdown(&mut Context::from_waker(&waker));
        }
    }

    fn close(&mut self, id: u64, reset: bool) {
        let Some(socket) = self.sockets.remove(&id) else {
            return;
        };
        if let Place::Connected(open) = socket.place
            && open.broken.is_none()
            && (reset || !open.ahead.is_empty())
        {
            // Unread octets turn a close into RST, those that were read ahead too.
            open.connection.abort();
        }
    }

    fn waiting(&self, id: u64) -> usize {
        match self.sockets.get(&id).map(|it| &it.place) {
            Some(Place::Connected(open)) => open.ahead.len(),
            _ => 0,
        }
    }

    fn status(&self, id: u64) -> Option<Status> {
        self.sockets.get(&id).map(|it| it.status.clone())
    }

    fn take_error(&mut self, id: u64) -> Option<Errno> {
        self.sockets.get_mut(&id)?.status.error.take()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.addresses.clone()
    }

    fn take_in(&mut self, context: &mut Context<'_>, sockets: &mut dyn Sockets) {
        for (id, socket) in &mut self.sockets {
            socket.take_in(context.waker());
            if let Some(status) = sockets.status(*id)
                && *status != socket.status
            {
                status.clone_from(&socket.status);
            }
        }
    }
}
