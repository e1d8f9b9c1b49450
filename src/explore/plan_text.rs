//! A plan's file: the plan, and where in the text each of its lines is, so that whatever turns out to be wrong with one
//! later is shown with file, line and caret.

use std::fs;
use std::ops::Range;
use std::path::Path;

use miette::Report;

use crate::explore::outcome::{Invalid, PlanMistake, Unfinished};
use crate::explore::parse;
use crate::explore::plan::Plan;
use crate::scenario::format::error::ScenarioError;

/// A line of a plan that a mistake can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanLine {
    /// The line `watch`.
    Watch,
    /// The fault of a connection with this index in [`Plan::faults`].
    Fault(usize),
    /// The fault of a host or program with this index in [`Plan::host_faults`].
    HostFault(usize),
}

/// Where the lines of a plan are, as ranges of octets of its text. Kept beside the plan and not in it: two plans that
/// do the same are equal wherever their lines are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanSpans {
    /// The name of the scenario.
    pub scenario: Range<usize>,
    /// The line `watch`, if there is one.
    pub watch: Range<usize>,
    /// In the order of [`Plan::faults`].
    pub faults: Vec<Range<usize>>,
    /// In the order of [`Plan::host_faults`].
    pub host_faults: Vec<Range<usize>>,
}

impl PlanSpans {
    fn of(&self, line: PlanLine) -> Range<usize> {
        let span = match line {
            PlanLine::Watch => Some(&self.watch),
            PlanLine::Fault(index) => self.faults.get(index),
            PlanLine::HostFault(index) => self.host_faults.get(index),
        };
        span.cloned().unwrap_or_default()
    }
}

/// A plan as it was read from a file.
#[derive(Debug, Clone)]
pub struct PlanText {
    name: String,
    text: String,
    spans: PlanSpans,
    /// The plan.
    pub plan: Plan,
}

impl PlanText {
    /// Reads the plan in the file at `path`.
    ///
    /// # Errors
    /// A file that cannot be read or is not a plan.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| ScenarioError::cannot_open(&name, &error))?;
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

    /// `error` of a run of this plan, a mistake of the plan with file, line and caret.
    #[must_use]
    pub fn explain(&self, error: impl Into<Unfinished>) -> Report {
        match error.into() {
            Unfinished::Invalid(Invalid::Plan(mistake)) => self.locate(&mistake).into(),
            other => other.into(),
        }
    }
}
