//! One plan tried in the given modes, and judged.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use crate::explore::baseline::Baseline;
use crate::explore::feasible;
use crate::explore::finished_run::FinishedRun;
use crate::explore::generate::Profile;
use crate::explore::oracle::{Failure, NotJudged, Oracle, Verdict, judge, modes};
use crate::explore::outcome::{Invalid, Unfinished};
use crate::explore::plan::Plan;
use crate::explore::probe::Probe;
use crate::explore::run::Runner;
use crate::reactor::Mode;
use crate::scenario::format::host_fault::HostFault;
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::Golden;
use crate::scenario::run::play::PlayError;
use crate::sim::{Keep, TraceHash};

/// Long enough for a program to play its script again, and to wait in vain for what came before.
const RESTART: Duration = Duration::from_secs(300);

/// A scenario that can be tried many times, and what it does without faults.
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
    /// The failures; empty if every oracle is satisfied.
    pub failures: Vec<Failure>,
    /// What was not judged, or not in full.
    pub not_judged: Vec<NotJudged>,
    /// Rare paths that were reached.
    pub probes: BTreeSet<Probe>,
    /// The hash of everything that happened; `None` if the run panicked or did not end.
    pub hash: Option<TraceHash>,
    /// How many faults of the plan never triggered.
    pub missed: usize,
}

