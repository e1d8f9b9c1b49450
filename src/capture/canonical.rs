//! A whole capture without what varies between runs: ports, sequence numbers, MAC addresses, packet boundaries.
//!
//! For captures that fit in memory, as goldens do; times stay beside the messages, to be compared or not.

use std::collections::BTreeMap;
use std::io::Read;

use super::connection::{ConnectionId, StreamDirection};
use super::error::CaptureError;
use super::events::{CaptureEvent, EventKind};
use super::framing::JunkReason;
use super::read::Capture;

/// One direction of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The connection that carried it.
    pub connection: ConnectionId,
    /// From which end.
    pub direction: StreamDirection,
}

/// A stretch of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A message, marker and all.
    Message(Vec<u8>),
    /// Octets that are no message.
    Junk(JunkReason, Vec<u8>),
    /// So many octets that are not in the capture.
    Gap(u64),
    /// The sender closed (FIN).
    Finished,
    /// The sender reset the connection.
    Reset,
}

/// What one side sent on one connection: nanoseconds since 1970, and what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stream {
    /// In the order sent.
    pub items: Vec<(u64, Item)>,
}

impl Stream {
    /// The messages, without other items.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.items.iter().filter_map(|(_, item)| match item {
            Item::Message(octets) => Some(&octets[..]),
            _ => None,
        })
    }
}

/// The streams of a capture by (peer, attempt, direction).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Canonical {
    /// Every stream, both directions of each connection always present.
    pub streams: BTreeMap<StreamId, Stream>,
    /// When each connection was opened, in nanoseconds since 1970.
    pub opened: BTreeMap<ConnectionId, u64>,
}

impl Canonical {
    /// Reads a capture to its end.
    ///
    /// # Errors
    /// It is no capture, malformed or cut short.
    pub fn read(name: impl Into<String>, inner: impl Read) -> Result<Self, CaptureError> {
        let mut canonical = Self::default();
        Capture::new(name, inner)?.read_all(|event| canonical.push(&event))?;
        Ok(canonical)
    }

    /// Adds what happened next.
    pub fn push(&mut self, event: &CaptureEvent<'_>) {
        let stream = |direction| StreamId {
            connection: event.connection.id,
            direction,
        };
        let item = match event.kind {
            EventKind::Opened => {
                self.opened.insert(event.connection.id, event.time);
                for direction in StreamDirection::BOTH {
                    self.streams.entry(stream(direction)).or_default();
                }
                return;
            }
            EventKind::Message { octets, .. } => Item::Message(octets.to_vec()),
            EventKind::Junk { reason, octets, .. } => Item::Junk(reason, octets.to_vec()),
            EventKind::Gap { lost, .. } => Item::Gap(lost),
            EventKind::Finished => Item::Finished,
            EventKind::Reset => Item::Reset,
            EventKind::Noted(_) => return,
        };
        let items = &mut self
            .streams
            .entry(stream(event.direction))
            .or_default()
            .items;
        items.push((event.time, item));
    }
}
