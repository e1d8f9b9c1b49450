//! Opening connections: ports, SYN and its answers, the backlog.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::net::network::{PeerKey, SocketOptions};
use crate::sim::state::{Carried, ConnectionId, HostId, Listening, State, What};
use crate::sim::sysctl::{FIRST_RTO, TIME_WAIT, kernel_timer};
use crate::sim::tcp::{Handshake, Kind, Segment, Side, Tcp, keep};

/// The first ephemeral port, as on Linux.
const FIRST_PORT: u16 = 32_768;
/// The last ephemeral port, as on Linux.
const LAST_PORT: u16 = 60_999;

/// How many bits two addresses of one version have in common from the first on.
fn common_prefix(one: IpAddr, other: IpAddr) -> u32 {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => 0,
    }
}

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
            Ok(address) => self.free_port(host, address, to),
            Err(kind) => Err(kind),
        };
        let (chosen, address) = match address {
            Ok(address) => (Ok(()), address),
            Err(kind) => (Err(kind), SocketAddr::new(to.ip(), 0)),
        };
        let (segment, settings) = (self.settings.segment, self.settings.tcp);
        let mut tcp = Tcp::new(address, to, self.buffers(), segment, settings);
        if let Err(kind) = chosen {
            tcp.handshake = Handshake::Failed(kind);
        }
        let mut carried = Carried::new(tcp, host);
        carried.key = options.md5_is_known.then(|| options.md5.clone());
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
        let owner = self.owners.get(&to);
        if owner.is_some_and(|owner| self.disconnected.contains(&(host, *owner))) {
            return Err(io::ErrorKind::NetworkUnreachable);
        }
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
        // The first of those that have most in common with the target: what lies on the same link.
        let own = self.hosts[host].addresses.iter().rev();
        own.filter(|address| address.is_ipv4() == to.is_ipv4())
            .max_by_key(|address| common_prefix(**address, to))
            .copied()
            .ok_or(io::ErrorKind::NetworkUnreachable)
    }

    /// The host that `address` is of, seen from `host`.
    fn owner(&self, host: HostId, address: IpAddr) -> Option<HostId> {
        if !address.is_loopback() {
            return self.owners.get(&address).copied();
        }
        let shared = [Some(address), None].map(|it| self.loopbacks.get(&(host, it)));
        Some(shared.into_iter().flatten().next().copied().unwrap_or(host))
    }

    /// Whether `address` is the host's: each has a loopback of its own.
    fn owns(&self, host: HostId, address: IpAddr) -> bool {
        address.is_loopback() || self.owners.get(&address) == Some(&host)
    }

    fn ephemeral_port(&mut self, host: HostId) -> u16 {
        let host = &mut self.hosts[host];
        let port = host.next_port.clamp(FIRST_PORT, LAST_PORT);
        host.next_port = if port == LAST_PORT {
            host.wrapped = true;
            FIRST_PORT
        } else {
            port + 1
        };
        port
    }

    /// `address` with a port from which nothing is connected to `to`, nor was a minute ago.
    fn free_port(
        &mut self,
        host: HostId,
        address: IpAddr,
        to: SocketAddr,
    ) -> Result<SocketAddr, io::ErrorKind> {
        for _ in FIRST_PORT..=LAST_PORT {
            let from = SocketAddr::new(address, self.ephemeral_port(host));
            // As long as the ports last, none has been used.
            if !self.hosts[host].wrapped || !self.is_used(host, from, to) {
                return Ok(from);
            }
        }
        Err(io::ErrorKind::AddrNotAvailable)
    }

    fn is_used(&mut self, host: HostId, from: SocketAddr, to: SocketAddr) -> bool {
        let now = self.now;
        self.time_wait.retain(|_, until| *until > now);
        let reuse = match self.settings.tcp.tw_reuse {
            0 => false,
            1 => true,
            _ => to.ip().is_loopback(),
        };
        let waits = self.time_wait.get(&(from, to)).is_some_and(|until| {
            let waited = (now + TIME_WAIT).saturating_sub(*until);
            !reuse || waited < Duration::from_secs(1)
        });
        let listens = self.listeners.contains_key(&(host, from));
        waits
            || listens
            || self.connections.values().any(|carried| {
                let ends = (
                    carried.tcp.address(Side::Client),
                    carried.tcp.address(Side::Server),
                );
                carried.client == host && ends == (from, to)
            })
    }

    /// Sends the SYN of this number, from 0, and sets the timer of the next.
    fn send_syn(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let Some(carried) = self.connections.get_mut(&id) else {
            return;
        };
        carried.begun = at;
        let silent = carried.silent.is_some();
        let source = carried.tcp.address(Side::Client).ip();
        let target = carried.tcp.address(Side::Server).ip();
        let (pause, last) = self.settings.tcp.syn_pause(attempt);
        let due = kernel_timer(at, pause);
        let next = if last {
            What::Unanswered(id)
        } else {
            What::SynTimer(id, attempt + 1)
        };
        self.schedule_quietly(due, next);
        if self.path_loses(source, target) || silent {
            self.syn_is_lost(id);
            if self.unreachable.contains(&(source, target)) {
                let delay = self.delay(source, target);
                self.schedule(at + delay, What::Unreachable(id, Side::Client));
            }
            return;
        }
        let delay = self.delay(source, target);
        self.schedule(at + delay, What::Syn(id, attempt));
    }

    /// Its timers must be attended to.
    fn syn_is_lost(&mut self, id: ConnectionId) {
        if let Some(carried) = self.connections.get_mut(&id) {
            carried.tcp.trouble();
        }
        self.attend(id);
    }

    pub(super) fn syn_timer(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let handshake = self.connections.get(&id).map(|it| it.tcp.handshake);
        if handshake == Some(Handshake::Underway) {
            self.send_syn(at, id, attempt);
        }
    }

    pub(super) fn syn_ack_timer(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let half_open = self.connections.get(&id).is_some_and(|it| it.half_open);
        if !half_open {
            return;
        }
        if attempt > self.settings.tcp.synack_retries {
            return self.give_up_request(id);
        }
        self.send_syn_ack(at, id, attempt);
    }

    /// The server's host forgets about it: what still comes is answered with RST.
    fn give_up_request(&mut self, id: ConnectionId) {
        let Some(carried) = self.connections.get_mut(&id) else {
            return;
        };
        carried.half_open = false;
        carried.tcp.server.kill();
        carried.tcp.server.released = true;
        let place = carried.listener;
        if let Some(listening) = place.and_then(|place| self.listeners.get_mut(&place)) {
            listening.promised = listening.promised.saturating_sub(1);
        }
    }

    fn send_syn_ack(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let pause = FIRST_RTO * (1 << attempt.min(20));
        let due = kernel_timer(at, pause.min(self.settings.tcp.rto_max()));
        self.schedule_quietly(due, What::SynAckTimer(id, attempt + 1));
        self.carry(at, id, Side::Server, Segment::bare(Kind::SynAck));
        self.attend(id);
    }

    pub(super) fn syn_arrives(&mut self, at: Duration, id: ConnectionId, _attempt: u32) {
        let Some(carried) = self.connections.get(&id) else {
            return;
        };
        if carried.tcp.handshake != Handshake::Underway {
            return;
        }
        if carried.half_open {
            // The SYN-ACK was lost, or is slow.
            return self.carry(at, id, Side::Server, Segment::bare(Kind::SynAck));
        }
        let source = carried.tcp.address(Side::Client).ip();
        let target = carried.tcp.address(Side::Server);
        let owner = self.owner(carried.client, target.ip());
        let Some(host) = owner else {
            return self.syn_is_lost(id);
        };
        let Some(place) = self.listener_for(host, target) else {
            if !self.path_loses(target.ip(), source) {
                let delay = self.delay(target.ip(), source);
                return self.schedule(at + delay, What::Refused(id));
            }
            return self.syn_is_lost(id);
        };
        if !self.signatures_agree(place, id, source) {
            // A segment with another signature, or none, is dropped (RFC 2385, section 2.0).
            return self.syn_is_lost(id);
        }
        let backlog = self.settings.backlog;
        let Some(listening) = self.listeners.get_mut(&place) else {
            return;
        };
        // A backlog of N admits N + 1 (`sk_acceptq_is_full`).
        if listening.queue.len() > backlog {
            return self.syn_is_lost(id);
        }
        listening.promised += 1;
        if let Some(carried) = self.connections.get_mut(&id) {
            carried.listener = Some(place);
            carried.half_open = true;
        }
        self.send_syn_ack(at, id, 0);
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
        let rto_min = self.settings.tcp.rto_min();
        let begun = self.connections.get(&id).map_or(at, |it| it.begun);
        self.step(at, id, |tcp, effects| {
            tcp.connected(effects);
            let took = at.saturating_sub(begun);
            tcp.client.sender.handshake_took(took, rto_min);
            tcp.client.receiver.heard = at;
            tcp.push(Side::Client, Kind::Ack, effects);
        });
    }

    /// The client's answer to the SYN-ACK has come, alone or with data; says whether the connection is open now.
    pub(super) fn admit(&mut self, id: ConnectionId, segment: &Segment) -> bool {
        if segment.kind == Kind::Reset {
            self.give_up_request(id);
            return false;
        }
        let backlog = self.settings.backlog;
        let Some(carried) = self.connections.get_mut(&id) else {
            return false;
        };
        let place = carried.listener;
        let listening = place.and_then(|place| self.listeners.get_mut(&place));
        let Some(listening) = listening else {
            // The listener closed during the handshake.
            carried.half_open = false;
            self.refuse(id);
            return false;
        };
        if listening.queue.len() > backlog {
            // The client thinks that it is connected; it is not until there is room.
            carried.tcp.trouble();
            self.attend(id);
            return false;
        }
        carried.half_open = false;
        listening.promised = listening.promised.saturating_sub(1);
        listening.queue.push_back(id);
        self.effects.wakers.extend(listening.waker.take());
        let now = self.now;
        let took = now.saturating_sub(carried.begun);
        let rto_min = self.settings.tcp.rto_min();
        carried.tcp.server.sender.handshake_took(took, rto_min);
        carried.tcp.server.receiver.heard = now;
        true
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
        let place = carried.listener.filter(|_| carried.half_open);
        self.forget(id);
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
