//! The comparison itself, fed event by event.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Contexts, agreed};
use super::difference::{Report, Side};
use super::item::ComparedItemKind;
use super::options::Options;
use super::pending::PendingItems;
use super::stream::{Known, Stream};
use crate::bgp::attribute::WireContext;
use crate::bgp::iana::MessageType;
use crate::capture::{CaptureEvent, Connection, EventKind, StreamDirection, StreamId};

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
    index: BTreeMap<StreamId, usize>,
    pub(super) sides: [Vec<Known>; 2],
    pub(super) contexts: [Contexts; 2],
    pub(super) held: [usize; 2],
    pub(super) ended: [bool; 2],
    /// When the first connection of either side was opened.
    begun: [Option<u64>; 2],
    only: Option<BTreeSet<StreamId>>,
    deferred: BTreeSet<StreamId>,
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
            report: Report::default(),
        }
    }

    /// Octets of `side` that wait for the other.
    #[must_use]
    pub const fn held(&self, side: Side) -> usize {
        self.held[side.index()]
    }

    /// Takes what happened next on `side`.
    #[inline]
    pub fn take(&mut self, side: Side, event: &CaptureEvent<'_>) {
        let (kind, offset, octets) = match event.kind {
            EventKind::Message { offset, octets } => {
                match MessageType(octets[18]) {
                    MessageType::KEEPALIVE if !self.options.keepalives && octets.len() == 19 => {
                        return self.beat(side, event);
                    }
                    MessageType::OPEN | MessageType::UPDATE => {
                        self.contexts[side.index()].note(event)
                    }
                    _ => {}
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
        self.held = [0; 2];
        self.ended = [false; 2];
        true
    }

    /// Adds up what was found in the streams that are done with.
    fn collect(&mut self) {
        for stream in self.streams.drain(..).filter(|stream| !stream.deferred) {
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
        for direction in StreamDirection::BOTH {
            let id = StreamId {
                connection: connection.id,
                direction,
            };
            if self.only.as_ref().is_some_and(|only| !only.contains(&id)) {
                continue;
            }
            let index = *self.index.entry(id).or_insert_with(|| {
                self.streams.push(Stream::new(id));
                self.streams.len() - 1
            });
            let stream = &mut self.streams[index];
            stream.connections[side.index()] = Some(connection.number);
            stream.opened[side.index()] = connection.opened;
            if direction == StreamDirection::FromClient
                && self.only.is_none()
                && stream.connections[side.opposite().index()].is_some()
            {
                self.report.connections += 1;
            }
            self.sides[side.index()][connection.number].streams[direction as usize] = Some(index);
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
        let direction = self.streams[stream].id.direction;
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
        self.deferred.insert(stream.id);
    }
}
