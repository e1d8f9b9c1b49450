//! The BGP Monitoring Protocol (RFC 7854, RFC 8671): what a router reports to a station about its sessions.
//!
//! Each peer becomes a session of its own, with the OPENs of its Peer Up message.
//!
//! ```text
//! version(1) length(4) type(1)
//! peer type(1) flags(1) distinguisher(8) address(16) AS(4) identifier(4) seconds(4) microseconds(4)
//! ```

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::connection::{Connection, ConnectionId, Encoding, Peer, StreamDirection, Via};
use super::events::{CaptureEvent, EventKind, Note};
use super::framing::JunkReason;
use super::internet::Endpoint;
use super::numbering::{BGP_PORT, Numbering};

const VERSION: u8 = 3;
const COMMON: usize = 6;
const PER_PEER: usize = 42;
/// The longest message that is held: two OPENs or an UPDATE of 65,535 octets, and much information beside.
const MAX_LENGTH: usize = 256 * 1024;
/// Peers of one router remembered at once.
const MAX_PEERS: usize = 65_536;

const ROUTE_MONITORING: u8 = 0;
const PEER_DOWN: u8 = 2;
const PEER_UP: u8 = 3;
const INITIATION: u8 = 4;
const ROUTE_MIRRORING: u8 = 6;

/// The address is an IPv6 one.
const FLAG_IPV6: u8 = 0x80;
/// AS_PATHs have two octets for each AS.
const FLAG_TWO_OCTET: u8 = 0x20;
/// Of the Adj-RIB-Out (RFC 8671).
const FLAG_OUT: u8 = 0x10;

/// Type, distinguisher and address.
type PeerKey = [u8; 25];

/// One peer of the router.
#[derive(Debug)]
struct Monitored {
    connection: Connection,
    /// Which end of it the peer is.
    peer: StreamDirection,
    /// Number of octets in each direction.
    offsets: [u64; 2],
}

/// The messages of one router.
#[derive(Debug)]
pub(super) struct Station {
    router: IpAddr,
    buffer: Vec<u8>,
    peers: BTreeMap<PeerKey, Monitored>,
    /// The next message is still to be found.
    hunting: bool,
    /// Nanoseconds since 1970 of what is being read.
    now: u64,
}

impl Station {
    pub(super) const fn new(router: IpAddr) -> Self {
        Self {
            router,
            buffer: Vec::new(),
            peers: BTreeMap::new(),
            hunting: false,
            now: 0,
        }
    }

    /// Whether `octets`, sent in `direction` of `connection`, are of BMP: an Initiation at the start of the stream, or
    /// in its middle a message that holds BGP.
    pub(super) fn recognise(
        octets: &[u8],
        from_start: bool,
        connection: &Connection,
        direction: StreamDirection,
    ) -> Option<Self> {
        let is_bmp = is_initiation(octets) || !from_start && find_with_bgp(octets).is_some();
        is_bmp.then(|| {
            let mut station = Self::new(connection.id.peer.sender(direction));
            station.hunting = !is_initiation(octets);
            station
        })
    }

    /// Octets of the stream are missing.
    pub(super) fn lost(&mut self) {
        self.buffer.clear();
        self.hunting = true;
    }

    /// Takes the next octets, which arrived at `time`.
    pub(super) fn push(
        &mut self,
        time: u64,
        octets: &[u8],
        numbering: &mut Numbering,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        self.now = time;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(octets);
        let mut used = 0;
        loop {
            let rest = &buffer[used..];
            if self.hunting {
                let Some(at) = find_with_bgp(rest) else {
                    // One may begin in the last octets.
                    used = buffer.len().saturating_sub(COMMON + PER_PEER + 20 + 18);
                    break;
                };
                used += at;
                self.hunting = false;
                continue;
            }
            let Some(header) = rest.first_chunk::<COMMON>() else {
                break;
            };
            let Some(length) = length(header) else {
                self.hunting = true;
                used += 1;
                continue;
            };
            let Some(message) = rest.get(..length) else {
                break;
            };
            self.message(header[5], &message[COMMON..], numbering, sink);
            used += length;
        }
        buffer.drain(..used);
        self.buffer = buffer;
    }

