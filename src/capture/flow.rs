//! One TCP connection of a capture: whether it speaks BGP, and what is said on it.

use super::bmp::Station;
use super::connection::{Connection, ConnectionId, Encoding, Peer, StreamDirection, Via};
use super::events::{Attempt, CaptureEvent, EventKind, Note};
use super::framing::{Framed, Framer, Verdict};
use super::internet::{Endpoint, Segment};
use super::numbering::{BGP_PORT, Numbering};
use super::reassembly::{HalfStream, Piece};
use super::tally::Tally;

/// Octets in which a connection must show that it speaks BGP: two of the longest messages and some more.
const CONSIDERED: usize = 16 * 1024;
/// Octets kept of all connections of which it is not known yet.
const CONSIDERED_OF_ALL: usize = 64 * 1024 * 1024;

#[derive(Debug)]
enum Speaks {
    Unknown,
    Bgp,
    /// A router reports its peers to a BMP station, in this direction.
    Bmp(StreamDirection, Box<Station>),
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
    /// SYNs that nothing answered yet.
    pub(super) unanswered: u32,
    /// Segments with a marker, while it is not known whether BGP is spoken.
    markers: u64,
    /// Whether what is sent in each direction cannot be BGP.
    hopeless: [bool; 2],
    pub(super) reset: bool,
    pub(super) closed: bool,
    /// Its end was reported.
    concluded: bool,
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
                number: Connection::NO_NUMBER,
                client,
                server,
                handshake,
                opened,
                via: Via::Tcp,
                encoding: Encoding::default(),
            },
            speaks: Speaks::Unknown,
            halves: Default::default(),
            framers: [Framer::new(handshake), Framer::new(handshake)],
            last: opened,
            heard: [opened; 2],
            unanswered: 0,
            markers: 0,
            hopeless: [false; 2],
            reset: false,
            closed: false,
            concluded: false,
        }
    }

    #[inline]
    pub(super) fn direction(&self, segment: &Segment<'_>) -> Option<StreamDirection> {
        let Connection { client, server, .. } = &self.connection;
        if segment.source == *client && segment.destination == *server {
            Some(StreamDirection::FromClient)
        } else if segment.source == *server && segment.destination == *client {
            Some(StreamDirection::FromServer)
        } else {
            None
        }
    }

    /// Whether `segment`, a SYN, begins another connection between the same ports.
    pub(super) fn is_renewed_by(&self, segment: &Segment<'_>, direction: StreamDirection) -> bool {
        let half = &self.halves[direction.index()];
        if half.initial == Some(segment.sequence) {
            return false;
        }
        !half.is_unused() || self.closed || self.reset
    }

    /// Whether something else than BGP is spoken on it.
    pub(super) const fn is_other(&self) -> bool {
        matches!(self.speaks, Speaks::Other)
    }

    /// Whether any event of it has been reported.
    pub(super) const fn is_told(&self) -> bool {
        matches!(self.speaks, Speaks::Bgp | Speaks::Bmp(..))
    }

    /// Whether it is to or from the port of BGP.
    pub(super) const fn is_on_bgp_port(&self) -> bool {
        self.connection.client.port == BGP_PORT || self.connection.server.port == BGP_PORT
    }

    /// Whether a direction waits for earlier octets.
    #[inline]
    pub(super) fn has_hole(&self) -> bool {
        self.halves.iter().any(HalfStream::has_hole)
    }

    #[inline]
    pub(super) fn take(
        &mut self,
        time: u64,
        segment: &Segment<'_>,
        direction: StreamDirection,
        tally: &mut Tally,
        numbering: &mut Numbering,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        self.last = time;
        if segment.has(Segment::ACK) {
            self.halves[direction.opposite().index()].acknowledge(segment.acknowledgment);
        }
        let first = segment
            .sequence
            .wrapping_add(u32::from(segment.has(Segment::SYN)));
        let is_refused = segment.has(Segment::RST)
            && direction == StreamDirection::FromServer
            && self.is_unanswered();
        let (mut feed, halves) = self.feed(numbering);
        halves[direction.index()].segment(
            (time, first),
            (segment.payload, segment.cut),
            segment.has(Segment::FIN),
            tally,
            &mut |time, piece| feed.piece(time, direction, piece, sink),
        );
        let losses = feed.losses;
        losses.add(tally);
        if segment.cut > 0 && self.is_told() {
            tally.cut += u64::from(segment.cut);
        }
        if segment.has(Segment::FIN) && self.is_silent() {
            self.conclude(time, tally, sink);
        }
        if segment.has(Segment::RST) && !self.reset {
            self.flush(tally, numbering, sink);
            self.reset = true;
            match self.speaks {
                Speaks::Bgp => sink(CaptureEvent {
                    connection: &self.connection,
                    direction,
                    time,
                    kind: EventKind::Reset,
                }),
                Speaks::Unknown if is_refused => {
                    self.attempt(time, Attempt::Refused, tally, sink);
                }
                _ => {}
            }
        }
    }

    /// Counts holes as lost that will not be filled any more, or all of them.
    pub(super) fn give_up(
        &mut self,
        time: u64,
        all: bool,
        tally: &mut Tally,
        numbering: &mut Numbering,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        for direction in StreamDirection::BOTH {
            while self.halves[direction.index()].has_hole()
                && (all || self.halves[direction.index()].is_overdue(time))
            {
                let (mut feed, halves) = self.feed(numbering);
                halves[direction.index()].give_up(time, tally, &mut |time, piece| {
                    feed.piece(time, direction, piece, sink);
                });
                feed.losses.add(tally);
            }
        }
    }

    fn feed<'f>(&'f mut self, numbering: &'f mut Numbering) -> (Feed<'f>, &'f mut [HalfStream; 2]) {
        let feed = Feed {
            connection: &mut self.connection,
            speaks: &mut self.speaks,
            framers: &mut self.framers,
            heard: &mut self.heard,
            markers: &mut self.markers,
            hopeless: &mut self.hopeless,
            numbering,
            losses: Losses::default(),
        };
        (feed, &mut self.halves)
    }

    /// Whether nothing was said on it.
    fn is_silent(&self) -> bool {
        matches!(self.speaks, Speaks::Unknown)
            && self
                .halves
                .iter()
                .all(|half| half.offset() == 0 && !half.has_hole())
    }

    /// Whether only SYNs were seen.
    fn is_unanswered(&self) -> bool {
        self.unanswered > 0 && self.halves[StreamDirection::FromServer.index()].is_unused()
    }

    /// Tells of a connection to the port of BGP that came to nothing.
    fn attempt(
        &mut self,
        time: u64,
        attempt: Attempt,
        tally: &mut Tally,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        self.concluded = true;
        if !self.is_on_bgp_port() {
            return;
        }
        tally.attempts += 1;
        sink(CaptureEvent {
            connection: &self.connection,
            direction: match attempt {
                Attempt::Refused => StreamDirection::FromServer,
                Attempt::Unanswered(_) | Attempt::Silent => StreamDirection::FromClient,
            },
            time,
            kind: EventKind::Noted(Note::Attempt(attempt)),
        });
    }

    /// It is over, or the capture is, at `time`: reports what it was if it carried nothing.
    pub(super) fn conclude(
        &mut self,
        time: u64,
        tally: &mut Tally,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        if std::mem::replace(&mut self.concluded, true) {
            return;
        }
        if self.markers > 0 && !self.is_told() {
            let port = self.connection.client.port.min(self.connection.server.port);
            *tally.stray_markers.entry(port).or_insert(0) += self.markers;
        }
        if !matches!(self.speaks, Speaks::Unknown) || !self.connection.handshake {
            return;
        }
        if self.is_unanswered() {
            self.attempt(time, Attempt::Unanswered(self.unanswered), tally, sink);
        } else if self.is_silent() {
            self.attempt(time, Attempt::Silent, tally, sink);
        }
    }

    /// Tells all that was still waiting.
    pub(super) fn flush(
        &mut self,
        tally: &mut Tally,
        numbering: &mut Numbering,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        let last = self.last;
        for direction in StreamDirection::BOTH {
            let (mut feed, halves) = self.feed(numbering);
            halves[direction.index()].flush(last, tally, &mut |time, piece| {
                feed.piece(time, direction, piece, sink);
            });
            feed.losses.add(tally);
            if matches!(self.speaks, Speaks::Bgp) {
                let mut emit = emitter(&self.connection, direction, sink);
                self.framers[direction.index()].finish(&mut emit);
            }
        }
        if !self.is_told() {
            numbering.considered -= self.framers.iter().map(Framer::kept).sum::<usize>();
            self.framers = [Framer::new(false), Framer::new(false)];
        }
    }
}

