//! Where two runs of one plan first differ: the first message in bytes, and the first in time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::explore::finished_run::FinishedRun;
use crate::explore::outcome::Unfinished;
use crate::explore::plan::Plan;
use crate::explore::trial::Trier;
use crate::net::ConnectionName;
use crate::scenario::format::message::KEEPALIVE;
use crate::scenario::scripted::transcript::Passed;
use crate::sim::{Keep, Record};
use crate::subject::Variant;

/// How many records of each reactor are shown before and after the difference.
const SHOWN: usize = 6;

/// The first message in which two runs differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstDifference {
    /// The connection, by its name on the host under test.
    pub connection: ConnectionName,
    /// Whether the speaker sends it, or the peer.
    pub from_speaker: bool,
    /// The message of that connection and direction, from 1, KEEPALIVEs not counted.
    pub number: usize,
    /// The last message before it, which both runs have.
    pub before: Option<Passed>,
    /// What passed in the first and in the second run; `None` where nothing more did.
    pub passed: [Option<Passed>; 2],
}

impl FirstDifference {
    /// The instant: the earlier of the two.
    #[must_use]
    pub fn at(&self) -> Duration {
        let times = self.passed.iter().flatten().map(|passed| passed.at);
        times.min().unwrap_or_default()
    }
}

/// A plan run with two variants under test, and compared.
#[derive(Debug, Clone)]
pub struct Bisection {
    /// Where the bytes first differ.
    pub octets: Option<FirstDifference>,
    /// Where the times first differ.
    pub time: Option<FirstDifference>,
    /// All that happened, in the first and in the second run.
    pub records: [Vec<Record>; 2],
}

impl Bisection {
    /// Runs `plan` with each of `variants` under test.
    ///
    /// # Errors
    /// A plan that cannot be carried out; a run that panics or does not end.
    pub fn of(trier: &Trier, plan: &Plan, variants: &[Variant; 2]) -> Result<Self, Unfinished> {
        // A defect that came with the port to async is compared with sync as it was before.
        let run = |variant: &Variant| trier.play_at_home(plan, variant, Keep::All, None);
        let [one, other] = variants;
        let runs = [run(one)?, run(other)?];
        let streams = [streams(&runs[0]), streams(&runs[1])];
        let [one, other] = runs;
        Ok(Self {
            octets: first_difference(&streams, |one, other| one.bytes == other.bytes),
            time: first_difference(&streams, |one, other| one.at == other.at),
            records: [one.records, other.records],
        })
    }

    /// What was pending in either reactor at `at`, in sentences. Sync, then async.
    #[must_use]
    pub fn pending(
        trier: &Trier,
        plan: &Plan,
        variants: &[Variant; 2],
        at: Duration,
    ) -> [Vec<String>; 2] {
        [0, 1].map(|which| {
            let ran = trier.play_at_home(plan, &variants[which], Keep::Hash, Some(at));
            let inside = ran.ok().and_then(|ran| ran.inside);
            inside.map(|inside| inside.pending).unwrap_or_default()
        })
    }

    /// What the reactors had done last by `at`, and what each did next. Sync, then async.
    #[must_use]
    pub fn around(&self, at: Duration) -> [(&[Record], &[Record]); 2] {
        [0, 1].map(|mode| {
            let records = self.records[mode].as_slice();
            let now = records.partition_point(|record| record.time < at);
            let last = &records[now.saturating_sub(SHOWN)..now];
            (last, &records[now..(now + SHOWN).min(records.len())])
        })
    }
}

/// Messages by connection and direction, KEEPALIVEs left out: those are compared by timers, not by count.
type Streams = BTreeMap<(ConnectionName, bool), Vec<Passed>>;

fn streams(ran: &FinishedRun) -> Streams {
    let mut streams = Streams::new();
    for transcript in &ran.played.transcripts {
        for passed in &transcript.messages {
            if passed.bytes.get(18) != Some(&KEEPALIVE) {
                let key = (transcript.name, passed.from_speaker);
                streams.entry(key).or_default().push(passed.clone());
            }
        }
    }
    streams
}

/// The earliest message that is not the `same` in both.
fn first_difference(
    streams: &[Streams; 2],
    same: impl Fn(&Passed, &Passed) -> bool,
) -> Option<FirstDifference> {
    let [sync, tasks] = streams;
    let keys: std::collections::BTreeSet<_> = sync.keys().chain(tasks.keys()).copied().collect();
    let partings = keys.into_iter().filter_map(|key| {
        let one = sync.get(&key).map_or(&[][..], Vec::as_slice);
        let other = tasks.get(&key).map_or(&[][..], Vec::as_slice);
        let at = (0..one.len().max(other.len())).find(|&at| {
            !matches!((one.get(at), other.get(at)), (Some(one), Some(other)) if same(one, other))
        })?;
        let (connection, from_speaker) = key;
        Some(FirstDifference {
            connection,
            from_speaker,
            number: at + 1,
            before: at.checked_sub(1).and_then(|at| one.get(at).cloned()),
            passed: [one.get(at).cloned(), other.get(at).cloned()],
        })
    });
    partings.min_by_key(FirstDifference::at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Opener;

    fn passed(at: u64, octet: u8) -> Passed {
        Passed {
            at: Duration::from_millis(at),
            from_speaker: true,
            bytes: vec![octet],
        }
    }

    fn one(messages: Vec<Passed>) -> Streams {
        let name = ConnectionName::new([127, 0, 0, 1].into(), Opener::Us, 1);
        Streams::from([((name, true), messages)])
    }

    #[test]
    fn time_parts_before_octets_do() {
        let streams = [
            one(vec![passed(1, 1), passed(2, 2), passed(3, 3)]),
            one(vec![passed(1, 1), passed(9, 2), passed(10, 4)]),
        ];
        let octets = first_difference(&streams, |one, other| one.bytes == other.bytes).unwrap();
        let time = first_difference(&streams, |one, other| one.at == other.at).unwrap();
        assert_eq!((octets.number, time.number), (3, 2));
        assert_eq!(octets.before, Some(passed(2, 2)));
        assert_eq!(octets.passed, [Some(passed(3, 3)), Some(passed(10, 4))]);
        assert_eq!(time.at(), Duration::from_millis(2));
    }

    #[test]
    fn one_that_says_no_more_parts_there() {
        let streams = [
            one(vec![passed(1, 1)]),
            one(vec![passed(1, 1), passed(2, 2)]),
        ];
        let octets = first_difference(&streams, |one, other| one.bytes == other.bytes).unwrap();
        assert_eq!(octets.passed, [None, Some(passed(2, 2))]);
        assert_eq!(
            first_difference(&[streams[0].clone(), streams[0].clone()], |a, b| a == b),
            None
        );
    }
}
