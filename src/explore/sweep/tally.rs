//! The results of a sweep so far.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::explore::oracle::Oracle;
use crate::explore::plan::Plan;
use crate::explore::probe::Probe;
use crate::explore::trial::Trial;

/// Counts, and the first failure of each class.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Runs: a plan with one variant under test.
    pub runs: usize,
    /// Plans of the sweep that have not been tried.
    pub untried: usize,
    /// Failed runs by class; a run can fail several.
    pub failures: BTreeMap<Oracle, usize>,
    /// Rare paths that were reached.
    pub probes: BTreeSet<Probe>,
    /// For each scenario and class, the failure of the plan with the lowest number, whichever thread was first.
    pub first: BTreeMap<(String, Oracle), FirstFailure>,
    /// Wall-clock time.
    pub wall: Duration,
}

/// A failure that stands for its class.
#[derive(Debug, Clone)]
pub struct FirstFailure {
    /// The number of the plan in the sweep.
    pub number: usize,
    /// The plan that failed, as drawn (not shrunk).
    pub plan: Plan,
    /// Its failures.
    pub trial: Trial,
}

impl Tally {
    /// The tally of a sweep of `plans` plans that has not started.
    #[must_use]
    pub fn of(plans: usize) -> Self {
        Self {
            runs: 0,
            untried: plans,
            failures: BTreeMap::new(),
            probes: BTreeSet::new(),
            first: BTreeMap::new(),
            wall: Duration::ZERO,
        }
    }

    /// Adds the `trials` of `plan`, which has this `number`.
    pub fn add(&mut self, number: usize, plan: &Plan, trials: Vec<Trial>) {
        self.untried = self.untried.saturating_sub(1);
        for trial in trials {
            self.runs += 1;
            self.probes.extend(&trial.probes);
            // A run that fails an oracle many times over is one failure of its class.
            let classes: BTreeSet<Oracle> = trial.failures.iter().map(|it| it.oracle).collect();
            for oracle in classes {
                *self.failures.entry(oracle).or_default() += 1;
                let found = FirstFailure {
                    number,
                    plan: plan.clone(),
                    trial: trial.clone(),
                };
                match self.first.entry((plan.scenario.clone(), oracle)) {
                    Entry::Vacant(entry) => {
                        entry.insert(found);
                    }
                    Entry::Occupied(mut entry) if number < entry.get().number => {
                        entry.insert(found);
                    }
                    Entry::Occupied(_) => {}
                }
            }
        }
    }

    /// The first class that failed, in the order of [`Oracle::ALL`].
    #[must_use]
    pub fn failed(&self) -> Option<Oracle> {
        self.failures.keys().next().copied()
    }

    /// Rare paths that no run reached.
    #[must_use]
    pub fn unreached(&self) -> Vec<Probe> {
        let probes = Probe::ALL.iter().copied();
        probes
            .filter(|probe| !self.probes.contains(probe))
            .collect()
    }
}

/// `2000 runs, 512/s, table 3, timers 1`
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.runs as f64 / self.wall.as_secs_f64().max(1e-3);
        write!(f, "{} runs, {rate:.0}/s", self.runs)?;
        if self.failures.is_empty() {
            return f.write_str(", no failure");
        }
        for (oracle, count) in &self.failures {
            write!(f, ", {oracle} {count}")?;
        }
        Ok(())
    }
}
