//! The three kinds of outcome, never mixed: a plan passed, the speaker failed an oracle, or the input is invalid.

use miette::Diagnostic;
use thiserror::Error;

use crate::explore::oracle::{Failure, Oracle};
use crate::explore::plan_lines::PlanLine;
use crate::scenario::run::error::PlayError;
use crate::subject::Variant;

/// The outcome of a plan.
#[derive(Debug)]
pub enum Outcome {
    /// Every oracle was satisfied.
    Passed,
    /// The speaker failed this oracle, and possibly others.
    Failed(Oracle),
    /// The input cannot be run, or the run proves nothing; this says nothing about the speaker.
    Invalid(Invalid),
}

impl Outcome {
    /// The outcome of a run with these failures and untriggered faults. A failed oracle takes precedence: it is a fact
    /// about the speaker whether or not every fault triggered.
    #[must_use]
    pub fn of(failures: &[Failure], untriggered: Vec<String>) -> Self {
        match failures.first() {
            Some(failure) => Self::Failed(failure.oracle),
            None if untriggered.is_empty() => Self::Passed,
            None => Self::Invalid(Invalid::Untriggered(untriggered)),
        }
    }
}

/// Why input is invalid.
#[derive(Debug, Error, Diagnostic)]
pub enum Invalid {
    /// A line of the plan that cannot be carried out.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Plan(#[from] PlanMistake),
    /// The scenario, its configuration, a file or a socket.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Play(PlayError),
    /// Faults that never triggered: the run passed, but did not test what the plan asks for.
    #[error("{} of the plan never triggered:\n  {}", count(.0.len()), .0.join("\n  "))]
    #[diagnostic(help(
        "choose a connection, byte or time that the run reaches; `--allow-untriggered` accepts the run as it is"
    ))]
    Untriggered(Vec<String>),
}

fn count(faults: usize) -> String {
    match faults {
        1 => "a fault".to_owned(),
        _ => format!("{faults} faults"),
    }
}

/// A line of a plan that its scenario or the network cannot carry out.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(help("{help}"))]
pub struct PlanMistake {
    /// The line of the plan that never triggered.
    pub line: PlanLine,
    /// The word of the line that is wrong; the whole line if absent.
    pub word: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// Why a run ended without anything to judge.
#[derive(Debug, Error, Diagnostic)]
pub enum Unfinished {
    /// The input is invalid.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] Invalid),
    /// The speaker panicked, or the run did not end.
    #[error("{variant}: {}: {}", failure.oracle, failure.text)]
    Failed {
        /// What was under test.
        variant: Variant,
        /// The oracle that this fails, and what was seen.
        failure: Failure,
    },
}

impl Unfinished {
    /// Sorts `error` of a run with `variant` under test: a run that does not end is the speaker's failure, anything
    /// else is invalid input.
    #[must_use]
    pub fn of(variant: &Variant, error: PlayError) -> Self {
        match error {
            PlayError::Endless(_) | PlayError::Spinning { .. } | PlayError::Turmoil(_) => {
                Self::Failed {
                    variant: variant.clone(),
                    failure: Failure {
                        oracle: Oracle::Liveness,
                        text: error.to_string(),
                    },
                }
            }
            other => Self::Invalid(Invalid::Play(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_oracle_takes_precedence_over_an_untriggered_fault() {
        let failure = Failure {
            oracle: Oracle::Table,
            text: String::new(),
        };
        let untriggered = || vec!["127.0.0.1#9 sent byte 1: reset".to_owned()];
        let outcome = Outcome::of(&[failure], untriggered());
        assert!(matches!(outcome, Outcome::Failed(Oracle::Table)));
        let outcome = Outcome::of(&[], untriggered());
        assert!(matches!(outcome, Outcome::Invalid(Invalid::Untriggered(_))));
        assert!(matches!(Outcome::of(&[], Vec::new()), Outcome::Passed));
    }
}
