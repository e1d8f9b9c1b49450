//! `lockstep verify`: checks that the same plan gives the same run, in one process and across processes.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::output::say;
use super::subject::{SubjectArguments, selected};
use super::trust::Trust;
use super::values::at_least_one;
use crate::explore::trial::Trier;
use crate::explore::verify::{apart, lines};
use crate::scenario::run::network::NetworkKind;

/// How many plans of which scenarios.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scenario names (default: all).
    scenarios: Vec<String>,
    #[command(flatten)]
    subject: SubjectArguments,
    #[command(flatten)]
    trust: Trust,
    /// Number of plans, over all scenarios together.
    #[arg(long, default_value = "200", value_parser = at_least_one())]
    plans: usize,
    /// First seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Run each plan once and print a line per run: scenario, seed, subject, hash.
    #[arg(long)]
    print: bool,
    /// Directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
}

/// Verifies.
///
/// # Errors
/// Bad input; a process that cannot be started.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let variants = arguments.subject.variants()?;
    let mut triers = Vec::new();
    let scenarios = selected(&arguments.scenario_dir, &arguments.scenarios, &variants)?;
    arguments
        .trust
        .check(&scenarios, &variants, NetworkKind::Sim)?;
    for scenario in scenarios {
        triers.push(Trier::new(scenario, None, &variants)?);
    }
    let once = || lines(&triers, arguments.from, arguments.plans);
    let first = once()?;
    if arguments.print {
        say!("{}", first.trim_end());
        return Ok(Status::Passed);
    }
    for (where_, again) in [
        ("when repeated in this process", once()?),
        ("in a fresh process", elsewhere(&arguments)?),
    ] {
        if let Some((here, there)) = apart(&first, &again) {
            say!("different {where_}:\n  {here}\n  {there}");
            return Ok(Status::Failed);
        }
        say!("{} runs: identical {where_}", again.lines().count());
    }
    Ok(Status::Passed)
}

/// Runs the same in a new process with all logging enabled.
fn elsewhere(arguments: &Arguments) -> miette::Result<String> {
    let program = std::env::current_exe().into_diagnostic()?;
    let output = Command::new(program)
        .args(["verify", "--print", "--plans"])
        .arg(arguments.plans.to_string())
        .arg("--from")
        .arg(arguments.from.to_string())
        .args(arguments.subject.words())
        .args(arguments.trust.trust.then_some("--trust"))
        .arg("--scenario-dir")
        .arg(&arguments.scenario_dir)
        .args(&arguments.scenarios)
        .env("RUST_LOG", "trace")
        .output()
        .into_diagnostic()?;
    if !output.status.success() {
        return Err(miette!(
            "the fresh process failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
