//! The comparison itself, fed event by event.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Contexts, agreed};
use super::difference::Report;
use super::item::ComparedItemKind;
use super::options::Options;
use super::pairing::Pairing;
use super::pending::PendingItems;
use super::side::Side;
use super::stream::{Known, Stream, StreamKey};
use crate::bgp::attribute::WireContext;
use crate::bgp::iana::MessageType;
use crate::capture::{
    CaptureEvent, Connection, ConnectionId, EventKind, JunkReason, StreamDirection, StreamId,
    counted,
};

/// Entries of either side that are aligned at a time: how far apart a message may be found again.
pub(super) const WINDOW: usize = 256;
/// Octets held for both sides before streams are put off to another reading.
const HELD_LIMIT: usize = 64 * 1024 * 1024;

/// Two sides being compared.
///
/// Each side's events are taken in its own order; which side is next is for the caller to say,
/// best the one of which less is [held](Self::held).
#[derive(Debug)]
pub struct Comparison {
    pub(super) options: Options,
    pub(super) streams: Vec<Stream>,
    index: BTreeMap<StreamKey, usize>,
    pub(super) sides: [Vec<Known>; 2],
    pub(super) contexts: [Contexts; 2],
    pub(super) held: [usize; 2],
    pub(super) ended: [bool; 2],
    /// When the first connection of either side was opened.
    begun: [Option<u64>; 2],
    only: Option<BTreeSet<StreamKey>>,
    deferred: BTreeSet<StreamKey>,
    /// Which connections belong together, by the right's name; `None` where those of one name do.
    pairings: Option<BTreeMap<ConnectionId, Pairing>>,
    /// What was found out before of how each side is to be read.
    surveyed: [Contexts; 2],
    /// Connections that only one side has, and such as begin mid-session.
    doubtful: bool,
    report: Report,
}

