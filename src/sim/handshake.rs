//! Opening connections: ports, SYN and its answers, the backlog.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::net::network::{PeerKey, SocketOptions};
use crate::sim::state::{Carried, ConnectionId, HalfConnection, HostId, Listening, State, What};
use crate::sim::tcp::{Handshake, Segment, Side, Tcp, keep};

/// The first ephemeral port, as on Linux.
const FIRST_PORT: u16 = 32_768;
/// The last ephemeral port, as on Linux.
const LAST_PORT: u16 = 60_999;
/// SYNs that are sent before a connect gives up: 127 s in all (`tcp_syn_retries` 6).
const SYNS: u32 = 7;

impl State {
    /// Starts to connect; a fault found at once is the first thing the connecting socket reports.
    pub(super) fn connect(
        &mut self,
        host: HostId,
        options: &SocketOptions,
        to: SocketAddr,
    ) -> ConnectionId {
        self.opened += 1;
        let id = self.opened;
        let chosen = self.source_address(host, options.source, to.ip());
        let address = match chosen {
            Ok(address) => SocketAddr::new(address, self.ephemeral_port(host)),
            Err(_) => SocketAddr::new(to.ip(), 0),
        };
        let mut tcp = Tcp::new(address, to, self.buffers(), self.settings.segment);
        if let Err(kind) = chosen {
            tcp.handshake = Handshake::Failed(kind);
        }
        let carried = Carried {
            tcp,
            client: host,
            listener: None,
            key: options.md5_is_known.then(|| options.md5.clone()),
            to_server: HalfConnection::default(),
            to_client: HalfConnection::default(),
        };
        self.connections.insert(id, carried);
        if chosen.is_ok() {
            self.send_syn(self.now, id, 0);
        }
        id
    }

    fn source_address(
        &self,
        host: HostId,
        source: Option<IpAddr>,
        to: IpAddr,
    ) -> Result<IpAddr, io::ErrorKind> {
        if let Some(source) = source {
            if !self.owns(host, source) {
                return Err(io::ErrorKind::AddrNotAvailable);
            }
            if source.is_ipv4() != to.is_ipv4() {
                return Err(io::ErrorKind::InvalidInput);
            }
            return Ok(source);
        }
        if to.is_loopback() {
            // Linux prefers 127.0.0.1 for all of 127.0.0.0/8.
            return Ok(match to {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => to,
            });
        }
        if self.owns(host, to) {
            return Ok(to);
        }
        let mut own = self.hosts[host].addresses.iter();
        own.find(|address| address.is_ipv4() == to.is_ipv4())
            .copied()
            .ok_or(io::ErrorKind::NetworkUnreachable)
    }

    /// Whether `address` is the host's: each has a loopback of its own.
    fn owns(&self, host: HostId, address: IpAddr) -> bool {
        address.is_loopback() || self.owners.get(&address) == Some(&host)
    }

    fn ephemeral_port(&mut self, host: HostId) -> u16 {
        let next = &mut self.hosts[host].next_port;
        let port = (*next).clamp(FIRST_PORT, LAST_PORT);
        *next = if port == LAST_PORT {
            FIRST_PORT
        } else {
            port + 1
        };
        port
    }

    fn send_syn(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let Some(carried) = self.connections.get(&id) else {
            return;
        };
        let source = carried.tcp.address(Side::Client).ip();
        let target = carried.tcp.address(Side::Server).ip();
        match self.delay(source, target) {
            Some(delay) => self.schedule(at + delay, What::Syn(id, attempt)),
            None => self.syn_is_lost(at, id, attempt),
        }
    }

    /// The next SYN goes out after 1, 2, 4 … seconds.
    fn syn_is_lost(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let pause = Duration::from_secs(1 << attempt);
        let next = attempt + 1;
        if next == SYNS {
            self.schedule(at + pause, What::Unanswered(id));
        } else {
            // Whether the path is open is asked when it arrives; a millisecond early or late is nothing to a SYN.
            self.schedule(at + pause, What::Syn(id, next));
        }
    }

    pub(super) fn syn_arrives(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let Some(carried) = self.connections.get(&id) else {
            return;
        };
        if carried.tcp.handshake != Handshake::Underway {
            return;
        }
        let source = carried.tcp.address(Side::Client).ip();
        let target = carried.tcp.address(Side::Server);
        let Some(delay) = self.delay(source, target.ip()) else {
            return self.syn_is_lost(at, id, attempt);
        };
        let owner = if target.ip().is_loopback() {
            Some(carried.client)
        } else {
            self.owners.get(&target.ip()).copied()
        };
        let Some(host) = owner else {
            return self.syn_is_lost(at, id, attempt);
        };
        let Some(place) = self.listener_for(host, target) else {
            return self.schedule(at + delay, What::Refused(id));
        };
        if !self.signatures_agree(place, id, source) {
            // A segment with another signature, or none, is dropped (RFC 2385, section 2.0).
            return self.syn_is_lost(at, id, attempt);
        }
        let backlog = self.settings.backlog;
        let Some(listening) = self.listeners.get_mut(&place) else {
            return;
        };
        if listening.queue.len() + listening.promised >= backlog {
            return self.syn_is_lost(at, id, attempt);
        }
        listening.promised += 1;
        if let Some(carried) = self.connections.get_mut(&id) {
            carried.listener = Some(place);
        }
        self.carry(at, id, Side::Server, Segment::SynAck);
    }