/// What the holes of a stream come to.
#[derive(Debug, Default, Clone, Copy)]
struct Losses {
    gaps: u64,
    octets: u64,
}

impl Losses {
    const fn add(self, tally: &mut Tally) {
        tally.gaps += self.gaps;
        tally.lost += self.octets;
    }
}

/// What a piece of reassembled stream needs of its connection.
struct Feed<'f> {
    connection: &'f mut Connection,
    speaks: &'f mut Speaks,
    framers: &'f mut [Framer; 2],
    heard: &'f mut [u64; 2],
    markers: &'f mut u64,
    hopeless: &'f mut [bool; 2],
    numbering: &'f mut Numbering,
    losses: Losses,
}

impl Feed<'_> {
    #[inline]
    fn piece(
        &mut self,
        time: u64,
        direction: StreamDirection,
        piece: Piece<'_>,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        if let Piece::Octets(_) = piece {
            self.heard[direction.index()] = time;
        }
        let framer = &mut self.framers[direction.index()];
        match (&mut *self.speaks, piece) {
            (Speaks::Bgp, Piece::Octets(octets)) => {
                framer.push(time, octets, &mut emitter(self.connection, direction, sink));
            }
            (Speaks::Bgp, Piece::Lost(count)) => {
                self.losses.gaps += 1;
                self.losses.octets += count;
                framer.lost(time, count, &mut emitter(self.connection, direction, sink));
            }
            (Speaks::Bgp, Piece::Finished) => {
                framer.finish(&mut emitter(self.connection, direction, sink));
                sink(CaptureEvent {
                    connection: self.connection,
                    direction,
                    time,
                    kind: EventKind::Finished,
                });
            }
            (Speaks::Bmp(way, station), piece) => {
                if *way != direction {
                    return;
                }
                match piece {
                    Piece::Octets(octets) => station.push(time, octets, self.numbering, sink),
                    Piece::Lost(count) => {
                        self.losses.gaps += 1;
                        self.losses.octets += count;
                        station.lost();
                    }
                    Piece::Finished => {}
                }
            }
            (Speaks::Unknown, Piece::Octets(octets)) => {
                self.consider(time, direction, octets, sink);
            }
            (Speaks::Unknown, Piece::Lost(count)) => {
                self.numbering.considered -= framer.kept();
                framer.forget(count);
            }
            (Speaks::Unknown, Piece::Finished) | (Speaks::Other, _) => {}
        }
    }

    /// Decides whether the connection speaks BGP: by its port, or by what is said on it first.
    fn consider(
        &mut self,
        time: u64,
        direction: StreamDirection,
        octets: &[u8],
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        let is_bgp_port =
            self.connection.client.port == BGP_PORT || self.connection.server.port == BGP_PORT;
        let framer = &mut self.framers[direction.index()];
        let evidence = framer.consider(time, octets);
        self.numbering.considered += octets.len();
        *self.markers += u64::from(evidence.has_marker);
        let from_start = self.connection.handshake;
        // What a BMP message encloses has the marker too.
        if !is_bgp_port
            && let Some(station) =
                Station::recognise(framer.octets(), from_start, self.connection, direction)
        {
            self.watch(time, direction, station, sink);
            return;
        }
        let is_bgp = is_bgp_port || evidence.verdict == Verdict::Bgp;
        if !is_bgp {
            // One end may send no BGP while the other does.
            self.hopeless[direction.index()] |= from_start && evidence.verdict == Verdict::Other;
            if *self.hopeless == [true, true]
                || framer.kept() > CONSIDERED
                || self.numbering.considered > CONSIDERED_OF_ALL
            {
                *self.speaks = Speaks::Other;
                self.drop_kept();
            }
            return;
        }
        *self.speaks = Speaks::Bgp;
        self.numbering.considered -= self.framers.iter().map(Framer::kept).sum::<usize>();
        self.numbering.name(self.connection);
        sink(CaptureEvent {
            connection: self.connection,
            direction: StreamDirection::FromClient,
            time: self.connection.opened,
            kind: EventKind::Opened,
        });
        for direction in [direction.opposite(), direction] {
            let heard = self.heard[direction.index()];
            let mut emit = emitter(self.connection, direction, sink);
            self.framers[direction.index()].resume(heard, &mut emit);
        }
    }

    /// A BMP station receives reports of peers here.
    fn watch(
        &mut self,
        time: u64,
        direction: StreamDirection,
        mut station: Station,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        let octets = self.framers[direction.index()].octets().to_vec();
        self.drop_kept();
        station.push(time, &octets, self.numbering, sink);
        *self.speaks = Speaks::Bmp(direction, Box::new(station));
    }

    fn drop_kept(&mut self) {
        self.numbering.considered -= self.framers.iter().map(Framer::kept).sum::<usize>();
        for framer in &mut *self.framers {
            framer.forget(0);
        }
    }
}

/// Turns the output of a framer into events of one connection.
#[inline]
fn emitter<'e>(
    connection: &'e Connection,
    direction: StreamDirection,
    sink: &'e mut impl FnMut(CaptureEvent<'_>),
) -> impl FnMut(u64, u64, Framed<'_>) + 'e {
    move |time, offset, framed| {
        let kind = match framed {
            Framed::Message(octets) => EventKind::Message { offset, octets },
            Framed::Junk(reason, octets) => EventKind::Junk {
                offset,
                reason,
                octets,
            },
            Framed::Gap(lost) => EventKind::Gap { offset, lost },
        };
        sink(CaptureEvent {
            connection,
            direction,
            time,
            kind,
        });
    }
}
