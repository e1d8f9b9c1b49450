//! The TCP connections of a capture: who opened them, which speak BGP, what was said on each.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::connection::{Connection, ConnectionId, Direction, Peer};
use super::framing::{Framed, Framer, JunkReason};
use super::internet::{Endpoint, Segment, Skipped};
use super::reassembly::{HalfStream, Piece};

/// IANA's port for BGP.
const BGP_PORT: u16 = 179;
/// Octets in which a connection must show a BGP message.
const CONSIDERED: usize = 64 * 1024;
/// Connections remembered at once.
const MAX_FLOWS: usize = 65_536;
/// Closed connections remembered for what still arrives on them.
const MAX_CLOSED: usize = 1_024;

/// Something that happened on a connection that speaks BGP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// On which connection.
    pub connection: &'a Connection,
    /// Who did it. For [`EventKind::Opened`], who opened the connection.
    pub direction: Direction,
    /// Nanoseconds since 1970: when its last octet was in order.
    pub time: u64,
    /// What.
    pub kind: EventKind<'a>,
}

impl Event<'_> {
    /// The time as a duration since 1970.
    #[must_use]
    pub const fn since_epoch(&self) -> Duration {
        Duration::from_nanos(self.time)
    }
}

/// What happened on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind<'a> {
    /// It was opened. Told with the first octets, so that connections on which nothing is said are not told of.
    Opened,
    /// A message, marker and all.
    Message {
        /// Octets of the stream before it.
        offset: u64,
        /// The whole message.
        octets: &'a [u8],
    },
    /// Octets that are no message.
    Junk {
        /// Octets of the stream before them.
        offset: u64,
        /// Why they are no message.
        reason: JunkReason,
        /// They themselves.
        octets: &'a [u8],
    },
    /// Octets that were sent and are not in the capture.
    Gap {
        /// Octets of the stream before them.
        offset: u64,
        /// How many.
        lost: u64,
    },
    /// The sender will send no more (FIN).
    Finished,
    /// The sender reset the connection (RST).
    Reset,
}

/// What was met in a capture beside messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets read.
    pub packets: u64,
    /// TCP segments among them.
    pub segments: u64,
    /// Packets without a TCP segment, by reason.
    pub skipped: BTreeMap<Skipped, u64>,
    /// Connections on which BGP was spoken.
    pub connections: u64,
    /// Segments whose octets had all been seen.
    pub retransmitted: u64,
    /// TCP keep-alive probes.
    pub probes: u64,
    /// Segments that came before an earlier one.
    pub reordered: u64,
    /// Holes in streams that nothing filled.
    pub gaps: u64,
    /// Octets missing in them.
    pub lost: u64,
    /// Octets held at present for want of earlier ones.
    pub(super) held: usize,
}

