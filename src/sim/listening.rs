//! Listening sockets: where they are, who may connect and with which TTL, what waits to be accepted.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Poll, Waker};

use crate::net::network::PeerKey;
use crate::sim::state::{ConnectionId, HostId, Listening, State};
use crate::sim::tcp::{Side, keep};
use crate::sim::ttl::Ttls;

impl State {
    pub(super) fn listen(&mut self, host: HostId, at: SocketAddr) -> io::Result<SocketAddr> {
        if !at.ip().is_unspecified() && !self.owns(host, at.ip()) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let at = if at.port() == 0 {
            self.free_listening_port(host, at.ip())?
        } else {
            at
        };
        if self.listens(host, at) {
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

    /// Whether a listener of `host` has `at`, or an address that includes it.
    pub(super) fn listens(&self, host: HostId, at: SocketAddr) -> bool {
        self.listeners.keys().any(|(owner, other)| {
            *owner == host
                && other.port() == at.port()
                && (*other == at || wildcard(*other) == at || *other == wildcard(at))
        })
    }

    /// Whether the client signs as the listener expects; where one of them does not say, they do.
    pub(super) fn signatures_agree(
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

    /// A listener has these from now on, and gives them to its connections.
    pub(super) fn set_listener_ttls(&mut self, place: (HostId, SocketAddr), ttls: Ttls) {
        if let Some(listening) = self.listeners.get_mut(&place) {
            listening.ttls = ttls;
        }
    }

    /// One end of a connection has these from now on.
    pub(super) fn set_ttls(&mut self, id: ConnectionId, side: Side, ttls: Ttls) {
        if let Some(flow) = self.connections.get_mut(&id) {
            flow.tcp.end(side).ttls = ttls;
        }
    }

    /// Whether the end `side` drops what the other sends (`tcp_v4_rcv`).
    pub(super) fn drops_by_ttl(&self, id: ConnectionId, side: Side) -> bool {
        self.connections.get(&id).is_some_and(|flow| {
            let (client, server) = (flow.tcp.client.ttls, flow.tcp.server.ttls);
            match side {
                Side::Client => !client.accept(server),
                Side::Server => !server.accept(client),
            }
        })
    }

    pub(super) fn set_keys(&mut self, place: (HostId, SocketAddr), keys: &[PeerKey]) {
        if let Some(listening) = self.listeners.get_mut(&place) {
            listening.keys = Some(keys.to_vec());
        }
    }

    /// The listener at exactly `target`, or at every address of its port.
    pub(super) fn listener_for(
        &self,
        host: HostId,
        target: SocketAddr,
    ) -> Option<(HostId, SocketAddr)> {
        [target, wildcard(target)]
            .into_iter()
            .map(|address| (host, address))
            .find(|place| self.listeners.contains_key(place))
    }
}

fn wildcard(address: SocketAddr) -> SocketAddr {
    let any = match address {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
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
