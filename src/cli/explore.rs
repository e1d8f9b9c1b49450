//! `lockstep explore`: scenarios under faults drawn from seeds, or at every byte, on every core.

use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};

use super::Status;
use super::captures::Captures;
use super::output::{Output, output, say};
use super::run::progress;
use super::subject::{SubjectArguments, captures_of, selected};
use super::trust::Trust;
use super::values::{at_least_one, check_effect, duration, named_defect};
use crate::explore::generate::Class;
use crate::explore::jobs;
use crate::explore::oracle::Oracle;
use crate::explore::plan::Plan;
use crate::explore::sweep::findings::{SweepFinding, findings};
use crate::explore::sweep::plans::{Shard, Source, plans};
use crate::explore::sweep::results::Results;
use crate::explore::sweep::tally::Tally;
use crate::explore::sweep::{Planned, Sweep, SweepCase, SweepError};
use crate::reactor::defects::Defect;
use crate::report::html;
use crate::scenario::run::network::NetworkKind;
use crate::subject::Variant;

/// What to explore, how far, and where findings go.
#[derive(Debug, Args)]
#[command(after_help = statuses())]
#[allow(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Arguments {
    /// Scenario names (default: all).
    scenarios: Vec<String>,
    #[command(flatten)]
    subject: SubjectArguments,
    #[command(flatten)]
    trust: Trust,
    /// Number of seeds, over all scenarios together.
    #[arg(long, default_value = "1000", conflicts_with = "every_byte", value_parser = at_least_one())]
    seeds: usize,
    /// First seed.
    #[arg(long, default_value_t = 1, conflicts_with = "every_byte")]
    from: u64,
    /// Time limit (90s, 10min): no run is started after it.
    #[arg(long, value_parser = duration)]
    time: Option<Duration>,
    /// Classes of faults that may be drawn (comma-separated; default: all).
    #[arg(long, value_delimiter = ',', value_parser = Class::from_str, conflicts_with = "every_byte")]
    faults: Vec<Class>,
    /// Number of threads (default: one per core).
    #[arg(long, value_parser = at_least_one())]
    jobs: Option<usize>,
    /// Run only shard I of N equal shards; all shards together are the whole sweep.
    #[arg(long, value_parser = Shard::from_str, default_value = "1/1", value_name = "I/N")]
    shard: Shard,
    /// Instead of drawing from seeds: reset, close, stall and split at every byte of every connection, in each
    /// direction.
    #[arg(long)]
    every_byte: bool,
    /// Enable historical defects (comma-separated), to check that they are found.
    #[arg(long, value_delimiter = ',', value_parser = named_defect, value_name = "NAME")]
    defect: Vec<Defect>,
    /// Directory for failure artifacts: a subdirectory for each finding.
    #[arg(long, default_value = "target/explore", value_name = "DIR")]
    out: PathBuf,
    /// Write one JSON line per run and a last one for the sweep to this file; such files can be concatenated.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Print the plans instead of running them.
    #[arg(long, conflicts_with_all = ["speaker", "mode", "time", "jobs", "out", "results", "quiet"])]
    print: bool,
    /// No progress bar.
    #[arg(long, short)]
    quiet: bool,
    /// Directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
    #[command(flatten)]
    captures: Captures,
}

/// The meaning of the exit statuses, for `--help`.
fn statuses() -> String {
    let classes: String = Oracle::ALL
        .iter()
        .map(|oracle| {
            let (status, name, about) = (oracle.status(), oracle.name(), oracle.about());
            format!("\n  {status}  {name:14} {about}")
        })
        .collect();
    format!(
        "Exit status: 0 if all checks passed, 2 if the input is invalid, otherwise that of the first check that \
         failed:{classes}"
    )
}

/// Explores.
///
/// # Errors
/// Bad input: a scenario, a configuration, a sweep without a plan, files that cannot be written.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let variants = arguments.subject.variants()?;
    let scenarios = selected(&arguments.scenario_dir, &arguments.scenarios, &variants)?;
    arguments
        .trust
        .check(&scenarios, &variants, NetworkKind::Sim)?;
    check_effect(&arguments.defect, &variants)?;
    let captures = captures_of(&arguments.captures.optional()?, &variants, &scenarios)?;
    let cases = SweepCase::all(scenarios, &captures)?;
    let plans = planned(&cases, &variants, &arguments)?;
    if arguments.print {
        for planned in &plans {
            say!("{}", planned.plan);
        }
        return Ok(Status::Passed);
    }
    let results = arguments
        .results
        .as_deref()
        .map(|path| {
            Results::create(path)
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot write {}", path.display()))
        })
        .transpose()?;
    let bar = progress(plans.len(), arguments.quiet);
    let sweep = Sweep {
        cases: &cases,
        plans: &plans,
        variants: &variants,
        jobs: arguments.jobs.unwrap_or_else(jobs::cores),
        limit: arguments.time,
        interrupted: &on_interrupt(),
    };
    let tally = sweep.run(results, |tally| {
        bar.inc(1);
        bar.set_message(tally.to_string());
    });
    bar.finish_and_clear();
    let tally = tally?;
    let mut out = output();
    report(&tally, &cases, &variants, &arguments, &mut out)?;
    let failed = tally.failed().map(|oracle| Status::Class(oracle.status()));
    Ok(failed.unwrap_or(Status::Passed))
}

