//! The comparison itself, fed event by event.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::align::{Read, align};
use super::classify::{Found, classify};
use super::context::{Opens, agreed};
use super::difference::{Class, Difference, Report, Side};
use super::entry::{Entry, EntryKind};
use super::lane::Lane;
use super::meaning::Meaning;
use crate::bgp::attribute::WireContext;
use crate::bgp::iana::MessageType;
use crate::capture::{Connection, Direction, Event, EventKind, StreamId};

/// Entries of either side that are aligned at a time: how far apart a message may be found again.
const WINDOW: usize = 256;
/// Equal entries shown before a difference.
const CONTEXT: usize = 3;
/// Octets held for both sides before streams are put off to another reading.
const HELD_LIMIT: usize = 64 * 1024 * 1024;
/// KEEPALIVEs whose time waits for the other side's.
const BEATS: usize = 4_096;

/// What counts as a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Compare routes with their attributes instead of octets.
    pub canonical: bool,
    /// Compare times since the connection was opened, KEEPALIVEs among them: how far they may lie apart.
    pub timing: Option<Duration>,
    /// Compare KEEPALIVEs as other messages, in count and place.
    pub keepalives: bool,
    /// Compare how and where connections end.
    pub endings: bool,
    /// Differences of each stream to give in full.
    pub keep: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            canonical: false,
            timing: None,
            keepalives: false,
            endings: true,
            keep: 100,
        }
    }
}

/// One direction of one connection on both sides.
#[derive(Debug)]
struct Stream {
    id: StreamId,
    lanes: [Lane; 2],
    /// Number of its connection on either side, which that side has.
    connections: [Option<usize>; 2],
    /// The two have parted and wait for enough to be aligned.
    parted: bool,
    /// Put off to another reading.
    deferred: bool,
    recent: VecDeque<Entry>,
    beats: [VecDeque<u64>; 2],
    found: Findings,
}

/// What was found in one stream: it goes if the stream has to be read again.
#[derive(Debug, Default)]
struct Findings {
    matched: u64,
    equivalent: u64,
    counts: BTreeMap<Class, u64>,
    differences: Vec<Difference>,
}

/// A connection of one side.
#[derive(Debug, Clone, Default)]
struct Known {
    streams: [Option<usize>; 2],
    opened: u64,
}

/// Two sides being compared.
///
/// Each side's events are taken in its own order; which side is next is for the caller to say,
/// best the one of which less is [held](Self::held).
#[derive(Debug)]
pub struct Comparison {
    options: Options,
    streams: Vec<Stream>,
    index: BTreeMap<StreamId, usize>,
    sides: [Vec<Known>; 2],
    opens: [Opens; 2],
    held: [usize; 2],
    ended: [bool; 2],
    only: Option<BTreeSet<StreamId>>,
    deferred: BTreeSet<StreamId>,
    report: Report,
}

