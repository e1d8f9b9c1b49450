//! `lockstep defects`: the historical defects that a search must find, and what finds them.

use std::path::{Path, PathBuf};

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::output::say;
use crate::explore::canary::{CANARIES, Canary};
use crate::explore::shrink::shrink;
use crate::explore::trial::Trier;
use crate::reactor::defects::Defect;
use crate::scenario::format::parse;
use crate::scenario::golden::Golden;
use crate::scenario::golden::manifest::Manifest;

/// A list, or the table.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Search for each of them, and print a Markdown table of what caught it and how soon.
    #[arg(long)]
    table: bool,
    /// Over how many sweeps the median is taken.
    #[arg(long, default_value_t = 20)]
    sweeps: usize,
    /// How many seeds a sweep may take.
    #[arg(long, default_value_t = 500)]
    seeds: usize,
    /// The directory of the goldens.
    #[arg(long, default_value = "captures", value_name = "DIR")]
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

/// The canary's scenario, ready to be tried, from the directory that holds `scenarios/`.
fn trier(canary: &Canary, captures: &Path) -> miette::Result<Trier> {
    let scenario = parse::load(&Path::new(canary.directory).join(canary.scenario))?;
    let manifest = Manifest::load(captures).into_diagnostic()?;
    let golden = Golden::load(captures, &manifest, &scenario.name).ok();
    Ok(Trier::new(scenario, golden)?)
}

fn table(arguments: &Arguments) -> miette::Result<Status> {
    say!(
        "| defect | scenario | mode | oracle | seeds (median of {}) | lines of the shrunk plan |",
        arguments.sweeps
    );
    say!("|---|---|---|---|---|---|");
    for canary in CANARIES {
        let trier = trier(canary, &arguments.captures)?;
        let mut seeds = Vec::new();
        let mut lines = 0;
        for sweep in 0..arguments.sweeps.max(1) {
            let from = 1 + (sweep * arguments.seeds) as u64;
            let catch = canary.hunt(&trier, from, arguments.seeds).ok_or_else(|| {
                miette!(
                    "{} was not caught within {} seeds from {from} on",
                    canary.defect,
                    arguments.seeds
                )
            })?;
            if sweep == 0 {
                let fails = |plan: &_| trier.fails(plan, canary.mode, canary.oracle);
                let shrunk = shrink(&catch.plan, fails, |_, _| ());
                lines = shrunk.plan.to_string().lines().count();
            }
            seeds.push(catch.seeds);
        }
        seeds.sort_unstable();
        say!(
            "| {} | {} | {} | {} | {} | {lines} |",
            canary.defect,
            canary.scenario,
            canary.mode,
            canary.oracle,
            seeds[seeds.len() / 2]
        );
    }
    Ok(Status::Passed)
}
