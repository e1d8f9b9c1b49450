//! Runs a plan with each given variant under test and judges it.

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
use crate::explore::staging::SubjectNetwork;
use crate::scenario::format::host_fault::HostFault;
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::Golden;
use crate::scenario::run::error::PlayError;
use crate::sim::{Keep, TraceHash};
use crate::subject::{StopAt, Subject, Variant};

/// Long enough for a program to repeat its script and to wait for events that will not come again.
const RESTART: Duration = Duration::from_secs(300);

/// A scenario to run many times, and its run without faults.
pub struct Trier {
    runner: Runner,
    golden: Option<Golden>,
    baselines: Vec<(Variant, Rc<Baseline>)>,
    profile: Profile,
}

/// The result of a plan with one variant under test.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What was under test.
    pub variant: Variant,
    /// The failures; empty if every oracle is satisfied.
    pub failures: Vec<Failure>,
    /// What was not judged, or not in full.
    pub not_judged: Vec<NotJudged>,
    /// Rare paths that were reached.
    pub probes: BTreeSet<Probe>,
    /// The trace hash; `None` if the run panicked or did not end.
    pub hash: Option<TraceHash>,
    /// How many faults of the plan never triggered.
    pub missed: usize,
}

impl Trier {
    /// Reads the scenario's configuration and runs it once with each of `variants` without faults.
    ///
    /// # Errors
    /// A configuration that cannot be read or understood; a run without faults that panics or does not end.
    pub fn new(
        scenario: Scenario,
        golden: Option<Golden>,
        variants: &[Variant],
    ) -> Result<Self, Unfinished> {
        let runner = Runner::new(Rc::new(scenario), variants).map_err(Invalid::Play)?;
        Self::with(runner, golden, variants)
    }

