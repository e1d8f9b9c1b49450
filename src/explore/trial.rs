//! One plan tried in the modes asked for, and judged.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use crate::explore::generate::Profile;
use crate::explore::oracle::{
    Baseline, Failure, Oracle, check, difference, program_may_end, tables,
};
use crate::explore::plan::Plan;
use crate::explore::probe::Probe;
use crate::explore::run::{FinishedRun, Runner};
use crate::reactor::Mode;
use crate::scenario::format::host_fault::HostFault;
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::Golden;
use crate::scenario::run::play::PlayError;
use crate::sim::{Keep, TraceHash};

/// Long enough for a program to play its script again, waiting in vain for what came before.
const RESTART: Duration = Duration::from_secs(300);

/// A scenario that can be tried again and again, and how it goes where nothing goes wrong.
pub struct Trier {
    runner: Runner,
    golden: Option<Golden>,
    baselines: Vec<(Mode, Rc<Baseline>)>,
    profile: Profile,
}

/// What came of a plan in one mode.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The mode.
    pub mode: Mode,
    /// What failed; nothing where all held.
    pub failures: Vec<Failure>,
    /// Rare paths that were reached.
    pub probes: BTreeSet<Probe>,
    /// The hash of everything that happened; `None` where the run panicked.
    pub hash: Option<TraceHash>,
    /// Faults of the plan that never struck.
    pub missed: usize,
}

impl Trier {
    /// Reads the scenario's configuration and runs it once in each mode without faults.
    ///
    /// # Errors
    /// A configuration that cannot be read or understood, a run that stands still.
    pub fn new(scenario: Scenario, golden: Option<Golden>) -> Result<Self, PlayError> {
        let runner = Runner::new(Rc::new(scenario))?;
        let quiet = Plan::quiet(&runner.scenario().name);
        let mut baselines = Vec::new();
        let mut profile = None;
        for mode in Mode::ALL {
            let ran = runner.run(&quiet, mode, Keep::Hash, None)?;
            profile.get_or_insert_with(|| runner.profile(&ran));
            baselines.push((mode, Rc::new(Baseline::of(&ran))));
        }
        Ok(Self {
            profile: profile.unwrap_or_else(|| runner.empty_profile()),
            runner,
            golden,
            baselines,
        })
    }

    /// Where faults can strike.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        self.runner.scenario()
    }

    fn baseline(&self, mode: Mode) -> &Rc<Baseline> {
        let at = usize::from(self.baselines[0].0 != mode);
        &self.baselines[at].1
    }

    /// What `plan` must come to in `mode`: what a run without faults does, or, where a program dies, one in which nothing
    /// else goes wrong.
    fn expected(&self, plan: &Plan, mode: Mode) -> Result<Rc<Baseline>, PlayError> {
        let usual = self.baseline(mode);
        if !program_may_end(plan) || usual.tables.is_empty() {
            return Ok(Rc::clone(usual));
        }
        let of_programs = |host_fault: &&HostFault| matches!(host_fault, HostFault::Program { .. });
        let deaths = Plan {
            host_faults: plan
                .host_faults
                .iter()
                .filter(of_programs)
                .cloned()
                .collect(),
            watch: RESTART,
            ..Plan::quiet(&plan.scenario)
        };
        let ran = self.runner.run(&deaths, mode, Keep::Hash, None)?;
        let held = Baseline::of(&ran).tables;
        let mut expected = Baseline::clone(usual);
        for (peer, table) in &mut expected.tables {
            if let Some(held) = held.get(peer) {
                table.clone_from(held);
            }
        }
        Ok(Rc::new(expected))
    }

    /// Tries `plan` in each of `modes`; where there are two, their ends are compared.
    pub fn try_plan(&self, plan: &Plan, modes: &[Mode]) -> Vec<Trial> {
        let mut ends = Vec::new();
        let mut trials: Vec<Trial> = modes
            .iter()
            .map(|mode| {
                let (trial, ran) = self.try_mode(plan, *mode, Keep::Hash);
                ends.push(ran.map(|ran| tables(&ran)));
                trial
            })
            .collect();
        if let ([Some(one), Some(other)], Some(last)) = (ends.as_slice(), trials.last_mut()) {
            // Where no session stays up even without faults, the moment of the end decides what is seen.
            let stays = |peer| {
                self.baselines
                    .iter()
                    .all(|(_, b)| b.tables.contains_key(peer))
            };
            let peers: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for peer in peers.into_iter().filter(|peer| stays(peer)) {
                let text = match (one.get(peer), other.get(peer)) {
                    (Some(one), Some(other)) => difference(one, other),
                    _ => Some(format!("{peer} is up in one mode alone")),
                };
                if let Some(text) = text {
                    last.failures.push(Failure {
                        oracle: Oracle::Modes,
                        text,
                    });
                }
            }
        }
        trials
    }

    /// Tries `plan` in `mode` and gives the run too, unless it panicked.
    pub fn try_mode(&self, plan: &Plan, mode: Mode, keep: Keep) -> (Trial, Option<FinishedRun>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let baseline = self.expected(plan, mode)?;
            let ran = self.runner.run(plan, mode, keep, Some(&baseline))?;
            Ok::<_, PlayError>((baseline, ran))
        }));
        match outcome {
            Ok(Ok((baseline, ran))) => {
                let trial = Trial {
                    mode,
                    failures: check(plan, &ran, &baseline, self.golden.as_ref()),
                    probes: ran.observed.probes.clone(),
                    hash: Some(ran.hash),
                    missed: ran
                        .struck
                        .iter()
                        .filter(|struck| struck.at.is_none())
                        .count(),
                };
                (trial, Some(ran))
            }
            Ok(Err(error)) => (
                failed(mode, plan, Oracle::Liveness, error.to_string()),
                None,
            ),
            Err(panic) => {
                let text = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or("a panic");
                (failed(mode, plan, Oracle::Panics, text.to_owned()), None)
            }
        }
    }

    /// Plays `plan` in `mode` with its defects where they come from, unjudged, and notes what is pending at `look_at`;
    /// `None` where it panics or stands still.
    #[must_use]
    pub fn play_at_home(
        &self,
        plan: &Plan,
        mode: Mode,
        keep: Keep,
        look_at: Option<Duration>,
    ) -> Option<FinishedRun> {
        let baseline = Some(self.baseline(mode));
        let play = || self.runner.run_at_home(plan, mode, keep, baseline, look_at);
        catch_unwind(AssertUnwindSafe(play)).ok()?.ok()
    }

    /// Whether `plan` fails `oracle` in `mode`.
    #[must_use]
    pub fn fails(&self, plan: &Plan, mode: Mode, oracle: Oracle) -> bool {
        self.failure(plan, mode, oracle).is_some()
    }

    /// How `plan` fails `oracle` in `mode`, if it does.
    #[must_use]
    pub fn failure(&self, plan: &Plan, mode: Mode, oracle: Oracle) -> Option<Failure> {
        let trials = if oracle == Oracle::Modes {
            self.try_plan(plan, &Mode::ALL)
        } else {
            vec![self.try_mode(plan, mode, Keep::Hash).0]
        };
        trials
            .into_iter()
            .flat_map(|trial| trial.failures)
            .find(|failure| failure.oracle == oracle)
    }
}

fn failed(mode: Mode, plan: &Plan, oracle: Oracle, text: String) -> Trial {
    Trial {
        mode,
        failures: vec![Failure { oracle, text }],
        probes: BTreeSet::new(),
        hash: None,
        missed: plan.faults.len(),
    }
}
