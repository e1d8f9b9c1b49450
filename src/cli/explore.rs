//! `lockstep explore`: scenarios under faults drawn from seeds, or at every octet, on every core.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use miette::{IntoDiagnostic, miette};
use serde_json::json;

use super::Status;
use super::output::{Output, output, say};
use super::run::Modes;
use crate::explore::every_byte;
use crate::explore::finding::Finding;
use crate::explore::generate::{Class, generate};
use crate::explore::jobs;
use crate::explore::oracle::Oracle;
use crate::explore::plan::Plan;
use crate::explore::probe::Probe;
use crate::explore::suggest;
use crate::explore::trial::{Trial, Trier};
use crate::net::clock::Clock;
use crate::reactor::defects::Defect;
use crate::report::html;
use crate::scenario::format::directory;
use crate::scenario::format::parse::parse_duration;
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::Golden;
use crate::scenario::golden::manifest::Manifest;

/// What to search, how far, and where to leave what is found.
#[derive(Debug, Args)]
#[command(after_help = statuses())]
#[allow(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Arguments {
    /// Scenarios by name; `all`, or none, is every one.
    scenarios: Vec<String>,
    /// The reactors to try every plan in.
    #[arg(long, value_enum, default_value_t = Modes::Both)]
    mode: Modes,
    /// How many seeds, over all scenarios together.
    #[arg(long, default_value_t = 1_000, conflicts_with = "every_byte")]
    seeds: usize,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Stop after so long (90s, 10min).
    #[arg(long, value_parser = duration)]
    time: Option<Duration>,
    /// Classes of faults that may be drawn, parted by commas; all where none is named.
    #[arg(long, value_delimiter = ',', value_parser = Class::from_str)]
    faults: Vec<Class>,
    /// Threads; as many as there are cores unless given.
    #[arg(long)]
    jobs: Option<usize>,
    /// The Ith of N equal parts, as I/N: the parts of a sweep together are the sweep.
    #[arg(long, value_parser = shard, default_value = "1/1", value_name = "I/N")]
    shard: (usize, usize),
    /// Instead of seeds: a reset, a close, a stall and a split at every octet of every connection, each way.
    #[arg(long)]
    every_byte: bool,
    /// Switch historical defects on, parted by commas, to see that they are found.
    #[arg(long, value_delimiter = ',', value_parser = named_defect, value_name = "NAME")]
    defect: Vec<Defect>,
    /// Where each failure leaves its directory.
    #[arg(long, default_value = "target/explore", value_name = "DIR")]
    out: PathBuf,
    /// Write a JSON line per run and a last one for the sweep to this file; such files can be joined.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Print the plans instead of running them.
    #[arg(long)]
    print: bool,
    /// No progress bar.
    #[arg(long, short)]
    quiet: bool,
    /// The directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
    /// The directory of the goldens.
    #[arg(long, default_value = "captures", value_name = "DIR")]
    captures: PathBuf,
}

/// What an exit status says.
fn statuses() -> String {
    let classes: String = Oracle::ALL
        .iter()
        .map(|oracle| {
            let (status, name, about) = (oracle.status(), oracle.name(), oracle.about());
            format!("\n  {status}  {name:14} {about}")
        })
        .collect();
    format!(
        "Exit status: 0 where every oracle holds, else that of the first of these that fails:{classes}"
    )
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| format!("`{text}` is no duration: write 90s or 10min"))
}

fn shard(text: &str) -> Result<(usize, usize), String> {
    let read = || {
        let (index, count) = text.split_once('/')?;
        let (index, count) = (index.parse().ok()?, count.parse().ok()?);
        (1..=count).contains(&index).then_some((index, count))
    };
    read().ok_or_else(|| format!("`{text}` is no part of a sweep: write I/N, I from 1 to N"))
}

/// The defect of that name.
pub(super) fn named_defect(text: &str) -> Result<Defect, String> {
    text.parse()
        .map_err(|_| format!("there is no defect `{text}`; {}", suggest::defect(text)))
}

/// A scenario and its golden, as threads share them.
type Shared = (Scenario, Option<Golden>);

