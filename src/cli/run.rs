//! `lockstep run`: scenarios in both modes against their goldens.

use std::path::{Path, PathBuf};

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};

use super::Status;
use crate::scenario::parse;
use crate::scenario::script::Scenario;

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
    chosen(&arguments.scenario_dir, &arguments.scenarios)?;
    Ok(Status::Passed)
}

/// The scenarios of `directory` with these names, or all of them, by name.
///
/// # Errors
/// A directory or a scenario that cannot be read, a name that is none's.
pub fn chosen(directory: &Path, names: &[String]) -> miette::Result<Vec<Scenario>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory)
        .into_diagnostic()
        .wrap_err_with(|| format!("no scenarios in {}", directory.display()))?
    {
        let entry = entry.into_diagnostic()?;
        if entry.path().join("scenario").is_file() {
            all.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    all.sort();
    let wanted = if names.is_empty() || names == ["all"] {
        &all
    } else {
        names
    };
    wanted
        .iter()
        .map(|name| {
            if !all.contains(name) {
                return Err(unknown(name, &all));
            }
            Ok(parse::load(&directory.join(name))?)
        })
        .collect()
}

fn unknown(name: &str, all: &[String]) -> miette::Report {
    let near = all
        .iter()
        .max_by_key(|known| (similar(name, known) * 1e6) as u64)
        .filter(|known| similar(name, known) > 0.5);
    let help = near.map_or_else(
        || "`lockstep run --list` prints their names".to_owned(),
        |near| format!("did you mean `{near}`? `lockstep run --list` prints all of them"),
    );
    miette!(help = help, "there is no scenario `{name}`")
}

fn similar(one: &str, other: &str) -> f32 {
    similar::TextDiff::from_chars(one, other).ratio()
}