impl Comparison {
    /// Nothing compared yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            streams: Vec::new(),
            index: BTreeMap::new(),
            sides: Default::default(),
            opens: Default::default(),
            held: [0; 2],
            ended: [false; 2],
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
    pub fn take(&mut self, side: Side, event: &Event<'_>) {
        let (kind, offset, octets) = match event.kind {
            EventKind::Message { offset, octets } => {
                match MessageType(octets[18]) {
                    MessageType::KEEPALIVE if !self.options.keepalives && octets.len() == 19 => {
                        return self.beat(side, event);
                    }
                    MessageType::OPEN => self.opens[side.index()].note(event),
                    _ => {}
                }
                (EntryKind::Message, offset, octets)
            }
            EventKind::Junk {
                offset,
                reason,
                octets,
            } => (EntryKind::Junk(reason), offset, octets),
            EventKind::Gap { offset, lost } => (EntryKind::Gap(lost), offset, &[][..]),
            EventKind::Opened => return self.opened(side, event.connection),
            EventKind::Finished | EventKind::Reset if !self.options.endings => return,
            EventKind::Finished => (EntryKind::Finished, 0, &[][..]),
            EventKind::Reset => (EntryKind::Reset, 0, &[][..]),
        };
        let Some(index) = self.stream(side, event.connection, event.direction) else {
            return;
        };
        let stream = &mut self.streams[index];
        let [ref mut left, ref mut right] = stream.lanes;
        let (own, other) = match side {
            Side::Left => (left, right),
            Side::Right => (right, left),
        };
        if !stream.parted && own.is_empty() {
            if let Some(time) = other.first_if(kind, octets) {
                let index = own.next_index();
                own.pass();
                self.held[side.opposite().index()] -= other.pop();
                stream.found.matched += 1;
                stream.remember(
                    index,
                    offset,
                    event.time,
                    kind,
                    octets,
                    event.connection.opened,
                );
                if self.options.timing.is_some() {
                    self.compare_time(side, event, time, index, kind, octets, offset);
                }
                return;
            }
            stream.parted = !other.is_empty();
        }
        self.held[side.index()] += own.push(kind, offset, event.time, octets);
        if stream.parted {
            self.resolve_if_ready(index);
        } else if stream.is_alone(&self.ended, side) && stream.lanes[side.index()].len() >= WINDOW {
            self.resolve(index, true);
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
                while !self.streams[index].lanes.iter().all(Lane::is_empty) {
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
        self.opens = Default::default();
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
            .sort_by_key(|difference| (difference.time(), difference.stream));
        self.report
    }

    fn opened(&mut self, side: Side, connection: &Connection) {
        let known = &mut self.sides[side.index()];
        if known.len() <= connection.number {
            known.resize(connection.number + 1, Known::default());
        }
        known[connection.number].opened = connection.opened;
        for direction in Direction::BOTH {
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
            if direction == Direction::FromClient
                && self.only.is_none()
                && stream.connections[side.opposite().index()].is_some()
            {
                self.report.connections += 1;
            }
            self.sides[side.index()][connection.number].streams[direction as usize] = Some(index);
        }
    }

    #[inline]
    fn stream(&self, side: Side, connection: &Connection, direction: Direction) -> Option<usize> {
        let known = self.sides[side.index()].get(connection.number)?;
        let index = known.streams[direction as usize]?;
        (!self.streams[index].deferred).then_some(index)
    }

    /// A KEEPALIVE: only its time matters, against that of the other side's in the same place. One that has
    /// none there is no difference.
    fn beat(&mut self, side: Side, event: &Event<'_>) {
        let Some(tolerance) = self.options.timing else {
            return;
        };
        let Some(index) = self.stream(side, event.connection, event.direction) else {
            return;
        };
        let stream = &mut self.streams[index];
        let since_open = event.time.saturating_sub(event.connection.opened);
        let Some(other) = stream.beats[side.opposite().index()].pop_front() else {
            let beats = &mut stream.beats[side.index()];
            if beats.len() < BEATS {
                beats.push_back(since_open);
            }
            return;
        };
        if Duration::from_nanos(other.abs_diff(since_open)) <= tolerance {
            return;
        }
        let EventKind::Message { octets, offset } = event.kind else {
            return;
        };
        let entry = |since_open: u64| Entry {
            index: stream.lanes[side.index()].next_index(),
            offset,
            time: event.connection.opened + since_open,
            since_open,
            kind: EntryKind::Message,
            octets: octets.to_vec(),
        };
        let (mut left, mut right) = (entry(other), entry(since_open));
        if side == Side::Left {
            std::mem::swap(&mut left, &mut right);
        }
        self.add(index, Class::Timing, vec![left], vec![right]);
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of an entry that was never built"
    )]
    fn compare_time(
        &mut self,
        side: Side,
        event: &Event<'_>,
        other_time: u64,
        index: u64,
        kind: EntryKind,
        octets: &[u8],
        offset: u64,
    ) {
        let Some(stream) = self.stream(side, event.connection, event.direction) else {
            return;
        };
        let other = side.opposite();
        let entry = |time: u64, opened: u64| Entry {
            index,
            offset,
            time,
            since_open: time.saturating_sub(opened),
            kind,
            octets: octets.to_vec(),
        };
        let other_opened = self.opened_at(stream, other);
        let since_open = event.time.saturating_sub(event.connection.opened);
        if self.is_late(since_open, other_time.saturating_sub(other_opened)) {
            let own = entry(event.time, event.connection.opened);
            let other = entry(other_time, other_opened);
            let (left, right) = if side == Side::Left {
                (own, other)
            } else {
                (other, own)
            };
            self.add(stream, Class::Timing, vec![left], vec![right]);
        }
    }

    fn is_late(&self, one: u64, other: u64) -> bool {
        self.options
            .timing
            .is_some_and(|tolerance| Duration::from_nanos(one.abs_diff(other)) > tolerance)
    }

    fn opened_at(&self, stream: usize, side: Side) -> u64 {
        let number = self.streams[stream].connections[side.index()];
        let known = number.and_then(|number| self.sides[side.index()].get(number));
        known.map_or(0, |known| known.opened)
    }

    fn context(&self, stream: usize, side: Side) -> WireContext {
        let Some(number) = self.streams[stream].connections[side.index()] else {
            return agreed(None, None);
        };
        let direction = self.streams[stream].id.direction;
        self.opens[side.index()].context(number, direction)
    }

    fn resolve_if_ready(&mut self, index: usize) {
        let stream = &self.streams[index];
        let waiting = |side: Side| stream.lanes[side.index()].len();
        // Ended sides bring nothing more; a window is then as full as it gets.
        let full = |side: Side| waiting(side) >= WINDOW || self.ended[side.index()];
        if full(Side::Left) && full(Side::Right) {
            self.resolve(index, false);
        }
    }

    /// Aligns and classifies what waits in a stream. Unless it is the `last` of it, the end is left for later.
    fn resolve(&mut self, index: usize, last: bool) {
        let contexts = Side::BOTH.map(|side| self.context(index, side));
        let [left, right] = Side::BOTH.map(|side| {
            let opened = self.opened_at(index, side);
            let entries = self.streams[index].lanes[side.index()].entries(WINDOW * 2, opened);
            read(entries, &contexts[side.index()])
        });
        let whole = Side::BOTH.map(|side| {
            let lane = &self.streams[index].lanes[side.index()];
            lane.len() <= WINDOW * 2 && (last || self.ended[side.index()])
        });
        let alignment = align(&left, &right, self.options.canonical, whole == [true, true]);
        let lone = Side::BOTH.map(|side| self.streams[index].connections[side.index()].is_none());
        if lone == [false, false] {
            let (found, equivalent) = classify(&left, &right, &alignment, self.options.canonical);
            let findings = &mut self.streams[index].found;
            findings.equivalent += equivalent;
            findings.matched += alignment.same.len() as u64;
            self.tell(index, &left, &right, &alignment.same, found);
        } else {
            self.tell_lone(index, left, right);
        }
        let decided = [alignment.decided.0, alignment.decided.1];
        let stream = &mut self.streams[index];
        for side in Side::BOTH {
            for _ in 0..decided[side.index()] {
                self.held[side.index()] -= stream.lanes[side.index()].pop();
            }
        }
        self.rejoin(index);
    }

    /// Passes what the two sides have in common again after a difference.
    fn rejoin(&mut self, index: usize) {
        let opened = Side::BOTH.map(|side| self.opened_at(index, side));
        loop {
            let stream = &mut self.streams[index];
            let heads = [0, 1].map(|side| stream.lanes[side].entries(1, opened[side]).pop());
            let [Some(left), Some(right)] = heads else {
                stream.parted = false;
                return;
            };
            if !left.is_same(&right) {
                stream.parted = true;
                return;
            }
            for side in [0, 1] {
                self.held[side] -= stream.lanes[side].pop();
            }
            stream.found.matched += 1;
            self.agree(index, &left, &right);
        }
    }

    /// Tells what differs and, where asked, what merely came at another time, in order.
    fn tell(
        &mut self,
        index: usize,
        left: &[Read],
        right: &[Read],
        same: &[(usize, usize)],
        found: Vec<Found>,
    ) {
        let mut same = same.iter().copied().peekable();
        for one in found {
            let (until_left, until_right) = (one.left.first(), one.right.first());
            let before = |&(a, b): &(usize, usize)| {
                until_left.is_some_and(|until| a < *until)
                    || until_right.is_some_and(|until| b < *until)
            };
            while let Some((a, b)) = same.next_if(before) {
                self.agree(index, &left[a].entry, &right[b].entry);
            }
            let entries = |indices: &[usize], reads: &[Read]| -> Vec<Entry> {
                indices
                    .iter()
                    .map(|index| reads[*index].entry.clone())
                    .collect()
            };
            self.add(
                index,
                one.class,
                entries(&one.left, left),
                entries(&one.right, right),
            );
        }
        for (a, b) in same {
            self.agree(index, &left[a].entry, &right[b].entry);
        }
    }

    fn agree(&mut self, index: usize, left: &Entry, right: &Entry) {
        let recent = &mut self.streams[index].recent;
        if recent.len() == CONTEXT {
            recent.pop_front();
        }
        recent.push_back(left.clone());
        if !left.is_same(right) {
            self.streams[index].found.equivalent += 1;
        }
        if self.is_late(left.since_open, right.since_open) {
            self.add(
                index,
                Class::Timing,
                vec![left.clone()],
                vec![right.clone()],
            );
        }
    }

    /// Only one side has the connection: one difference for each stream of it, however long.
    fn tell_lone(&mut self, index: usize, left: Vec<Read>, right: Vec<Read>) {
        let (class, reads) = if right.is_empty() {
            (Class::ConnectionMissing, left)
        } else {
            (Class::ConnectionExtra, right)
        };
        let count = reads.len() as u64;
        if let Some(known) = self.streams[index].found.differences.first_mut() {
            known.messages += count;
            return;
        }
        let entries: Vec<Entry> = reads
            .into_iter()
            .take(CONTEXT)
            .map(|read| read.entry)
            .collect();
        let (left, right) = if class == Class::ConnectionMissing {
            (entries, vec![])
        } else {
            (vec![], entries)
        };
        self.add(index, class, left, right);
        if let Some(added) = self.streams[index].found.differences.first_mut() {
            added.messages = count;
        }
    }

    fn add(&mut self, index: usize, class: Class, left: Vec<Entry>, right: Vec<Entry>) {
        let findings = &mut self.streams[index].found;
        *findings.counts.entry(class).or_insert(0) += 1;
        if findings.differences.len() >= self.options.keep.max(1) {
            return;
        }
        let contexts = Side::BOTH.map(|side| self.context(index, side));
        let stream = &mut self.streams[index];
        stream.found.differences.push(Difference {
            stream: stream.id,
            class,
            messages: (left.len().max(right.len())) as u64,
            left,
            right,
            context: stream.recent.iter().cloned().collect(),
            contexts,
        });
    }

    /// Too much waits: puts off the streams that hold most.
    fn relieve(&mut self) {
        while self.held[0] + self.held[1] > HELD_LIMIT {
            // The first that waits stays, so that every reading brings at least one to its end.
            let waiting = |stream: &Stream| stream.lanes.iter().map(Lane::size).sum::<usize>();
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
            self.held[side.index()] -= stream.lanes[side.index()].size();
            stream.lanes[side.index()].clear();
        }
        stream.deferred = true;
        self.deferred.insert(stream.id);
    }
}

impl Stream {
    fn new(id: StreamId) -> Self {
        Self {
            id,
            lanes: Default::default(),
            connections: [None; 2],
            parted: false,
            deferred: false,
            recent: VecDeque::with_capacity(CONTEXT),
            beats: Default::default(),
            found: Findings::default(),
        }
    }

    /// Whether the side opposite `side` has nothing more to say.
    fn is_alone(&self, ended: &[bool; 2], side: Side) -> bool {
        ended[side.opposite().index()]
    }

    /// Keeps the last few entries that both have, in buffers used again and again.
    #[inline]
    fn remember(
        &mut self,
        index: u64,
        offset: u64,
        time: u64,
        kind: EntryKind,
        octets: &[u8],
        opened: u64,
    ) {
        let mut buffer = if self.recent.len() == CONTEXT {
            self.recent
                .pop_front()
                .map(|entry| entry.octets)
                .unwrap_or_default()
        } else {
            Vec::new()
        };
        buffer.clear();
        buffer.extend_from_slice(octets);
        self.recent.push_back(Entry {
            index,
            offset,
            time,
            since_open: time.saturating_sub(opened),
            kind,
            octets: buffer,
        });
    }
}

fn read(entries: Vec<Entry>, context: &WireContext) -> Vec<Read> {
    entries
        .into_iter()
        .map(|entry| {
            let is_update = entry.message_type() == Some(MessageType::UPDATE.0);
            let meaning = is_update
                .then(|| Meaning::of(context, &entry.octets))
                .flatten();
            Read { entry, meaning }
        })
        .collect()
}
