//! `lockstep shrink`: reduces a failing plan.

use std::path::PathBuf;

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::output::say;
use super::plan_file::{PlanFile, oracle};
use super::subject::SubjectArguments;
use crate::explore::plan::Plan;
use crate::explore::shrink::shrink;

/// The plan, and the failure to keep.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    file: PlanFile,
    #[command(flatten)]
    subject: SubjectArguments,
    /// Oracle that the shrunk plan must still fail (default: the first that fails).
    #[arg(long)]
    oracle: Option<String>,
    /// File for the shrunk plan (default: the plan with the extension `.shrunk`).
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Shrinks.
///
/// # Errors
/// Bad input; a plan that does not fail.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let (text, trier, variants) = arguments.file.load_for(&arguments.subject)?;
    let plan = &text.plan;
    let wanted = arguments.oracle.as_deref().map(oracle).transpose()?;
    let trials = trier
        .try_plan(plan, &variants)
        .map_err(|error| text.explain(error))?;
    let failing = trials.into_iter().find_map(|trial| {
        let failure = trial
            .failures
            .into_iter()
            .find(|failure| wanted.is_none_or(|oracle| oracle == failure.oracle))?;
        Some((trial.variant, failure))
    });
    let Some((variant, failure)) = failing else {
        return Err(miette!(
            help = "`lockstep replay` shows what it does",
            "the plan passes all checks, so there is nothing to shrink"
        ));
    };
    say!("{} fails in {variant}: {}", failure.oracle, failure.text);
    let shrunk = shrink(
        plan,
        |candidate| trier.fails(candidate, &variant, failure.oracle),
        |candidate, fails| {
            say!(
                "{}  {}",
                if fails { "fails " } else { "passes" },
                brief(candidate)
            )
        },
    );
    say!(
        "{} plan(s) tried, {} of them still failed",
        shrunk.tried,
        shrunk.kept
    );
    say!("{}", shrunk.plan.to_string().trim_end());
    let output = arguments
        .output
        .unwrap_or_else(|| arguments.file.plan.with_extension("shrunk"));
    std::fs::write(&output, shrunk.plan.to_string()).into_diagnostic()?;
    say!("written to {}", output.display());
    Ok(Status::Passed)
}

/// A plan on one line.
fn brief(plan: &Plan) -> String {
    plan.to_string().trim_end().replace('\n', "; ")
}
