//! A lane of a ladder: the messages and events of one run, golden or capture, in order.

use std::rc::Rc;
use std::time::Duration;

use crate::bgp::attribute::WireContext;
use crate::compare::agreed;
use crate::net::ConnectionName;
use crate::scenario::format::message::{KEEPALIVE, OPEN};
use crate::scenario::golden::Golden;
use crate::scenario::run::mark::Mark;
use crate::scenario::run::played::RunResult;
use crate::scenario::scripted::transcript::Transcript;

/// One run, golden or capture.
pub(super) struct Column {
    pub label: String,
    /// Labels of the two ends, and the clock used.
    pub caption: &'static str,
    /// `passed`, `failed`, `same` or `different`; none for a lane that is only a reference.
    pub verdict: Option<&'static str>,
    /// Counts and times, one line.
    pub facts: String,
    pub items: Vec<Item>,
}

/// A message or event in a lane.
pub(super) struct Item {
    /// Microseconds of the lane's clock, where it has one.
    pub at: Option<i64>,
    pub what: What,
}

pub(super) enum What {
    Message(Message),
    Mark(&'static str, String),
}

pub(super) struct Message {
    pub connection: ConnectionName,
    pub from_speaker: bool,
    pub octets: Vec<u8>,
    /// How to decode it.
    pub context: Rc<WireContext>,
    /// Whether the other lanes are expected to have it too.
    pub compared: bool,
}

impl Item {
    pub fn message(&self) -> Option<&Message> {
        match &self.what {
            What::Message(message) => Some(message),
            What::Mark(..) => None,
        }
    }

    pub fn mark(at: i64, mark: &Mark) -> Self {
        use crate::scenario::run::mark::MarkKind::{
            Connection, Fault, Printed, Program, State, Warning,
        };
        let kind = match mark.kind {
            Fault | Warning => "fault",
            State => "state",
            Connection => "connection",
            Program | Printed => "program",
        };
        Self {
            at: Some(at),
            what: What::Mark(kind, mark.text.clone()),
        }
    }
}

impl Column {
    /// The lane of a golden.
    pub fn of_golden(golden: &Golden) -> Self {
        let mut items = Vec::new();
        for (connection, all) in &golden.connections {
            let context = Rc::new(mirrored(all.first().map(Vec::as_slice)));
            items.extend(all.iter().map(|octets| Item {
                at: None,
                what: What::Message(Message {
                    connection: *connection,
                    from_speaker: true,
                    octets: octets.clone(),
                    context: context.clone(),
                    compared: true,
                }),
            }));
        }
        Self {
            label: "golden".into(),
            caption: "reference → peer",
            verdict: None,
            facts: format!("{} messages of the reference", golden.messages()),
            items,
        }
    }

    /// The lane of a run. `golden` says whether OPENs are compared.
    pub fn of_run(label: String, played: &RunResult, golden: Option<&Golden>) -> Self {
        let marks = played.marks.iter();
        let mut items: Vec<Item> = marks
            .map(|mark| Item::mark(micros(mark.at), mark))
            .collect();
        for transcript in &played.between {
            let context = Rc::new(opened(transcript));
            items.extend(transcript.messages.iter().map(|passed| Item {
                at: Some(micros(passed.at)),
                what: What::Message(Message {
                    connection: transcript.name,
                    from_speaker: passed.from_speaker,
                    octets: passed.bytes.clone(),
                    context: context.clone(),
                    compared: false,
                }),
            }));
        }
        for transcript in &played.transcripts {
            let has_open = golden
                .and_then(|golden| golden.connections.get(&transcript.name))
                .is_none_or(|all| all.first().is_none_or(|first| is(first, OPEN)));
            let open = transcript.compared().next();
            let context = Rc::new(mirrored(open.map(|passed| passed.bytes.as_slice())));
            items.extend(transcript.messages.iter().map(|passed| Item {
                at: Some(micros(passed.at)),
                what: What::Message(Message {
                    connection: transcript.name,
                    from_speaker: passed.from_speaker,
                    octets: passed.bytes.clone(),
                    context: context.clone(),
                    compared: passed.from_speaker
                        && !is(&passed.bytes, KEEPALIVE)
                        && (has_open || !is(&passed.bytes, OPEN)),
                }),
            }));
        }
        // Stable: events of one instant keep their order, causes before messages.
        items.sort_by_key(|item| item.at);
        Self {
            label,
            caption: "speaker → peer, virtual time",
            verdict: None,
            facts: String::new(),
            items,
        }
    }

    /// The same, divided into a lane for each pair of hosts: `name` says which pair a connection is of. What is about
    /// no connection stays in the first.
    pub fn by_pair(self, name: impl Fn(ConnectionName) -> String) -> Vec<Self> {
        let mut lanes: Vec<Self> = Vec::new();
        let mut rest = Vec::new();
        let (label, verdict, facts) = (self.label, self.verdict, self.facts);
        for item in self.items {
            let connection = match &item.what {
                What::Message(message) => Some(message.connection),
                What::Mark(_, text) => text.split(' ').next().and_then(|it| it.parse().ok()),
            };
            let Some(connection) = connection else {
                rest.push(item);
                continue;
            };
            let label = format!("{label} {}", name(connection));
            match lanes.iter_mut().find(|lane| lane.label == label) {
                Some(lane) => lane.items.push(item),
                None => lanes.push(Self {
                    label,
                    caption: self.caption,
                    verdict,
                    facts: facts.clone(),
                    items: vec![item],
                }),
            }
        }
        if let Some(first) = lanes.first_mut() {
            first.items.extend(rest);
            first.items.sort_by_key(|item| item.at);
        }
        lanes
    }

    /// The item of the `number`th compared message on a connection, from 1.
    pub fn compared(&self, connection: ConnectionName, number: usize) -> Option<usize> {
        let mut compared = self.items.iter().enumerate().filter(|(_, item)| {
            item.message()
                .is_some_and(|message| message.compared && message.connection == connection)
        });
        compared.nth(number.checked_sub(1)?).map(|(at, _)| at)
    }
}

/// The peer of a scenario mirrors the OPEN, so that OPEN alone determines the encoding.
fn mirrored(open: Option<&[u8]>) -> WireContext {
    let open = open.filter(|first| is(first, OPEN));
    open.map_or_else(WireContext::default, |open| agreed(Some(open), Some(open)))
}

/// What the two OPENs of a session agree upon.
fn opened(transcript: &Transcript) -> WireContext {
    let of = |from_speaker: bool| {
        let mut messages = transcript.messages.iter();
        let open = messages.find(|it| it.from_speaker == from_speaker && is(&it.bytes, OPEN));
        open.map(|passed| passed.bytes.as_slice())
    };
    agreed(of(true), of(false))
}

pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn is(message: &[u8], kind: u8) -> bool {
    message.get(18) == Some(&kind)
}