impl Trier {
    /// Reads the scenario's configuration and runs it once in each mode without faults.
    ///
    /// # Errors
    /// A configuration that cannot be read or understood; a run without faults that panics or does not end.
    pub fn new(scenario: Scenario, golden: Option<Golden>) -> Result<Self, Unfinished> {
        let runner = Runner::new(Rc::new(scenario)).map_err(Invalid::Play)?;
        let quiet = Plan::quiet(&runner.scenario().name);
        let mut baselines = Vec::new();
        let mut profile = None;
        for mode in Mode::ALL {
            let ran = finish(mode, || runner.run(&quiet, mode, Keep::Hash, None))?;
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

    /// Where faults can trigger.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        self.runner.scenario()
    }

    /// Checks that the scenario can carry out `plan`.
    ///
    /// # Errors
    /// The first line that it cannot carry out.
    pub fn check(&self, plan: &Plan) -> Result<(), Invalid> {
        Ok(feasible::check(plan, self.scenario())?)
    }

    fn baseline(&self, mode: Mode) -> &Rc<Baseline> {
        let at = usize::from(self.baselines[0].0 != mode);
        &self.baselines[at].1
    }

    /// What `plan` must come to in `mode`: what a run without faults does, or, where a program dies, one in which nothing
    /// else goes wrong.
    fn expected(&self, plan: &Plan, mode: Mode) -> Result<Rc<Baseline>, PlayError> {
        let usual = self.baseline(mode);
        if !plan.program_may_end() || usual.tables.is_empty() {
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

    /// Tries `plan` in each of `modes`; if there are two, their ends are compared.
    ///
    /// # Errors
    /// A plan that cannot be carried out, a file or socket that fails.
    pub fn try_plan(&self, plan: &Plan, modes: &[Mode]) -> Result<Vec<Trial>, Invalid> {
        let tried = self.try_modes(plan, modes, Keep::Hash)?;
        Ok(tried.into_iter().map(|(trial, _)| trial).collect())
    }

    /// The same, with each run that finished.
    ///
    /// # Errors
    /// As for [`Self::try_plan`].
    pub fn try_modes(
        &self,
        plan: &Plan,
        modes: &[Mode],
        keep: Keep,
    ) -> Result<Vec<(Trial, Option<FinishedRun>)>, Invalid> {
        let mut tried = Vec::new();
        for mode in modes {
            tried.push(self.try_mode(plan, *mode, keep)?);
        }
        if let [(_, Some(one)), (last, Some(other))] = tried.as_mut_slice() {
            let baselines = Mode::ALL.map(|mode| &self.baseline(mode).tables);
            let failures = modes::judge([&one.tables(), &other.tables()], baselines);
            last.failures.extend(failures);
            last.not_judged.retain(|it| it.oracle != Oracle::Modes);
        }
        Ok(tried)
    }

    /// Tries `plan` in `mode` and returns the run too, if it finished.
    ///
    /// # Errors
    /// As for [`Self::try_plan`].
    pub fn try_mode(
        &self,
        plan: &Plan,
        mode: Mode,
        keep: Keep,
    ) -> Result<(Trial, Option<FinishedRun>), Invalid> {
        self.check(plan)?;
        let outcome = finish(mode, || {
            let baseline = self.expected(plan, mode)?;
            let ran = self.runner.run(plan, mode, keep, Some(&baseline))?;
            Ok((baseline, ran))
        });
        match outcome {
            Ok((baseline, ran)) => {
                let Verdict {
                    failures,
                    mut not_judged,
                } = judge(plan, &ran, &baseline, self.golden.as_ref());
                not_judged.push(NotJudged {
                    oracle: Oracle::Modes,
                    why: "the plan ran in one mode only".into(),
                });
                let inside = ran.inside.iter().flat_map(|inside| &inside.probes);
                let trial = Trial {
                    mode,
                    failures,
                    not_judged,
                    probes: ran.wire.probes.iter().chain(inside).copied().collect(),
                    hash: Some(ran.hash),
                    missed: ran
                        .struck
                        .iter()
                        .filter(|struck| struck.at.is_none())
                        .count(),
                };
                Ok((trial, Some(ran)))
            }
            Err(Unfinished::Failed { mode, failure }) => Ok((failed(mode, plan, failure), None)),
            Err(Unfinished::Invalid(invalid)) => Err(invalid),
        }
    }

    /// Plays `plan` in `mode` with each of its defects only in the reactor that it comes from, unjudged, and notes what
    /// is pending at `look_at`.
    ///
    /// # Errors
    /// A plan that cannot be carried out; a run that panics or does not end.
    pub fn play_at_home(
        &self,
        plan: &Plan,
        mode: Mode,
        keep: Keep,
        look_at: Option<Duration>,
    ) -> Result<FinishedRun, Unfinished> {
        self.check(plan)?;
        let baseline = Some(self.baseline(mode));
        finish(mode, || {
            self.runner.run_at_home(plan, mode, keep, baseline, look_at)
        })
    }

    /// Whether `plan` fails `oracle` in `mode`.
    #[must_use]
    pub fn fails(&self, plan: &Plan, mode: Mode, oracle: Oracle) -> bool {
        self.failure(plan, mode, oracle).is_some()
    }

    /// How `plan` fails `oracle` in `mode`, if it does; an invalid plan fails nothing.
    #[must_use]
    pub fn failure(&self, plan: &Plan, mode: Mode, oracle: Oracle) -> Option<Failure> {
        let modes = match oracle {
            Oracle::Modes => Mode::ALL.to_vec(),
            _ => vec![mode],
        };
        self.try_plan(plan, &modes)
            .ok()?
            .into_iter()
            .flat_map(|trial| trial.failures)
            .find(|failure| failure.oracle == oracle)
    }
}

/// Runs `play`, a run in `mode`, to its end: a panic is the speaker's failure.
fn finish<T>(mode: Mode, play: impl FnOnce() -> Result<T, PlayError>) -> Result<T, Unfinished> {
    match catch_unwind(AssertUnwindSafe(play)) {
        Ok(played) => played.map_err(|error| Unfinished::of(mode, error)),
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("a panic");
            let failure = Failure {
                oracle: Oracle::Panics,
                text: text.to_owned(),
            };
            Err(Unfinished::Failed { mode, failure })
        }
    }
}

/// A run that did not come to its end: nothing but `failure` can be judged.
fn failed(mode: Mode, plan: &Plan, failure: Failure) -> Trial {
    let others = Oracle::ALL.iter().filter(|it| **it != failure.oracle);
    Trial {
        mode,
        not_judged: others
            .map(|oracle| NotJudged {
                oracle: *oracle,
                why: "the run did not come to its end".into(),
            })
            .collect(),
        failures: vec![failure],
        probes: BTreeSet::new(),
        hash: None,
        missed: plan.faults.len(),
    }
}
