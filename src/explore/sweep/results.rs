//! The file of results: a JSON line for each run and a last one for the sweep, so that the files of shards can be joined.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::json;

use crate::explore::plan::Plan;
use crate::explore::sweep::tally::Tally;
use crate::explore::trial::Trial;

/// An open file of results.
#[derive(Debug)]
pub struct Results(BufWriter<File>);

impl Results {
    /// A new file at `path`.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(BufWriter::new(File::create(path)?)))
    }

    /// Writes a line for each of the `trials` of `plan`.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn runs(&mut self, plan: &Plan, trials: &[Trial]) -> io::Result<()> {
        for trial in trials {
            let failures = trial.failures.iter();
            let failures = failures.map(|failure| {
                json!({
                    "oracle": failure.oracle.name(),
                    "text": failure.text,
                })
            });
            let not_judged = trial.not_judged.iter();
            let not_judged = not_judged.map(|it| {
                json!({
                    "oracle": it.oracle.name(),
                    "why": it.why,
                })
            });
            let line = json!({
                "scenario": plan.scenario,
                "mode": trial.variant.to_string(),
                "seed": plan.seed,
                "hash": trial.hash.map(|hash| hash.to_string()),
                "missed": trial.missed,
                "failures": failures.collect::<Vec<_>>(),
                "not_judged": not_judged.collect::<Vec<_>>(),
                "plan": plan.to_string(),
            });
            writeln!(self.0, "{line}")?;
        }
        Ok(())
    }

    /// Writes the last line and closes the file.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(mut self, tally: &Tally) -> io::Result<()> {
        let failures = tally.failures.iter();
        let failures: BTreeMap<_, _> = failures.map(|(oracle, n)| (oracle.name(), *n)).collect();
        let line = json!({
            "runs": tally.runs,
            "failures": failures,
            "probes": tally.probes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        writeln!(self.0, "{line}")?;
        self.0.flush()
    }
}
