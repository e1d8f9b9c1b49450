//! The peer's table is exactly what the speaker was asked to announce: nothing lost, nothing stale.

use crate::explore::baseline::difference;
use crate::explore::oracle::case::{Case, Findings, NONE_STAYS};
use crate::scenario::format::host_fault::HostFault;

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    if case.baseline.tables.is_empty() {
        return findings.not_judged(NONE_STAYS);
    }
    if case.plan.crashes_speaker() {
        if case.ran.reloads {
            return findings.not_judged(
                "the speaker crashes: whether before or after its reload decides what it knows",
            );
        }
        if case.plan.program_may_end() {
            return findings.not_judged(
                "the speaker crashes: whether before or after a program's end decides which lines it received",
            );
        }
    }
    let mut host_faults = case.plan.host_faults.iter();
    if case.ran.controlled && host_faults.any(|fault| matches!(fault, HostFault::Reload { .. })) {
        return findings.not_judged(
            "the speaker reads its configuration again: what it was told through its control program may be lost by that",
        );
    }
    let found = case.ran.tables();
    for (peer, expected) in &case.baseline.tables {
        match found.get(peer) {
            None => findings.not_judged(format!("no session with {peer} at the end")),
            Some(found) => {
                if let Some(text) = difference(expected, found) {
                    findings.fail(format!("at {peer}: {text}"));
                }
            }
        }
    }
}