    /// Runs `scenario` once without faults with the subject that `make` makes, which plans are then tried with.
    ///
    /// # Errors
    /// A run without faults that panics or does not end.
    pub fn of_subject<S: Subject<SubjectNetwork> + 'static>(
        scenario: Scenario,
        make: impl Fn() -> S + 'static,
    ) -> Result<Self, Unfinished> {
        let variant = make().variant().clone();
        let runner = Runner::of_subject(Rc::new(scenario), make);
        Self::with(runner, None, &[variant])
    }

    fn with(
        runner: Runner,
        golden: Option<Golden>,
        variants: &[Variant],
    ) -> Result<Self, Unfinished> {
        let quiet = Plan::quiet(&runner.scenario().name);
        let mut baselines = Vec::new();
        let mut profile = None;
        for variant in variants {
            let ran = finish(variant, || runner.run(&quiet, variant, Keep::Hash, None))?;
            profile.get_or_insert_with(|| runner.profile(&ran, variants));
            baselines.push((variant.clone(), Rc::new(Baseline::of(&ran))));
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

    /// The scenario that is tried.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        self.runner.scenario()
    }

    /// Checks that the scenario can carry out `plan`.
    ///
    /// # Errors
    /// The first line that it cannot carry out.
    pub fn check(&self, plan: &Plan) -> Result<(), Invalid> {
        Ok(feasible::check(
            plan,
            self.scenario(),
            self.runner.neighbors(),
        )?)
    }

    /// Leaves guests to a debugger at a time of every run from now on: such a run is invalid, and judged by nobody.
    pub fn stop_at(&mut self, stop: StopAt) {
        self.runner.stop_at(stop);
    }

    /// The variants that it can try.
    #[must_use]
    pub fn variants(&self) -> Vec<Variant> {
        let variants = self.baselines.iter();
        variants.map(|(variant, _)| variant.clone()).collect()
    }

    fn baseline(&self, variant: &Variant) -> Result<&Rc<Baseline>, PlayError> {
        let mut baselines = self.baselines.iter();
        baselines
            .find_map(|(of, baseline)| (of == variant).then_some(baseline))
            .ok_or_else(|| PlayError::Unsupported {
                what: format!("{variant} in this comparison"),
                help: "name it with --speaker and --mode",
            })
    }

    /// The reference for `plan` with `variant` under test: the run without faults or, if a program exits early, a run
    /// without any other fault.
    fn expected(&self, plan: &Plan, variant: &Variant) -> Result<Rc<Baseline>, PlayError> {
        let usual = self.baseline(variant)?;
        if !plan.program_may_end() || !usual.stays_up() {
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
        let ran = self.runner.run(&deaths, variant, Keep::Hash, None)?;
        let held = Baseline::of(&ran).tables;
        let mut expected = Baseline::clone(usual);
        for (peer, table) in &mut expected.tables {
            if let Some(held) = held.get(peer) {
                table.clone_from(held);
            }
        }
        Ok(Rc::new(expected))
    }

    /// Tries `plan` with each of `variants` under test; if there are two, their ends are compared.
    ///
    /// # Errors
    /// A plan that cannot be carried out, a file or socket that fails.
    pub fn try_plan(&self, plan: &Plan, variants: &[Variant]) -> Result<Vec<Trial>, Invalid> {
        let tried = self.try_variants(plan, variants, Keep::Hash)?;
        Ok(tried.into_iter().map(|(trial, _)| trial).collect())
    }

    /// The same, with each run that finished.
    ///
    /// # Errors
    /// As for [`Self::try_plan`].
    pub fn try_variants(
        &self,
        plan: &Plan,
        variants: &[Variant],
        keep: Keep,
    ) -> Result<Vec<(Trial, Option<FinishedRun>)>, Invalid> {
        let mut tried = Vec::new();
        for variant in variants {
            tried.push(self.try_variant(plan, variant, keep)?);
        }
        if let [(_, Some(one)), (last, Some(other))] = tried.as_mut_slice() {
            let [(_, first), (_, second)] = self.baselines.as_slice() else {
                return Ok(tried);
            };
            let baselines = [&first.tables, &second.tables];
            let failures = modes::judge([&one.tables(), &other.tables()], baselines);
            last.failures.extend(failures);
            last.not_judged.retain(|it| it.oracle != Oracle::Modes);
        }
        Ok(tried)
    }

    /// Tries `plan` with `variant` under test and returns the run too, if it finished.
    ///
    /// # Errors
    /// As for [`Self::try_plan`].
    pub fn try_variant(
        &self,
        plan: &Plan,
        variant: &Variant,
        keep: Keep,
    ) -> Result<(Trial, Option<FinishedRun>), Invalid> {
        self.check(&plan.on(variant))?;
        let outcome = finish(variant, || {
            let baseline = self.expected(plan, variant)?;
            let ran = self.runner.run(plan, variant, keep, Some(&baseline))?;
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
                    why: "the plan ran with one subject only".into(),
                });
                let inside = ran.inside.iter().flat_map(|inside| &inside.probes);
                let trial = Trial {
                    variant: variant.clone(),
                    failures,
                    not_judged,
                    probes: ran.wire.probes.iter().chain(inside).copied().collect(),
                    hash: Some(ran.hash),
                    missed: ran
                        .triggered
                        .iter()
                        .filter(|triggered| triggered.at.is_none())
                        .count(),
                };
                Ok((trial, Some(ran)))
            }
            Err(Unfinished::Failed { variant, failure }) => {
                Ok((failed(&variant, plan, failure), None))
            }
            Err(Unfinished::Invalid(invalid)) => Err(invalid),
        }
    }

    /// Runs `plan` with `variant` under test without judging it, each defect only in its own reactor, and notes what
    /// is pending at `look_at`.
    ///
    /// # Errors
    /// A plan that cannot be carried out; a run that panics or does not end.
    pub fn play_at_home(
        &self,
        plan: &Plan,
        variant: &Variant,
        keep: Keep,
        look_at: Option<Duration>,
    ) -> Result<FinishedRun, Unfinished> {
        self.check(plan)?;
        let baseline = self.baseline(variant).ok();
        finish(variant, || {
            self.runner
                .run_at_home(plan, variant, keep, baseline, look_at)
        })
    }

    /// Whether `plan` fails `oracle` with `variant` under test.
    #[must_use]
    pub fn fails(&self, plan: &Plan, variant: &Variant, oracle: Oracle) -> bool {
        self.failure(plan, variant, oracle).is_some()
    }

    /// How `plan` fails `oracle` with `variant` under test, if it does; an invalid plan fails nothing.
    #[must_use]
    pub fn failure(&self, plan: &Plan, variant: &Variant, oracle: Oracle) -> Option<Failure> {
        let variants = match oracle {
            Oracle::Modes => self.variants(),
            _ => vec![variant.clone()],
        };
        self.try_plan(plan, &variants)
            .ok()?
            .into_iter()
            .flat_map(|trial| trial.failures)
            .find(|failure| failure.oracle == oracle)
    }
}

/// Runs `play`, a run with `variant` under test, to its end: a panic is the speaker's failure.
fn finish<T>(
    variant: &Variant,
    play: impl FnOnce() -> Result<T, PlayError>,
) -> Result<T, Unfinished> {
    match catch_unwind(AssertUnwindSafe(play)) {
        Ok(played) => played.map_err(|error| Unfinished::of(variant, error)),
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
            Err(Unfinished::Failed {
                variant: variant.clone(),
                failure,
            })
        }
    }
}

/// A run that did not end: only `failure` can be judged.
fn failed(variant: &Variant, plan: &Plan, failure: Failure) -> Trial {
    let others = Oracle::ALL.iter().filter(|it| **it != failure.oracle);
    Trial {
        variant: variant.clone(),
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
