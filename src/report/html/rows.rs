//! Lanes aligned: what the speaker sent stands in one row where it is the same message of the same connection.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::scenario::golden::Golden;
use crate::scenario::message::{KEEPALIVE, OPEN};
use crate::scenario::suite::Report;

/// Peer and number of a connection.
pub(super) type Name = (IpAddr, usize);

/// A message of a lane.
pub(super) struct Message {
    pub at: Option<Duration>,
    pub connection: Name,
    pub from_speaker: bool,
    pub bytes: Vec<u8>,
    /// The speaker's OPEN on this connection: how the rest is written.
    pub open: Option<Rc<[u8]>>,
}

/// One run, or the golden.
pub(super) struct Lane {
    pub label: String,
    pub caption: &'static str,
    pub messages: Vec<Message>,
}

/// A row: for each lane the number of its message, or -1.
pub(super) struct Row {
    pub messages: Vec<i64>,
    pub differs: bool,
    /// Which message of the speaker it is: peer, connection, number from 0, KEEPALIVEs not counted.
    pub anchor: Option<(IpAddr, usize, usize)>,
}

impl Lane {
    pub fn of_golden(golden: &Golden) -> Self {
        let mut messages = Vec::new();
        for (connection, all) in &golden.connections {
            let open = all
                .first()
                .filter(|first| is(first, OPEN))
                .map(|first| first.as_slice().into());
            messages.extend(all.iter().map(|bytes| Message {
                at: None,
                connection: *connection,
                from_speaker: true,
                bytes: bytes.clone(),
                open: open.clone(),
            }));
        }
        Self {
            label: "golden".into(),
            caption: "reference → peer",
            messages,
        }
    }

    pub fn of_run(report: &Report) -> Self {
        let mut messages = Vec::new();
        for transcript in &report.played.transcripts {
            let open = transcript
                .compared()
                .next()
                .map(|passed| passed.bytes.as_slice().into());
            messages.extend(transcript.messages.iter().map(|passed| Message {
                at: Some(passed.at),
                connection: (transcript.peer, transcript.attempt),
                from_speaker: passed.from_speaker,
                bytes: passed.bytes.clone(),
                open: open.clone(),
            }));
        }
        Self {
            label: report.mode.to_string(),
            caption: "speaker → peer, virtual time",
            messages,
        }
    }

    /// The numbers of a connection's messages, cut before each that is compared.
    fn stretches(&self, connection: Name) -> Vec<(Vec<usize>, Option<usize>)> {
        let mut stretches = vec![(Vec::new(), None)];
        for (number, message) in self.messages.iter().enumerate() {
            if message.connection != connection {
                continue;
            }
            let last = stretches.len() - 1;
            if message.from_speaker && !is(&message.bytes, KEEPALIVE) {
                stretches[last].1 = Some(number);
                stretches.push((Vec::new(), None));
            } else {
                stretches[last].0.push(number);
            }
        }
        stretches
    }
}

fn is(message: &[u8], kind: u8) -> bool {
    message.get(18) == Some(&kind)
}

/// The rows of `lanes`.
pub(super) fn align(lanes: &[Lane]) -> Vec<Row> {
    let connections: BTreeSet<Name> = lanes
        .iter()
        .flat_map(|lane| lane.messages.iter().map(|message| message.connection))
        .collect();
    let mut rows = Vec::new();
    for connection in connections {
        let stretches: Vec<_> = lanes
            .iter()
            .map(|lane| lane.stretches(connection))
            .collect();
        let count = stretches.iter().map(Vec::len).max().unwrap_or_default();
        for at in 0..count {
            let here: Vec<_> = stretches
                .iter()
                .map(|stretches| stretches.get(at))
                .collect();
            let between = here
                .iter()
                .flatten()
                .map(|(all, _)| all.len())
                .max()
                .unwrap_or_default();
            for index in 0..between {
                let messages = here
                    .iter()
                    .map(|stretch| number(stretch.and_then(|(all, _)| all.get(index)).copied()));
                rows.push(Row {
                    messages: messages.collect(),
                    differs: false,
                    anchor: None,
                });
            }
            let anchors: Vec<_> = here
                .iter()
                .map(|stretch| stretch.and_then(|(_, anchor)| *anchor))
                .collect();
            if anchors.iter().any(Option::is_some) {
                rows.push(Row {
                    differs: differs(lanes, &anchors),
                    messages: anchors.iter().map(|anchor| number(*anchor)).collect(),
                    anchor: Some((connection.0, connection.1, at)),
                });
            }
        }
    }
    rows
}

fn number(number: Option<usize>) -> i64 {
    number.map_or(-1, |number| number as i64)
}

fn differs(lanes: &[Lane], anchors: &[Option<usize>]) -> bool {
    let bytes = |lane: usize| anchors[lane].map(|number| &lanes[lane].messages[number].bytes);
    (1..lanes.len()).any(|lane| bytes(lane) != bytes(0))
}
