//! Where messages come from: digits, files of digits, captures, standard input.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use miette::{IntoDiagnostic, WrapErr, miette};

use crate::bgp::attribute::WireContext;
use crate::bgp::message::{Header, Open, header};
use crate::bgp::text::plain;
use crate::capture::{Capture, CaptureEvent, ConnectionId, EventKind, Tally, is_capture};
use crate::compare::{Contexts, Declared, Input, survey};

/// Octets by which a capture is told from a text.
const PREFIX: u64 = 64;

/// A message and where it was found.
pub struct Item<'a> {
    /// Where it was found.
    pub place: Place<'a>,
    /// The octets as the input gave them: a whole message or a part of one.
    pub piece: Piece<'a>,
    /// The session of a captured message.
    pub session: Option<Session<'a>>,
}

/// Where a message was found, for people: `messages.pcap: 10.0.0.1 → 10.0.0.2 #1, from 10.0.0.1, octet 19`.
#[derive(Debug, Clone)]
pub enum Place<'a> {
    /// In a text.
    Text(String),
    /// In a capture.
    Captured {
        name: &'a str,
        connection: ConnectionId,
        sender: IpAddr,
        offset: u64,
    },
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&plain(text)),
            Self::Captured {
                name,
                connection,
                sender,
                offset,
            } => write!(
                f,
                "{}: {connection}, from {sender}, octet {offset}",
                plain(name)
            ),
        }
    }
}

/// Octets that are a message, or not.
pub enum Piece<'a> {
    /// A whole message.
    Message(&'a [u8]),
    /// No message, and why.
    Junk(&'a [u8], String),
}

/// Who sent a captured message to whom, and what their OPENs said.
#[derive(Debug, Clone)]
pub struct Session<'a> {
    pub sender: IpAddr,
    pub receiver: IpAddr,
    pub sender_open: Option<&'a Open>,
    pub receiver_open: Option<&'a Open>,
    /// Since 1970.
    pub time: Duration,
    /// How the message is written.
    pub context: Option<&'a WireContext>,
}

/// The octets of `input`, all of them.
pub fn octets(input: &str) -> miette::Result<Vec<u8>> {
    match open(input)? {
        None => super::digits(input),
        Some(file) => super::digits(&text(input, file)?),
    }
}

