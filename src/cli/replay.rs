//! `lockstep replay`: runs a plan again, identical to the byte and the virtual microsecond.

use std::io::{self, Write};
use std::time::Duration;

use clap::{ArgAction, Args};
use miette::{IntoDiagnostic, Report, miette};

use super::Status;
use super::output::{Output, output};
use super::plan_file::{PlanFile, captured};
use super::stop::{self, Place, place};
use super::subject::SubjectArguments;
use super::values::{check_effect, named_defect};
use crate::explore::finished_run::FinishedRun;
use crate::explore::oracle::{Failure, NotJudged, Oracle};
use crate::explore::outcome::Outcome;
use crate::explore::plan_text::PlanText;
use crate::explore::trial::{Trial, Trier};
use crate::field::why::run;
use crate::reactor::defects::Defect;
use crate::report::story::{self, StoryOptions};
use crate::scenario::format::values::parse_duration;
use crate::sim::Keep;
use crate::subject::{StopAt, Variant};

/// Lines of a story that are printed where not all are asked for.
const LINES: usize = 80;

/// The plan, the subject, and what to print.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    file: PlanFile,
    #[command(flatten)]
    subject: SubjectArguments,
    /// Leave no line of the story out; given twice, print the engine's records in its place: octets, timers, reasons.
    #[arg(long, short, action = ArgAction::Count)]
    verbose: u8,
    /// End the story at this virtual time (300ms, 2s).
    #[arg(long, value_parser = time)]
    until: Option<Duration>,
    /// Stop the speaker, a guest, at a virtual time (2s) or once a peer has a message (`message 3 of 10.0.0.2#1`, KEEPALIVEs
    /// not counted), and leave it for a debugger.
    #[arg(long, value_parser = place, value_name = "TIME|MESSAGE", conflicts_with_all = ["verbose", "git_bisect"])]
    stop_at: Option<Place>,
    /// Enable historical defects (comma-separated).
    #[arg(long, value_delimiter = ',', value_parser = named_defect, value_name = "NAME")]
    defect: Vec<Defect>,
    /// Accept a run in which a fault of the plan never triggers.
    #[arg(long)]
    allow_untriggered: bool,
    /// Exit with 0 if all checks passed, 1 if one failed and 125 if the input is invalid, as `git bisect run` expects.
    #[arg(long)]
    git_bisect: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| format!("`{text}` is not a time: write 300ms or 2s"))
}

/// Replays.
///
/// # Errors
/// Bad input; a fault that never triggered.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let (mut text, mut trier, variants) = arguments.file.load_for(&arguments.subject)?;
    text.plan.defects.extend(&arguments.defect);
    let plan = &text.plan;
    check_effect(&plan.defects, &variants)?;
    if let Some(place) = &arguments.stop_at {
        return stop(place, &text, &mut trier, &variants);
    }
    let tried = trier
        .try_variants(plan, &variants, Keep::All)
        .map_err(|error| text.explain(error))?;
    let mut out = output();
    let options = StoryOptions {
        captured: captured(&text),
        until: arguments.until.unwrap_or(Duration::MAX),
        lines: if arguments.verbose > 0 {
            usize::MAX
        } else {
            LINES
        },
        colours: console::colors_enabled(),
    };
    let mut untriggered = Vec::new();
    let mut told = String::new();
    for (trial, ran) in &tried {
        let story = match ran {
            Some(ran) if arguments.verbose > 1 => records(ran, options.until),
            Some(ran) => {
                let ends = run::ends(plan, ran);
                let story = story::story(&ran.played, &options);
                format!("{story}{}", story::closing(&ends, options.captured))
            }
            None => String::new(),
        };
        let shown = if story == told && !story.is_empty() {
            "the same story\n"
        } else {
            &story
        };
        print(trial, ran.as_ref(), shown, &mut out).into_diagnostic()?;
        told = story;
        if let Some(ran) = ran {
            let faults = ran.untriggered().into_iter();
            untriggered.extend(faults.map(|fault| format!("{}: {fault}", trial.variant)));
        }
    }
    let failures: Vec<Failure> = tried
        .into_iter()
        .flat_map(|(trial, _)| trial.failures)
        .collect();
    let apart = failures.iter().filter(|it| it.oracle == Oracle::Modes);
    for failure in apart {
        writeln!(out, "{}: {}", failure.oracle, failure.text).into_diagnostic()?;
    }
    if arguments.allow_untriggered {
        untriggered.clear();
    }
    match Outcome::of(&failures, untriggered) {
        Outcome::Passed => {
            writeln!(out, "all checks passed").into_diagnostic()?;
            Ok(Status::Passed)
        }
        Outcome::Failed(oracle) => Ok(Status::Class(oracle.status())),
        Outcome::Invalid(invalid) => Err(Report::from(invalid)),
    }
}

/// Runs the plan up to `place`, and leaves the guests there.
fn stop(
    place: &Place,
    text: &PlanText,
    trier: &mut Trier,
    variants: &[Variant],
) -> miette::Result<Status> {
    let guests = variants.iter().filter(|variant| !variant.speaker.is_own());
    let Some(variant) = guests.clone().next() else {
        return Err(miette!(
            help = "put a speaker of somebody else under test: --speaker NAME",
            "--stop-at has no effect: Lockstep's own speaker is no process that a debugger could look at"
        ));
    };
    let run = |trier: &Trier| trier.try_variant(&text.plan, variant, Keep::Hash);
    let (_, ran) = run(trier).map_err(|error| text.explain(error))?;
    let ran = ran.ok_or_else(|| miette!("the run does not finish: give --stop-at a time"))?;
    let at = stop::time(place, &ran)?;
    let stop = StopAt::new(at);
    trier.stop_at(stop.clone());
    let again = run(trier);
    let stopped = stop.stopped();
    if stopped.is_empty() {
        again.map_err(|error| text.explain(error))?;
        return Err(miette!(
            "nothing was stopped: the run was over after {:.6} s",
            ran.played.elapsed.as_secs_f64()
        ));
    }
    stop::print(at, &stopped, &mut output()).into_diagnostic()?;
    Ok(Status::Passed)
}

/// The engine's records, a line each.
fn records(ran: &FinishedRun, until: Duration) -> String {
    let records = ran.records.iter().take_while(|record| record.time <= until);
    records.map(|record| format!("  {record}\n")).collect()
}

/// Prints the result of the plan with one variant under test, with its story.
fn print(
    trial: &Trial,
    ran: Option<&FinishedRun>,
    story: &str,
    out: &mut Output,
) -> io::Result<()> {
    match ran {
        Some(ran) => {
            let (variant, records) = (&trial.variant, ran.records.len());
            writeln!(out, "{variant}: {records} records, trace {}", ran.hash)?;
        }
        None => writeln!(out, "{}: the run did not finish", trial.variant)?,
    }
    if let Some(ran) = ran {
        out.write_all(story.as_bytes())?;
        for triggered in &ran.triggered {
            let fault = triggered.fault;
            match triggered.at {
                Some(at) => writeln!(out, "  triggered at {:.6} s: {fault}", at.as_secs_f64())?,
                None => writeln!(out, "  never triggered: {fault}")?,
            }
        }
    }
    let failures = trial.failures.iter();
    for failure in failures.filter(|failure| failure.oracle != Oracle::Modes) {
        writeln!(out, "  {}: {}", failure.oracle, failure.text)?;
    }
    for NotJudged { oracle, why } in &trial.not_judged {
        writeln!(out, "  not judged: {oracle}: {why}")?;
    }
    Ok(())
}
