//! The BGP connections of a capture: the octets of each, their times, and how it ended.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use crate::capture::{
    Capture, CaptureError, CaptureEvent, Connection, ConnectionId, EventKind, JunkReason,
    StreamDirection, Tally,
};
use crate::field::import::error::ImportError;

/// By how much a packet may be earlier than one before it for other reasons than a clock that was set back.
const CLOCK_STEP: Duration = Duration::from_secs(1);

/// A capture.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Its connections, in the order of their first BGP message.
    pub conversations: Vec<Conversation>,
    /// What else was in the capture, by kind.
    pub tally: Tally,
    /// Whether the file ends in the middle of a packet; all before it was read.
    pub cut_short: bool,
}

/// One connection.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Its two ends, and when it was opened.
    pub connection: Connection,
    /// Octets of both directions, in order of time.
    pub said: Vec<Said>,
    /// The first gap: octets that are not in the capture and so cannot be replayed.
    pub flaw: Option<Flaw>,
    /// How it ended.
    pub end: End,
    /// The latest time of it so far.
    latest: Duration,
}

/// Octets that one end sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Time since the connection was opened.
    pub at: Duration,
    /// The end that sent them.
    pub by: StreamDirection,
    /// A message, the beginning of one if the stream ends in it, or octets that are not a message.
    pub octets: Vec<u8>,
    /// Whether the stream ends inside this message.
    pub cut: bool,
}

/// Octets that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// The end that sent them.
    pub by: StreamDirection,
    /// Octets of the stream before them; 0 where its beginning is missing.
    pub offset: u64,
    /// Number of missing octets, if known.
    pub lost: Option<u64>,
}

/// How a connection ended in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was still open.
    Open,
    /// By FIN; this end sent the first, at this time since the opening.
    Finished(StreamDirection, Duration),
    /// By RST from this end, at this time since the opening.
    Reset(StreamDirection, Duration),
}

impl Trace {
    /// A file, or standard input where `path` is `-`.
    fn open(path: &Path) -> Result<Capture<Box<dyn Read>>, ImportError> {
        let name = path.display().to_string();
        let octets: Box<dyn Read> = if name == "-" {
            Box::new(io::stdin())
        } else {
            let file = File::open(path).map_err(|error| CaptureError {
                file: name.clone(),
                offset: 0,
                kind: error.into(),
            })?;
            Box::new(file)
        };
        Ok(Capture::new(name, octets)?)
    }

    /// Reads the file at `path`, or standard input where that is `-`.
    ///
    /// # Errors
    /// It is not a capture, or it is malformed.
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        let mut trace = Self::default();
        let mut capture = Self::open(path)?;
        let outcome = capture.read_all(|event| trace.add(&event));
        trace.tally = capture.tally().clone();
        match outcome {
            // An interrupted tcpdump leaves such a file.
            Err(error) if error.kind.is_truncation() => trace.cut_short = true,
            other => other?,
        }
        for conversation in &mut trace.conversations {
            conversation.said.sort_by_key(|said| said.at);
        }
        Ok(trace)
    }

    fn add(&mut self, event: &CaptureEvent<'_>) {
        if matches!(event.kind, EventKind::Noted(_)) {
            return;
        }
        let at = self
            .conversations
            .iter()
            .rposition(|known| known.connection.number == event.connection.number);
        let at = at.unwrap_or_else(|| {
            self.conversations.push(Conversation {
                connection: *event.connection,
                said: Vec::new(),
                flaw: None,
                end: End::Open,
                latest: Duration::ZERO,
            });
            self.conversations.len() - 1
        });
        self.conversations[at].add(event);
    }
}

impl Conversation {
    /// Its name.
    #[must_use]
    pub const fn id(&self) -> ConnectionId {
        self.connection.id
    }

    fn add(&mut self, event: &CaptureEvent<'_>) {
        let mut at = Duration::from_nanos(event.time.saturating_sub(self.connection.opened));
        // A clock that was set back: what came after came no earlier.
        if at + CLOCK_STEP < self.latest {
            at = self.latest;
        }
        self.latest = self.latest.max(at);
        let by = event.direction;
        let mut say = |octets: &[u8], cut| {
            self.said.push(Said {
                at,
                by,
                octets: octets.to_vec(),
                cut,
            });
        };
        let flaw = match event.kind {
            EventKind::Opened | EventKind::Noted(_) => None,
            EventKind::Message { octets, .. } => {
                say(octets, false);
                None
            }
            EventKind::Junk {
                reason: JunkReason::BeforeFirst,
                offset,
                ..
            } => Some((offset, None)),
            EventKind::Junk {
                reason: JunkReason::CutByGap | JunkReason::AfterGap,
                ..
            } => None,
            EventKind::Junk { reason, octets, .. } => {
                say(octets, reason == JunkReason::Unfinished);
                None
            }
            EventKind::Gap { offset, lost } => Some((offset, Some(lost))),
            EventKind::Finished => {
                if self.end == End::Open {
                    self.end = End::Finished(by, at);
                }
                None
            }
            EventKind::Reset => {
                self.end = End::Reset(by, at);
                None
            }
        };
        if let Some((offset, lost)) = flaw {
            self.flaw.get_or_insert(Flaw { by, offset, lost });
        }
    }

    /// Its first NOTIFICATION: who sent it, when, and with which code.
    #[must_use]
    pub fn notified(&self) -> Option<(StreamDirection, Duration, u8)> {
        const NOTIFICATION: u8 = 3;
        let is_one = |said: &&Said| !said.cut && said.octets.get(18) == Some(&NOTIFICATION);
        let said = self.said.iter().find(is_one)?;
        Some((said.by, said.at, *said.octets.get(19)?))
    }

    /// Whether it ended in the capture.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.end != End::Open || self.notified().is_some()
    }

    /// Octets that `by` sent.
    #[must_use]
    pub fn octets(&self, by: StreamDirection) -> u64 {
        let said = self.said.iter().filter(|said| said.by == by);
        said.map(|said| said.octets.len() as u64).sum()
    }
}

/// One line: the two ends, the number of octets, how it ended.
impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.id().peer;
        write!(
            f,
            "{}: {} octet(s) from {}, {} from {}, ",
            self.id(),
            self.octets(StreamDirection::FromClient),
            peer.client,
            self.octets(StreamDirection::FromServer),
            peer.server
        )?;
        match self.end {
            End::Open => f.write_str("open at the end of the capture"),
            End::Finished(by, at) => write!(
                f,
                "closed by {} after {:.6} s",
                peer.sender(by),
                at.as_secs_f64()
            ),
            End::Reset(by, at) => {
                write!(
                    f,
                    "reset by {} after {:.6} s",
                    peer.sender(by),
                    at.as_secs_f64()
                )
            }
        }
    }
}

/// The connections of a capture, numbered from 1, a line each.
#[must_use]
pub fn listed<'a>(conversations: impl IntoIterator<Item = (usize, &'a Conversation)>) -> String {
    let lines = conversations
        .into_iter()
        .map(|(number, conversation)| format!("  {number}  {conversation}"));
    lines.collect::<Vec<_>>().join("\n")
}
