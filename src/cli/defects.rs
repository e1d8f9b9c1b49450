//! `lockstep defects`: the historical defects that a search must find, and the oracle that finds each.

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::captures::Captures;
use super::output::say;
use super::values::at_least_one;
use crate::explore::canary::CANARIES;
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
    #[command(flatten)]
    captures: Captures,
}

/// Lists the defects, or searches for them.
///
/// # Errors
/// A scenario that cannot be read.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    if arguments.table {
        return table(&arguments);
    }
    if !arguments.captures.is_default() {
        return Err(miette!(
            help = "pass --table as well, or leave --captures out",
            "--captures has no effect without --table"
        ));
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

fn table(arguments: &Arguments) -> miette::Result<Status> {
    let captures = arguments.captures.existing()?;
    say!(
        "| defect | scenario | mode | oracle | seeds (median of {}) | lines of the shrunk plan |",
        arguments.sweeps
    );
    say!("|---|---|---|---|---|---|");
    for canary in CANARIES {
        let trier = canary.trier(&captures)?;
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
