//! The story of a run: a line for each message as `show` has it, state changes and faults between them, and why each
//! connection ended.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::ladder;
use super::style::style;
use super::why::field;
use crate::bgp::attribute::WireContext;
use crate::capture::{
    CaptureEvent, Connection, ConnectionId, Encoding, Endpoint, EventKind, Peer, StreamDirection,
    Via,
};
use crate::compare::agreed;
use crate::field::why::duration;
use crate::field::why::run::RunEnd;
use crate::net::address::replaced;
use crate::net::{ConnectionName, Opener};
use crate::scenario::run::mark::{Mark, MarkKind};
use crate::scenario::run::played::RunResult;
use crate::scenario::scripted::transcript::Transcript;

/// The two ends as a capture has them, where a run at other addresses stands for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapturedEnds {
    /// The end that the speaker under test takes.
    pub speaker: IpAddr,
    /// The other.
    pub peer: IpAddr,
}

/// How to tell a story.
#[derive(Debug, Clone, Copy)]
pub struct StoryOptions {
    /// The addresses to show in place of the run's.
    pub captured: Option<CapturedEnds>,
    /// The last moment that is told.
    pub until: Duration,
    /// Lines that are told at most; from the middle of more some are left out.
    pub lines: usize,
    /// Whether lines are coloured.
    pub colours: bool,
}

/// One line to be told, and when.
enum Happened<'a> {
    Message(usize, usize),
    Mark(&'a Mark),
}