impl Tally {
    pub(super) const fn count_old(&mut self, probe: bool) {
        if probe {
            self.probes += 1;
        } else {
            self.retransmitted += 1;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Unknown,
    Bgp,
    Other,
}

/// One TCP connection.
#[derive(Debug)]
struct Flow {
    connection: Connection,
    speaks: Speaks,
    halves: [HalfStream; 2],
    framers: [Framer; 2],
    last: u64,
    reset: bool,
    closed: bool,
}

impl Flow {
    fn new(client: Endpoint, server: Endpoint, opened: u64, handshake: bool) -> Self {
        let peer = Peer {
            client: client.address,
            server: server.address,
        };
        Self {
            connection: Connection {
                id: ConnectionId { peer, attempt: 0 },
                number: 0,
                client,
                server,
                handshake,
                opened,
            },
            speaks: Speaks::Unknown,
            halves: Default::default(),
            framers: [Framer::new(handshake), Framer::new(handshake)],
            last: opened,
            reset: false,
            closed: false,
        }
    }

    #[inline]
    fn direction(&self, segment: &Segment<'_>) -> Option<Direction> {
        let Connection { client, server, .. } = &self.connection;
        if segment.source == *client && segment.destination == *server {
            Some(Direction::FromClient)
        } else if segment.source == *server && segment.destination == *client {
            Some(Direction::FromServer)
        } else {
            None
        }
    }

    /// Whether `segment`, a SYN, begins another connection between the same ports.
    fn is_renewed_by(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let half = &self.halves[direction.index()];
        if half.initial == Some(segment.sequence) {
            return false;
        }
        !half.is_unused() || self.closed || self.reset
    }
}

/// Attempts counted so far, and connections told of.
#[derive(Debug, Default)]
struct Numbering {
    attempts: BTreeMap<Peer, u32>,
    connections: usize,
}

/// All connections of a capture.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    pub(super) tally: Tally,
    flows: Vec<Option<Flow>>,
    free: Vec<usize>,
    index: BTreeMap<(Endpoint, Endpoint), usize>,
    closed: VecDeque<usize>,
    numbering: Numbering,
    /// Where the last segment belonged: the next most likely does too.
    last: usize,
}

impl Tracker {
    #[inline]
    pub(super) fn segment(
        &mut self,
        time: u64,
        segment: &Segment<'_>,
        sink: &mut impl FnMut(Event<'_>),
    ) {
        self.tally.segments += 1;
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
        if flow.speaks == Speaks::Other {
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
        if segment.has(Segment::FIN | Segment::RST) {
            self.close(slot);
        }
    }

    fn find(&self, segment: &Segment<'_>) -> Option<(usize, Direction)> {
        let slot = *self.index.get(&key(segment.source, segment.destination))?;
        let direction = self.flows[slot].as_ref()?.direction(segment)?;
        Some((slot, direction))
    }

    /// The connection of a SYN, or of a segment of none that is known.
    fn synchronise(
        &mut self,
        time: u64,
        segment: &Segment<'_>,
        found: Option<(usize, Direction)>,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Option<(usize, Direction)> {
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
        Some((self.open(flow, sink), direction))
    }

    fn open(&mut self, flow: Flow, sink: &mut impl FnMut(Event<'_>)) -> usize {
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
    fn close(&mut self, slot: usize) {
        let Some(flow) = &mut self.flows[slot] else {
            return;
        };
        let over = flow.reset || flow.halves.iter().all(|half| half.finished);
        if !over || flow.closed {
            return;
        }
        flow.closed = true;
        self.closed.push_back(slot);
        if self.closed.len() > MAX_CLOSED
            && let Some(oldest) = self.closed.pop_front()
        {
            // It was flushed when it closed: there is nothing left to tell.
            self.remove(oldest, &mut |_| ());
        }
    }

    fn remove(&mut self, slot: usize, sink: &mut impl FnMut(Event<'_>)) {
        let Some(mut flow) = self.flows[slot].take() else {
            return;
        };
        flow.flush(&mut self.tally, &mut self.numbering, sink);
        if flow.closed {
            self.closed.retain(|closed| *closed != slot);
        }
        self.index
            .remove(&key(flow.connection.client, flow.connection.server));
        self.free.push(slot);
    }

    /// Ends the quarter of all connections that have been silent for longest.
    fn evict_idle(&mut self, sink: &mut impl FnMut(Event<'_>)) {
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

    /// The capture is over: tells what was waiting for segments that never came.
    pub(super) fn finish(&mut self, sink: &mut impl FnMut(Event<'_>)) {
        let mut flows: Vec<Flow> = std::mem::take(&mut self.flows)
            .into_iter()
            .flatten()
            .collect();
        flows.sort_by_key(|flow| flow.connection.opened);
        for mut flow in flows {
            flow.flush(&mut self.tally, &mut self.numbering, sink);
        }
        self.index.clear();
        self.free.clear();
        self.closed.clear();
    }
}

impl Flow {
    #[inline]
    fn take(
        &mut self,
        time: u64,
        segment: &Segment<'_>,
        direction: Direction,
        tally: &mut Tally,
        numbering: &mut Numbering,
        sink: &mut impl FnMut(Event<'_>),
    ) {
        self.last = time;
        let Self {
            connection,
            speaks,
            halves,
            framers,
            ..
        } = self;
        let first = segment
            .sequence
            .wrapping_add(u32::from(segment.has(Segment::SYN)));
        let mut losses = (0, 0);
        halves[direction.index()].segment(
            (time, first),
            (segment.payload, segment.cut),
            segment.has(Segment::FIN),
            tally,
            &mut |time, piece| {
                let feed = Feed {
                    connection,
                    speaks,
                    framers,
                    numbering,
                };
                feed.piece(time, direction, piece, &mut losses, sink);
            },
        );
        tally.gaps += losses.0;
        tally.lost += losses.1;
        if segment.has(Segment::RST) && !self.reset {
            self.flush(tally, numbering, sink);
            self.reset = true;
            if self.speaks == Speaks::Bgp {
                sink(Event {
                    connection: &self.connection,
                    direction,
                    time,
                    kind: EventKind::Reset,
                });
            }
        }
    }

    /// Tells all that was still waiting.
    fn flush(
        &mut self,
        tally: &mut Tally,
        numbering: &mut Numbering,
        sink: &mut impl FnMut(Event<'_>),
    ) {
        let Self {
            connection,
            speaks,
            halves,
            framers,
            last,
            ..
        } = self;
        for direction in Direction::BOTH {
            let mut losses = (0, 0);
            halves[direction.index()].flush(*last, tally, &mut |time, piece| {
                let feed = Feed {
                    connection,
                    speaks,
                    framers,
                    numbering,
                };
                feed.piece(time, direction, piece, &mut losses, sink);
            });
            tally.gaps += losses.0;
            tally.lost += losses.1;
            if *speaks == Speaks::Bgp {
                let emit = emitter(connection, direction, *last, sink);
                framers[direction.index()].finish(&mut { emit });
            }
        }
    }
}

/// What a piece of reassembled stream needs of its connection.
struct Feed<'f> {
    connection: &'f mut Connection,
    speaks: &'f mut Speaks,
    framers: &'f mut [Framer; 2],
    numbering: &'f mut Numbering,
}

impl Feed<'_> {
    #[inline]
    fn piece(
        self,
        time: u64,
        direction: Direction,
        piece: Piece<'_>,
        losses: &mut (u64, u64),
        sink: &mut impl FnMut(Event<'_>),
    ) {
        let framer = &mut self.framers[direction.index()];
        match (*self.speaks, piece) {
            (Speaks::Bgp, Piece::Octets(octets)) => {
                framer.push(octets, &mut emitter(self.connection, direction, time, sink));
            }
            (Speaks::Bgp, Piece::Lost(count)) => {
                losses.0 += 1;
                losses.1 += count;
                framer.lost(count, &mut emitter(self.connection, direction, time, sink));
            }
            (Speaks::Bgp, Piece::Finished) => {
                framer.finish(&mut emitter(self.connection, direction, time, sink));
                sink(Event {
                    connection: self.connection,
                    direction,
                    time,
                    kind: EventKind::Finished,
                });
            }
            (Speaks::Unknown, Piece::Octets(octets)) => {
                self.consider(time, direction, octets, sink)
            }
            (Speaks::Unknown, Piece::Lost(count)) => framer.forget(count),
            (Speaks::Unknown, Piece::Finished) | (Speaks::Other, _) => {}
        }
    }

    /// Decides whether the connection speaks BGP: by its port, or by a message header.
    fn consider(
        self,
        time: u64,
        direction: Direction,
        octets: &[u8],
        sink: &mut impl FnMut(Event<'_>),
    ) {
        let port =
            self.connection.client.port == BGP_PORT || self.connection.server.port == BGP_PORT;
        let framer = &mut self.framers[direction.index()];
        if !framer.consider(octets) && !port {
            if framer.kept() > CONSIDERED {
                *self.speaks = Speaks::Other;
                for framer in self.framers {
                    framer.forget(0);
                }
            }
            return;
        }
        *self.speaks = Speaks::Bgp;
        let attempt = self
            .numbering
            .attempts
            .entry(self.connection.id.peer)
            .or_insert(0);
        *attempt += 1;
        self.connection.id.attempt = *attempt;
        self.connection.number = self.numbering.connections;
        self.numbering.connections += 1;
        sink(Event {
            connection: self.connection,
            direction: Direction::FromClient,
            time: self.connection.opened,
            kind: EventKind::Opened,
        });
        for direction in [direction.opposite(), direction] {
            self.framers[direction.index()].resume(&mut emitter(
                self.connection,
                direction,
                time,
                sink,
            ));
        }
    }
}

/// Turns what a framer tells into events of one connection.
#[inline]
fn emitter<'e>(
    connection: &'e Connection,
    direction: Direction,
    time: u64,
    sink: &'e mut impl FnMut(Event<'_>),
) -> impl FnMut(u64, Framed<'_>) + 'e {
    move |offset, framed| {
        let kind = match framed {
            Framed::Message(octets) => EventKind::Message { offset, octets },
            Framed::Junk(reason, octets) => EventKind::Junk {
                offset,
                reason,
                octets,
            },
            Framed::Gap(lost) => EventKind::Gap { offset, lost },
        };
        sink(Event {
            connection,
            direction,
            time,
            kind,
        });
    }
}

fn key(a: Endpoint, b: Endpoint) -> (Endpoint, Endpoint) {
    if a <= b { (a, b) } else { (b, a) }
}

const fn direction(from_client: bool) -> Direction {
    if from_client {
        Direction::FromClient
    } else {
        Direction::FromServer
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

/// Whether `source` rather than `destination` listens, where no SYN tells: the BGP port, else the lower.
const fn serves(source: Endpoint, destination: Endpoint) -> bool {
    match (source.port, destination.port) {
        (_, BGP_PORT) => false,
        (BGP_PORT, _) => true,
        (source, destination) => source < destination,
    }
}
