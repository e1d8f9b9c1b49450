//! A command is answered, and applied by every established peer, at the virtual time at which it is read.

use crate::explore::evidence::inside::Breach;
use crate::explore::oracle::answers::NO_INSIDE;
use crate::explore::oracle::case::{Case, Findings};

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    let Some(inside) = &case.ran.inside else {
        return findings.not_judged(NO_INSIDE);
    };
    for (breach, text) in &inside.breaches {
        if *breach == Breach::Late {
            findings.fail(text.clone());
        }
    }
}
