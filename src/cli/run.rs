//! `lockstep run`: scenarios in both modes against their goldens.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use miette::{IntoDiagnostic, WrapErr, miette};

use super::Status;
use super::applicable::applicable;
use super::captures::Captures;
use super::namespace::again;
use super::output::{complain, output, say};
use super::subject::{SubjectArguments, captures_of, selected};
use super::trust::Trust;
use crate::reactor::Mode;
use crate::reactor::defects::{Defect, Defects};
use crate::report::{annotation, html, junit, markdown, terminal};
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::manifest::Manifest;
use crate::scenario::golden::pending;
use crate::scenario::run::network::NetworkKind;
use crate::scenario::run::suite::{Case, NotRun, Report};
use crate::subject::Variant;

/// The scenarios, the network and the reports.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scenario names (default: all).
    scenarios: Vec<String>,
    #[command(flatten)]
    subject: SubjectArguments,
    #[command(flatten)]
    trust: Trust,
    /// Network to run on.
    #[arg(long, value_enum, default_value_t = NetworkKind::Sim)]
    network: NetworkKind,
    /// Enable historical defects (comma-separated); each affects only its own reactor.
    #[arg(long, value_delimiter = ',', value_parser = super::values::named_defect, value_name = "NAME")]
    defect: Vec<Defect>,
    /// Print the name of each scenario and what it tests.
    #[arg(long, conflicts_with_all = ["speaker", "mode", "network", "defect", "verbose", "quiet", "junit", "summary", "annotate", "report", "captures"])]
    list: bool,
    /// Print the trace hash of every run, and every message.
    #[arg(long, short)]
    verbose: bool,
    /// Print only failures and the summary.
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
    /// Write JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a Markdown summary to this file (in GitHub's workflows: "$GITHUB_STEP_SUMMARY").
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Print GitHub annotations for failures.
    #[arg(long)]
    annotate: bool,
    /// Write an HTML report, report.html, to this directory.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
    #[command(flatten)]
    captures: Captures,
}

/// Runs the scenarios.
///
/// # Errors
/// Bad input: a scenario, a configuration, a golden or the manifest.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let variants = arguments.subject.variants()?;
    let scenarios = selected(&arguments.scenario_dir, &arguments.scenarios, &variants)?;
    let captures = arguments.captures.optional()?;
    let captures = captures_of(&captures, &variants, &scenarios)?;
    if arguments.list {
        list(&scenarios).into_diagnostic()?;
        return Ok(Status::Passed);
    }
    check_defects(&arguments, &variants)?;
    arguments
        .trust
        .check(&scenarios, &variants, arguments.network)?;
    if let Some(status) = again(&scenarios, arguments.network)? {
        return Ok(status);
    }
    let manifest = Manifest::load(&captures).into_diagnostic()?;
    let (scenarios, left_out) = applicable(scenarios, &arguments.scenarios, &variants)?;
    let cases = scenarios
        .into_iter()
        .map(|scenario| Case::new(scenario, &captures, &manifest).into_diagnostic())
        .collect::<miette::Result<Vec<Case>>>()?;
    let (reports, not_run) = run_all(&cases, &variants, &arguments)?;
    write_reports(&cases, &reports, &not_run, &arguments)?;
    let mut out = output();
    for line in pending_lines(&cases, &reports, &arguments, &captures) {
        writeln!(out, "{line}").into_diagnostic()?;
    }
    if let Some(line) = ours(&manifest, &cases) {
        writeln!(out, "{line}").into_diagnostic()?;
    }
    for line in left_out {
        writeln!(out, "{line}").into_diagnostic()?;
    }
    for variant in &variants {
        let of_variant = reports.iter().filter(|report| report.variant == *variant);
        let passed = of_variant.clone().filter(|report| report.passed()).count();
        writeln!(
            out,
            "{}",
            terminal::closing(&variant.to_string(), of_variant.count(), passed)
        )
        .into_diagnostic()?;
    }
    for it in &not_run {
        writeln!(
            out,
            "not run, its input is invalid: {} in {}",
            it.scenario, it.variant
        )
        .into_diagnostic()?;
    }
    Ok(if !reports.iter().all(Report::passed) {
        Status::Failed
    } else if not_run.is_empty() {
        Status::Passed
    } else {
        Status::Invalid
    })
}

/// Refuses a defect without effect: on a network that supports none, or in a mode that never had it.
fn check_defects(arguments: &Arguments, variants: &[Variant]) -> miette::Result<()> {
    if arguments.defect.is_empty() {
        return Ok(());
    }
    if arguments.network != NetworkKind::Sim {
        return Err(miette!(
            help = "leave --network out, or the defects",
            "--defect has no effect with --network {}: defects are for the simulated network",
            arguments.network
        ));
    }
    let modes: Vec<Mode> = variants.iter().filter_map(Variant::own_mode).collect();
    for defect in &arguments.defect {
        let alone: Defects = std::iter::once(*defect).collect();
        let affects =
            |mode: &&Mode| alone.at_home(**mode) == alone && defect.modes().contains(mode);
        if modes.iter().any(|mode| affects(&mode)) {
            continue;
        }
        return Err(match Mode::ALL.iter().find(affects) {
            Some(mode) => miette!(
                help = format!("it belongs to the {mode} reactor: pass --mode {mode}"),
                "defect `{defect}` has no effect in {}",
                variants[0]
            ),
            None => miette!(
                help = "enable it in a plan, with `lockstep explore` or `lockstep replay`",
                "defect `{defect}` has no effect here: it was never in a reactor of ExaBGP"
            ),
        });
    }
    Ok(())
}

