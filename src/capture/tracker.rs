//! The TCP connections of a capture: which segment is of which, and which are over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::connection::StreamDirection;
use super::events::CaptureEvent;
use super::flow::Flow;
use super::internet::{Endpoint, Segment};
use super::numbering::{BGP_PORT, Numbering};
use super::tally::Tally;

/// Connections remembered at once.
const MAX_FLOWS: usize = 65_536;
/// Closed connections remembered for what still arrives on them.
const MAX_CLOSED: usize = 1_024;

/// All connections of a capture.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    pub(super) tally: Tally,
    flows: Vec<Option<Flow>>,
    free: Vec<usize>,
    index: BTreeMap<(Endpoint, Endpoint), usize>,
    closed: VecDeque<usize>,
    pub(super) numbering: Numbering,
    /// Connections of which a direction waits for earlier octets.
    holed: BTreeSet<usize>,
    /// Whether an event of one of them has been reported.
    waiting: bool,
    /// Where the last segment belonged: the next most likely does too.
    last: usize,
}

impl Tracker {
    #[inline]
    pub(super) fn segment(
        &mut self,
        time: u64,
        segment: &Segment<'_>,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        self.tally.segments += 1;
        self.tally.on_bgp_port +=
            u64::from(segment.source.port == BGP_PORT || segment.destination.port == BGP_PORT);
        if !self.holed.is_empty() {
            self.check_holes(time, false, sink);
        }
        let known = match self.flows.get(self.last) {
            Some(Some(flow)) => flow
                .direction(segment)
                .map(|direction| (self.last, direction)),
            _ => None,
        };
        let found = match known {
            Some(found) => Some(found),
            None => self.find(segment),
        };
        let (slot, direction) = match found {
            Some((slot, direction)) if !segment.has(Segment::SYN) => (slot, direction),
            found => match self.synchronise(time, segment, found, sink) {
                Some(place) => place,
                None => return,
            },
        };
        self.last = slot;
        let Some(flow) = &mut self.flows[slot] else {
            return;
        };
        if flow.is_other() {
            flow.last = time;
            return;
        }
        flow.take(
            time,
            segment,
            direction,
            &mut self.tally,
            &mut self.numbering,
            sink,
        );
        self.tally.connections = self.numbering.connections as u64;
        if flow.has_hole() {
            self.waiting |= flow.is_told();
            self.holed.insert(slot);
        } else if !self.holed.is_empty() {
            self.settle(slot);
        }
        if segment.has(Segment::FIN | Segment::RST) {
            self.close(slot, time, sink);
        }
    }

