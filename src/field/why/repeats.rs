//! Ends that repeat: at the same octet of the stream, or after the same time.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::explanation::Explanation;
use super::session::duration;
use super::talk::Talk;
use crate::capture::StreamDirection;

/// Says of every session of which it is so that others between the same hosts ended as it did.
pub(super) fn note(explanations: &mut [Explanation], talks: &BTreeMap<usize, Talk>) {
    let mut pairs: BTreeMap<(IpAddr, IpAddr), Vec<usize>> = BTreeMap::new();
    for (at, explanation) in explanations.iter().enumerate() {
        let peer = explanation.connection.id.peer;
        if explanation.is_ended() && explanation.session.is_some() {
            let key = (peer.client.min(peer.server), peer.client.max(peer.server));
            pairs.entry(key).or_default().push(at);
        }
    }
    for ((low, high), sessions) in pairs {
        if sessions.len() < 2 {
            continue;
        }
        for end in [low, high] {
            same_octet(explanations, talks, &sessions, end);
        }
        same_period(explanations, &sessions);
    }
}

/// Octets that `end` had sent, and whether it was in the middle of something worth repeating.
fn octets(explanation: &Explanation, talks: &BTreeMap<usize, Talk>, end: IpAddr) -> Option<u64> {
    let talk = talks.get(&explanation.connection.number)?;
    let peer = explanation.connection.id.peer;
    let direction = StreamDirection::BOTH
        .into_iter()
        .find(|direction| peer.sender(*direction) == end)?;
    let voice = talk.voice(direction);
    // OPEN and KEEPALIVE alone are the same in every session.
    (voice.counts[2] > 0).then(|| voice.octets())
}

fn same_octet(
    explanations: &mut [Explanation],
    talks: &BTreeMap<usize, Talk>,
    sessions: &[usize],
    end: IpAddr,
) {
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for at in sessions {
        if let Some(octets) = octets(&explanations[*at], talks, end) {
            groups.entry(octets).or_default().push(*at);
        }
    }
    for (octets, group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
        let sentence = format!(
            "{} sessions between these two ended after the same {octets} octets from {end}: what ends them is in what it sends, not in the path or the clock",
            group.len()
        );
        for at in group {
            explanations[at]
                .pattern
                .get_or_insert_with(|| sentence.clone());
        }
    }
}

fn same_period(explanations: &mut [Explanation], sessions: &[usize]) {
    let lives: Vec<u64> = sessions
        .iter()
        .filter_map(|at| {
            let explanation = &explanations[*at];
            Some(
                explanation
                    .ending
                    .at()?
                    .saturating_sub(explanation.connection.opened),
            )
        })
        .collect();
    let (Some(least), Some(most)) = (lives.iter().min(), lives.iter().max()) else {
        return;
    };
    const SECOND: u64 = 1_000_000_000;
    if *least < SECOND || most - least > SECOND.max(most / 50) {
        return;
    }
    let sentence = format!(
        "{} sessions between these two lived for the same time, {} to {}: a timer ends them",
        lives.len(),
        duration(*least),
        duration(*most)
    );
    for at in sessions {
        explanations[*at]
            .pattern
            .get_or_insert_with(|| sentence.clone());
    }
}
