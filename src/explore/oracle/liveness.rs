//! The session recovers within a bounded time after the last fault.

use crate::explore::oracle::case::{Case, Findings, NONE_STAYS};

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    if !case.baseline.stays_up() {
        return findings.not_judged(NONE_STAYS);
    }
    for peer in case.baseline.tables.keys() {
        let view = case.ran.played.tables.get(peer);
        if !view.is_some_and(|view| view.is_live()) {
            findings.fail(format!("no session with {peer} at the end"));
        }
    }
    let up = case.ran.wire.sessions(case.ran.played.over);
    for (host, peer) in case.baseline.sessions.difference(&up) {
        findings.fail(format!("{host} has no session with {peer} at the end"));
    }
}
