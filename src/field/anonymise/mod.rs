//! A capture without what tells whose it is: `lockstep anonymise`.
//!
//! Start at [`anonymise`]. Addresses keep their common prefixes, AS numbers stay different numbers, names keep their
//! lengths ([`key`]), in packet headers ([`packet`]) and in every message ([`message`], [`stream`]). Only the TCP
//! segments of BGP sessions and of attempts at one are written, each as a packet of its own, at its time; what was around
//! them and beside them is left out.

pub mod key;
pub mod message;
pub mod packet;
pub mod stream;

mod field;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

use thiserror::Error;

use crate::capture::{
    CaptureError, Endpoint, EventKind, LinkType, Resolution, Segment, StreamDirection, Tally,
    Writer,
};
use crate::compare::{CompareError, Contexts, Declared, Input};
pub use key::Key;
use stream::Stream;

/// Why a capture could not be anonymised.
#[derive(Debug, Error)]
pub enum AnonymiseError {
    /// It cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It cannot be opened or read twice.
    #[error(transparent)]
    Input(#[from] CompareError),
    /// The result cannot be written.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
    /// It has sessions that come in another form than TCP segments.
    #[error(
        "{0} holds sessions that a monitor reports (BMP or MRT): only sessions that were captured as packets can be anonymised"
    )]
    Monitored(String),
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Anonymised {
    /// Packets of the capture.
    pub packets: u64,
    /// Packets written.
    pub written: u64,
    /// Connections written, attempts included.
    pub connections: usize,
    /// Messages rewritten.
    pub messages: u64,
    /// Octets of sessions that are no message: scrambled.
    pub junk: u64,
}

/// Two ends, in order.
type Pair = (Endpoint, Endpoint);

/// A connection of a pair of ends: which of those that there were one after the other.
type Name = (Pair, usize);

/// The connections that are written.
#[derive(Debug, Default)]
struct Wanted {
    /// The pairs of ends of which there is a session or an attempt.
    pairs: BTreeSet<Pair>,
    /// For each, its connections in the order of their opening: when, and the number of its context.
    sessions: BTreeMap<Pair, Vec<(u64, usize, Endpoint)>>,
    monitored: bool,
}

/// Which connection of its pair each segment is of.
#[derive(Debug, Default)]
struct Epochs(BTreeMap<Pair, Epoch>);

#[derive(Debug, Default)]
struct Epoch {
    number: usize,
    /// The SYN that opened it: by the first end or the second, and with which sequence number.
    syn: Option<(bool, u32)>,
    began: u64,
}

impl Epochs {
    /// The connection that `segment` is of.
    fn name(&mut self, time: u64, segment: &Segment<'_>) -> Name {
        let pair = pair(segment.source, segment.destination);
        let is_first = segment.source == pair.0;
        let epoch = self.0.entry(pair).or_insert_with(|| Epoch {
            began: time,
            ..Epoch::default()
        });
        if segment.has(Segment::SYN) && !segment.has(Segment::ACK) {
            let syn = (is_first, segment.sequence);
            if epoch.syn.is_some_and(|before| before != syn)
                || epoch.syn.is_none() && epoch.began != time
            {
                epoch.number += 1;
                epoch.began = time;
            }
            epoch.syn = Some(syn);
        }
        (pair, epoch.number)
    }

    fn began(&self, pair: Pair) -> u64 {
        self.0.get(&pair).map_or(0, |epoch| epoch.began)
    }
}

fn pair(one: Endpoint, other: Endpoint) -> Pair {
    if one <= other {
        (one, other)
    } else {
        (other, one)
    }
}

/// Writes `input` to `out` as a pcap file, with the key's names in place of its own.
///
/// The octets of its sessions are held in memory.
///
/// # Errors
/// It is no capture of packets, or malformed; it can be read only once; the result cannot be written.
pub fn anonymise(
    input: &mut Input,
    key: &Key,
    declared: &Declared,
    out: impl Write,
) -> Result<Anonymised, AnonymiseError> {
    input.keep();
    let (wanted, contexts) = survey(input, declared)?;
    if wanted.monitored {
        let name = match input {
            Input::File(path) => path.display().to_string(),
            Input::Once(name, _) | Input::Memory(name, _) | Input::Kept(name, _) => name.clone(),
        };
        return Err(AnonymiseError::Monitored(name));
    }
    let mut anonymised = Anonymised::default();
    let mut streams = gather(input, &wanted)?;
    let names: BTreeSet<Name> = streams.keys().map(|(name, _)| *name).collect();
    anonymised.connections = names.len();
    rewrite(&mut streams, &wanted, contexts, key, &mut anonymised);
    write(input, &wanted, &mut streams, key, out, &mut anonymised)?;
    Ok(anonymised)
}