/// The messages, state changes and faults of a run, in order of time.
#[must_use]
pub fn story(played: &RunResult, options: &StoryOptions) -> String {
    let connections: Vec<Connection> = (0..)
        .zip(played.sessions())
        .map(|(number, transcript)| connection(number, transcript, options.captured))
        .collect();
    let transcripts: Vec<&Transcript> = played.sessions().collect();
    let contexts: Vec<[WireContext; 2]> = played.sessions().map(contexts).collect();
    let messages = transcripts.iter().enumerate().flat_map(|(at, transcript)| {
        let messages = transcript.messages.iter().enumerate();
        messages.map(move |(number, passed)| (passed.at, 1, Happened::Message(at, number)))
    });
    let marks = played.marks.iter().filter(|mark| {
        matches!(
            mark.kind,
            MarkKind::Fault | MarkKind::State | MarkKind::Connection
        )
    });
    let mut happened: Vec<(Duration, u8, Happened<'_>)> = messages
        .chain(marks.map(|mark| (mark.at, order(mark), Happened::Mark(mark))))
        .filter(|(at, ..)| *at <= options.until)
        .collect();
    happened.sort_by_key(|(at, order, _)| (*at, *order));
    let mut out = String::new();
    let mut last = None;
    let left_out = happened.len().saturating_sub(options.lines);
    let skipped = options.lines / 2..options.lines / 2 + left_out;
    let mut number = 0;
    for (line, (at, _, what)) in happened.iter().enumerate() {
        number += u64::from(matches!(what, Happened::Message(..)));
        if skipped.contains(&line) {
            if line == skipped.start {
                let _ = writeln!(
                    out,
                    "        … {left_out} line(s) left out: --verbose has them"
                );
                last = None;
            }
            continue;
        }
        match what {
            Happened::Message(of, place) => {
                let passed = &transcripts[*of].messages[*place];
                if last != Some(*of) {
                    last = Some(*of);
                    let name = displayed(&transcripts[*of].name.to_string(), options.captured);
                    let title = match options.captured {
                        Some(_) => format!("{}  {name}", connections[*of].id.peer),
                        None => name,
                    };
                    let _ = writeln!(
                        out,
                        "{}",
                        style(title).bold().force_styling(options.colours)
                    );
                }
                let direction = if passed.from_speaker == is_client(&transcripts[*of].name) {
                    StreamDirection::FromClient
                } else {
                    StreamDirection::FromServer
                };
                let event = CaptureEvent {
                    connection: &connections[*of],
                    direction,
                    time: nanos(*at),
                    kind: EventKind::Message {
                        offset: 0,
                        octets: &passed.bytes,
                    },
                };
                let context = &contexts[*of][usize::from(!passed.from_speaker)];
                ladder::write_rung(&mut out, &event, number, context, options.colours);
            }
            Happened::Mark(mark) => {
                let text = displayed(&mark.text, options.captured);
                let word = match mark.kind {
                    MarkKind::Fault if !is_change(mark) => style("fault ")
                        .red()
                        .force_styling(options.colours)
                        .to_string(),
                    _ => String::new(),
                };
                let time = format!("+{:.6} s", at.as_secs_f64());
                let _ = writeln!(out, "{:>23}   ·   {word}{text}", time);
            }
        }
    }
    out
}

/// How each connection ended, in the words of `why`; of many that are alike the first.
#[must_use]
pub fn closing(ends: &[RunEnd], captured: Option<CapturedEnds>) -> String {
    const SHOWN: usize = 3;
    let mut out = String::new();
    for end in ends.iter().take(SHOWN) {
        let name = displayed(&end.connection.to_string(), captured);
        let at = |time: Duration| format!("+{}", duration(nanos(time)));
        let _ = writeln!(out, "{name} ended at {}", at(end.at));
        field(
            &mut out,
            "cause",
            &format!("{} ({})", end.cause, end.certainty),
        );
        let trigger = match &end.trigger {
            Some((time, line)) => format!("{}: {}", at(*time), displayed(line, captured)),
            None => "no fault of the plan".to_owned(),
        };
        field(&mut out, "trigger", &trigger);
        for (number, (time, text)) in end.consequences.iter().enumerate() {
            let label = if number == 0 { "then" } else { "" };
            field(
                &mut out,
                label,
                &format!("{}: {}", at(*time), displayed(text, captured)),
            );
        }
    }
    if ends.len() > SHOWN {
        let _ = writeln!(
            out,
            "{} more connection(s) ended after that",
            ends.len() - SHOWN
        );
    }
    out
}

/// What comes first at one instant: a fault and an opening, messages, what they changed.
fn order(mark: &Mark) -> u8 {
    let opens = ["→ CONNECT:", "→ OPENSENT:"];
    let is_first = match mark.kind {
        MarkKind::Fault | MarkKind::State if is_change(mark) => {
            opens.iter().any(|state| mark.text.contains(state))
        }
        MarkKind::Fault => true,
        _ => mark.text.contains(" opened "),
    };
    if is_first { 0 } else { 2 }
}

/// Whether the mark is of a change of state, as one that an error brought about is.
fn is_change(mark: &Mark) -> bool {
    mark.text.contains(" → ")
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A text with the peer's captured address in the names of its connections.
fn displayed(text: &str, captured: Option<CapturedEnds>) -> String {
    let Some(ends) = captured else {
        return text.to_owned();
    };
    [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        .into_iter()
        .fold(text.to_owned(), |text, own| replaced(&text, own, ends.peer))
}

fn is_client(name: &ConnectionName) -> bool {
    name.opener == Opener::Us
}

fn connection(
    number: usize,
    transcript: &Transcript,
    captured: Option<CapturedEnds>,
) -> Connection {
    let name = &transcript.name;
    let (speaker, peer) = captured.map_or((name.peer, name.peer), |ends| (ends.speaker, ends.peer));
    let (client, server) = if is_client(name) {
        (speaker, peer)
    } else {
        (peer, speaker)
    };
    let endpoint = |address| Endpoint { address, port: 179 };
    Connection {
        id: ConnectionId {
            peer: Peer { client, server },
            attempt: name.attempt,
        },
        number,
        client: endpoint(client),
        server: endpoint(server),
        handshake: true,
        // Times are told since the start of the run.
        opened: 0,
        via: Via::Tcp,
        encoding: Encoding::default(),
    }
}

/// How what the speaker sends is to be read, and what it receives.
fn contexts(transcript: &Transcript) -> [WireContext; 2] {
    let open = |from_speaker: bool| {
        let mut messages = transcript.messages.iter();
        let first = messages.find(|passed| passed.from_speaker == from_speaker)?;
        (first.bytes.get(18) == Some(&1)).then_some(first.bytes.as_slice())
    };
    let (speaker, peer) = (open(true), open(false));
    [agreed(speaker, peer), agreed(peer, speaker)]
}

/// How each connection ended, for programs.
#[must_use]
pub fn json(ends: &[RunEnd], captured: Option<CapturedEnds>) -> serde_json::Value {
    let told = |(time, text): &(Duration, String)| serde_json::json!({ "at": time.as_secs_f64(), "text": displayed(text, captured) });
    ends.iter()
        .map(|end| {
            serde_json::json!({
                "connection": displayed(&end.connection.to_string(), captured),
                "at": end.at.as_secs_f64(),
                "cause": end.cause.name(),
                "title": end.cause.title(),
                "certainty": end.certainty.to_string(),
                "trigger": end.trigger.as_ref().map(told),
                "consequences": end.consequences.iter().map(told).collect::<Vec<_>>(),
            })
        })
        .collect()
}