    /// Whether a reported connection waits for octets that may still come.
    #[inline]
    pub(super) const fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Counts every hole as lost.
    pub(super) fn give_up(&mut self, sink: &mut impl FnMut(CaptureEvent<'_>)) {
        self.check_holes(0, true, sink);
    }

    fn check_holes(&mut self, time: u64, all: bool, sink: &mut impl FnMut(CaptureEvent<'_>)) {
        // Each segment looks at some of very many.
        const AT_ONCE: usize = 64;
        let from = if self.holed.len() > AT_ONCE && !all {
            self.last
        } else {
            0
        };
        let slots: Vec<usize> = self
            .holed
            .range(from..)
            .chain(self.holed.range(..from))
            .take(if all { usize::MAX } else { AT_ONCE })
            .copied()
            .collect();
        for slot in slots {
            if let Some(Some(flow)) = self.flows.get_mut(slot) {
                flow.give_up(time, all, &mut self.tally, &mut self.numbering, sink);
            }
            self.settle(slot);
        }
    }

    /// Takes note that a connection may not wait any more.
    fn settle(&mut self, slot: usize) {
        let flow = self.flows.get(slot).and_then(Option::as_ref);
        if !flow.is_some_and(Flow::has_hole) && self.holed.remove(&slot) {
            let told = |slot: &usize| self.flows[*slot].as_ref().is_some_and(Flow::is_told);
            self.waiting = self.holed.iter().any(told);
        }
    }

    fn find(&self, segment: &Segment<'_>) -> Option<(usize, StreamDirection)> {
        let slot = *self.index.get(&key(segment.source, segment.destination))?;
        let direction = self.flows[slot].as_ref()?.direction(segment)?;
        Some((slot, direction))
    }

    /// The connection of a SYN, or of a segment of none that is known.
    fn synchronise(
        &mut self,
        time: u64,
        segment: &Segment<'_>,
        found: Option<(usize, StreamDirection)>,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) -> Option<(usize, StreamDirection)> {
        let Segment {
            source,
            destination,
            ..
        } = *segment;
        if !segment.has(Segment::SYN) {
            if segment.has(Segment::RST) {
                return None;
            }
            let from_client = !serves(source, destination);
            let (client, server) = ordered(from_client, source, destination);
            let slot = self.open(Flow::new(client, server, time, false), sink);
            return Some((slot, direction(from_client)));
        }
        if let Some((slot, direction)) = found {
            let flow = self.flows[slot].as_mut()?;
            if !flow.is_renewed_by(segment, direction) {
                flow.unanswered += u32::from(!segment.has(Segment::ACK));
                if flow.halves[direction.index()].is_unused() {
                    flow.halves[direction.index()].synchronise(segment.sequence);
                }
                return Some((slot, direction));
            }
            self.remove(slot, sink);
        }
        let from_client = !segment.has(Segment::ACK);
        let (client, server) = ordered(from_client, source, destination);
        let direction = direction(from_client);
        let mut flow = Flow::new(client, server, time, true);
        flow.halves[direction.index()].synchronise(segment.sequence);
        flow.unanswered = u32::from(from_client);
        Some((self.open(flow, sink), direction))
    }

    fn open(&mut self, flow: Flow, sink: &mut impl FnMut(CaptureEvent<'_>)) -> usize {
        if self.index.len() >= MAX_FLOWS {
            self.evict_idle(sink);
        }
        let key = key(flow.connection.client, flow.connection.server);
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.flows.push(None);
                self.flows.len() - 1
            }
        };
        self.flows[slot] = Some(flow);
        self.index.insert(key, slot);
        slot
    }

    /// Remembers that a connection is over, and forgets the one that has been over for longest.
    fn close(&mut self, slot: usize, time: u64, sink: &mut impl FnMut(CaptureEvent<'_>)) {
        let Some(flow) = &mut self.flows[slot] else {
            return;
        };
        let over = flow.reset || flow.halves.iter().all(|half| half.finished);
        if !over || flow.closed {
            return;
        }
        flow.closed = true;
        flow.conclude(time, &mut self.tally, sink);
        self.closed.push_back(slot);
        if self.closed.len() > MAX_CLOSED
            && let Some(oldest) = self.closed.pop_front()
        {
            // It was flushed when it closed: nothing is left to report.
            self.remove(oldest, &mut |_| ());
        }
    }

    fn remove(&mut self, slot: usize, sink: &mut impl FnMut(CaptureEvent<'_>)) {
        let Some(mut flow) = self.flows[slot].take() else {
            return;
        };
        flow.flush(&mut self.tally, &mut self.numbering, sink);
        flow.conclude(flow.last, &mut self.tally, sink);
        self.settle(slot);
        if flow.closed {
            self.closed.retain(|closed| *closed != slot);
        }
        self.index
            .remove(&key(flow.connection.client, flow.connection.server));
        self.free.push(slot);
    }

    /// Ends the quarter of all connections that have been silent for longest.
    fn evict_idle(&mut self, sink: &mut impl FnMut(CaptureEvent<'_>)) {
        let mut slots: Vec<(u64, usize)> = self
            .flows
            .iter()
            .enumerate()
            .filter_map(|(slot, flow)| Some((flow.as_ref()?.last, slot)))
            .collect();
        slots.sort_unstable();
        for (_, slot) in slots.into_iter().take(MAX_FLOWS / 4) {
            self.remove(slot, sink);
        }
    }

    /// The capture is over: reports what was waiting for segments that never came.
    pub(super) fn finish(&mut self, time: u64, sink: &mut impl FnMut(CaptureEvent<'_>)) {
        let mut flows: Vec<Flow> = std::mem::take(&mut self.flows)
            .into_iter()
            .flatten()
            .collect();
        flows.sort_by_key(|flow| flow.connection.opened);
        for mut flow in flows {
            flow.flush(&mut self.tally, &mut self.numbering, sink);
            let time = if flow.closed { flow.last } else { time };
            flow.conclude(time, &mut self.tally, sink);
        }
        self.tally.connections = self.numbering.connections as u64;
        self.holed.clear();
        self.waiting = false;
        self.index.clear();
        self.free.clear();
        self.closed.clear();
    }
}

fn key(a: Endpoint, b: Endpoint) -> (Endpoint, Endpoint) {
    if a <= b { (a, b) } else { (b, a) }
}

const fn direction(from_client: bool) -> StreamDirection {
    if from_client {
        StreamDirection::FromClient
    } else {
        StreamDirection::FromServer
    }
}

const fn ordered(
    from_client: bool,
    source: Endpoint,
    destination: Endpoint,
) -> (Endpoint, Endpoint) {
    if from_client {
        (source, destination)
    } else {
        (destination, source)
    }
}

/// Whether `source` rather than `destination` listens, where there is no SYN: the BGP port, else the lower.
const fn serves(source: Endpoint, destination: Endpoint) -> bool {
    match (source.port, destination.port) {
        (_, BGP_PORT) => false,
        (BGP_PORT, _) => true,
        (source, destination) => source < destination,
    }
}
