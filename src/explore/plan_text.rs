//! A plan file: the plan, and the position of each of its lines in the text, so that an error found later
//! is shown with file, line and caret.

use std::path::Path;

use miette::Report;

use crate::explore::outcome::{Invalid, PlanMistake, Unfinished};
use crate::explore::parse;
use crate::explore::plan::Plan;
use crate::explore::plan_lines::{PlanLine, PlanSpans};
use crate::os::small_file::{self, TEXT};
use crate::scenario::format::error::ScenarioError;
use crate::scenario::run::error::PlayError;
use crate::subject::Variant;

/// A plan as it was read from a file.
#[derive(Debug, Clone)]
pub struct PlanText {
    name: String,
    text: String,
    spans: PlanSpans,
    /// The plan that was read, valid for its scenario or not.
    pub plan: Plan,
}

impl PlanText {
    /// Reads the plan in the file at `path`.
    ///
    /// # Errors
    /// A file that cannot be read or is not a plan.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let name = path.display().to_string();
        let bytes = small_file::read(path, TEXT)
            .map_err(|error| ScenarioError::cannot_open(&name, &error))?;
        let text = String::from_utf8(bytes)
            .map_err(|error| ScenarioError::not_utf8(&name, error.as_bytes()))?;
        Self::parse(name, text)
    }

    /// Reads a plan from `text`, the content of the file `name`.
    ///
    /// # Errors
    /// Text that is not a plan.
    pub fn parse(name: String, text: String) -> Result<Self, ScenarioError> {
        match parse::parse_with_spans(&text) {
            Ok((plan, spans)) => Ok(Self {
                name,
                text,
                spans,
                plan,
            }),
            Err(error) => Err(ScenarioError::from_text(&name, &text, error)),
        }
    }

    /// What a comment line of the file says behind `word`.
    #[must_use]
    pub fn comment(&self, word: &str) -> Option<&str> {
        let mut lines = self.text.lines();
        lines.find_map(|line| line.strip_prefix('#')?.trim_start().strip_prefix(word))
    }

    /// The mistake that the plan names a scenario that does not exist.
    #[must_use]
    pub fn no_scenario(&self, help: String) -> ScenarioError {
        let message = format!("there is no scenario `{}`", self.plan.scenario);
        let span = self.spans.scenario.clone();
        ScenarioError::new(&self.name, &self.text, span, message, Some(help))
    }

    /// `mistake` with file, line and caret.
    #[must_use]
    pub fn locate(&self, mistake: &PlanMistake) -> ScenarioError {
        let line = self.spans.of(mistake.line);
        let word = mistake.word.as_deref().and_then(|word| {
            let start = line.start + self.text.get(line.clone())?.find(word)?;
            Some(start..start + word.len())
        });
        ScenarioError::new(
            &self.name,
            &self.text,
            word.unwrap_or(line),
            &mistake.message,
            Some(mistake.help.clone()),
        )
    }

    /// `error` of the run without faults that comes before this plan. If the plan itself chooses one of `variants` that
    /// cannot run here, the line `speaker` is marked.
    #[must_use]
    pub fn explain_start(&self, error: Unfinished, variants: &[Variant]) -> Report {
        let chosen = self.plan.speaker.is_some() && self.plan.variants() == variants;
        let Unfinished::Invalid(Invalid::Play(PlayError::Unsupported { help, .. })) = &error else {
            return error.into();
        };
        if !chosen {
            return error.into();
        }
        let mistake = PlanMistake {
            line: PlanLine::Speaker,
            word: None,
            message: error.to_string(),
            help: (*help).to_owned(),
        };
        self.locate(&mistake).into()
    }

    /// `error` of a run of this plan, a mistake of the plan with file, line and caret.
    #[must_use]
    pub fn explain(&self, error: impl Into<Unfinished>) -> Report {
        match error.into() {
            Unfinished::Invalid(Invalid::Plan(mistake)) => self.locate(&mistake).into(),
            other => other.into(),
        }
    }
}