/// Searches.
///
/// # Errors
/// Bad input: a scenario, a configuration, files that cannot be written.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let cases = cases(&arguments)?;
    let plans = plans(&cases, &arguments)?;
    if arguments.print {
        for (_, plan) in &plans {
            say!("{plan}");
        }
        return Ok(Status::Passed);
    }
    let jobs = arguments.jobs.unwrap_or_else(jobs::cores);
    let mut sweep = Sweep::new(&arguments, plans.len())?;
    let interrupted = on_interrupt();
    jobs::run(
        plans.len(),
        jobs,
        || {
            let mut triers: BTreeMap<usize, Trier> = BTreeMap::new();
            let (cases, plans, arguments) = (&cases, &plans, &arguments);
            move |item| {
                let (case, plan) = &plans[item];
                let (scenario, golden) = &cases[*case];
                let trier = match triers.entry(*case) {
                    std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                    std::collections::btree_map::Entry::Vacant(entry) => {
                        let trier = Trier::new(scenario.clone(), golden.clone())
                            .map_err(|error| error.to_string())?;
                        entry.insert(trier)
                    }
                };
                Ok(trier.try_plan(plan, arguments.mode.each()))
            }
        },
        |item, trials: Result<Vec<Trial>, String>| {
            sweep.hear(item, &plans[item].1, trials);
            sweep.goes_on(&interrupted)
        },
    );
    sweep.finish(&cases)
}

fn cases(arguments: &Arguments) -> miette::Result<Vec<Shared>> {
    let manifest = Manifest::load(&arguments.captures).into_diagnostic()?;
    Ok(
        directory::select(&arguments.scenario_dir, &arguments.scenarios)?
            .into_iter()
            .map(|scenario| {
                let golden = Golden::load(&arguments.captures, &manifest, &scenario.name).ok();
                (scenario, golden)
            })
            .collect(),
    )
}

/// Every plan of this part of the sweep, with the number of its scenario.
fn plans(cases: &[Shared], arguments: &Arguments) -> miette::Result<Vec<(usize, Plan)>> {
    let allowed = if arguments.faults.is_empty() {
        Class::ALL
    } else {
        &arguments.faults
    };
    let mut profiles = Vec::new();
    for (scenario, _) in cases {
        let trier = Trier::new(scenario.clone(), None)?;
        profiles.push(trier.profile().clone());
    }
    let mut all: Vec<(usize, Plan)> = if arguments.every_byte {
        profiles
            .iter()
            .enumerate()
            .flat_map(|(case, profile)| every_byte::plans(profile).map(move |plan| (case, plan)))
            .collect()
    } else {
        (0..arguments.seeds)
            .map(|number| {
                let case = number % profiles.len();
                let seed = arguments.from + number as u64;
                (case, generate(&profiles[case], seed, allowed))
            })
            .collect()
    };
    for (_, plan) in &mut all {
        plan.defects.clone_from(&arguments.defect);
    }
    let (index, count) = arguments.shard;
    let mut number = 0;
    all.retain(|_| {
        number += 1;
        number % count == index % count
    });
    Ok(all)
}

/// A flag that Ctrl-C sets: what was found so far is kept.
fn on_interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    // Without a handler Ctrl-C ends the program, and loses the sweep: no reason not to sweep.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, flag.clone());
    flag
}

/// What a sweep has come to.
struct Sweep {
    bar: ProgressBar,
    clock: Clock,
    limit: Option<Duration>,
    runs: usize,
    skipped: usize,
    /// Runs that failed, by class.
    failures: BTreeMap<Oracle, usize>,
    probes: BTreeSet<Probe>,
    /// Of each class in each scenario the failure of the first plan, whichever core came first.
    first: BTreeMap<(String, Oracle), (usize, Plan, Trial)>,
    results: Option<io::BufWriter<std::fs::File>>,
    out: PathBuf,
    trouble: Option<String>,
}

impl Sweep {
    fn new(arguments: &Arguments, plans: usize) -> miette::Result<Self> {
        let results = arguments
            .results
            .as_ref()
            .map(std::fs::File::create)
            .transpose()
            .into_diagnostic()?
            .map(io::BufWriter::new);
        Ok(Self {
            bar: super::run::progress(plans, arguments.quiet),
            clock: Clock::start(),
            limit: arguments.time,
            runs: 0,
            skipped: plans,
            failures: BTreeMap::new(),
            probes: BTreeSet::new(),
            first: BTreeMap::new(),
            results,
            out: arguments.out.clone(),
            trouble: None,
        })
    }

    /// Takes what came of the plan numbered `number`.
    fn hear(&mut self, number: usize, plan: &Plan, trials: Result<Vec<Trial>, String>) {
        self.skipped -= 1;
        match trials {
            Ok(trials) => {
                for trial in trials {
                    self.trial(number, plan, trial);
                }
            }
            Err(error) => self.trouble = Some(error),
        }
        self.bar.inc(1);
        self.bar.set_message(self.status());
    }

