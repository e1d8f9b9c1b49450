//! Every session that ended has a cause in the plan or on the wire.

use crate::explore::evidence::connection::{CEASE, Ending, Silence};
use crate::explore::oracle::case::{Case, Findings};
use crate::explore::oracle::conditions::first_harm;

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    let harm = first_harm(case);
    if let Some(harm) = harm {
        let from = harm.as_secs_f64();
        findings.not_judged(format!(
            "sessions that ended from {from:.6} s on: a fault that may end one triggered then"
        ));
    }
    let until = harm.map_or(case.ran.played.over, |harm| harm.min(case.ran.played.over));
    let opened = case.ran.wire.connections.iter();
    for connection in opened.filter(|connection| connection.opened.is_some()) {
        let Some((at, ending)) = connection.ended.filter(|(at, _)| *at < until) else {
            continue;
        };
        if is_meant(ending) || case.baseline.endings.contains(&ending) {
            continue;
        }
        return findings.fail(format!(
            "{} ended at {:.6} s in {}, and nothing in the plan made it: {ending}",
            connection.name,
            at.as_secs_f64(),
            connection.state(),
        ));
    }
}

/// Whether the host under test ended the session as an administrative shutdown does.
const fn is_meant(ending: Ending) -> bool {
    match ending {
        Ending::NotificationSent(code, _) => code == CEASE,
        Ending::Closed(silence) => !matches!(silence, Silence::Unexplained),
        Ending::NotificationReceived(..) | Ending::ClosedByPeer | Ending::Broken(_) => false,
    }
}
