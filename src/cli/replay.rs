//! `lockstep replay`: a plan again, the same to the octet and the virtual microsecond.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use miette::IntoDiagnostic;

use super::Status;
use super::explore::named_defect;
use super::output::output;
use super::plan_file::PlanFile;
use super::run::Modes;
use crate::explore::oracle::Failure;
use crate::reactor::Mode;
use crate::reactor::defects::Defect;
use crate::scenario::format::parse::parse_duration;
use crate::sim::Keep;

/// Which plan, in which mode, and how much to tell.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    file: PlanFile,
    /// The reactor; the plan's own, or both, unless given.
    #[arg(long, value_enum)]
    mode: Option<Modes>,
    /// Tell the story: time, host, what happened, why.
    #[arg(long, short)]
    verbose: bool,
    /// End the story at this virtual time (300ms, 2s).
    #[arg(long, value_parser = time)]
    until: Option<Duration>,
    /// Switch a historical defect on.
    #[arg(long, value_delimiter = ',', value_parser = named_defect, value_name = "NAME")]
    defect: Vec<Defect>,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| format!("`{text}` is no time: write 300ms or 2s"))
}

/// Replays.
///
/// # Errors
/// Bad input.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let (mut plan, trier) = arguments.file.load()?;
    plan.defects.extend(&arguments.defect);
    let modes: Vec<Mode> = match (arguments.mode, plan.mode) {
        (Some(modes), _) => modes.each().to_vec(),
        (None, Some(mode)) => vec![mode],
        (None, None) => Mode::ALL.to_vec(),
    };
    let mut out = output();
    let mut failures: Vec<Failure> = Vec::new();
    for mode in &modes {
        let (trial, ran) = trier.try_mode(&plan, *mode, Keep::All);
        if let Some(ran) = &ran {
            writeln!(
                out,
                "{mode}: {} records, trace {}",
                ran.records.len(),
                ran.hash
            )
            .into_diagnostic()?;
            if arguments.verbose {
                let until = arguments.until.unwrap_or(Duration::MAX);
                for record in ran.records.iter().take_while(|record| record.time <= until) {
                    writeln!(out, "  {record}").into_diagnostic()?;
                }
            }
            for struck in &ran.struck {
                match struck.at {
                    Some(at) => writeln!(
                        out,
                        "  struck at {:.6} s: {}",
                        at.as_secs_f64(),
                        struck.fault
                    ),
                    None => writeln!(out, "  never struck: {}", struck.fault),
                }
                .into_diagnostic()?;
            }
        }
        for failure in &trial.failures {
            writeln!(out, "  {}: {}", failure.oracle, failure.text).into_diagnostic()?;
        }
        failures.extend(trial.failures);
    }
    if modes.len() == 2 {
        let trials = trier.try_plan(&plan, &modes);
        let apart = trials.into_iter().flat_map(|trial| trial.failures);
        for failure in
            apart.filter(|failure| failure.oracle == crate::explore::oracle::Oracle::Modes)
        {
            writeln!(out, "{}: {}", failure.oracle, failure.text).into_diagnostic()?;
            failures.push(failure);
        }
    }
    Ok(match failures.first() {
        None => {
            writeln!(out, "every oracle holds").into_diagnostic()?;
            Status::Passed
        }
        Some(failure) => Status::Class(failure.oracle.status()),
    })
}
