//! The BGP connections of a capture: the octets of each, their times, and how it ended.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::capture::{
    CaptureEvent, Connection, ConnectionId, EventKind, JunkReason, StreamDirection, Tally,
};
use crate::compare::{CompareError, Contexts, Declared, Input};
use crate::field::import::error::ImportError;
use crate::field::why::{Explanation, SessionEnd, Why, WhyError};

/// By how much a packet may be earlier than one before it for other reasons than a clock that was set back, in
/// nanoseconds.
const CLOCK_STEP: i128 = 1_000_000_000;

/// The longest time between two packets of a connection that is taken for one, in nanoseconds: 31 days.
const LONGEST_SILENCE: i128 = 31 * 86_400 * 1_000_000_000;

/// A capture.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Its connections, in the order of their first BGP message.
    pub conversations: Vec<Conversation>,
    /// What else was in the capture, by kind.
    pub tally: Tally,
    /// Whether the file ends in the middle of a packet; all before it was read.
    pub cut_short: bool,
    /// How the messages of each connection are to be read.
    pub contexts: Contexts,
    /// Attempts to connect that came to nothing, a line each.
    pub attempts: Vec<String>,
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
    /// Why it ended, in a line; empty where it did not.
    pub why: String,
    /// Octets of each end before its first whole message, of a connection that the capture begins inside of.
    pub skipped: [u64; 2],
    /// The latest time of it so far.
    latest: Duration,
    /// By how much the clock was set back since the opening, less than nothing where it was set forward, in nanoseconds.
    set_back: i128,
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
    /// Number of missing octets.
    pub lost: u64,
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
    /// By silence: nothing of this end arrived any more after this time since the opening.
    Silent(StreamDirection, Duration),
}

impl Trace {
    /// Reads the file at `path`, or standard input where that is `-`; UPDATEs are read as `declared` where the OPENs do
    /// not say.
    ///
    /// # Errors
    /// It is not a capture, or it is malformed.
    pub fn read(path: &Path, declared: &Declared) -> Result<Self, ImportError> {
        let mut trace = Self::default();
        let mut input = if path.as_os_str() == "-" {
            Input::Once(String::from("-"), Box::new(io::stdin()))
        } else {
            Input::File(path.to_owned())
        };
        let why = Why::read_with(&mut input, declared.clone(), |event| trace.add(event)).map_err(
            |error| match error {
                WhyError::Capture(error) | WhyError::Input(CompareError::Capture(error)) => {
                    ImportError::Capture(error)
                }
                WhyError::Input(error) => ImportError::Input(error),
            },
        )?;
        trace.tally = why.tally;
        // An interrupted tcpdump leaves such a file.
        trace.cut_short = why.cut_short.is_some();
        trace.contexts = why.contexts;
        let attempts = why.sessions.iter().filter(|one| one.session.is_none());
        trace.attempts = attempts
            .map(|one| {
                format!(
                    "  {}: {} ({})",
                    one.connection.id.peer, one.cause, one.certainty
                )
            })
            .collect();
        for conversation in &mut trace.conversations {
            conversation.said.sort_by_key(|said| said.at);
            let number = conversation.connection.number;
            let explanation = why.sessions.iter().find(|explanation| {
                explanation.session.is_some() && explanation.connection.number == number
            });
            if let Some(explanation) = explanation {
                conversation.explain(explanation);
            }
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
                why: String::new(),
                skipped: [0; 2],
                latest: Duration::ZERO,
                set_back: 0,
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
        let at = self.elapsed(event.time);
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
                octets,
                ..
            } => {
                self.skipped[by as usize] += octets.len() as u64;
                None
            }
            EventKind::Junk {
                reason: JunkReason::CutByGap | JunkReason::AfterGap,
                ..
            } => None,
            EventKind::Junk { reason, octets, .. } => {
                say(octets, reason == JunkReason::Unfinished);
                None
            }
            // Where the capture begins inside the session, all before the first whole message is missing anyway.
            EventKind::Gap { lost, .. }
                if !self.connection.handshake && !self.said.iter().any(|said| said.by == by) =>
            {
                self.skipped[by as usize] += lost;
                None
            }
            EventKind::Gap { offset, lost } => Some((offset, lost)),
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

    /// Time since the opening, of what the capture has at `time`.
    fn elapsed(&mut self, time: u64) -> Duration {
        let clock = i128::from(time) - i128::from(self.connection.opened) + self.set_back;
        let latest = i128::try_from(self.latest.as_nanos()).unwrap_or(i128::MAX);
        let mut at = clock;
        // No session is silent for so long, whatever its hold time: a clock that was set forward.
        if at > latest + LONGEST_SILENCE {
            at = latest + 1_000;
            self.set_back += at - clock;
        }
        // A clock that was set back, by an amount that nobody knows: what came after came later.
        if at + CLOCK_STEP < latest {
            at = latest + 1_000;
            self.set_back += at - clock;
        }
        let at = Duration::from_nanos(u64::try_from(at.max(0)).unwrap_or(u64::MAX));
        self.latest = self.latest.max(at);
        at
    }

    /// Takes over why it ended, and that it ended by silence.
    fn explain(&mut self, explanation: &Explanation) {
        if explanation.is_ended() {
            self.why = format!("{} ({})", explanation.cause, explanation.certainty);
        }
        if let (SessionEnd::Silence { .. }, End::Open) = (&explanation.ending, self.end) {
            let last = |by| self.said.iter().rev().find(|said| said.by == by);
            let heard = |by| last(by).map(|said| said.at).unwrap_or_default();
            let [client, server] = StreamDirection::BOTH;
            let by = if heard(client) < heard(server) {
                client
            } else {
                server
            };
            self.end = End::Silent(by, self.latest);
        }
    }

    /// The OPEN that `by` sent first.
    #[must_use]
    pub fn opening(&self, by: StreamDirection) -> Option<&[u8]> {
        const OPEN: u8 = 1;
        let first = self.said.iter().find(|said| said.by == by)?;
        (first.octets.get(18) == Some(&OPEN)).then_some(first.octets.as_slice())
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
        let (how, by, at) = match self.end {
            End::Open if self.notified().is_some() => {
                return f.write_str("ended by NOTIFICATION");
            }
            End::Open => return f.write_str("open at the end of the capture"),
            End::Finished(by, at) => ("closed by", by, at),
            End::Reset(by, at) => ("reset by", by, at),
            End::Silent(by, at) => ("silence of", by, at),
        };
        let by = peer.sender(by);
        write!(f, "{how} {by} after {:.6} s", at.as_secs_f64())?;
        match self.why.as_str() {
            "" => Ok(()),
            why => write!(f, ": {why}"),
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
