//! Where nothing was lost, a NOTIFICATION that was sent arrives.

use crate::explore::oracle::case::{Case, Findings};
use crate::explore::oracle::conditions::disturbance;
use crate::scenario::format::message::is_notification;
use crate::scenario::scripted::transcript::{Ending, Transcript};

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    if let Some(why) = disturbance(case) {
        return findings.not_judged(why);
    }
    for peer in case.ran.played.tables.keys() {
        // Nothing kept a connection that opened here from opening there: they come in the same order.
        let sent = case.ran.wire.with(*peer).filter(|it| it.opened.is_some());
        let mut received: Vec<&Transcript> = case
            .ran
            .played
            .transcripts
            .iter()
            .filter(|transcript| transcript.peer == *peer)
            .collect();
        received.sort_by_key(|transcript| transcript.attempt);
        for (connection, transcript) in sent.zip(received) {
            if let Some(at) = connection.notified
                && is_lost(transcript)
            {
                findings.fail(format!(
                    "the NOTIFICATION sent on {} at {:.6} s did not arrive",
                    connection.name,
                    at.as_secs_f64()
                ));
            }
        }
    }
}

/// Whether the peer listened until the connection ended, and no NOTIFICATION came.
fn is_lost(transcript: &Transcript) -> bool {
    let listened = matches!(
        transcript.ended,
        Some((_, Ending::BySpeaker | Ending::Reset))
    );
    let mut received = transcript.compared();
    listened && !received.any(|passed| is_notification(&passed.bytes))
}
