//! One TCP connection of a capture: whether it speaks BGP, and what is said on it.

use std::collections::BTreeMap;

use super::connection::{Connection, ConnectionId, Direction, Peer};
use super::events::{Event, EventKind};
use super::framing::{Framed, Framer};
use super::internet::{Endpoint, Segment};
use super::reassembly::{HalfStream, Piece};
use super::tally::Tally;

/// IANA's port for BGP.
pub(super) const BGP_PORT: u16 = 179;
/// Octets in which a connection must show a BGP message.
const CONSIDERED: usize = 64 * 1024;

/// Attempts counted so far, and connections told of.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    attempts: BTreeMap<Peer, u32>,
    pub(super) connections: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Unknown,
    Bgp,
    Other,
}

/// One TCP connection.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) connection: Connection,
    speaks: Speaks,
    pub(super) halves: [HalfStream; 2],
    framers: [Framer; 2],
    pub(super) last: u64,
    /// When the last octet of each direction was in order.
    heard: [u64; 2],
    pub(super) reset: bool,
    pub(super) closed: bool,
}

impl Flow {
    pub(super) fn new(client: Endpoint, server: Endpoint, opened: u64, handshake: bool) -> Self {
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
            heard: [opened; 2],
            reset: false,
            closed: false,
        }
    }

    #[inline]
    pub(super) fn direction(&self, segment: &Segment<'_>) -> Option<Direction> {
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
    pub(super) fn is_renewed_by(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let half = &self.halves[direction.index()];
        if half.initial == Some(segment.sequence) {
            return false;
        }
        !half.is_unused() || self.closed || self.reset
    }

    /// Whether something else than BGP is spoken on it.
    pub(super) fn is_other(&self) -> bool {
        self.speaks == Speaks::Other
    }

    #[inline]
    pub(super) fn take(
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
            heard,
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
                    heard,
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
    pub(super) fn flush(
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
            heard,
            ..
        } = self;
        for direction in Direction::BOTH {
            let mut losses = (0, 0);
            halves[direction.index()].flush(*last, tally, &mut |time, piece| {
                let feed = Feed {
                    connection,
                    speaks,
                    framers,
                    heard,
                    numbering,
                };
                feed.piece(time, direction, piece, &mut losses, sink);
            });
            tally.gaps += losses.0;
            tally.lost += losses.1;
            if *speaks == Speaks::Bgp {
                let emit = emitter(connection, direction, heard[direction.index()], sink);
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
    heard: &'f mut [u64; 2],
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
        if let Piece::Octets(_) = piece {
            self.heard[direction.index()] = time;
        }
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
