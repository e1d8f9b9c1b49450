//! TCP sockets over the simulated network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use nix::errno::Errno;
use nix::libc;

use super::description::{ERR, HUP, IN, Kind, OUT, RDHUP};
use super::dispatch::Answer;
use super::host::Host;
use super::kernel::Id;
use super::memory::u16_at;
use super::network::{Options, Status};
use super::registers::Call;

/// A TCP socket.
#[derive(Debug, Clone)]
pub(super) struct InetSocket {
    /// `AF_INET` or `AF_INET6`.
    pub family: i32,
    pub bound: Option<SocketAddr>,
    pub listens: bool,
    pub status: Status,
    /// connect(2) was called.
    connects: bool,
    /// connect(2) has said that it is connected.
    told: bool,
    /// shutdown(2) for writing.
    shut: bool,
    /// shutdown(2) for reading.
    deaf: bool,
    pub options: Options,
    /// `IPV6_V6ONLY`.
    pub only_v6: bool,
    /// `SO_LINGER` on, with no time: close(2) sends RST.
    pub resets: bool,
    /// `SO_RCVTIMEO` and `SO_SNDTIMEO`, in nanoseconds.
    pub timeouts: [Option<i64>; 2],
    /// Options that are stored and given back, by level and name.
    pub stored: std::collections::BTreeMap<(i32, i32), Vec<u8>>,
}

impl InetSocket {
    pub(super) fn new(family: i32) -> Self {
        Self {
            family,
            bound: None,
            listens: false,
            status: Status::default(),
            connects: false,
            told: false,
            shut: false,
            deaf: false,
            options: Options::default(),
            only_v6: false,
            resets: false,
            timeouts: [None; 2],
            stored: std::collections::BTreeMap::new(),
        }
    }

    pub(super) fn lingers_not(&self) -> bool {
        self.resets
    }

    pub(super) fn timeout(&self, reading: bool) -> Option<i64> {
        self.timeouts[usize::from(!reading)]
    }

    /// As Linux reports a TCP socket in each of its states.
    pub(super) fn events(&self) -> u32 {
        let status = &self.status;
        if self.listens {
            return if status.readable { IN } else { 0 };
        }
        if !self.connects && !status.connected {
            return OUT | HUP;
        }
        let failed = status.gone && !status.connected;
        let mut events = 0;
        if status.readable || failed || self.deaf {
            events |= IN;
        }
        if (status.connected && status.writable && !status.connecting) || status.gone || self.shut {
            events |= OUT;
        }
        if status.error.is_some() {
            events |= ERR;
        }
        if status.finished || status.gone || self.deaf {
            events |= RDHUP;
        }
        if status.gone || (status.finished && self.shut) {
            events |= HUP;
        }
        if status.finished || status.gone {
            events |= IN;
        }
        events
    }

    /// Whether octets can be asked for.
    pub(super) fn check_connected(&self) -> Result<(), Errno> {
        if self.status.connecting {
            return Err(Errno::EAGAIN);
        }
        if !self.connects && !self.status.connected {
            return Err(Errno::ENOTCONN);
        }
        Ok(())
    }

    /// The local name as getsockname(2) gives it.
    pub(super) fn local_name(&self) -> Vec<u8> {
        let known = self.status.local.or(self.bound);
        encode(
            known.unwrap_or_else(|| unspecified(self.family)),
            self.family,
        )
    }

    pub(super) fn peer_name(&self) -> Result<Vec<u8>, Errno> {
        match self.status.peer {
            Some(peer) if self.status.connected && !self.status.gone => {
                Ok(encode(peer, self.family))
            }
            _ => Err(Errno::ENOTCONN),
        }
    }
}

