//! MRT files (RFC 6396, RFC 8050): the messages of BGP4MP as sessions, and the routes of TABLE_DUMP and TABLE_DUMP_V2
//! as an UPDATE for each.
//!
//! ```text
//! timestamp(4) type(2) subtype(2) length(4) [microseconds(4)]
//! ```

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};

use super::connection::{Connection, ConnectionId, Encoding, Peer, StreamDirection, Via};
use super::error::{CaptureError, CaptureErrorKind};
use super::events::{CaptureEvent, EventKind, Note};
use super::framing::JunkReason;
use super::internet::Endpoint;
use super::source::Source;
use super::table::{self, Cursor, Route};
use super::tally::Skipped;
use super::tracker::Tracker;

const HEADER: usize = 12;
/// The longest record: a route of a table with as many peers as any collector has.
const MAX_LENGTH: usize = 16 * 1024 * 1024;
/// Sessions remembered at once.
const MAX_SESSIONS: usize = 65_536;

pub(super) const TABLE_DUMP: u16 = 12;
pub(super) const TABLE_DUMP_V2: u16 = 13;
const BGP4MP: u16 = 16;
const BGP4MP_ET: u16 = 17;

/// What distinguishes a session of the file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SessionKey {
    peer: IpAddr,
    local: IpAddr,
    peer_as: u32,
    via: Via,
    encoding: Encoding,
}

#[derive(Debug)]
struct Session {
    connection: Connection,
    offsets: [u64; 2],
}

/// An MRT file.
#[derive(Debug)]
pub struct Mrt<R: Read> {
    source: Source<R>,
    sessions: BTreeMap<SessionKey, Session>,
    /// The collector and its peers, as the last PEER_INDEX_TABLE has them.
    collector: IpAddr,
    peers: Vec<(IpAddr, u32)>,
}

/// Whether a file that begins with `octets` is MRT: a record of a type that is in use, of a length that is possible.
pub(super) fn recognises(octets: &[u8]) -> bool {
    let Some(header) = octets.first_chunk::<HEADER>() else {
        return false;
    };
    let half = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let length = u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize;
    let subtypes = match half(4) {
        TABLE_DUMP => 1..=2,
        TABLE_DUMP_V2 => 1..=12,
        BGP4MP | BGP4MP_ET => 0..=11,
        // OSPFv2, IS-IS, OSPFv3, and those with microseconds: MRT, though no BGP.
        11 | 32 | 33 | 48 | 49 => 0..=1,
        _ => return false,
    };
    subtypes.contains(&half(6)) && (8..=MAX_LENGTH).contains(&length)
}

impl<R: Read> Mrt<R> {
    pub(super) const fn new(source: Source<R>) -> Self {
        Self {
            source,
            sessions: BTreeMap::new(),
            collector: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            peers: Vec::new(),
        }
    }

    /// That it holds no packets.
    pub(super) fn no_packets(&self) -> CaptureError {
        let octets = self.source.peek(4).to_vec();
        self.source.error(0, CaptureErrorKind::NotACapture(octets))
    }

    pub(super) const fn position(&self) -> u64 {
        self.source.offset()
    }

    /// Reads one record and reports its contents; `false` at the end of the file.
    pub(super) fn step(
        &mut self,
        tracker: &mut Tracker,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) -> Result<bool, CaptureError> {
        if self.source.fill(HEADER)? == 0 {
            return Ok(false);
        }
        self.source.need(HEADER, "MRT header")?;
        let seconds = u32::from_be_bytes(self.source.array(0));
        let kind = u16::from_be_bytes(self.source.array(4));
        let subtype = u16::from_be_bytes(self.source.array(6));
        let length = u32::from_be_bytes(self.source.array(8)) as usize;
        if length > MAX_LENGTH {
            let kind = CaptureErrorKind::RecordTooLong {
                length: length as u64,
                limit: MAX_LENGTH as u64,
            };
            return Err(self.source.error(0, kind));
        }
        self.source.need(HEADER + length, "MRT record")?;
        let record = self.source.peek(HEADER + length)[HEADER..].to_vec();
        self.source.consume(HEADER + length);
        tracker.tally.packets += 1;
        let mut body = Cursor::new(&record);
        let mut time = u64::from(seconds) * 1_000_000_000;
        let read = match kind {
            TABLE_DUMP | TABLE_DUMP_V2 => self.table(kind, subtype, time, body, tracker, sink),
            BGP4MP => self.message(subtype, time, body, tracker, sink),
            BGP4MP_ET => {
                time += u64::from(body.word().unwrap_or_default()) * 1_000;
                self.message(subtype, time, body, tracker, sink)
            }
            _ => Some(false),
        };
        match read {
            Some(true) => {}
            Some(false) => tracker.tally.skip(Skipped::Record(kind, subtype), 1),
            None => tracker.tally.skip(Skipped::Malformed, 1),
        }
        tracker.tally.connections = tracker.numbering.connections as u64;
        Ok(true)
    }

