//! A plan on disk and the scenario that it names, as several subcommands need them.

use std::path::{Path, PathBuf};

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::explore::parse::{parse, scenario_span};
use crate::explore::plan::Plan;
use crate::explore::suggest;
use crate::explore::trial::Trier;
use crate::scenario::format::directory;
use crate::scenario::format::error::ScenarioError;
use crate::scenario::golden::Golden;
use crate::scenario::golden::manifest::Manifest;

/// A plan and where its scenario is.
#[derive(Debug, Args)]
pub struct PlanFile {
    /// The plan's file.
    pub plan: PathBuf,
    /// The directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
    /// The directory of the goldens.
    #[arg(long, default_value = "captures", value_name = "DIR")]
    captures: PathBuf,
}

impl PlanFile {
    /// Reads the plan and prepares its scenario: one beside the plan, or one of the directory.
    ///
    /// # Errors
    /// A file that cannot be read, a line that no plan has, a scenario that is not there.
    pub fn load(&self) -> miette::Result<(Plan, Trier)> {
        let name = self.plan.display().to_string();
        let text = std::fs::read_to_string(&self.plan)
            .into_diagnostic()
            .wrap_err_with(|| format!("the plan {name} cannot be read"))?;
        let plan = parse(&text).map_err(|error| ScenarioError::from_text(&name, &text, error))?;
        let beside = self
            .plan
            .parent()
            .unwrap_or(Path::new("."))
            .join(&plan.scenario);
        let directory = if beside.join("scenario").is_file() {
            beside
        } else {
            self.scenario_dir.join(&plan.scenario)
        };
        if !directory.join("scenario").is_file() {
            let span = scenario_span(&text).unwrap_or_default();
            let help = directory::nearest(&plan.scenario, &directory::names(&self.scenario_dir)?);
            return Err(ScenarioError::new(
                &name,
                &text,
                span,
                format!("there is no scenario `{}`", plan.scenario),
                Some(help),
            )
            .into());
        }
        let scenario = crate::scenario::format::parse::load(&directory)?;
        let manifest = Manifest::load(&self.captures).into_diagnostic()?;
        let golden = Golden::load(&self.captures, &manifest, &scenario.name).ok();
        let trier = Trier::new(scenario, golden)?;
        Ok((plan, trier))
    }
}

/// The oracle of that name.
pub fn oracle(name: &str) -> miette::Result<crate::explore::oracle::Oracle> {
    use crate::explore::oracle::Oracle;
    Oracle::named(name).ok_or_else(|| {
        let known: Vec<&str> = Oracle::ALL.iter().map(|oracle| oracle.name()).collect();
        miette!(
            help = suggest::help(name, &known),
            "there is no oracle `{name}`"
        )
    })
}
