//! A scenario run without faults: the reference for runs with faults.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::explore::evidence::connection::Ending;
use crate::explore::finished_run::{FinishedRun, Table};
use crate::net::HostName;
use crate::scenario::golden::Golden;
use crate::scenario::scripted::table::Held;

/// What a run without faults shows, under the same settings.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// By peer that is up at the end: its table.
    pub tables: BTreeMap<IpAddr, Table>,
    /// Sessions that are up at the end, where several hosts are under test: the host, and its peer.
    pub sessions: BTreeSet<(HostName, IpAddr)>,
    /// How sessions ended before the run was over.
    pub endings: BTreeSet<Ending>,
    /// Answers by program; empty for a subject whose API cannot be observed.
    pub answers: BTreeMap<String, Vec<String>>,
    /// Commands without an answer, by program that disabled answers.
    pub unanswered: BTreeMap<String, usize>,
    /// Number of messages from the speaker that do not decode; a scenario may send them on purpose.
    pub undecodable: usize,
    /// Messages sent by the speaker, by peer and attempt.
    pub octets: Golden,
}

impl Baseline {
    /// What `ran`, a run of a quiet plan, shows.
    #[must_use]
    pub fn of(ran: &FinishedRun) -> Self {
        let ended = ran.wire.connections.iter().filter_map(|it| it.ended);
        let inside = ran.inside.as_ref();
        Self {
            tables: ran.tables(),
            sessions: ran.wire.sessions(ran.played.over),
            endings: ended
                .filter(|(at, _)| *at < ran.played.over)
                .map(|(_, ending)| ending)
                .collect(),
            answers: inside.map_or_else(BTreeMap::new, |inside| inside.answers.clone()),
            unanswered: inside.map_or_else(BTreeMap::new, |inside| inside.unanswered.clone()),
            undecodable: ran.undecodable(),
            octets: Golden::of(&ran.played.transcripts),
        }
    }
}

impl Baseline {
    /// Whether a session is up at the end.
    #[must_use]
    pub fn stays_up(&self) -> bool {
        !self.tables.is_empty() || !self.sessions.is_empty()
    }
}

/// The routes of a table by what tells them apart.
fn by_index(table: &[Held]) -> BTreeMap<Vec<u8>, &Held> {
    let index = |held: &Held| held.nlri.index().unwrap_or_default();
    table.iter().map(|held| (index(held), held)).collect()
}

/// Describes the first difference between two tables.
#[must_use]
pub fn difference(expected: &[Held], found: &[Held]) -> Option<String> {
    if expected == found {
        return None;
    }
    let [wanted, held] = [expected, found].map(by_index);
    let lost = wanted.iter().find(|(index, _)| !held.contains_key(*index));
    if let Some((_, held)) = lost {
        return Some(format!("{} is lost", held.nlri.text()));
    }
    let stale = held.iter().find(|(index, _)| !wanted.contains_key(*index));
    if let Some((_, held)) = stale {
        return Some(format!("{} is stale", held.nlri.text()));
    }
    let (_, other) = wanted
        .iter()
        .find(|(index, one)| held.get(*index) != Some(*one))?;
    Some(format!(
        "{} has another next hop or other attributes",
        other.nlri.text()
    ))
}
