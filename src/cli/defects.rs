//! `lockstep defects`: the historical defects that a search must find, and what finds them.

use std::path::PathBuf;

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::explore::at_least_one;
use super::output::say;
use crate::explore::canary::CANARIES;
use crate::reactor::Mode;
use crate::reactor::defects::Defect;

/// A list, or the table.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Search for each defect, and print a Markdown table of what found it and after how many seeds.
    #[arg(long)]
    table: bool,
    /// Number of sweeps of which the median is printed.
    #[arg(long, default_value = "20", value_parser = at_least_one(), requires = "table")]
    sweeps: usize,
    /// Most seeds that a sweep may take.
    #[arg(long, default_value = "500", value_parser = at_least_one(), requires = "table")]
    seeds: usize,
    /// Directory of the goldens.
    #[arg(
        long,
        default_value = "captures",
        value_name = "DIR",
        requires = "table"
    )]
    captures: PathBuf,
}

/// Lists them.
///
/// # Errors
/// A scenario that cannot be read.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    if arguments.table {
        return table(&arguments);
    }
    for defect in Defect::ALL {
        say!(
            "{:24} {:28} {}",
            defect.name(),
            defect.origin(),
            defect.about()
        );
    }
    Ok(Status::Passed)
}

/// Checks that each of `defects` exists in at least one of `modes`.
pub(super) fn check_effect(defects: &[Defect], modes: &[Mode]) -> miette::Result<()> {
    let absent = |defect: &&Defect| !modes.iter().any(|mode| defect.modes().contains(mode));
    match (defects.iter().find(absent), modes) {
        (Some(defect), [mode]) => Err(miette!(
            help = "run it in the other mode, or leave the defect out",
            "defect `{defect}` has no effect: it does not exist in the {mode} reactor"
        )),
        _ => Ok(()),
    }
}

fn table(arguments: &Arguments) -> miette::Result<Status> {
    say!(
        "| defect | scenario | mode | oracle | seeds (median of {}) | lines of the shrunk plan |",
        arguments.sweeps
    );
    say!("|---|---|---|---|---|---|");
    for canary in CANARIES {
        let trier = canary.trier(&arguments.captures)?;
        let measured = canary
            .measure(&trier, arguments.sweeps, arguments.seeds)
            .into_diagnostic()?;
        say!(
            "| {} | {} | {} | {} | {} | {} |",
            canary.defect,
            canary.scenario,
            canary.mode,
            canary.oracle,
            measured.seeds,
            measured.lines
        );
    }
    Ok(Status::Passed)
}