/// Which connections there are, and how their messages are to be read.
fn survey(input: &mut Input, declared: &Declared) -> Result<(Wanted, Contexts), AnonymiseError> {
    let mut wanted = Wanted::default();
    let mut contexts = Contexts::new(declared.clone());
    let mut capture = input.open()?;
    let mut ends = BTreeSet::new();
    let outcome = loop {
        let more = capture.step_watched(
            |_, segment| {
                ends.insert(pair(segment.source, segment.destination));
            },
            |event| {
                contexts.note(&event);
                let connection = event.connection;
                let pair = pair(connection.client, connection.server);
                wanted.pairs.insert(pair);
                if event.kind == EventKind::Opened {
                    let of_pair = wanted.sessions.entry(pair).or_default();
                    of_pair.push((connection.opened, connection.number, connection.client));
                }
            },
        );
        match more {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    cut_short(outcome)?;
    // A session that no segment is of is one that somebody reports.
    wanted.monitored = !wanted.pairs.is_subset(&ends);
    Ok((wanted, contexts))
}

/// A file that ends inside a packet is taken as far as it goes.
fn cut_short(outcome: Result<(), CaptureError>) -> Result<(), CaptureError> {
    match outcome {
        Err(error) if error.kind.is_truncation() => Ok(()),
        other => other,
    }
}

/// A direction of a connection: whether the first end of the pair sends.
type Streams = BTreeMap<(Name, bool), (u64, Stream)>;

/// Goes over the segments that are written.
fn segments(
    input: &mut Input,
    wanted: &Wanted,
    mut each: impl FnMut(u64, &Segment<'_>, (Name, bool), u64) -> io::Result<()>,
) -> Result<Tally, AnonymiseError> {
    let mut epochs = Epochs::default();
    let mut failed = Ok(());
    let mut capture = input.open()?;
    let outcome = loop {
        let more = capture.step_watched(
            |time, segment| {
                let ends = pair(segment.source, segment.destination);
                if wanted.pairs.contains(&ends) && failed.is_ok() {
                    let name = epochs.name(time, segment);
                    let is_first = segment.source == ends.0;
                    failed = each(time, segment, (name, is_first), epochs.began(ends));
                }
            },
            |_| (),
        );
        match more {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    cut_short(outcome)?;
    failed?;
    Ok(capture.tally().clone())
}

fn gather(input: &mut Input, wanted: &Wanted) -> Result<Streams, AnonymiseError> {
    let mut streams = Streams::new();
    segments(input, wanted, |_, segment, of, began| {
        let (_, stream) = streams
            .entry(of)
            .or_insert_with(|| (began, Stream::default()));
        let mut sequence = segment.sequence;
        if segment.has(Segment::SYN) {
            stream.synchronise(sequence);
            sequence = sequence.wrapping_add(1);
        }
        stream.take(sequence, segment.payload);
        Ok(())
    })?;
    Ok(streams)
}

fn rewrite(
    streams: &mut Streams,
    wanted: &Wanted,
    mut contexts: Contexts,
    key: &Key,
    anonymised: &mut Anonymised,
) {
    for (((ends, _), is_first), (began, stream)) in streams {
        // The session that was opened then, or the one that was last.
        let sessions = wanted.sessions.get(ends).map_or(&[][..], Vec::as_slice);
        let session = sessions.iter().rev().find(|(opened, ..)| opened <= began);
        let session = session.or(sessions.first());
        let (number, client) = session.map_or((usize::MAX, ends.0), |(_, number, client)| {
            (*number, *client)
        });
        let sender = if *is_first { ends.0 } else { ends.1 };
        let direction = if sender == client {
            StreamDirection::FromClient
        } else {
            StreamDirection::FromServer
        };
        let rewritten = stream.rewrite(key, contexts.context(number, direction));
        anonymised.messages += rewritten.messages;
        anonymised.junk += rewritten.junk;
        stream.rewind();
    }
}

fn write(
    input: &mut Input,
    wanted: &Wanted,
    streams: &mut Streams,
    key: &Key,
    out: impl Write,
    anonymised: &mut Anonymised,
) -> Result<(), AnonymiseError> {
    let mut writer = Writer::new(out, LinkType::RAW, Resolution::Nanoseconds)?;
    let mut addresses = BTreeMap::new();
    let tally = segments(input, wanted, |time, segment, of, _| {
        let payload = match streams.get_mut(&of) {
            Some((_, stream)) if !segment.payload.is_empty() => {
                let syn = u32::from(segment.has(Segment::SYN));
                let sequence = segment.sequence.wrapping_add(syn);
                let octets = stream.octets(sequence, segment.payload.len());
                stream.follow(sequence, octets.len());
                octets
            }
            _ => Vec::new(),
        };
        let ends = [segment.source, segment.destination].map(|end| {
            *addresses
                .entry(end.address)
                .or_insert_with(|| key.address(end.address))
        });
        let (octets, original) = packet::packet(segment, ends, &payload);
        anonymised.written += 1;
        writer.cut_packet(Duration::from_nanos(time), &octets, original)
    })?;
    anonymised.packets = tally.packets;
    writer.finish()?;
    Ok(())
}