/// Hands each message of `input` to `sink`; of a capture, gives what was met beside.
pub fn read(
    input: &str,
    declared: &Declared,
    mut sink: impl FnMut(Item<'_>) -> miette::Result<()>,
) -> miette::Result<Option<Tally>> {
    let Some(mut file) = open(input)? else {
        messages("message", &super::digits(input)?, &mut sink)?;
        return Ok(None);
    };
    let mut prefix = Vec::new();
    file.by_ref()
        .take(PREFIX)
        .read_to_end(&mut prefix)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {input}"))?;
    let is_capture = is_capture(&prefix);
    let file = Box::new(Cursor::new(prefix).chain(file));
    if is_capture {
        return capture(input, file, declared, sink).map(Some);
    }
    let mut lines = BufReader::new(file);
    for number in 1.. {
        let Some(line) = line(input, &mut lines)? else {
            break;
        };
        let line = line.split('#').next().unwrap_or_default();
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("{input}:{number}");
        let octets = super::digits(line).wrap_err_with(|| place.clone())?;
        messages(&place, &octets, &mut sink)?;
    }
    Ok(None)
}

/// The next line of `input`; the most octets that one may have are those of [`LONGEST`].
fn line(input: &str, lines: &mut impl BufRead) -> miette::Result<Option<String>> {
    let mut line = Vec::new();
    lines
        .take(LONGEST)
        .read_until(b'\n', &mut line)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {input}"))?;
    if line.len() as u64 == LONGEST {
        return Err(miette!(
            "{input} is neither a pcap, a pcapng nor an MRT file, and has a line of more than {} MiB",
            LONGEST >> 20
        ));
    }
    let line = String::from_utf8(line).map_err(|_| no_text(input))?;
    Ok(Some(line).filter(|line| !line.is_empty()))
}

/// The most octets of a line, or of a file of digits.
const LONGEST: u64 = 16 << 20;

fn no_text(input: &str) -> miette::Report {
    miette!("{input} is neither a pcap, a pcapng, an MRT file nor hexadecimal digits")
}

/// The file or standard input; `None` where `input` is neither.
fn open(input: &str) -> miette::Result<Option<Box<dyn Read>>> {
    if input == "-" {
        return Ok(Some(Box::new(std::io::stdin())));
    }
    let path = Path::new(input);
    if !path.exists() {
        if input.contains('/') || path.extension().is_some() {
            return Err(miette!("{input} is not there"));
        }
        return Ok(None);
    }
    let file = File::open(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {input}"))?;
    Ok(Some(Box::new(file)))
}

fn text(input: &str, file: Box<dyn Read>) -> miette::Result<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST)
        .read_to_end(&mut bytes)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {input}"))?;
    if bytes.len() as u64 == LONGEST {
        return Err(miette!("{input} has more than {} MiB", LONGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|_| no_text(input))
}

/// The messages of `octets` one after another; without a marker they are one message from its length on, or the body
/// of an UPDATE, as in ExaBGP.
fn messages(
    place: &str,
    octets: &[u8],
    sink: &mut impl FnMut(Item<'_>) -> miette::Result<()>,
) -> miette::Result<()> {
    let mut hand = |place: String, piece: Piece<'_>| {
        sink(Item {
            place: Place::Text(place),
            piece,
            session: None,
        })
    };
    if !octets.starts_with(&header::MARKER) {
        let mut whole = header::MARKER.to_vec();
        let from_length = octets.len() + header::MARKER.len();
        if let [high, low, _, ..] = *octets
            && usize::from(u16::from_be_bytes([high, low])) == from_length
        {
            whole.extend_from_slice(octets);
            return hand(place.to_owned(), Piece::Message(&whole));
        }
        let length = u16::try_from(octets.len() + Header::SIZE).map_err(|_| {
            miette!(
                "{place}: {} octets are more than an UPDATE has",
                octets.len()
            )
        })?;
        whole.extend_from_slice(&length.to_be_bytes());
        whole.push(2);
        whole.extend_from_slice(octets);
        return hand(place.to_owned(), Piece::Message(&whole));
    }
    let mut rest = octets;
    while !rest.is_empty() {
        let offset = octets.len() - rest.len();
        let place = if offset == 0 {
            place.to_owned()
        } else {
            format!("{place}, octet {offset}")
        };
        match header::frame(rest, true) {
            Ok(Some(message)) => {
                rest = &rest[message.len()..];
                hand(place, Piece::Message(message))?;
            }
            Ok(None) => {
                let why = "the message is cut short".to_owned();
                return hand(place, Piece::Junk(rest, why));
            }
            Err(error) => return hand(place, Piece::Junk(rest, error.to_string())),
        }
    }
    Ok(())
}

/// Hands each message of a capture to `sink`, and gives what was met beside.
fn capture(
    name: &str,
    octets: Box<dyn Read>,
    declared: &Declared,
    mut sink: impl FnMut(Item<'_>) -> miette::Result<()>,
) -> miette::Result<Tally> {
    let mut contexts = Contexts::new(declared.clone());
    let mut again = Path::new(name).is_file().then(|| Input::File(name.into()));
    let mut outcome = Ok(());
    let mut capture = Capture::new(name, octets).into_diagnostic()?;
    let read = capture.read_all(|event| {
        if outcome.is_ok() {
            outcome = captured(name, &event, &mut contexts, &mut again, &mut sink);
        }
    });
    outcome?;
    read.into_diagnostic()?;
    Ok(capture.tally().clone())
}

fn captured(
    name: &str,
    event: &CaptureEvent<'_>,
    contexts: &mut Contexts,
    again: &mut Option<Input>,
    sink: &mut impl FnMut(Item<'_>) -> miette::Result<()>,
) -> miette::Result<()> {
    contexts.note(event);
    let (offset, piece) = match event.kind {
        EventKind::Message { offset, octets } => (offset, Piece::Message(octets)),
        EventKind::Junk {
            offset,
            octets,
            reason,
        } => (offset, Piece::Junk(octets, reason.to_string())),
        EventKind::Opened
        | EventKind::Gap { .. }
        | EventKind::Finished
        | EventKind::Reset
        | EventKind::Noted(_) => return Ok(()),
    };
    let number = event.connection.number;
    if matches!(piece, Piece::Message(_))
        && contexts.is_open(number)
        && let Some(mut input) = again.take()
    {
        contexts.adopt(survey(&mut input));
    }
    contexts.context(number, event.direction);
    let peer = event.connection.id.peer;
    let session = Session {
        sender: peer.sender(event.direction),
        receiver: peer.sender(event.direction.opposite()),
        sender_open: contexts.open(number, event.direction),
        receiver_open: contexts.open(number, event.direction.opposite()),
        time: event.since_epoch(),
        context: contexts.known(number, event.direction),
    };
    sink(Item {
        place: Place::Captured {
            name,
            connection: event.connection.id,
            sender: session.sender,
            offset,
        },
        piece,
        session: Some(session),
    })
}
