//! A failure found: shrunk, and written down in a directory of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::explore::oracle::{Failure, Oracle};
use crate::explore::plan::Plan;
use crate::explore::shrink::{Shrunk, shrink};
use crate::explore::trial::Trier;
use crate::reactor::Mode;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::record::pcap;
use crate::sim::Keep;

/// Captures of a simulation begin when time does.
const EPOCH: Duration = Duration::ZERO;

/// A failure, and the smallest plan that shows it.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The mode in which it fails.
    pub mode: Mode,
    /// What fails in the smallest plan.
    pub failure: Failure,
    /// The plan as it was drawn.
    pub drawn: Plan,
    /// What shrinking came to.
    pub shrunk: Shrunk,
}

impl Finding {
    /// Shrinks `plan`, which fails with `failure` in `mode`.
    #[must_use]
    pub fn shrunk(trier: &Trier, plan: &Plan, mode: Mode, failure: &Failure) -> Self {
        let shrunk = shrink(
            plan,
            |candidate| trier.fails(candidate, mode, failure.oracle),
            |_, _| (),
        );
        // In the small plan it happens at another time.
        let failure = trier
            .failure(&shrunk.plan, mode, failure.oracle)
            .unwrap_or_else(|| failure.clone());
        Self {
            mode,
            failure,
            drawn: plan.clone(),
            shrunk,
        }
    }

    /// The plan that replays it: it names the mode, unless it takes both to see it.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            mode: (self.failure.oracle != Oracle::Modes).then_some(self.mode),
            ..self.shrunk.plan.clone()
        }
    }

    /// The command that replays it, once it is written to `directory`.
    #[must_use]
    pub fn replay(&self, directory: &Path) -> String {
        let plan = directory.join("plan");
        format!("lockstep replay {} --mode {}", plan.display(), self.mode)
    }

    /// Writes plan, captures and log below `directory` and gives the new directory, and what came of the plan in each
    /// mode in which it ends.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn write(
        &self,
        trier: &Trier,
        directory: &Path,
    ) -> io::Result<(PathBuf, Vec<(Mode, RunResult)>)> {
        let name = format!(
            "{}-{}-{}-{}",
            self.drawn.scenario, self.mode, self.failure.oracle, self.drawn.seed
        );
        let directory = directory.join(name);
        fs::create_dir_all(&directory)?;
        let plan = self.plan();
        fs::write(
            directory.join("plan"),
            format!("# {}: {}\n{plan}", self.failure.oracle, self.failure.text),
        )?;
        fs::write(directory.join("plan.drawn"), self.drawn.to_string())?;
        let mut runs = Vec::new();
        for mode in Mode::ALL {
            let tried = trier.try_mode(&plan, mode, Keep::All);
            let Ok((_, Some(ran))) = tried else { continue };
            fs::write(
                directory.join(format!("{mode}.pcap")),
                pcap(&ran.played.transcripts, EPOCH)?,
            )?;
            let log: String = ran
                .records
                .iter()
                .map(|record| format!("{record}\n"))
                .collect();
            fs::write(directory.join(format!("{mode}.log")), log)?;
            runs.push((mode, ran.played));
        }
        let replay = self.replay(&directory);
        fs::write(directory.join("replay"), format!("{replay}\n"))?;
        Ok((directory, runs))
    }
}