impl Comparison {
    /// Nothing compared yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let contexts = || Contexts::new(options.declared.clone());
        Self {
            contexts: [contexts(), contexts()],
            options,
            streams: Vec::new(),
            index: BTreeMap::new(),
            sides: Default::default(),
            held: [0; 2],
            ended: [false; 2],
            begun: [None; 2],
            only: None,
            deferred: BTreeSet::new(),
            pairings: None,
            surveyed: Default::default(),
            doubtful: false,
            report: Report::default(),
        }
    }

    /// Nothing compared yet; each connection is to be compared with the one that it is paired with, each side read as
    /// `surveyed` says.
    #[must_use]
    pub(super) fn paired(
        options: Options,
        pairings: Vec<Pairing>,
        surveyed: [Contexts; 2],
    ) -> Self {
        let mut comparison = Self::new(options);
        for pairing in &pairings {
            for side in Side::BOTH {
                let count = pairing.before(side);
                if count > 0 {
                    let id = [pairing.left, pairing.right][side.index()];
                    let told = format!(
                        "the beginning of {id} ({} of the other are from before it)",
                        counted(count, "message")
                    );
                    comparison.report.unread[side.index()].push(told);
                }
            }
        }
        let told = pairings.iter().filter(|pairing| !pairing.is_plain());
        comparison.report.pairings = told.cloned().collect();
        let by_right = pairings.into_iter().map(|pairing| (pairing.right, pairing));
        comparison.pairings = Some(by_right.collect());
        comparison.surveyed = surveyed;
        comparison.adopt();
        comparison
    }

    fn adopt(&mut self) {
        for (contexts, surveyed) in self.contexts.iter_mut().zip(&self.surveyed) {
            contexts.adopt(surveyed.clone());
        }
    }

    /// Whether pairing connections by what was said on them may find less that differs.
    pub(super) fn is_doubtful(&mut self) -> bool {
        self.collect();
        self.doubtful && !self.report.is_same()
    }

    /// Octets of `side` that wait for the other.
    #[must_use]
    pub const fn held(&self, side: Side) -> usize {
        self.held[side.index()]
    }

    /// Takes what happened next on `side`.
    #[inline]
    pub fn take(&mut self, side: Side, event: &CaptureEvent<'_>) {
        if let EventKind::Message { offset, octets } = event.kind {
            if matches!(
                MessageType(octets[18]),
                MessageType::OPEN | MessageType::UPDATE
            ) {
                self.contexts[side.index()].note(event);
            }
            if !self.options.ignored.is_empty()
                && let Some(octets) = self.options.ignored.rewrite(side, event.time, octets)
            {
                let octets = &octets[..];
                let kind = EventKind::Message { offset, octets };
                return self.compare(side, &CaptureEvent { kind, ..*event });
            }
        }
        self.compare(side, event);
    }

    #[inline]
    fn compare(&mut self, side: Side, event: &CaptureEvent<'_>) {
        let (kind, offset, octets) = match event.kind {
            EventKind::Message { offset, octets } => {
                let is_keepalive =
                    MessageType(octets[18]) == MessageType::KEEPALIVE && octets.len() == 19;
                if is_keepalive && !self.options.keepalives {
                    return self.beat(side, event);
                }
                (ComparedItemKind::Message, offset, octets)
            }
            EventKind::Junk {
                offset,
                reason,
                octets,
            } => (ComparedItemKind::Junk(reason), offset, octets),
            EventKind::Gap { offset, lost } => (ComparedItemKind::Gap(lost), offset, &[][..]),
            EventKind::Opened => return self.opened(side, event.connection),
            EventKind::Noted(_) => return,
            EventKind::Finished | EventKind::Reset if !self.options.endings => return,
            EventKind::Finished => (ComparedItemKind::Finished, 0, &[][..]),
            EventKind::Reset => (ComparedItemKind::Reset, 0, &[][..]),
        };
        let Some(slot) = self.stream(side, event.connection, event.direction) else {
            return;
        };
        let stream = &mut self.streams[slot];
        if stream.skip[side.index()] > 0 {
            stream.skip[side.index()] -= u64::from(kind == ComparedItemKind::Message);
            return;
        }
        if stream.late[side.index()] && kind == ComparedItemKind::Junk(JunkReason::BeforeFirst) {
            return;
        }
        let [ref mut left, ref mut right] = stream.pending;
        let (own, other) = match side {
            Side::Left => (left, right),
            Side::Right => (right, left),
        };
        if !stream.parted && own.is_empty() {
            if let Some(time) = other.first_if(kind, octets) {
                // What both have is remembered as the left has it.
                let (index, at) = match side {
                    Side::Left => (own.next_index(), event.time),
                    Side::Right => (other.next_index(), time),
                };
                own.pass();
                self.held[side.opposite().index()] -= other.pop();
                stream.found.matched += 1;
                if self.options.timing.is_some() {
                    self.compare_time(side, event, time, index, kind, octets, offset);
                }
                self.streams[slot].remember(index, offset, at, kind, octets);
                return;
            }
            stream.parted = !other.is_empty();
        }
        self.held[side.index()] += own.push(kind, offset, event.time, octets);
        if stream.parted {
            self.resolve_if_ready(slot);
        } else if stream.is_alone(&self.ended, side) && stream.pending[side.index()].len() >= WINDOW
        {
            self.resolve(slot, true);
        }
        if self.held[0] + self.held[1] > HELD_LIMIT {
            self.relieve();
        }
    }

    /// `side` is over.
    pub fn end(&mut self, side: Side) {
        self.ended[side.index()] = true;
        if self.ended == [true, true] {
            for index in 0..self.streams.len() {
                while !self.streams[index]
                    .pending
                    .iter()
                    .all(PendingItems::is_empty)
                {
                    self.resolve(index, true);
                }
            }
        }
    }

    /// Whether the two sides hold some streams so far apart that all has to be fed again from the start:
    /// every time at least one more stream is done with.
    #[must_use]
    pub fn is_unfinished(&mut self) -> bool {
        self.collect();
        if self.deferred.is_empty() {
            return false;
        }
        self.only = Some(std::mem::take(&mut self.deferred));
        self.index.clear();
        self.sides = Default::default();
        let contexts = || Contexts::new(self.options.declared.clone());
        self.contexts = [contexts(), contexts()];
        self.adopt();
        self.held = [0; 2];
        self.ended = [false; 2];
        true
    }

    /// Adds up what was found in the streams that are done with.
    fn collect(&mut self) {
        for stream in self.streams.drain(..).filter(|stream| !stream.deferred) {
            self.doubtful |= stream.connections.contains(&None);
            let found = stream.found;
            self.report.matched += found.matched;
            self.report.equivalent += found.equivalent;
            self.report.differences.extend(found.differences);
            for (class, count) in found.counts {
                *self.report.counts.entry(class).or_insert(0) += count;
            }
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.collect();
        self.report.ignored = self.options.ignored.names();
        self.report
            .differences
            .sort_by_key(|difference| (difference.at, difference.stream));
        self.report
    }

    fn opened(&mut self, side: Side, connection: &Connection) {
        self.contexts[side.index()].note(&CaptureEvent {
            connection,
            direction: StreamDirection::FromClient,
            time: connection.opened,
            kind: EventKind::Opened,
        });
        let known = &mut self.sides[side.index()];
        if known.len() <= connection.number {
            known.resize(connection.number + 1, Known::default());
        }
        self.begun[side.index()].get_or_insert(connection.opened);
        self.doubtful |= !connection.handshake;
        let pairing = match (side, &self.pairings) {
            (Side::Right, Some(pairings)) => pairings.get(&connection.id),
            _ => None,
        };
        let lone = match (side, &self.pairings) {
            (Side::Right, Some(_)) if pairing.is_none() => Some(side),
            _ => None,
        };
        for direction in StreamDirection::BOTH {
            let id = StreamId {
                connection: pairing.map_or(connection.id, |pairing| pairing.left),
                direction: pairing.map_or(direction, |pairing| pairing.direction(direction)),
            };
            let key = StreamKey { lone, id };
            if self.only.as_ref().is_some_and(|only| !only.contains(&key)) {
                continue;
            }
            let index = *self.index.entry(key).or_insert_with(|| {
                self.streams.push(Stream::new(key));
                self.streams.len() - 1
            });
            let stream = &mut self.streams[index];
            stream.connections[side.index()] = Some(connection.number);
            stream.opened[side.index()] = connection.opened;
            if self.pairings.is_some() {
                stream.late[side.index()] = !connection.handshake;
            }
            if let Some(pairing) = pairing {
                stream.swapped = pairing.swapped;
            }
            if direction == StreamDirection::FromClient
                && self.only.is_none()
                && stream.connections[side.opposite().index()].is_some()
            {
                self.report.connections += 1;
            }
            self.sides[side.index()][connection.number].streams[direction as usize] = Some(index);
        }
        self.skip(side, connection);
    }

    /// Notes what of a connection is not compared, because the other capture begins later.
    fn skip(&mut self, side: Side, connection: &Connection) {
        let Some(pairings) = &self.pairings else {
            return;
        };
        let pairing = match side {
            Side::Right => pairings.get(&connection.id),
            Side::Left => pairings.values().find(|one| one.left == connection.id),
        };
        let Some(pairing) = pairing else { return };
        for index in self.sides[side.index()][connection.number]
            .streams
            .into_iter()
            .flatten()
        {
            let stream = &mut self.streams[index];
            let direction = stream.id.direction;
            stream.skip[side.index()] = pairing.skipped[side.index()][direction as usize];
        }
    }

    #[inline]
    pub(super) fn stream(
        &self,
        side: Side,
        connection: &Connection,
        direction: StreamDirection,
    ) -> Option<usize> {
        let known = self.sides[side.index()].get(connection.number)?;
        let index = known.streams[direction as usize]?;
        (!self.streams[index].deferred).then_some(index)
    }

    /// When a stream's connection was opened, on the left's clock.
    pub(super) fn opened_on_left(&self, stream: usize) -> u64 {
        let stream = &self.streams[stream];
        if stream.connections[0].is_some() {
            return stream.opened[0];
        }
        let [left, right] = self.begun.map(Option::unwrap_or_default);
        left + stream.opened[1].saturating_sub(right)
    }

    pub(super) fn context(&mut self, stream: usize, side: Side) -> WireContext {
        let Some(number) = self.streams[stream].connections[side.index()] else {
            return agreed(None, None);
        };
        let direction = self.streams[stream].direction(side);
        self.contexts[side.index()]
            .context(number, direction)
            .clone()
    }

    /// Too much waits: puts off the streams that hold most.
    fn relieve(&mut self) {
        while self.held[0] + self.held[1] > HELD_LIMIT {
            // The first that waits stays, so that every reading brings at least one to its end.
            let waiting =
                |stream: &Stream| stream.pending.iter().map(PendingItems::size).sum::<usize>();
            let mut candidates: Vec<(usize, usize)> = self
                .streams
                .iter()
                .enumerate()
                .map(|(index, stream)| (waiting(stream), index))
                .filter(|(size, _)| *size > 0)
                .collect();
            if candidates.len() < 2 {
                return;
            }
            candidates.remove(0);
            let Some((_, index)) = candidates.into_iter().max() else {
                return;
            };
            self.defer(index);
        }
    }

    /// A stream of which something was told already is compared from its start again: what was told goes.
    fn defer(&mut self, index: usize) {
        let stream = &mut self.streams[index];
        for side in Side::BOTH {
            self.held[side.index()] -= stream.pending[side.index()].size();
            stream.pending[side.index()].clear();
        }
        stream.deferred = true;
        self.deferred.insert(stream.key);
    }
}
