//! A sweep: many plans over many scenarios, on every core; its results, and a shrunk plan for each class of failure.
//!
//! [`plans`] lists the plans of a shard, [`Sweep::run`] tries them, [`tally`] counts, [`results`] writes a line per
//! run, [`findings`] shrinks the first failure of each class.

pub mod findings;
pub mod plans;
pub mod results;
pub mod tally;

use std::cell::OnceCell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

use crate::explore::jobs;
use crate::explore::outcome::{Invalid, Unfinished};
use crate::explore::plan::Plan;
use crate::explore::trial::{Trial, Trier};
use crate::net::clock::Clock;
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::manifest::{Manifest, ManifestError};
use crate::scenario::golden::{Golden, GoldenError};
use crate::subject::Variant;
use results::Results;
use tally::Tally;

/// A scenario and its golden, if it has one.
#[derive(Debug, Clone)]
pub struct SweepCase {
    /// The scenario that the plans are for.
    pub scenario: Scenario,
    /// Its golden.
    pub golden: Option<Golden>,
}

impl SweepCase {
    /// `scenarios` with those of their goldens that are in the directory `captures`.
    ///
    /// # Errors
    /// A manifest or a golden that cannot be read, or does not agree with the other.
    pub fn all(scenarios: Vec<Scenario>, captures: &Path) -> Result<Vec<Self>, SweepError> {
        let manifest = Manifest::load(captures)?;
        let case = |scenario: Scenario| {
            let golden = Golden::find(captures, &manifest, &scenario.name)?;
            Ok(Self { scenario, golden })
        };
        scenarios.into_iter().map(case).collect()
    }

    /// The scenario, ready to be tried with each of `variants` under test.
    ///
    /// # Errors
    /// As for [`Trier::new`].
    pub fn trier(&self, variants: &[Variant]) -> Result<Trier, Unfinished> {
        Trier::new(self.scenario.clone(), self.golden.clone(), variants)
    }
}

/// Why a sweep cannot go on.
#[derive(Debug, Error, Diagnostic)]
pub enum SweepError {
    /// The manifest of the goldens.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A golden.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// A scenario, or the speaker in a run without faults.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unfinished(#[from] Unfinished),
    /// A plan that its scenario cannot carry out.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] Invalid),
    /// The file of results.
    #[error("cannot write the results: {0}")]
    Results(std::io::Error),
    /// The directory of a finding.
    #[error("cannot write the finding: {0}")]
    Finding(std::io::Error),
}

/// A plan to try and the index of its scenario among the cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Index of the case.
    pub case: usize,
    /// The plan to run, in every mode that it allows.
    pub plan: Plan,
}

/// What is tried, where, and for how long.
#[derive(Debug)]
pub struct Sweep<'a> {
    /// The scenarios and their goldens.
    pub cases: &'a [SweepCase],
    /// The plans to run, in order; the results come in the same order.
    pub plans: &'a [Planned],
    /// What is under test in each plan.
    pub variants: &'a [Variant],
    /// Number of threads.
    pub jobs: usize,
    /// No new plan is started after this wall-clock time.
    pub limit: Option<Duration>,
    /// Set from outside: no new plan is started.
    pub interrupted: &'a AtomicBool,
}

impl Sweep<'_> {
    /// Tries every plan; `progress` is called after each, and each run is written to `results`.
    ///
    /// # Errors
    /// A plan that cannot be carried out, results that cannot be written.
    pub fn run(
        &self,
        mut results: Option<Results>,
        mut progress: impl FnMut(&Tally),
    ) -> Result<Tally, SweepError> {
        let clock = Clock::start();
        let mut tally = Tally::of(self.plans.len());
        let mut failed = None;
        jobs::run(
            self.plans.len(),
            self.jobs,
            || {
                let triers: Vec<OnceCell<Trier>> =
                    self.cases.iter().map(|_| OnceCell::new()).collect();
                move |item| self.try_one(&triers, item)
            },
            |item, trials| {
                let plan = &self.plans[item].plan;
                let taken = trials.and_then(|trials| {
                    if let Some(results) = &mut results {
                        results.runs(plan, &trials).map_err(SweepError::Results)?;
                    }
                    tally.add(item, plan, trials);
                    Ok(())
                });
                failed = taken.err();
                tally.wall = clock.now();
                progress(&tally);
                failed.is_none()
                    && self.limit.is_none_or(|limit| clock.now() < limit)
                    && !self.interrupted.load(Ordering::Relaxed)
            },
        );
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(results) = results {
            results.finish(&tally).map_err(SweepError::Results)?;
        }
        Ok(tally)
    }

    fn try_one(&self, triers: &[OnceCell<Trier>], item: usize) -> Result<Vec<Trial>, SweepError> {
        let Planned { case, plan } = &self.plans[item];
        let trier = match triers[*case].get() {
            Some(trier) => trier,
            None => {
                let made = self.cases[*case].trier(self.variants)?;
                triers[*case].get_or_init(|| made)
            }
        };
        Ok(trier.try_plan(plan, self.variants)?)
    }
}
