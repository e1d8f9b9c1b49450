//! An established session is never silent for longer than its keepalive time (RFC 4271 section 4.4).

use crate::explore::oracle::case::{Case, Findings};
use crate::explore::oracle::conditions::SLACK;

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    // A clock that runs slow counts its seconds late.
    let slow = 1.0 + f64::from(case.plan.skew.unsigned_abs()) / 1e6 * 2.0;
    let mut judged = false;
    for connection in &case.ran.wire.connections {
        let (Some(hold), Some((since, silence))) = (connection.hold(), connection.silence) else {
            continue;
        };
        if hold.is_zero() {
            continue;
        }
        judged = true;
        if silence > (hold / 3).mul_f64(slow) + SLACK {
            findings.fail(format!(
                "{} was silent for {:.3} s from {:.6} s on",
                connection.name,
                silence.as_secs_f64(),
                since.as_secs_f64()
            ));
        }
    }
    if !judged {
        findings.not_judged("no session with a hold time was established");
    }
}
