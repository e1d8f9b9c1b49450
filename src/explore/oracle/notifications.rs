//! If nothing was lost, a NOTIFICATION that was sent arrives.

use crate::explore::oracle::case::{Case, Findings};
use crate::explore::oracle::conditions::disturbance;
use crate::scenario::format::message::is_notification;
use crate::scenario::scripted::transcript::{Ending, Transcript};

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    if let Some(why) = disturbance(case) {
        return findings.not_judged(why);
    }
    let transcripts = &case.ran.played.transcripts;
    for connection in &case.ran.wire.connections {
        let named = |transcript: &&Transcript| transcript.name == connection.name;
        if let Some(at) = connection.notified
            && transcripts.iter().find(named).is_some_and(is_lost)
        {
            findings.fail(format!(
                "the NOTIFICATION sent on {} at {:.6} s did not arrive",
                connection.name,
                at.as_secs_f64()
            ));
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