/// The plans of this shard: at least one, and with something to trigger where classes of faults were named.
fn planned(
    cases: &[SweepCase],
    variants: &[Variant],
    arguments: &Arguments,
) -> miette::Result<Vec<Planned>> {
    let mut profiles = Vec::new();
    for case in cases {
        profiles.push(case.trier(variants)?.profile().clone());
    }
    let aimless = |class: &&Class| !profiles.iter().any(|profile| profile.has_target(**class));
    if let Some(class) = arguments.faults.iter().find(aimless) {
        let missing = match class {
            Class::Partition => "no scenario here has links between hosts",
            Class::Pace => "our own speaker makes no system calls in a simulated world",
            Class::Reload => "what is under test has no signal for reading its configuration again",
            Class::Stop => "our own speaker is no process of its own in a simulated world",
            _ => "no scenario here has API programs",
        };
        return Err(miette!(
            help = "leave it out, or explore scenarios that have them",
            "--faults {class} has no effect: {missing}"
        ));
    }
    let source = if arguments.every_byte {
        Source::EveryByte
    } else {
        Source::Seeds {
            from: arguments.from,
            seeds: arguments.seeds,
            allowed: match arguments.faults.as_slice() {
                [] => Class::ALL.to_vec(),
                named => named.to_vec(),
            },
        }
    };
    let plans = plans(&profiles, &source, &arguments.defect, arguments.shard);
    if plans.is_empty() {
        return Err(miette!(
            help = "give it more seeds, or fewer shards",
            "there is no plan to run in this shard"
        ));
    }
    let nothing = |planned: &Planned| planned.plan.changes_nothing();
    if !arguments.faults.is_empty() && plans.iter().all(nothing) {
        let classes: Vec<&str> = arguments.faults.iter().map(|class| class.name()).collect();
        return Err(miette!(
            help = "name a class that has something to act on in these scenarios, or leave --faults out",
            "--faults {} has no effect: none of the {} plans contains a fault",
            classes.join(","),
            plans.len()
        ));
    }
    Ok(plans)
}

/// A flag that Ctrl-C sets: what was found so far is kept.
fn on_interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    // Without a handler, Ctrl-C ends the program and loses the sweep; that is not fatal.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, flag.clone());
    flag
}

fn report(
    tally: &Tally,
    cases: &[SweepCase],
    variants: &[Variant],
    arguments: &Arguments,
    out: &mut Output,
) -> miette::Result<()> {
    writeln!(out, "{tally}").into_diagnostic()?;
    if tally.untried > 0 {
        let text = format!("stopped early: {} plan(s) not tried", tally.untried);
        writeln!(out, "{text}").into_diagnostic()?;
    }
    for found in findings(cases, tally, variants) {
        let found = found?;
        let (directory, runs) = found
            .finding
            .write(&found.trier, &arguments.out)
            .map_err(SweepError::Finding)?;
        let SweepFinding { case, finding, .. } = &found;
        let again = finding.replay(&directory);
        let golden = case.golden.as_ref();
        let page = html::finding(&case.scenario, golden, finding, &runs, again);
        std::fs::write(directory.join("report.html"), page).map_err(SweepError::Finding)?;
        print(&found, &directory.join("plan").display().to_string(), out).into_diagnostic()?;
    }
    let unreached = tally.unreached();
    if !unreached.is_empty() {
        let unreached: Vec<String> = unreached.iter().map(ToString::to_string).collect();
        writeln!(out, "never reached: {}", unreached.join("; ")).into_diagnostic()?;
    }
    Ok(())
}

fn print(found: &SweepFinding<'_>, plan: &str, out: &mut Output) -> io::Result<()> {
    let finding = &found.finding;
    writeln!(
        out,
        "\n{}: {} {}: {}",
        finding.failure.oracle, found.case.scenario.name, finding.variant, finding.failure.text
    )?;
    writeln!(
        out,
        "  shrunk from {} to {} line(s) in {} tries:",
        lines(&finding.drawn),
        lines(&finding.plan()),
        finding.shrunk.tried
    )?;
    for line in finding.plan().to_string().lines() {
        writeln!(out, "    {line}")?;
    }
    writeln!(out, "  lockstep replay {plan} --verbose")
}

fn lines(plan: &Plan) -> usize {
    plan.to_string().lines().count()
}
