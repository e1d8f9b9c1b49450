//! How a scenario goes where nothing goes wrong: what runs with faults are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::explore::evidence::connection::Ending;
use crate::explore::finished_run::{FinishedRun, Table};
use crate::scenario::golden::Golden;
use crate::scenario::scripted::table::Held;

/// How a scenario goes where nothing goes wrong, under the same rules.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// The peers that are up at the end, and what they hold.
    pub tables: BTreeMap<IpAddr, Table>,
    /// How sessions end in it before it is over.
    pub endings: BTreeSet<Ending>,
    /// Answers by program, where they can be seen.
    pub answers: BTreeMap<String, Vec<String>>,
    /// Commands by program that are not answered, since it asked for no answers.
    pub unanswered: BTreeMap<String, usize>,
    /// Messages of the speaker that do not decode, which a scenario may be about.
    pub undecodable: usize,
    /// The speaker's messages.
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

/// The first difference of two tables, in a sentence.
#[must_use]
pub fn difference(expected: &[Held], found: &[Held]) -> Option<String> {
    let lost = expected
        .iter()
        .find(|held| !found.iter().any(|other| other.nlri == held.nlri));
    if let Some(held) = lost {
        return Some(format!("{} is lost", held.nlri.text()));
    }
    let stale = found
        .iter()
        .find(|held| !expected.iter().any(|other| other.nlri == held.nlri));
    if let Some(held) = stale {
        return Some(format!("{} is stale", held.nlri.text()));
    }
    let other = expected.iter().find(|held| !found.contains(held))?;
    Some(format!(
        "{} has another next hop or other attributes",
        other.nlri.text()
    ))
}
