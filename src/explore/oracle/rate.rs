//! No peer is sent more in a second than its rate limit.

use crate::explore::evidence::pace::Span;
use crate::explore::oracle::case::{Case, Findings};

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    if case.ran.limits.is_empty() {
        return findings.not_judged("no neighbor has a rate limit");
    }
    for connection in &case.ran.wire.connections {
        let Some(&limit) = case.ran.limits.get(&connection.peer().to_string()) else {
            continue;
        };
        let Span { updates, seconds } = connection.pace.busiest();
        if updates > u64::from(limit) * seconds {
            let span = match seconds {
                1 => "a second".to_owned(),
                _ => format!("{seconds} seconds"),
            };
            return findings.fail(format!(
                "{} was sent {updates} UPDATE(s) within {span}, its limit being {limit} per second",
                connection.name
            ));
        }
    }
}