    /// RFC 6396 section 4.4: peer AS, local AS, interface(2), AFI(2), peer address, local address, then a message or
    /// two states. `None` where the record is too short, `false` where it is of another kind.
    fn message(
        &mut self,
        subtype: u16,
        time: u64,
        mut body: Cursor<'_>,
        tracker: &mut Tracker,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) -> Option<bool> {
        let (is_state, four, is_local, add_path) = match subtype {
            0 => (true, false, false, false),
            5 => (true, true, false, false),
            1 => (false, false, false, false),
            4 => (false, true, false, false),
            6 => (false, false, true, false),
            7 => (false, true, true, false),
            8 => (false, false, false, true),
            9 => (false, true, false, true),
            10 => (false, false, true, true),
            11 => (false, true, true, true),
            _ => return Some(false),
        };
        let peer_as = body.asn(four)?;
        let _local_as = body.asn(four)?;
        let _interface = body.half()?;
        let is_ipv6 = body.half()? == 2;
        let peer = body.address(is_ipv6)?;
        let local = body.address(is_ipv6)?;
        let key = SessionKey {
            peer,
            local,
            peer_as,
            via: Via::MrtMessages,
            encoding: Encoding {
                four_octet_as: Some(four),
                add_path: add_path.then_some(true),
            },
        };
        let session = self.session(key, time, tracker, sink);
        if is_state {
            let (from, to) = (body.half()?, body.half()?);
            sink(CaptureEvent {
                connection: &session.connection,
                direction: StreamDirection::FromServer,
                time,
                kind: EventKind::Noted(Note::State { from, to }),
            });
            return Some(true);
        }
        let direction = if is_local {
            StreamDirection::FromServer
        } else {
            StreamDirection::FromClient
        };
        session.say(time, direction, body.rest(), sink);
        Some(true)
    }

    fn table(
        &mut self,
        kind: u16,
        subtype: u16,
        time: u64,
        body: Cursor<'_>,
        tracker: &mut Tracker,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) -> Option<bool> {
        const PEER_INDEX_TABLE: u16 = 1;
        if kind == TABLE_DUMP_V2 && subtype == PEER_INDEX_TABLE {
            let (collector, peers) = table::peer_index(body)?;
            (self.collector, self.peers) = (collector, peers);
            return Some(true);
        }
        let routes = if kind == TABLE_DUMP {
            table::old_route(subtype, body)?
        } else {
            table::routes(subtype, body)?
        };
        let Some(routes) = routes else {
            return Some(false);
        };
        for Route {
            peer,
            four_octet_as,
            add_path,
            update,
        } in routes
        {
            let (peer, peer_as) = match peer {
                table::Teller::Index(index) => *self.peers.get(usize::from(index))?,
                table::Teller::Peer(peer, peer_as) => (peer, peer_as),
            };
            let key = SessionKey {
                peer,
                local: self.collector,
                peer_as,
                via: Via::MrtTable,
                encoding: Encoding {
                    four_octet_as: Some(four_octet_as),
                    add_path: Some(add_path),
                },
            };
            let session = self.session(key, time, tracker, sink);
            session.say(time, StreamDirection::FromClient, &update, sink);
        }
        Some(true)
    }

    fn session(
        &mut self,
        key: SessionKey,
        time: u64,
        tracker: &mut Tracker,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) -> &mut Session {
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.clear();
        }
        self.sessions.entry(key).or_insert_with(|| {
            let end = |address| Endpoint { address, port: 0 };
            let mut connection = Connection {
                id: ConnectionId {
                    peer: Peer {
                        client: key.peer,
                        server: key.local,
                    },
                    attempt: 0,
                },
                number: Connection::NO_NUMBER,
                client: end(key.peer),
                server: end(key.local),
                handshake: false,
                opened: time,
                via: key.via,
                encoding: key.encoding,
            };
            tracker.numbering.name(&mut connection);
            sink(CaptureEvent {
                connection: &connection,
                direction: StreamDirection::FromClient,
                time,
                kind: EventKind::Opened,
            });
            Session {
                connection,
                offsets: [0; 2],
            }
        })
    }
}

impl Session {
    fn say(
        &mut self,
        time: u64,
        direction: StreamDirection,
        octets: &[u8],
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        let offset = self.offsets[direction.index()];
        self.offsets[direction.index()] += octets.len() as u64;
        let length = octets
            .get(16..19)
            .map(|fields| usize::from(u16::from_be_bytes([fields[0], fields[1]])));
        let is_whole = octets.starts_with(&[0xff; 16]) && length == Some(octets.len());
        let kind = if is_whole {
            EventKind::Message { offset, octets }
        } else {
            EventKind::Junk {
                offset,
                reason: JunkReason::Enclosed,
                octets,
            }
        };
        sink(CaptureEvent {
            connection: &self.connection,
            direction,
            time,
            kind,
        });
    }
}