    /// Whether the client signs as the listener expects; where one of them does not say, they do.
    fn signatures_agree(
        &self,
        place: (HostId, SocketAddr),
        id: ConnectionId,
        source: IpAddr,
    ) -> bool {
        let keys = self.listeners.get(&place).and_then(|it| it.keys.as_ref());
        let key = self.connections.get(&id).and_then(|it| it.key.as_ref());
        let (Some(keys), Some(key)) = (keys, key) else {
            return true;
        };
        // The longest prefix counts.
        let expected = keys
            .iter()
            .filter(|it| covers(it, source))
            .max_by_key(|it| it.prefix_length);
        expected.map(|it| &it.key) == key.as_ref()
    }

    pub(super) fn set_keys(&mut self, place: (HostId, SocketAddr), keys: &[PeerKey]) {
        if let Some(listening) = self.listeners.get_mut(&place) {
            listening.keys = Some(keys.to_vec());
        }
    }

    /// The listener at exactly `target`, or at every address of its port.
    fn listener_for(&self, host: HostId, target: SocketAddr) -> Option<(HostId, SocketAddr)> {
        [target, wildcard(target)]
            .into_iter()
            .map(|address| (host, address))
            .find(|place| self.listeners.contains_key(place))
    }

    pub(super) fn syn_ack_arrives(&mut self, at: Duration, id: ConnectionId) {
        let handshake = self.connections.get(&id).map(|it| it.tcp.handshake);
        if handshake != Some(Handshake::Underway) {
            return;
        }
        self.step(at, id, |tcp, effects| tcp.connected(effects));
        self.carry(at, id, Side::Client, Segment::Ack);
    }

    pub(super) fn ack_arrives(&mut self, id: ConnectionId) {
        let place = self.connections.get(&id).and_then(|it| it.listener);
        let listening = place.and_then(|place| self.listeners.get_mut(&place));
        match listening {
            Some(listening) => {
                listening.promised = listening.promised.saturating_sub(1);
                listening.queue.push_back(id);
                self.effects.wakers.extend(listening.waker.take());
            }
            // The listener closed during the handshake.
            None => self.refuse(id),
        }
    }

    /// The server's end goes without having been accepted.
    fn refuse(&mut self, id: ConnectionId) {
        self.step(self.now, id, |tcp, effects| {
            tcp.reset(Side::Server, effects);
            tcp.close(Side::Server, effects);
        });
    }

    pub(super) fn fail_handshake(&mut self, id: ConnectionId, kind: io::ErrorKind) {
        self.step(self.now, id, |tcp, effects| {
            tcp.fail_handshake(kind, effects);
        });
    }

    /// The connecting socket was dropped before it was connected.
    pub(super) fn abandon(&mut self, id: ConnectionId) {
        let Some(carried) = self.connections.get(&id) else {
            return;
        };
        if carried.tcp.handshake == Handshake::Done {
            // Connected, though nobody had looked yet.
            return self.step(self.now, id, |tcp, effects| {
                tcp.close(Side::Client, effects);
            });
        }
        let place = carried.listener;
        self.connections.remove(&id);
        if let Some(listening) = place.and_then(|place| self.listeners.get_mut(&place)) {
            listening.promised = listening.promised.saturating_sub(1);
        }
    }

    pub(super) fn listen(&mut self, host: HostId, at: SocketAddr) -> io::Result<SocketAddr> {
        if !at.ip().is_unspecified() && !self.owns(host, at.ip()) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let mut at = at;
        if at.port() == 0 {
            at.set_port(self.ephemeral_port(host));
        }
        let taken = self.listeners.keys().any(|(owner, other)| {
            *owner == host
                && other.port() == at.port()
                && (*other == at || wildcard(*other) == at || *other == wildcard(at))
        });
        if taken {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        self.listeners.insert((host, at), Listening::default());
        Ok(at)
    }

    pub(super) fn accept(
        &mut self,
        place: (HostId, SocketAddr),
        waker: &Waker,
    ) -> Poll<io::Result<ConnectionId>> {
        let Some(listening) = self.listeners.get_mut(&place) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        match listening.queue.pop_front() {
            Some(id) => Poll::Ready(Ok(id)),
            None => {
                keep(&mut listening.waker, waker);
                Poll::Pending
            }
        }
    }

    /// The listener closes: what waits in its queue is reset.
    pub(super) fn unlisten(&mut self, place: (HostId, SocketAddr)) {
        let Some(listening) = self.listeners.remove(&place) else {
            return;
        };
        for id in listening.queue {
            self.refuse(id);
        }
    }
}

fn wildcard(address: SocketAddr) -> SocketAddr {
    let any = match address {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(any, address.port())
}

/// Whether `address` is the key's peer, or in its range.
fn covers(key: &PeerKey, address: IpAddr) -> bool {
    let bits = |address| match address {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()) << 96, 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    };
    let ((one, width), (other, other_width)) = (bits(key.peer), bits(address));
    let shift = 128 - u32::from(key.prefix_length).min(width);
    width == other_width && (one ^ other).checked_shr(shift).unwrap_or(0) == 0
}
