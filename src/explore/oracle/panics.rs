//! What is under test does not end by itself: no signal, no status of its own, no end for want of progress.
//!
//! A panic of our own speaker ends the whole run, and is caught where the run was started.

use crate::explore::oracle::case::{Case, Findings};

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    for reason in &case.ran.played.died {
        findings.fail(reason.as_str());
    }
}
