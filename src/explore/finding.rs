//! A finding: a shrunk failure, and the directory written for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::explore::oracle::{Failure, Oracle};
use crate::explore::plan::Plan;
use crate::explore::shrink::{Shrunk, shrink};
use crate::explore::trial::Trier;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::record::pcap;
use crate::sim::Keep;
use crate::subject::Variant;

/// Simulated captures start at time zero.
const EPOCH: Duration = Duration::ZERO;

/// A failure, and the smallest plan that shows it.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was under test when it failed.
    pub variant: Variant,
    /// The failure of the smallest plan.
    pub failure: Failure,
    /// The plan as it was drawn.
    pub drawn: Plan,
    /// The result of shrinking.
    pub shrunk: Shrunk,
}

impl Finding {
    /// Shrinks `plan`, which fails with `failure` where `variant` is under test.
    #[must_use]
    pub fn shrunk(trier: &Trier, plan: &Plan, variant: &Variant, failure: &Failure) -> Self {
        let shrunk = shrink(
            plan,
            |candidate| trier.fails(candidate, variant, failure.oracle),
            |_, _| (),
        );
        // In the small plan it happens at another time.
        let failure = trier
            .failure(&shrunk.plan, variant, failure.oracle)
            .unwrap_or_else(|| failure.clone());
        Self {
            variant: variant.clone(),
            failure,
            drawn: plan.clone(),
            shrunk,
        }
    }

    /// The plan that replays it: it names what is under test, unless the failure needs both reactors.
    #[must_use]
    pub fn plan(&self) -> Plan {
        if self.failure.oracle == Oracle::Modes {
            return self.shrunk.plan.clone();
        }
        self.shrunk.plan.on(&self.variant)
    }

    /// The command that replays it, once it is written to `directory`.
    #[must_use]
    pub fn replay(&self, directory: &Path) -> String {
        let plan = directory.join("plan");
        format!(
            "lockstep replay {} {}",
            plan.display(),
            self.variant.options()
        )
    }

    /// Writes plan, captures and log below `directory` and returns the new directory and the result of the plan with
    /// each variant under test.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn write(
        &self,
        trier: &Trier,
        directory: &Path,
    ) -> io::Result<(PathBuf, Vec<(Variant, RunResult)>)> {
        let name = format!(
            "{}-{}-{}-{}",
            self.drawn.scenario,
            self.variant.file_name(),
            self.failure.oracle,
            self.drawn.seed
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
        for variant in trier.variants() {
            let tried = trier.try_variant(&plan, &variant, Keep::All);
            let Ok((_, Some(ran))) = tried else { continue };
            fs::write(
                directory.join(format!("{}.pcap", variant.file_name())),
                pcap(&ran.played.transcripts, EPOCH)?,
            )?;
            let log: String = ran
                .records
                .iter()
                .map(|record| format!("{record}\n"))
                .collect();
            fs::write(directory.join(format!("{}.log", variant.file_name())), log)?;
            runs.push((variant, ran.played));
        }
        let replay = self.replay(&directory);
        fs::write(directory.join("replay"), format!("{replay}\n"))?;
        Ok((directory, runs))
    }
}