    fn message(
        &mut self,
        kind: u8,
        body: &[u8],
        numbering: &mut Numbering,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        let Some((header, rest)) = body.split_first_chunk::<PER_PEER>() else {
            return;
        };
        let now = self.now;
        match kind {
            ROUTE_MONITORING => {
                let slot = self.known(header, None, numbering, sink);
                let from_peer = header[1] & FLAG_OUT == 0;
                slot.say(now, from_peer, rest, sink);
            }
            PEER_UP => self.up(header, rest, numbering, sink),
            PEER_DOWN => {
                let slot = self.known(header, None, numbering, sink);
                slot.down(now, rest, sink);
            }
            ROUTE_MIRRORING => {
                let slot = self.known(header, None, numbering, sink);
                let mut rest = rest;
                while let Some((fields, after)) = rest.split_first_chunk::<4>() {
                    let length = usize::from(u16::from_be_bytes([fields[2], fields[3]]));
                    let Some(value) = after.get(..length) else {
                        return;
                    };
                    // Type 0 is a message as the peer sent it.
                    if fields[..2] == [0, 0] {
                        slot.say(now, true, value, sink);
                    }
                    rest = &after[length..];
                }
            }
            _ => {}
        }
    }

    /// Local address(16) local port(2) remote port(2), the OPEN that was sent and the one that was received.
    fn up(
        &mut self,
        header: &[u8; PER_PEER],
        body: &[u8],
        numbering: &mut Numbering,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        let Some((fields, opens)) = body.split_first_chunk::<20>() else {
            return;
        };
        let mut local = [0; 16];
        local.copy_from_slice(&fields[..16]);
        let ends = [
            Endpoint {
                address: address(&local, header[1]),
                port: u16::from_be_bytes([fields[16], fields[17]]),
            },
            Endpoint {
                address: peer_address(header),
                port: u16::from_be_bytes([fields[18], fields[19]]),
            },
        ];
        self.peers.remove(&key(header));
        let now = self.now;
        let slot = self.known(header, Some(ends), numbering, sink);
        let Some(sent) = bgp_length(opens) else {
            return;
        };
        let (sent, received) = opens.split_at(sent);
        slot.say(now, false, sent, sink);
        if let Some(length) = bgp_length(received) {
            slot.say(now, true, &received[..length], sink);
        }
    }

    /// The session with the peer of `header`; `ends` are the router's and the peer's where they are known.
    fn known(
        &mut self,
        header: &[u8; PER_PEER],
        ends: Option<[Endpoint; 2]>,
        numbering: &mut Numbering,
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) -> &mut Monitored {
        if self.peers.len() >= MAX_PEERS {
            self.peers.clear();
        }
        let (router, now) = (self.router, self.now);
        self.peers.entry(key(header)).or_insert_with(|| {
            let [local, peer] = ends.unwrap_or_else(|| {
                let end = |address| Endpoint { address, port: 0 };
                [end(router), end(peer_address(header))]
            });
            // The peer opened it unless it is the peer that listens.
            let peer_listens = peer.port == BGP_PORT;
            let (client, server) = if peer_listens {
                (local, peer)
            } else {
                (peer, local)
            };
            let mut connection = Connection {
                id: ConnectionId {
                    peer: Peer {
                        client: client.address,
                        server: server.address,
                    },
                    attempt: 0,
                },
                number: Connection::NO_NUMBER,
                client,
                server,
                handshake: ends.is_some(),
                opened: now,
                via: Via::Bmp(router),
                encoding: Encoding {
                    four_octet_as: Some(header[1] & FLAG_TWO_OCTET == 0),
                    add_path: None,
                },
            };
            numbering.name(&mut connection);
            sink(CaptureEvent {
                connection: &connection,
                direction: StreamDirection::FromClient,
                time: now,
                kind: EventKind::Opened,
            });
            Monitored {
                connection,
                peer: if peer_listens {
                    StreamDirection::FromServer
                } else {
                    StreamDirection::FromClient
                },
                offsets: [0; 2],
            }
        })
    }
}