fn unspecified(family: i32) -> SocketAddr {
    match family {
        libc::AF_INET => (Ipv4Addr::UNSPECIFIED, 0).into(),
        _ => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// `struct sockaddr_in` or `sockaddr_in6`; an IPv4 address at an IPv6 socket is mapped.
pub(super) fn encode(address: SocketAddr, family: i32) -> Vec<u8> {
    let mut bytes = (family as u16).to_ne_bytes().to_vec();
    bytes.extend(address.port().to_be_bytes());
    match (family, address) {
        (libc::AF_INET, SocketAddr::V4(v4)) => {
            bytes.extend(v4.ip().octets());
            bytes.extend([0; 8]);
        }
        (_, SocketAddr::V4(v4)) => {
            bytes.extend([0; 4]);
            bytes.extend(v4.ip().to_ipv6_mapped().octets());
            bytes.extend([0; 4]);
        }
        (_, SocketAddr::V6(v6)) => {
            bytes.extend(v6.flowinfo().to_be_bytes());
            bytes.extend(v6.ip().octets());
            bytes.extend(v6.scope_id().to_ne_bytes());
        }
    }
    bytes
}

/// An address as a guest gives it; a mapped one is the IPv4 address that it means.
pub(super) fn decode(bytes: &[u8], family: i32) -> Result<SocketAddr, Errno> {
    if bytes.len() < 2 {
        return Err(Errno::EINVAL);
    }
    let port = |bytes: &[u8]| u16::from_be_bytes([bytes[2], bytes[3]]);
    match i32::from(u16_at(bytes, 0)) {
        libc::AF_INET if bytes.len() >= 8 => {
            let octets: [u8; 4] = std::array::from_fn(|at| bytes[4 + at]);
            Ok(SocketAddr::new(Ipv4Addr::from(octets).into(), port(bytes)))
        }
        libc::AF_INET6 if bytes.len() >= 24 && family == libc::AF_INET6 => {
            let octets: [u8; 16] = std::array::from_fn(|at| bytes[8 + at]);
            let ip = Ipv6Addr::from(octets);
            if let Some(v4) = ip.to_ipv4_mapped() {
                return Ok(SocketAddr::new(v4.into(), port(bytes)));
            }
            let scope = super::memory::u32_at(bytes, 24);
            Ok(SocketAddrV6::new(ip, port(bytes), 0, scope).into())
        }
        libc::AF_INET | libc::AF_INET6 => Err(Errno::EINVAL),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// Link-local addresses are known without their scope in the simulated network: each host has one link.
fn without_scope(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}

impl Host {
    pub(super) fn inet(&mut self, id: Id) -> Result<&mut InetSocket, Errno> {
        match self.kernel.description(id).map(|it| &mut it.kind) {
            Some(Kind::Inet(socket)) => Ok(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// What the network knows of a socket, now.
    pub(super) fn refresh(&mut self, id: Id) {
        if let (Some(status), Ok(socket)) = (self.network.status(id), self.inet(id)) {
            socket.status = status;
        }
    }

    pub(super) fn bind_inet(&mut self, id: Id, address: &[u8]) -> Result<Answer, Errno> {
        let own = self.network.addresses();
        let socket = self.inet(id)?;
        let address = decode(address, socket.family)?;
        if socket.bound.is_some() {
            return Err(Errno::EINVAL);
        }
        let ip = address.ip();
        if !ip.is_unspecified() && !ip.is_loopback() && !own.contains(&ip) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if let IpAddr::V6(v6) = ip
            && v6.is_unicast_link_local()
            && matches!(address, SocketAddr::V6(it) if it.scope_id() == 0)
        {
            return Err(Errno::EINVAL);
        }
        socket.bound = Some(address);
        if !ip.is_unspecified() {
            socket.options.source = Some(ip);
        }
        let taken = |other: &InetSocket| {
            other.listens
                && other
                    .status
                    .local
                    .is_some_and(|it| it.port() == address.port() && it.ip() == ip)
        };
        let exists = address.port() != 0
            && self
                .kernel
                .descriptions
                .values()
                .any(|it| matches!(&it.kind, Kind::Inet(other) if taken(other)));
        if exists {
            let socket = self.inet(id)?;
            (socket.bound, socket.options.source) = (None, None);
            return Err(Errno::EADDRINUSE);
        }
        Ok(Answer::Value(0))
    }

    pub(super) fn listen_inet(&mut self, id: Id) -> Result<Answer, Errno> {
        let socket = self.inet(id)?;
        if socket.listens {
            return Ok(Answer::Value(0));
        }
        if socket.connects {
            return Err(Errno::EINVAL);
        }
        let bound = without_scope(socket.bound.unwrap_or_else(|| unspecified(socket.family)));
        let mut at = vec![bound];
        if bound.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !socket.only_v6 {
            at.push((Ipv4Addr::UNSPECIFIED, bound.port()).into());
        }
        let options = socket.options.clone();
        self.network.listen(id, &at, &options)?;
        self.inet(id)?.listens = true;
        self.refresh(id);
        Ok(Answer::Value(0))
    }

    /// A connection that waits, and its peer's name.
    pub(super) fn accept_inet(&mut self, id: Id) -> Result<Option<(Id, Vec<u8>)>, Errno> {
        let socket = self.inet(id)?;
        if !socket.listens {
            return Err(Errno::EINVAL);
        }
        let family = socket.family;
        let stored = socket.stored.clone();
        let options = Options {
            keys: Vec::new(),
            ..socket.options.clone()
        };
        let mut new = InetSocket::new(family);
        let number = self.kernel.describe(Kind::Inet(new.clone()), false);
        let Some(status) = self.network.accept(id, number) else {
            self.kernel.descriptions.remove(&number);
            return Ok(None);
        };
        self.kernel.connections += 1;
        let peer = encode(status.peer.unwrap_or_else(|| unspecified(family)), family);
        (new.status, new.stored, new.told) = (status, stored, true);
        new.options = options;
        *self.inet(number)? = new;
        self.refresh(id);
        Ok(Some((number, peer)))
    }

    pub(super) fn connect_inet(
        &mut self,
        call: &Call,
        id: Id,
        address: &[u8],
    ) -> Result<Answer, Errno> {
        if u16_at(address, 0) == libc::AF_UNSPEC as u16 {
            return Ok(Answer::Value(0));
        }
        let socket = self.inet(id)?;
        let to = without_scope(decode(address, socket.family)?);
        if socket.listens {
            return Err(Errno::EISCONN);
        }
        if !socket.connects && socket.status.connected {
            return Err(Errno::EISCONN);
        }
        if socket.connects {
            return self.connect_again(call, id);
        }
        socket.connects = true;
        let to = match to.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => {
                SocketAddr::new(Ipv4Addr::LOCALHOST.into(), to.port())
            }
            IpAddr::V6(ip) if ip.is_unspecified() => {
                SocketAddr::new(Ipv6Addr::LOCALHOST.into(), to.port())
            }
            _ => to,
        };
        let options = socket.options.clone();
        let family = socket.family;
        self.kernel.connections += 1;
        self.network.connect(id, to, &options);
        self.refresh(id);
        self.kernel.trace.octets(&encode(to, family));
        match self.would_block(call, id, OUT, 0) {
            Err(Errno::EAGAIN) => Err(Errno::EINPROGRESS),
            other => other,
        }
    }

    /// connect(2) once more, or on after it has waited.
    fn connect_again(&mut self, call: &Call, id: Id) -> Result<Answer, Errno> {
        if let Some(error) = self.network.take_error(id) {
            self.refresh(id);
            let socket = self.inet(id)?;
            // Another try may be made with the same socket.
            (socket.connects, socket.status) = (false, Status::default());
            return Err(error);
        }
        let socket = self.inet(id)?;
        if socket.status.connecting {
            if call.again.is_some() {
                return match self.would_block(call, id, OUT, 0) {
                    Err(Errno::EAGAIN) => Err(Errno::EINPROGRESS),
                    other => other,
                };
            }
            return Err(Errno::EALREADY);
        }
        // Linux says once that it is connected, then that it was.
        let told = std::mem::replace(&mut socket.told, true);
        if socket.status.connected && !told {
            return Ok(Answer::Value(0));
        }
        Err(Errno::EISCONN)
    }

    pub(super) fn shutdown_inet(&mut self, id: Id, how: i32) -> Result<Answer, Errno> {
        let socket = self.inet(id)?;
        if socket.listens {
            return Ok(Answer::Value(0));
        }
        if !socket.status.connected || socket.status.gone {
            return Err(Errno::ENOTCONN);
        }
        socket.deaf |= matches!(how, libc::SHUT_RD | libc::SHUT_RDWR);
        if matches!(how, libc::SHUT_WR | libc::SHUT_RDWR) && !socket.shut {
            socket.shut = true;
            self.network.shutdown(id);
        }
        self.refresh(id);
        Ok(Answer::Value(0))
    }
}
