//! Every message on the wire decodes.

use crate::explore::oracle::case::{Case, Findings};

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    let mut views = case.ran.played.tables.values();
    if views.any(|view| view.is_garbled()) || case.ran.undecodable() > case.baseline.undecodable {
        findings.fail("a message of the speaker does not decode");
    }
}