impl Monitored {
    /// Tells a message that the peer sent, or that was sent to it.
    fn say(
        &mut self,
        time: u64,
        from_peer: bool,
        octets: &[u8],
        sink: &mut impl FnMut(CaptureEvent<'_>),
    ) {
        if octets.is_empty() {
            return;
        }
        let direction = if from_peer {
            self.peer
        } else {
            self.peer.opposite()
        };
        let offset = self.offsets[direction.index()];
        self.offsets[direction.index()] += octets.len() as u64;
        let kind = match bgp_length(octets) {
            Some(length) if length == octets.len() => EventKind::Message { offset, octets },
            _ => EventKind::Junk {
                offset,
                reason: JunkReason::Enclosed,
                octets,
            },
        };
        sink(CaptureEvent {
            connection: &self.connection,
            direction,
            time,
            kind,
        });
    }

    /// RFC 7854 section 4.9: reason(1), and a NOTIFICATION or the code of an event.
    fn down(&mut self, time: u64, body: &[u8], sink: &mut impl FnMut(CaptureEvent<'_>)) {
        let Some((reason, data)) = body.split_first() else {
            return;
        };
        match reason {
            1 => self.say(time, false, data, sink),
            3 => self.say(time, true, data, sink),
            _ => {}
        }
        let event = match (reason, data) {
            (2, [high, low, ..]) => u16::from_be_bytes([*high, *low]),
            _ => 0,
        };
        // The router itself ended it but for reasons 3 and 4.
        let by_peer = matches!(reason, 3 | 4);
        sink(CaptureEvent {
            connection: &self.connection,
            direction: if by_peer {
                self.peer
            } else {
                self.peer.opposite()
            },
            time,
            kind: EventKind::Noted(Note::PeerDown {
                reason: *reason,
                event,
            }),
        });
    }
}

fn key(header: &[u8; PER_PEER]) -> PeerKey {
    let mut key = [0; 25];
    key[0] = header[0];
    key[1..].copy_from_slice(&header[2..26]);
    key
}

fn peer_address(header: &[u8; PER_PEER]) -> IpAddr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&header[10..26]);
    address(&octets, header[1])
}

/// An IPv4 address stands in the last four octets.
fn address(octets: &[u8; 16], flags: u8) -> IpAddr {
    if flags & FLAG_IPV6 != 0 {
        return Ipv6Addr::from(*octets).into();
    }
    Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]).into()
}

/// The length of a BMP message with this common header.
fn length(header: &[u8; COMMON]) -> Option<usize> {
    let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
    let is_plausible =
        header[0] == VERSION && header[5] <= 6 && (COMMON..=MAX_LENGTH).contains(&length);
    is_plausible.then_some(length)
}

/// Whether a stream begins with an Initiation (RFC 7854 section 4.3), whose information has types from 0 to 4.
pub(super) fn is_initiation(octets: &[u8]) -> bool {
    let Some(header) = octets.first_chunk::<COMMON>() else {
        return false;
    };
    let information = octets.get(COMMON..COMMON + 2);
    header[5] == INITIATION
        && length(header).is_some()
        && information.is_none_or(|kind| kind[0] == 0 && kind[1] <= 4)
}

/// Where a Route Monitoring or Peer Up stands whose BGP message begins where it must.
fn find_with_bgp(octets: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = octets[from..].iter().position(|octet| *octet == VERSION) {
        let at = from + at;
        from = at + 1;
        let rest = &octets[at..];
        let header = rest.first_chunk::<COMMON>()?;
        let before = match header[5] {
            ROUTE_MONITORING => COMMON + PER_PEER,
            PEER_UP => COMMON + PER_PEER + 20,
            _ => continue,
        };
        let message = length(header).zip(rest.get(before..).and_then(bgp_header));
        if message.is_some_and(|(length, inner)| before + inner <= length) {
            return Some(at);
        }
    }
    None
}

/// The length of the BGP message whose header `octets` begin with.
fn bgp_header(octets: &[u8]) -> Option<usize> {
    let header = octets.first_chunk::<19>()?;
    let length = usize::from(u16::from_be_bytes([header[16], header[17]]));
    (header[..16] == [0xff; 16] && length >= 19).then_some(length)
}

/// The length of the BGP message that `octets` begin with and hold to its end.
fn bgp_length(octets: &[u8]) -> Option<usize> {
    bgp_header(octets).filter(|length| *length <= octets.len())
}
