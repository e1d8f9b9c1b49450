//! Scenarios to run, how, and what came of each.

use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::net::clock::Clock;
use crate::reactor::Mode;
use crate::reactor::defects::Defect;
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::manifest::Manifest;
use crate::scenario::golden::{Golden, GoldenError};
use crate::scenario::run::play;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::verdict::{Verdict, judge};

/// What a scenario runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum NetworkKind {
    /// Our simulated network, on a virtual clock.
    Sim,
    /// turmoil's simulated network, the second opinion.
    Turmoil,
    /// The kernel's loopback, in real time.
    Kernel,
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sim => "sim",
            Self::Turmoil => "turmoil",
            Self::Kernel => "kernel",
        })
    }
}

/// One run that is over and judged.
#[derive(Debug, Clone)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The reactor.
    pub mode: Mode,
    /// The network.
    pub network: NetworkKind,
    /// The scenario's directory.
    pub directory: PathBuf,
    /// Historical defects switched on, whichever reactor they are of.
    pub defects: Vec<Defect>,
    /// The verdict.
    pub verdict: Verdict,
    /// What happened, for whoever wants to see more.
    pub played: RunResult,
    /// How long it took by the machine's clock.
    pub wall: Duration,
}

impl Report {
    /// Whether the run was right.
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
            "lockstep run {} --mode {} --network {}{defects}",
            self.scenario, self.mode, self.network
        )
    }

    /// The scenario's file.
    #[must_use]
    pub fn script(&self) -> PathBuf {
        self.directory.join("scenario")
    }
}

/// A scenario and its golden.
#[derive(Debug, Clone)]
pub struct Case {
    /// The scenario.
    pub scenario: Rc<Scenario>,
    /// Its golden.
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
        let golden = Golden::load(captures, manifest, &scenario.name)?;
        Ok(Self {
            scenario: Rc::new(scenario),
            golden,
        })
    }

    /// Runs the scenario in `mode` on `network` and judges it.
    ///
    /// # Errors
    /// The configuration, or what the operating system says.
    pub fn run(&self, mode: Mode, network: NetworkKind) -> Result<Report, play::PlayError> {
        self.run_with(mode, network, &[])
    }

    /// The same with defects switched on in the reactor that they come from.
    ///
    /// # Errors
    /// As for [`Self::run`]; defects are for the simulated network alone.
    pub fn run_with(
        &self,
        mode: Mode,
        network: NetworkKind,
        defects: &[Defect],
    ) -> Result<Report, play::PlayError> {
        let wall = Clock::start();
        let played = if defects.is_empty() {
            play::play(&self.scenario, mode, network)?
        } else {
            let defects = defects.iter().copied().collect();
            play::play_with(&self.scenario, mode, network, defects)?
        };
        Ok(Report {
            scenario: self.scenario.name.clone(),
            mode,
            network,
            directory: self.scenario.directory.clone(),
            defects: defects.to_vec(),
            verdict: judge(&self.scenario, Some(&self.golden), &played),
            played,
            wall: wall.now(),
        })
    }
}
