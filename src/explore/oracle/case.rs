//! The input of an oracle, and where it reports.

use std::borrow::Cow;

use crate::explore::baseline::Baseline;
use crate::explore::finished_run::FinishedRun;
use crate::explore::oracle::names::Oracle;
use crate::explore::plan::Plan;
use crate::scenario::golden::Golden;

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The oracle that failed.
    pub oracle: Oracle,
    /// Description of what was found.
    pub text: String,
}

/// A check that was not made, or not completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJudged {
    /// The oracle that did not judge.
    pub oracle: Oracle,
    /// Why the oracle could not judge the run.
    pub why: Cow<'static, str>,
}

/// The verdict on a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Failed checks; empty if every check that was made passed.
    pub failures: Vec<Failure>,
    /// Checks that were not made, or not completely.
    pub not_judged: Vec<NotJudged>,
}

/// The input of an oracle.
pub(super) struct Case<'a> {
    pub(super) plan: &'a Plan,
    pub(super) ran: &'a FinishedRun,
    pub(super) baseline: &'a Baseline,
    pub(super) golden: Option<&'a Golden>,
}

/// Where an oracle reports failures and what it did not judge.
pub(super) struct Findings<'a> {
    pub(super) oracle: Oracle,
    pub(super) verdict: &'a mut Verdict,
}

impl Findings<'_> {
    pub(super) fn fail(&mut self, text: impl Into<String>) {
        self.verdict.failures.push(Failure {
            oracle: self.oracle,
            text: text.into(),
        });
    }

    pub(super) fn not_judged(&mut self, why: impl Into<Cow<'static, str>>) {
        self.verdict.not_judged.push(NotJudged {
            oracle: self.oracle,
            why: why.into(),
        });
    }
}

/// Why nothing is judged of sessions in a scenario whose sessions all end by design.
pub(super) const NONE_STAYS: &str = "no session stays up in this scenario";
