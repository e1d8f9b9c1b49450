//! What an oracle is given to judge, and where it says what it found.

use std::borrow::Cow;

use crate::explore::baseline::Baseline;
use crate::explore::finished_run::FinishedRun;
use crate::explore::oracle::names::Oracle;
use crate::explore::plan::Plan;
use crate::scenario::golden::Golden;

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub oracle: Oracle,
    /// What was found, in a sentence.
    pub text: String,
}

/// A check that was not made, or not of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJudged {
    /// Which.
    pub oracle: Oracle,
    /// Why not.
    pub why: Cow<'static, str>,
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What failed; nothing where all held that was judged.
    pub failures: Vec<Failure>,
    /// What was not judged, or not in full.
    pub not_judged: Vec<NotJudged>,
}

/// What an oracle is given to judge.
pub(super) struct Case<'a> {
    pub(super) plan: &'a Plan,
    pub(super) ran: &'a FinishedRun,
    pub(super) baseline: &'a Baseline,
    pub(super) golden: Option<&'a Golden>,
}

/// Where an oracle says what it found.
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
