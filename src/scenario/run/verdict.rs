//! The verdict on a run: against its golden, its steps, and the expected final state.

use std::time::Duration;

use crate::scenario::format::script::{Scenario, TableEntry};
use crate::scenario::golden::{Divergence, Golden};
use crate::scenario::run::played::RunResult;
use crate::scenario::scripted::progress::StepFailure;

/// What was wrong with a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// The first message that is not the golden's.
    pub divergence: Option<Divergence>,
    /// The first step that was not met.
    pub step: Option<StepFailure>,
    /// Errors in the peer's table, as sentences.
    pub table: Vec<String>,
}

impl Faults {
    /// Whether nothing was wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.divergence.is_none() && self.step.is_none() && self.table.is_empty()
    }
}

/// The verdict on one run of one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was wrong; empty if the run passed.
    pub faults: Faults,
    /// Messages of the speaker, KEEPALIVEs not counted.
    pub messages: usize,
    /// How long the run took on its own clock.
    pub elapsed: Duration,
}

/// Judges `played`; without a golden, only by the steps and the table.
#[must_use]
pub fn judge(scenario: &Scenario, golden: Option<&Golden>, played: &RunResult) -> Verdict {
    let run = Golden::of(&played.transcripts);
    Verdict {
        faults: Faults {
            divergence: golden.and_then(|golden| golden.divergence(&run)),
            step: played.failure.clone(),
            table: scenario
                .table
                .as_deref()
                .map(|expected| table(expected, played))
                .unwrap_or_default(),
        },
        messages: run.messages(),
        elapsed: played.elapsed,
    }
}

fn table(expected: &[TableEntry], played: &RunResult) -> Vec<String> {
    let held: Vec<_> = played
        .tables
        .values()
        .flat_map(|view| view.unicast())
        .collect();
    let missing = expected.iter().filter_map(|entry| {
        let found = held.iter().find(|(prefix, _)| *prefix == entry.prefix);
        match (found, entry.next_hop) {
            (None, _) => Some(format!("the peer's table lacks {}", entry.prefix)),
            (Some((_, found)), Some(next_hop)) if *found != Some(next_hop) => {
                let found = found.map_or_else(|| "none".into(), |hop| hop.to_string());
                Some(format!(
                    "the peer's table has {} with next hop {found} instead of {next_hop}",
                    entry.prefix
                ))
            }
            _ => None,
        }
    });
    let stale = held
        .iter()
        .filter(|(prefix, _)| expected.iter().all(|entry| entry.prefix != *prefix))
        .map(|(prefix, _)| format!("the peer's table has {prefix}, which should not be there"));
    missing.chain(stale).collect()
}
