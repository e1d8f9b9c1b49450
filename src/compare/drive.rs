//! Two captures, read side by side.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use thiserror::Error;

use super::comparison::Comparison;
use super::context::Contexts;
use super::difference::{Report, Side};
use super::options::Options;
use crate::capture::{
    Canonical, Capture, CaptureError, CaptureEvent, Connection, Encoding, Endpoint, EventKind,
    Item, StreamDirection, Tally, Via,
};

/// Where a capture comes from.
pub enum Input {
    /// A file, which can be read again.
    File(PathBuf),
    /// A stream that can be read once, and its name.
    Once(String, Box<dyn Read>),
    /// A capture in memory, and its name.
    Memory(String, Vec<u8>),
}

/// Why two captures could not be compared.
#[derive(Debug, Error)]
pub enum CompareError {
    /// One of them cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It would have to be read twice.
    #[error(
        "{0}: its connections come in so different an order from the other capture's that it has to be read twice, which a stream cannot be: write it to a file"
    )]
    ReadOnce(String),
}

impl Input {
    /// The same capture once more, where it can be read again.
    #[must_use]
    pub fn again(&self) -> Option<Self> {
        match self {
            Self::File(path) => Some(Self::File(path.clone())),
            Self::Once(..) => None,
            Self::Memory(name, octets) => Some(Self::Memory(name.clone(), octets.clone())),
        }
    }

    /// Begins to read.
    ///
    /// # Errors
    /// It is no capture, cannot be opened, or was read already and cannot be read again.
    pub fn open(&mut self) -> Result<Capture<Box<dyn Read + '_>>, CompareError> {
        Ok(match self {
            Self::File(path) => {
                let name = path.display().to_string();
                let file = File::open(&*path).map_err(|error| CaptureError {
                    file: name.clone(),
                    offset: 0,
                    kind: error.into(),
                })?;
                Capture::new(name, Box::new(file) as Box<dyn Read>)?
            }
            Self::Once(name, stream) => {
                let stream = std::mem::replace(stream, Box::new(Used));
                match Capture::new(name.clone(), stream as Box<dyn Read>) {
                    Err(error) if is_used(&error) => {
                        return Err(CompareError::ReadOnce(name.clone()));
                    }
                    capture => capture?,
                }
            }
            Self::Memory(name, octets) => {
                Capture::new(name.clone(), Box::new(&octets[..]) as Box<dyn Read>)?
            }
        })
    }
}

/// What is left of a stream that was read.
struct Used;

impl Read for Used {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}

fn is_used(error: &CaptureError) -> bool {
    use crate::capture::CaptureErrorKind::Io;
    matches!(&error.kind, Io(error) if error.kind() == io::ErrorKind::NotSeekable)
}

/// What can be inferred from a whole capture of how to read its connections; what cannot be read of it says nothing.
#[must_use]
pub fn survey(input: &mut Input) -> Contexts {
    let mut contexts = Contexts::default();
    if let Ok(mut capture) = input.open() {
        let _ = capture.read_all(|event| contexts.note(&event));
    }
    contexts
}