/// Runs every case with every variant: what was judged, and what could not be run.
fn run_all(
    cases: &[Case],
    variants: &[Variant],
    arguments: &Arguments,
) -> miette::Result<(Vec<Report>, Vec<NotRun>)> {
    let bar = progress(cases.len() * variants.len(), arguments.quiet);
    let (mut reports, mut not_run) = (Vec::new(), Vec::new());
    for variant in variants {
        for case in cases {
            bar.set_message(format!("{variant} {}", case.scenario.name));
            let report = match case.run(variant, arguments.network, &arguments.defect) {
                Ok(report) => report,
                Err(error) if cases.len() == 1 => return Err(error.into()),
                Err(error) => {
                    let invalid = NotRun {
                        scenario: case.scenario.name.clone(),
                        variant: variant.clone(),
                        reason: error.to_string(),
                    };
                    let is_same = |it: &NotRun| {
                        (&it.scenario, &it.reason) == (&invalid.scenario, &invalid.reason)
                    };
                    if !not_run.iter().any(is_same) {
                        bar.suspend(|| complain!("{:?}", miette::Report::from(error)));
                    }
                    not_run.push(invalid);
                    bar.inc(1);
                    continue;
                }
            };
            if !(arguments.quiet && report.passed()) {
                bar.suspend(|| tell(&report, arguments.verbose))
                    .into_diagnostic()?;
            }
            reports.push(report);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok((reports, not_run))
}

fn write_reports(
    cases: &[Case],
    reports: &[Report],
    not_run: &[NotRun],
    arguments: &Arguments,
) -> miette::Result<()> {
    let write = |path: &Path, text: String| {
        std::fs::write(path, text)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write {}", path.display()))
    };
    if let Some(path) = &arguments.junit {
        write(path, junit::document(reports, not_run).into_diagnostic()?)?;
    }
    if let Some(path) = &arguments.summary {
        write(path, markdown::document(reports, not_run))?;
    }
    if arguments.annotate {
        for line in reports.iter().filter_map(annotation::line) {
            say!("{line}");
        }
    }
    if let Some(directory) = &arguments.report {
        std::fs::create_dir_all(directory).into_diagnostic()?;
        write(
            &directory.join("report.html"),
            html::document(cases, reports),
        )?;
    }
    Ok(())
}

/// Writes a pending capture for each scenario that differs from its golden, and says so. An error here does not change
/// the verdict.
fn pending_lines(
    cases: &[Case],
    reports: &[Report],
    arguments: &Arguments,
    captures: &Path,
) -> Vec<String> {
    let every_mode = arguments.subject.is_default();
    let mut lines = Vec::new();
    // Output of a defect must not become a golden.
    if !arguments.defect.is_empty() {
        return lines;
    }
    for case in cases {
        let of_case: Vec<&Report> = reports
            .iter()
            .filter(|report| report.scenario == case.scenario.name)
            .collect();
        match pending::leave(captures, &of_case, every_mode) {
            Ok(None) => {}
            Ok(Some(left)) => {
                let contested = if left.contested {
                    "; the other reactor sent something else"
                } else {
                    ""
                };
                lines.push(format!(
                    "pending: {} as {} sent it{contested}",
                    left.pending.scenario, left.variant
                ));
            }
            Err(error) => lines.push(format!("cannot write a pending capture: {error}")),
        }
    }
    if !lines.is_empty() {
        lines.push("`lockstep review` shows each difference, and asks which is right".into());
    }
    lines
}

/// Number of goldens made by our own speaker; the aim is none.
fn ours(manifest: &Manifest, cases: &[Case]) -> Option<String> {
    let names: Vec<&str> = cases
        .iter()
        .map(|case| case.scenario.name.as_str())
        .filter(|name| {
            let entry = manifest.entry(name);
            entry.is_some_and(|entry| entry.speaker == pending::OURS)
        })
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} golden(s) recorded from Lockstep itself, not from ExaBGP: {}",
            names.len(),
            names.join(", ")
        )
    })
}

fn tell(report: &Report, verbose: bool) -> io::Result<()> {
    let mut out = output();
    terminal::verdict(&mut out, report)?;
    if verbose {
        terminal::story(&mut out, report)?;
    }
    Ok(())
}

/// A progress bar on standard error; none if that is not a terminal, or with `--quiet`.
pub(super) fn progress(length: usize, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(
        Some(length as u64),
        if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        },
    );
    if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len}, {eta} left  {msg}") {
        bar.set_style(style);
    }
    bar
}

fn list(scenarios: &[Scenario]) -> io::Result<()> {
    let mut out = output();
    for scenario in scenarios {
        writeln!(out, "{:32} {}", scenario.name, scenario.about)?;
    }
    Ok(())
}
