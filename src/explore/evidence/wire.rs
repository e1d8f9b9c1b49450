//! What the host under test did on the wire: the records of its tap, grouped by connection.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::explore::evidence::connection::{Now, WireConnection};
use crate::explore::probe::Probe;
use crate::net::HostName;
use crate::net::clock::Clock;
use crate::sim::{ConnectionName, Record, Socket, TraceEvent};

/// The connections of the host under test and what happened on them.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    /// Connections, in the order in which they began.
    pub connections: Vec<WireConnection>,
    /// Rare paths that were reached.
    pub probes: BTreeSet<Probe>,
}

impl Wire {
    /// The connections with `peer`.
    pub fn with(&self, peer: IpAddr) -> impl Iterator<Item = &WireConnection> {
        let all = self.connections.iter();
        all.filter(move |connection| connection.peer() == peer)
    }

    /// What was seen of several hosts, in the order in which connections began.
    pub(in crate::explore) fn merged(wires: impl Iterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for wire in wires {
            all.connections.extend(wire.connections);
            all.probes.extend(wire.probes);
        }
        // Stable: one host's keep their order.
        all.connections.sort_by_key(|connection| connection.began);
        all
    }

    /// The sessions that were up at `at`, of hosts that are not the only one under test: the host, and its peer.
    #[must_use]
    pub fn sessions(&self, at: Duration) -> BTreeSet<(HostName, IpAddr)> {
        let is_up = |it: &&WireConnection| {
            it.established.is_some_and(|from| from <= at)
                && it.ended.is_none_or(|(ended, _)| ended >= at)
        };
        let up = self.connections.iter().filter(is_up);
        up.filter_map(|it| Some((it.name.host?, it.peer())))
            .collect()
    }

    fn socket(&mut self, now: Now, name: ConnectionName, socket: &Socket) {
        let known = self.connections.iter().rposition(|it| it.name == name);
        let at = known.unwrap_or_else(|| {
            self.connections.push(WireConnection::new(name, now.at));
            self.connections.len() - 1
        });
        let probe = self.connections[at].socket(now, socket);
        self.probes.extend(probe);
    }
}

/// Groups the records of a host's tap during a run; clones share one recorder.
///
/// It keeps the octets of OPENs only.
#[derive(Debug, Clone)]
pub struct WireRecorder {
    host: Rc<str>,
    /// The host's own clock, which may be skewed.
    clock: Clock,
    wire: Rc<RefCell<Wire>>,
}

impl WireRecorder {
    /// A recorder of what `host` does, whose own clock is `clock`.
    #[must_use]
    pub fn new(host: &str, clock: Clock) -> Self {
        Self {
            host: host.into(),
            clock,
            wire: Rc::default(),
        }
    }

    /// Takes a record; call it when the record is made.
    pub fn record(&self, record: &Record) {
        if let TraceEvent::Socket(name, socket) = &record.event
            && record.host == self.host
        {
            let now = Now {
                at: record.time,
                own: self.clock.now(),
            };
            self.wire.borrow_mut().socket(now, *name, socket);
        }
    }

    /// Whether a session of this host with this peer is up.
    #[must_use]
    pub fn is_up(&self, (host, peer): (HostName, IpAddr)) -> bool {
        let wire = self.wire.borrow();
        let mut connections = wire.with(peer).filter(|it| it.name.host == Some(host));
        connections.any(|it| it.established.is_some() && it.ended.is_none())
    }

    /// Returns what was seen so far; sessions that are still up count as silent until `now`.
    #[must_use]
    pub fn take(&self, now: Duration) -> Wire {
        let mut wire = self.wire.take();
        for connection in &mut wire.connections {
            connection.quiet_until(now);
        }
        wire
    }
}
