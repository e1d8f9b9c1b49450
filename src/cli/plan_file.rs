//! A plan on disk and the scenario that it names, as several subcommands need them.

use std::path::{Path, PathBuf};

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::captures::Captures;
use super::subject::{SubjectArguments, captures_of};
use super::trust::Trust;
use crate::explore::plan_text::PlanText;
use crate::explore::suggest;
use crate::explore::trial::Trier;
use crate::report::story::CapturedEnds;
use crate::scenario::format::directory;
use crate::scenario::golden::Golden;
use crate::scenario::golden::manifest::Manifest;
use crate::scenario::run::network::NetworkKind;
use crate::subject::Variant;

/// A plan and where its scenario is.
#[derive(Debug, Args)]
pub struct PlanFile {
    /// Plan file.
    pub plan: PathBuf,
    /// Directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
    #[command(flatten)]
    captures: Captures,
    #[command(flatten)]
    trust: Trust,
}

/// The addresses of the capture that a plan was imported from, as its second line has them.
#[must_use]
pub fn captured(text: &PlanText) -> Option<CapturedEnds> {
    let (speaker, peer) = text.comment("captured: speaker ")?.split_once(", peer ")?;
    Some(CapturedEnds {
        speaker: speaker.parse().ok()?,
        peer: peer.trim().parse().ok()?,
    })
}

impl PlanFile {
    /// The plan at `plan`, its scenario beside it or in `scenario_dir`.
    #[must_use]
    pub fn at(plan: PathBuf, scenario_dir: PathBuf, trust: Trust) -> Self {
        Self {
            plan,
            scenario_dir,
            captures: Captures::default(),
            trust,
        }
    }

    /// Reads the plan and prepares its scenario: one beside the plan, or one of the directory. It can be
    /// run with each of `variants` under test.
    ///
    /// # Errors
    /// A file that cannot be read, a line that is not valid in a plan or cannot be carried out, a missing scenario; a
    /// run without faults that fails.
    pub fn load(&self, variants: &[Variant]) -> miette::Result<(PlanText, Trier)> {
        let text = PlanText::load(&self.plan)?;
        let trier = self.prepare(&text, variants)?;
        Ok((text, trier))
    }

    /// The same, for the variants that `subject` chooses, or else those of the plan.
    ///
    /// # Errors
    /// As for [`Self::load`]; a subject that does not exist.
    pub fn load_for(
        &self,
        subject: &SubjectArguments,
    ) -> miette::Result<(PlanText, Trier, Vec<Variant>)> {
        let text = PlanText::load(&self.plan)?;
        let variants = subject.variants_or(&text.plan.variants())?;
        let trier = self.prepare(&text, &variants)?;
        Ok((text, trier, variants))
    }

    fn prepare(&self, text: &PlanText, variants: &[Variant]) -> miette::Result<Trier> {
        self.trust.check_plan(&self.plan, &text.plan.variants())?;
        let name = &text.plan.scenario;
        let beside = self.plan.parent().unwrap_or(Path::new(".")).join(name);
        let is_beside = beside.join("scenario").is_file();
        let directory = if is_beside {
            beside
        } else {
            let found = directory::find(&self.scenario_dir, name);
            found.ok_or_else(|| {
                let help = directory::help(&self.scenario_dir, name);
                text.no_scenario(help)
            })?
        };
        let scenario = crate::scenario::format::parse::load(&directory)?;
        self.trust
            .check(std::slice::from_ref(&scenario), variants, NetworkKind::Sim)?;
        // An import leaves scenario, golden and manifest beside the plan.
        let captures = match self.plan.parent() {
            Some(parent) if is_beside && self.captures.is_default() => parent.to_owned(),
            _ => captures_of(
                &self.captures.optional()?,
                variants,
                std::slice::from_ref(&scenario),
            )?,
        };
        let manifest = Manifest::load(&captures).into_diagnostic()?;
        let golden = Golden::find(&captures, &manifest, &scenario.name).into_diagnostic()?;
        let trier = Trier::new(scenario, golden, variants)
            .map_err(|error| text.explain_start(error, variants))?;
        trier
            .check(&text.plan)
            .map_err(|invalid| text.explain(invalid))?;
        Ok(trier)
    }
}

/// The oracle named `name`.
pub fn oracle(name: &str) -> miette::Result<crate::explore::oracle::Oracle> {
    use crate::explore::oracle::Oracle;
    Oracle::named(name).ok_or_else(|| {
        let known: Vec<&str> = Oracle::ALL.iter().map(|oracle| oracle.name()).collect();
        miette!(
            help = suggest::help(name, &known),
            "unknown oracle `{name}`"
        )
    })
}
