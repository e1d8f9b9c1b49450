//! If nothing was lost, the bytes are those of the golden.

use crate::explore::oracle::case::{Case, Findings};
use crate::explore::oracle::conditions::disturbance;
use crate::scenario::golden::Golden;

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    if let Some(why) = disturbance(case) {
        return findings.not_judged(why);
    }
    if case.baseline.tables.is_empty() && !case.plan.is_quiet() {
        return findings.not_judged(
            "no session stays up in this scenario: the moment of its end decides how much is said",
        );
    }
    // Its API cannot be seen: it is somebody else's.
    if case.ran.inside.is_none() && !case.plan.changes_nothing() {
        return findings.not_judged(
            "another speaker says what it says in the order and in the messages that its timers and its scheduler make \
             of it, and the plan changes both",
        );
    }
    let golden = case.golden.unwrap_or(&case.baseline.octets);
    let mut run = Golden::of(&case.ran.played.transcripts);
    // Only connections that the golden has: a speaker that never gives up connects again.
    run.connections
        .retain(|key, _| golden.connections.contains_key(key));
    if let Some(divergence) = golden.divergence(&run) {
        findings.fail(format!(
            "message {} of {} is not the golden's",
            divergence.number, divergence.connection
        ));
    }
}
