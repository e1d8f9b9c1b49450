//! A finished run and its evidence.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::explore::evidence::inside::Inside;
use crate::explore::evidence::wire::Wire;
use crate::scenario::run::played::RunResult;
use crate::scenario::scripted::table::Held;
use crate::sim::{Direction, Fault, Record, Socket, TraceEvent, TraceHash, TriggeredFault};

/// A finished run.
#[derive(Debug, Clone)]
pub struct FinishedRun {
    /// What peers and programs observed.
    pub played: RunResult,
    /// What the host under test did on the wire.
    pub wire: Wire,
    /// What it did with its API; absent for a subject whose API cannot be observed.
    pub inside: Option<Inside>,
    /// Every connection fault of the plan, and whether and when it triggered.
    pub triggered: Vec<TriggeredFault>,
    /// The hash of everything that happened.
    pub hash: TraceHash,
    /// The rate limits of the peers that have one, in UPDATEs per second.
    pub limits: BTreeMap<String, u32>,
    /// Whether the scenario makes the speaker reload its configuration.
    pub reloads: bool,
    /// Whether the scenario says something through the speaker's control program, which its configuration does not know.
    pub controlled: bool,
    /// Whether the scenario has a `verbatim` section: the speaker sends bytes of a capture, OPENs included.
    pub verbatim: bool,
    /// When the first partition began that the scenario itself has.
    pub first_partition: Option<Duration>,
    /// Every trace record, if they were kept.
    pub records: Vec<Record>,
}

/// A peer's routes in the order of their index.
pub type Table = Vec<Held>;

impl FinishedRun {
    /// What the peers that are up hold.
    #[must_use]
    pub fn tables(&self) -> BTreeMap<IpAddr, Table> {
        let views = self.played.tables.iter();
        views
            .filter(|(_, view)| view.is_live())
            .map(|(peer, view)| (*peer, view.routes().cloned().collect()))
            .collect()
    }

    /// How many messages of the speaker do not decode.
    #[must_use]
    pub fn undecodable(&self) -> usize {
        let views = self.played.tables.values();
        views.map(|view| view.undecodable()).sum()
    }

    /// The faults of connections that never triggered, each with how far its connection came as far as records were
    /// kept.
    #[must_use]
    pub fn untriggered(&self) -> Vec<String> {
        let missed = self
            .triggered
            .iter()
            .filter(|triggered| triggered.at.is_none());
        missed
            .map(|triggered| {
                let fault = &triggered.fault;
                format!("{fault} ({})", self.carried(fault))
            })
            .collect()
    }

    /// How many octets went over the connection of `fault` in its direction, in words.
    fn carried(&self, fault: &Fault) -> String {
        let name = fault.connection;
        let mut seen = false;
        let mut octets = 0;
        for record in &self.records {
            let TraceEvent::Socket(connection, socket) = &record.event else {
                continue;
            };
            if *connection != name {
                continue;
            }
            seen = true;
            octets += match (socket, fault.direction) {
                (Socket::Sent(bytes), Direction::Sent)
                | (Socket::Received(bytes), Direction::Received) => bytes.len(),
                _ => 0,
            };
        }
        if seen {
            format!("{name} carried {octets} octet(s) {}", fault.direction)
        } else {
            format!("there was no connection {name}")
        }
    }
}
