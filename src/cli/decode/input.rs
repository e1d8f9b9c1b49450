//! Where messages come from: digits, files of digits, captures, standard input.

use std::io::{Cursor, Read};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use miette::{IntoDiagnostic, WrapErr, miette};

use crate::bgp::attribute::WireContext;
use crate::bgp::collections::Map;
use crate::bgp::message::{Header, Message, Open, header};
use crate::capture::{Capture, ConnectionId, Direction, Event, EventKind};

/// A message and where it was found.
pub struct Item<'a> {
    /// For people: `messages.pcap: 10.0.0.1 → 10.0.0.2 #1, octet 19`.
    pub place: String,
    /// The octets.
    pub piece: Piece<'a>,
    /// The session of a captured message.
    pub session: Option<Session>,
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
pub struct Session {
    pub sender: IpAddr,
    pub receiver: IpAddr,
    pub sender_open: Option<Open>,
    pub receiver_open: Option<Open>,
    /// Since 1970.
    pub time: Duration,
}

impl Session {
    /// How the message is written: a capture that starts in the middle of a session is taken to have four-octet AS numbers.
    pub fn context(&self) -> WireContext {
        match (&self.sender_open, &self.receiver_open) {
            (Some(sender), Some(receiver)) => WireContext::agreed(sender, receiver),
            _ => WireContext {
                four_octet_as: true,
                extended_message: true,
                ..WireContext::default()
            },
        }
    }
}

/// The octets of `input`, all of them.
pub fn octets(input: &str) -> miette::Result<Vec<u8>> {
    match bytes(input)? {
        None => super::digits(input),
        Some(bytes) => super::digits(&text(input, bytes)?),
    }
}

/// Hands each message of `input` to `sink`.
pub fn read(
    input: &str,
    mut sink: impl FnMut(Item<'_>) -> miette::Result<()>,
) -> miette::Result<()> {
    let Some(bytes) = bytes(input)? else {
        return messages("message", &super::digits(input)?, &mut sink);
    };
    if is_capture(&bytes) {
        return capture(input, &bytes, sink);
    }
    for (number, line) in text(input, bytes)?.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("{input}:{}", number + 1);
        let octets = super::digits(line).wrap_err_with(|| place.clone())?;
        messages(&place, &octets, &mut sink)?;
    }
    Ok(())
}

/// What a file or standard input holds; `None` where `input` is neither.
fn bytes(input: &str) -> miette::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if input == "-" {
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .into_diagnostic()
            .wrap_err("cannot read standard input")?;
        return Ok(Some(bytes));
    }
    let path = Path::new(input);
    if !path.exists() {
        if input.contains('/') || path.extension().is_some() {
            return Err(miette!("{input} is not there"));
        }
        return Ok(None);
    }
    let bytes = std::fs::read(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {input}"))?;
    Ok(Some(bytes))
}

fn text(input: &str, bytes: Vec<u8>) -> miette::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| miette!("{input} is neither a pcap, a pcapng nor hexadecimal digits"))
}

/// Whether `bytes` start as a pcap of either byte order and resolution, or a pcapng.
fn is_capture(bytes: &[u8]) -> bool {
    matches!(
        bytes.first_chunk::<4>(),
        Some(
            [0xd4, 0xc3, 0xb2, 0xa1]
                | [0xa1, 0xb2, 0xc3, 0xd4]
                | [0x4d, 0x3c, 0xb2, 0xa1]
                | [0xa1, 0xb2, 0x3c, 0x4d]
                | [0x0a, 0x0d, 0x0d, 0x0a]
        )
    )
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
            place,
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

fn capture(
    name: &str,
    bytes: &[u8],
    mut sink: impl FnMut(Item<'_>) -> miette::Result<()>,
) -> miette::Result<()> {
    let mut opens: Map<(ConnectionId, Direction), Open> = Map::default();
    let mut outcome = Ok(());
    let read = Capture::new(name, Cursor::new(bytes)).and_then(|mut capture| {
        capture.read_all(|event| {
            if outcome.is_ok() {
                outcome = captured(name, &event, &mut opens, &mut sink);
            }
        })
    });
    outcome?;
    read.into_diagnostic()
}

fn captured(
    name: &str,
    event: &Event<'_>,
    opens: &mut Map<(ConnectionId, Direction), Open>,
    sink: &mut impl FnMut(Item<'_>) -> miette::Result<()>,
) -> miette::Result<()> {
    let connection = event.connection.id;
    let sender = connection.peer.sender(event.direction);
    let (offset, piece) = match event.kind {
        EventKind::Message { offset, octets } => (offset, Piece::Message(octets)),
        EventKind::Junk {
            offset,
            octets,
            reason,
        } => (offset, Piece::Junk(octets, format!("{reason:?}"))),
        EventKind::Opened | EventKind::Gap { .. } | EventKind::Finished | EventKind::Reset => {
            return Ok(());
        }
    };
    if let Piece::Message(octets) = &piece
        && let Ok(Message::Open(open)) = Message::decode(&WireContext::default(), octets)
    {
        opens.insert((connection, event.direction), open);
    }
    let open = |direction| opens.get(&(connection, direction)).cloned();
    let session = Session {
        sender,
        receiver: connection.peer.sender(event.direction.opposite()),
        sender_open: open(event.direction),
        receiver_open: open(event.direction.opposite()),
        time: event.since_epoch(),
    };
    sink(Item {
        place: format!("{name}: {connection}, from {sender}, octet {offset}"),
        piece,
        session: Some(session),
    })
}
