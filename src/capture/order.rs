//! Events held back while a hole in one stream waits to be filled, so that all come out in the order of time.

use std::collections::BTreeMap;

use super::connection::{Connection, StreamDirection};
use super::events::{CaptureEvent, EventKind, Note};
use super::framing::JunkReason;

/// Octets held back before holes count as lost.
const LIMIT: usize = 32 * 1024 * 1024;
/// What an event costs beside its octets.
const OVERHEAD: usize = size_of::<Held>();

#[derive(Debug)]
enum Kind {
    Opened,
    Message(u64),
    Junk(u64, JunkReason),
    Gap(u64, u64),
    Finished,
    Reset,
    Noted(Note),
}

#[derive(Debug)]
struct Held {
    /// Where it stands: its time, but never before what its own stream said earlier.
    at: u64,
    connection: Connection,
    direction: StreamDirection,
    time: u64,
    kind: Kind,
    octets: Vec<u8>,
}

/// Events that wait, in the order in which they were reported.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    held: Vec<Held>,
    octets: usize,
    /// How far each stream has come among them.
    floors: BTreeMap<(usize, StreamDirection), u64>,
}

impl Ordered {
    pub(super) const fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.octets > LIMIT
    }

    pub(super) fn push(&mut self, event: &CaptureEvent<'_>) {
        let (kind, octets) = match event.kind {
            EventKind::Opened => (Kind::Opened, &[][..]),
            EventKind::Message { offset, octets } => (Kind::Message(offset), octets),
            EventKind::Junk {
                offset,
                reason,
                octets,
            } => (Kind::Junk(offset, reason), octets),
            EventKind::Gap { offset, lost } => (Kind::Gap(offset, lost), &[][..]),
            EventKind::Finished => (Kind::Finished, &[][..]),
            EventKind::Reset => (Kind::Reset, &[][..]),
            EventKind::Noted(note) => (Kind::Noted(note), &[][..]),
        };
        if event.kind == EventKind::Opened {
            // Nothing of a connection comes before its opening.
            let other = (event.connection.number, event.direction.opposite());
            self.floors.insert(other, event.time);
        }
        let stream = (event.connection.number, event.direction);
        let floor = self.floors.entry(stream).or_insert(0);
        *floor = (*floor).max(event.time);
        self.octets += octets.len() + OVERHEAD;
        self.held.push(Held {
            at: *floor,
            connection: *event.connection,
            direction: event.direction,
            time: event.time,
            kind,
            octets: octets.to_vec(),
        });
    }

    /// Tells all that waits, in the order of time.
    pub(super) fn release(&mut self, sink: &mut impl FnMut(CaptureEvent<'_>)) {
        self.held.sort_by_key(|held| held.at);
        for held in self.held.drain(..) {
            let octets = &held.octets[..];
            let kind = match held.kind {
                Kind::Opened => EventKind::Opened,
                Kind::Message(offset) => EventKind::Message { offset, octets },
                Kind::Junk(offset, reason) => EventKind::Junk {
                    offset,
                    reason,
                    octets,
                },
                Kind::Gap(offset, lost) => EventKind::Gap { offset, lost },
                Kind::Finished => EventKind::Finished,
                Kind::Reset => EventKind::Reset,
                Kind::Noted(note) => EventKind::Noted(note),
            };
            sink(CaptureEvent {
                connection: &held.connection,
                direction: held.direction,
                time: held.time,
                kind,
            });
        }
        self.octets = 0;
        self.floors.clear();
    }
}
