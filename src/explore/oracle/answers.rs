//! One answer per command, in order.

use crate::explore::evidence::inside::Breach;
use crate::explore::oracle::case::{Case, Findings, NONE_STAYS};
use crate::explore::oracle::conditions::disturbance;
use crate::explore::plan::Plan;
use crate::scenario::format::host_fault::{HostFault, ProgramFault};

/// Why the API is not judged for a subject whose API cannot be observed.
pub(super) const NO_INSIDE: &str = "the speaker's API cannot be seen from outside";

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    let Some(inside) = &case.ran.inside else {
        return findings.not_judged(NO_INSIDE);
    };
    count(case, findings);
    for (breach, text) in &inside.breaches {
        if *breach == Breach::Order {
            findings.fail(text.clone());
        }
    }
}

/// The first program whose answers differ from those of the run without faults.
fn count(case: &Case<'_>, findings: &mut Findings<'_>) {
    let (plan, baseline) = (case.plan, case.baseline);
    let Some(inside) = &case.ran.inside else {
        return;
    };
    // When the speaker is asked to end, which commands were read before that depends on timing.
    if baseline.tables.is_empty() {
        return findings.not_judged(NONE_STAYS);
    }
    for (program, open) in &inside.unanswered {
        let usual = baseline.unanswered.get(program).copied().unwrap_or(0);
        if *open > usual {
            let open = open - usual;
            return findings.fail(format!(
                "process {program} has no answer to {open} command(s)"
            ));
        }
    }
    if plan.crashes_speaker() || plan.program_may_end() {
        return findings.not_judged(
            "how many answers there are: a program that is cut off or started again is answered as far as it came",
        );
    }
    let disturbed = disturbance(case).is_some();
    let empty = Vec::new();
    for (program, expected) in &baseline.answers {
        let found = inside.answers.get(program).unwrap_or(&empty);
        if !disturbed && found != expected {
            return findings.fail(format!(
                "process {program} was answered {found:?}, not {expected:?}"
            ));
        }
        // A program that is not answered everything may not be answered its flood either.
        let flood = flood(plan, program);
        let usual = baseline.unanswered.get(program).copied().unwrap_or(0);
        let due = expected.len() + flood;
        if found.len() != due && (flood == 0 || usual == 0) {
            let found = found.len();
            return findings.fail(format!(
                "process {program} got {found} answer(s) to {due} command(s)"
            ));
        }
    }
}

/// Lines with which `program` floods the speaker.
fn flood(plan: &Plan, program: &str) -> usize {
    let first = plan.host_faults.iter().find_map(|fault| match fault {
        HostFault::Program {
            name,
            how: ProgramFault::Floods(lines),
        } if name == program => Some(*lines),
        _ => None,
    });
    first.unwrap_or(0)
}