    fn trial(&mut self, number: usize, plan: &Plan, trial: Trial) {
        self.runs += 1;
        self.probes.extend(&trial.probes);
        if let Some(results) = &mut self.results {
            let line = json!({
                "scenario": plan.scenario,
                "mode": trial.mode.to_string(),
                "seed": plan.seed,
                "hash": trial.hash.map(|hash| hash.to_string()),
                "missed": trial.missed,
                "failures": trial.failures.iter().map(|failure| json!({
                    "oracle": failure.oracle.name(),
                    "text": failure.text,
                })).collect::<Vec<_>>(),
                "plan": plan.to_string(),
            });
            if let Err(error) = writeln!(results, "{line}") {
                self.trouble = Some(format!("the results cannot be written: {error}"));
            }
        }
        // A run that fails an oracle many times over is one failure of its class.
        let classes: BTreeSet<Oracle> = trial.failures.iter().map(|f| f.oracle).collect();
        for oracle in classes {
            *self.failures.entry(oracle).or_default() += 1;
            let class = (plan.scenario.clone(), oracle);
            let found = (number, plan.clone(), trial.clone());
            match self.first.entry(class) {
                Entry::Vacant(entry) => {
                    entry.insert(found);
                }
                Entry::Occupied(mut entry) if number < entry.get().0 => {
                    entry.insert(found);
                }
                Entry::Occupied(_) => {}
            }
        }
    }

    fn goes_on(&self, interrupted: &AtomicBool) -> bool {
        let in_time = self.limit.is_none_or(|limit| self.clock.now() < limit);
        in_time && self.trouble.is_none() && !interrupted.load(Ordering::Relaxed)
    }

    fn status(&self) -> String {
        let rate = self.runs as f64 / self.clock.now().as_secs_f64().max(1e-3);
        let classes: Vec<String> = self
            .failures
            .iter()
            .map(|(oracle, count)| format!("{oracle} {count}"))
            .collect();
        let failures = if classes.is_empty() {
            "no failure".to_owned()
        } else {
            classes.join(", ")
        };
        format!("{} runs, {rate:.0}/s, {failures}", self.runs)
    }

    fn finish(mut self, cases: &[Shared]) -> miette::Result<Status> {
        self.bar.finish_and_clear();
        if let Some(trouble) = self.trouble {
            return Err(miette!("{trouble}"));
        }
        let mut out = output();
        let say = |out: &mut Output, line: String| writeln!(out, "{line}").into_diagnostic();
        say(&mut out, self.status())?;
        if self.skipped > 0 {
            say(
                &mut out,
                format!("stopped early: {} plan(s) were not tried", self.skipped),
            )?;
        }
        for ((name, oracle), (_, plan, trial)) in &self.first {
            let Some((scenario, golden)) = cases.iter().find(|(s, _)| s.name == *name) else {
                continue;
            };
            let trier = Trier::new(scenario.clone(), golden.clone())?;
            let Some(failure) = trial.failures.iter().find(|f| f.oracle == *oracle) else {
                continue;
            };
            let finding = Finding::shrunk(&trier, plan, trial.mode, failure);
            let (directory, runs) = finding.write(&trier, &self.out).into_diagnostic()?;
            let again = finding.replay(&directory);
            let page = html::finding(scenario, golden.as_ref(), &finding, &runs, again);
            std::fs::write(directory.join("report.html"), page).into_diagnostic()?;
            say(&mut out, String::new())?;
            say(
                &mut out,
                format!("{oracle}: {name} {}: {}", trial.mode, finding.failure.text),
            )?;
            say(
                &mut out,
                format!(
                    "  shrunk from {} to {} line(s) in {} tries:",
                    lines(&finding.drawn),
                    lines(&finding.plan()),
                    finding.shrunk.tried
                ),
            )?;
            for line in finding.plan().to_string().lines() {
                say(&mut out, format!("    {line}"))?;
            }
            say(
                &mut out,
                format!("  lockstep replay {}/plan --verbose", directory.display()),
            )?;
        }
        let unreached: Vec<String> = Probe::ALL
            .iter()
            .filter(|probe| !self.probes.contains(probe))
            .map(ToString::to_string)
            .collect();
        if !unreached.is_empty() {
            say(&mut out, format!("never reached: {}", unreached.join("; ")))?;
        }
        if let Some(results) = &mut self.results {
            let line = json!({
                "runs": self.runs,
                "failures": self.failures.iter().map(|(oracle, count)| (oracle.name(), *count)).collect::<BTreeMap<_, _>>(),
                "probes": self.probes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            });
            writeln!(results, "{line}")
                .and_then(|()| results.flush())
                .into_diagnostic()?;
        }
        Ok(self
            .failures
            .keys()
            .next()
            .map_or(Status::Passed, |oracle| Status::Class(oracle.status())))
    }
}

fn lines(plan: &Plan) -> usize {
    plan.to_string().lines().count()
}