/// Compares two captures of any size. `progress` is told now and then how many octets of both were read.
///
/// # Errors
/// One of them cannot be opened or is no capture. One that breaks off is compared as far as it goes,
/// and [`Report::troubles`] says so.
pub fn captures(
    left: &mut Input,
    right: &mut Input,
    options: Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, CompareError> {
    let mut comparison = Comparison::new(options);
    let mut troubles = Vec::new();
    let mut tallies;
    loop {
        let first = troubles.is_empty();
        let mut sides = [Some(left.open()?), Some(right.open()?)];
        tallies = [None, None];
        let mut steps = 0_u32;
        loop {
            let next = match (&sides[0], &sides[1]) {
                (None, None) => break,
                (Some(_), None) => Side::Left,
                (None, Some(_)) => Side::Right,
                _ if comparison.held(Side::Left) > comparison.held(Side::Right) => Side::Right,
                _ => Side::Left,
            };
            let slot = &mut sides[next.index()];
            let Some(capture) = slot else { break };
            let more = match capture.step(|event| comparison.take(next, &event)) {
                Ok(more) => more,
                Err(error) => {
                    if first {
                        troubles.push(error.to_string());
                    }
                    false
                }
            };
            if !more {
                tallies[next.index()] = Some(capture.tally().clone());
                *slot = None;
                comparison.end(next);
            }
            steps += 1;
            if steps.is_multiple_of(0x1_0000) {
                let read = sides.iter().flatten().map(Capture::position).sum();
                progress(read);
            }
        }
        if !comparison.is_unfinished() {
            break;
        }
    }
    let mut report = comparison.finish();
    report.tallies = tallies.map(Option::unwrap_or_default);
    report.unread = [0, 1].map(|side| unread(&report.tallies[side]));
    report.troubles = troubles;
    Ok(report)
}

/// What of a capture was not read; that it holds no BGP is as much.
fn unread(tally: &Tally) -> Vec<String> {
    if tally.connections == 0 {
        return vec![format!("no BGP in {}", tally.without_bgp())];
    }
    tally.unread()
}

/// Compares two captures in memory.
#[must_use]
pub fn canonical(left: &Canonical, right: &Canonical, options: Options) -> Report {
    let mut comparison = Comparison::new(options);
    loop {
        for (side, canonical) in [(Side::Left, left), (Side::Right, right)] {
            events(canonical, &mut |event| comparison.take(side, &event));
            comparison.end(side);
        }
        if !comparison.is_unfinished() {
            break;
        }
    }
    comparison.finish()
}

/// Tells a canonical capture connection by connection, the two directions of each in the order of time.
fn events(canonical: &Canonical, sink: &mut dyn FnMut(CaptureEvent<'_>)) {
    let clients = canonical
        .streams
        .iter()
        .filter(|(id, _)| id.direction == StreamDirection::FromClient);
    for (number, (id, client)) in clients.enumerate() {
        let mut other = *id;
        other.direction = StreamDirection::FromServer;
        let mut items: Vec<(u64, StreamDirection, &Item)> = Vec::new();
        for (direction, stream) in [
            (StreamDirection::FromClient, Some(client)),
            (StreamDirection::FromServer, canonical.streams.get(&other)),
        ] {
            let stream = stream.into_iter().flat_map(|stream| &stream.items);
            items.extend(stream.map(|(time, item)| (*time, direction, item)));
        }
        items.sort_by_key(|(time, ..)| *time);
        let end = |address| Endpoint { address, port: 0 };
        let connection = Connection {
            id: id.connection,
            number,
            client: end(id.connection.peer.client),
            server: end(id.connection.peer.server),
            handshake: true,
            opened: canonical
                .opened
                .get(&id.connection)
                .copied()
                .unwrap_or_default(),
            via: Via::default(),
            encoding: Encoding::default(),
        };
        let mut offsets = [0_u64; 2];
        let mut tell = |time, direction, kind| {
            sink(CaptureEvent {
                connection: &connection,
                direction,
                time,
                kind,
            });
        };
        tell(
            connection.opened,
            StreamDirection::FromClient,
            EventKind::Opened,
        );
        for (time, direction, item) in items {
            let at = &mut offsets[direction as usize];
            let offset = *at;
            let kind = match item {
                Item::Message(octets) => {
                    *at += octets.len() as u64;
                    EventKind::Message { offset, octets }
                }
                Item::Junk(reason, octets) => {
                    *at += octets.len() as u64;
                    EventKind::Junk {
                        offset,
                        reason: *reason,
                        octets,
                    }
                }
                Item::Gap(lost) => {
                    *at += lost;
                    EventKind::Gap {
                        offset,
                        lost: *lost,
                    }
                }
                Item::Finished => EventKind::Finished,
                Item::Reset => EventKind::Reset,
            };
            tell(time, direction, kind);
        }
    }
}
