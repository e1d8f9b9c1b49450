//! The suite: scenarios to run, and the report on each.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::net::clock::Clock;
use crate::reactor::defects::Defect;
use crate::scenario::format::script::{GoldenSource, Scenario};
use crate::scenario::golden::manifest::Manifest;
use crate::scenario::golden::{Golden, GoldenError};
use crate::scenario::run::error::PlayError;
use crate::scenario::run::network::NetworkKind;
use crate::scenario::run::play;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::verdict::{Verdict, judge};
use crate::subject::Variant;

/// One finished and judged run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// What was under test.
    pub variant: Variant,
    /// The network it ran on.
    pub network: NetworkKind,
    /// The scenario's directory.
    pub directory: PathBuf,
    /// Historical defects enabled, of either reactor.
    pub defects: Vec<Defect>,
    /// Whether it passed, failed or was invalid, and why.
    pub verdict: Verdict,
    /// The run itself, for reports.
    pub played: RunResult,
    /// Wall-clock time.
    pub wall: Duration,
}

impl Report {
    /// Whether the run passed.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.verdict.faults.is_empty()
    }

    /// The command that runs it again.
    #[must_use]
    pub fn command(&self) -> String {
        let defects = self.defects.iter();
        let defects: String = defects
            .map(|defect| format!(" --defect {}", defect.name()))
            .collect();
        format!(
            "lockstep run {} {} --network {}{defects}",
            self.scenario,
            self.variant.options(),
            self.network
        )
    }

    /// The scenario's file.
    #[must_use]
    pub fn script(&self) -> PathBuf {
        self.directory.join("scenario")
    }
}

/// A scenario that could not be run: its input is invalid, which says nothing about the speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRun {
    /// The scenario's name.
    pub scenario: String,
    /// What was to be tested.
    pub variant: Variant,
    /// Why, in a line.
    pub reason: String,
}

/// A scenario and its golden.
#[derive(Debug, Clone)]
pub struct Case {
    /// The scenario that was run.
    pub scenario: Rc<Scenario>,
    /// Its golden; empty where the scenario has none.
    pub golden: Golden,
}

impl Case {
    /// `scenario` with its golden out of `captures`.
    ///
    /// # Errors
    /// Where there is no golden, or it is not what the manifest says.
    pub fn new(
        scenario: Scenario,
        captures: &Path,
        manifest: &Manifest,
    ) -> Result<Self, GoldenError> {
        let golden = match scenario.golden {
            GoldenSource::None if manifest.entry(&scenario.name).is_none() => Golden::default(),
            _ => Golden::load(captures, manifest, &scenario.name)?,
        };
        Ok(Self {
            scenario: Rc::new(scenario),
            golden,
        })
    }

    /// The golden, unless the scenario has none.
    #[must_use]
    pub fn golden(&self) -> Option<&Golden> {
        let has_none = self.scenario.golden == GoldenSource::None && self.golden.messages() == 0;
        (!has_none).then_some(&self.golden)
    }

    /// Runs the scenario with `variant` under test on `network`, `defects` enabled in the reactor that they belong
    /// to, and judges it.
    ///
    /// # Errors
    /// As for [`play::play`].
    pub fn run(
        &self,
        variant: &Variant,
        network: NetworkKind,
        defects: &[Defect],
    ) -> Result<Report, PlayError> {
        let wall = Clock::start();
        let switched = defects.iter().copied().collect();
        let played = play::play(&self.scenario, variant, network, switched)?;
        Ok(Report {
            scenario: self.scenario.name.clone(),
            variant: variant.clone(),
            network,
            directory: self.scenario.directory.clone(),
            defects: defects.to_vec(),
            verdict: judge(&self.scenario, self.golden(), &played),
            played,
            wall: wall.now(),
        })
    }
}
