//! From where a connection comes: the host's addresses, and ports that are free.
//!
//! A port is in use for a pair of addresses. Whoever sends FIN first keeps its port for a minute after the peer's
//! (TIME_WAIT); a port that was asked for by number may be used again in that minute all the same, as the timestamps
//! tell old segments from new ones (`tcp_twsk_unique` of Linux).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::sim::end::End;
use crate::sim::state::{Flow, HostId, State};
use crate::sim::sysctl::{TIME_WAIT, TcpSettings};
use crate::sim::tcp::Side;

/// The least time in TIME_WAIT after which a port may be used again (`tcp_tw_reuse_delay`).
const REUSE_DELAY: Duration = Duration::from_secs(1);

/// What an end makes of its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PortUse {
    Free,
    InUse,
    /// Closed, and waits for the peer's FIN.
    FinWait,
    /// In TIME_WAIT since then.
    TimeWait(Duration),
}

/// How many bits two addresses of one version have in common from the first on.
fn common_prefix(one: IpAddr, other: IpAddr) -> u32 {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => 0,
    }
}

/// Whether `address` is valid on its link only (RFC 4291 section 2.5.6): no route leads from one to another address.
fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

impl State {
    pub(super) fn source_address(
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
        own.filter(|own| own.is_ipv4() == to.is_ipv4() && is_link_local(**own) <= is_link_local(to))
            .max_by_key(|address| common_prefix(**address, to))
            .copied()
            .ok_or(io::ErrorKind::NetworkUnreachable)
    }

    /// The host that `address` is of, seen from `host`.
    pub(super) fn owner(&self, host: HostId, address: IpAddr) -> Option<HostId> {
        if !address.is_loopback() {
            return self.owners.get(&address).copied();
        }
        let shared = [Some(address), None].map(|it| self.loopbacks.get(&(host, it)));
        Some(shared.into_iter().flatten().next().copied().unwrap_or(host))
    }

    /// Whether `address` is the host's: each has a loopback of its own.
    pub(super) fn owns(&self, host: HostId, address: IpAddr) -> bool {
        address.is_loopback() || self.owners.get(&address) == Some(&host)
    }

    /// The address from which `host` connects to `to`: with the port `wanted`, or with an ephemeral one.
    pub(super) fn source_port(
        &mut self,
        host: HostId,
        address: IpAddr,
        wanted: Option<u16>,
        to: SocketAddr,
    ) -> Result<SocketAddr, io::ErrorKind> {
        let Some(port) = wanted.filter(|port| *port != 0) else {
            return self.free_port(host, address, to);
        };
        let from = SocketAddr::new(address, port);
        if self.listens(host, from) {
            return Err(io::ErrorKind::AddrInUse);
        }
        self.chosen_ports = true;
        match self.port_use(host, from, to) {
            PortUse::InUse => Err(io::ErrorKind::AddrNotAvailable),
            _ => Ok(from),
        }
    }

    fn ephemeral_port(&mut self, host: HostId) -> u16 {
        let (first, last) = self.hosts[host].tcp.local_ports();
        let host = &mut self.hosts[host];
        let port = host.next_port.clamp(first, last);
        host.next_port = if port == last {
            host.wrapped = true;
            first
        } else {
            port + 1
        };
        port
    }

    /// `address` with an ephemeral port that is free towards `to`.
    fn free_port(
        &mut self,
        host: HostId,
        address: IpAddr,
        to: SocketAddr,
    ) -> Result<SocketAddr, io::ErrorKind> {
        let (first, last) = self.hosts[host].tcp.local_ports();
        for _ in first..=last {
            let from = SocketAddr::new(address, self.ephemeral_port(host));
            // As long as the ports last, none has been used, unless somebody chose one.
            let unused = !self.hosts[host].wrapped && !self.chosen_ports;
            if !self.listens(host, from) && (unused || self.is_free(host, from, to)) {
                return Ok(from);
            }
        }
        Err(io::ErrorKind::AddrNotAvailable)
    }

    /// `address` with an ephemeral port at which nobody listens or is connected.
    pub(super) fn free_listening_port(
        &mut self,
        host: HostId,
        address: IpAddr,
    ) -> io::Result<SocketAddr> {
        let (first, last) = self.hosts[host].tcp.local_ports();
        for _ in first..=last {
            let at = SocketAddr::new(address, self.ephemeral_port(host));
            let unused = !self.hosts[host].wrapped && !self.chosen_ports;
            if !self.listens(host, at) && (unused || !self.is_connected(host, at.port())) {
                return Ok(at);
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    fn is_free(&mut self, host: HostId, from: SocketAddr, to: SocketAddr) -> bool {
        match self.port_use(host, from, to) {
            PortUse::Free => true,
            PortUse::InUse | PortUse::FinWait => false,
            PortUse::TimeWait(since) => {
                let reuse = match self.hosts[host].tcp.tw_reuse {
                    0 => false,
                    1 => true,
                    _ => from.ip().is_loopback() && to.ip().is_loopback(),
                };
                reuse && since + REUSE_DELAY <= self.now
            }
        }
    }

    /// What is made of `from` on `host` towards `to`.
    fn port_use(&mut self, host: HostId, from: SocketAddr, to: SocketAddr) -> PortUse {
        let now = self.now;
        self.time_wait.retain(|_, since| *since + TIME_WAIT > now);
        let mut found = PortUse::Free;
        for flow in self.connections.values() {
            let (client, server) = (&flow.tcp.client, &flow.tcp.server);
            // Of a SYN that is on its way its target knows nothing.
            let met = flow.listener.is_some() || flow.crossed;
            for (end, other, known) in [(client, server, true), (server, client, met)] {
                let named = known && end.address == from && other.address == to;
                if named && self.is_at(host, flow, end) {
                    match end.port_use(now) {
                        PortUse::Free => {}
                        PortUse::InUse => return PortUse::InUse,
                        waits => found = waits,
                    }
                }
            }
        }
        let forgotten = self.time_wait.get(&(host, from, to));
        forgotten.map_or(found, |since| PortUse::TimeWait(*since))
    }

    /// Whether `end` of `flow` is on `host`.
    fn is_at(&self, host: HostId, flow: &Flow, end: &End) -> bool {
        let client = end.address == flow.tcp.client.address;
        if client {
            return flow.client == host;
        }
        self.owner(flow.client, end.address.ip()) == Some(host)
    }

    fn is_connected(&self, host: HostId, port: u16) -> bool {
        self.connections
            .values()
            .any(|flow| flow.client == host && flow.tcp.address(Side::Client).port() == port)
    }
}

impl TcpSettings {
    /// The first and the last ephemeral port.
    fn local_ports(&self) -> (u16, u16) {
        let port = |number: u32| u16::try_from(number).unwrap_or(u16::MAX).max(1);
        let first = port(self.local_port_first);
        (first, port(self.local_port_last).max(first))
    }
}

impl End {
    pub(super) fn port_use(&self, now: Duration) -> PortUse {
        if let Some(since) = self.time_wait {
            return if since + TIME_WAIT > now {
                PortUse::TimeWait(since)
            } else {
                PortUse::Free
            };
        }
        if self.dead || self.is_over() {
            return PortUse::Free;
        }
        match self.fin_wait_until() {
            None => PortUse::InUse,
            Some(until) if until <= now => PortUse::Free,
            Some(_) => PortUse::FinWait,
        }
    }
}
