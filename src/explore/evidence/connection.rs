//! One connection of the host under test, as its socket calls and octets show it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::bgp::attribute::WireContext;
use crate::bgp::capability::Capability;
use crate::bgp::message::Message;
use crate::explore::evidence::framer::Framer;
use crate::explore::evidence::pace::Pace;
use crate::explore::probe::Probe;
use crate::scenario::format::message::{KEEPALIVE, NOTIFICATION, OPEN, ROUTE_REFRESH, UPDATE};
use crate::sim::{ConnectionName, Socket};

/// RFC 4271 section 4.5: the error code Hold Timer Expired.
const HOLD_TIMER_EXPIRED: u8 = 4;
/// RFC 4271 section 4.5: the error code Cease.
pub const CEASE: u8 = 6;
/// RFC 4486 section 4: Connection Collision Resolution.
pub const COLLISION_RESOLUTION: u8 = 7;

/// How a session ended: the first thing on the wire that ends one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The host under test sent a NOTIFICATION with this code and subcode.
    NotificationSent(u8, u8),
    /// It received a NOTIFICATION.
    NotificationReceived(u8, u8),
    /// The peer's FIN was read.
    ClosedByPeer,
    /// The connection was reset, or timed out.
    Broken(io::ErrorKind),
    /// The host under test closed the connection and sent no NOTIFICATION.
    Closed(Silence),
}

/// Why a host may close a connection without a NOTIFICATION, as far as the wire shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Silence {
    /// It had not sent an OPEN.
    BeforeOpen,
    /// Both OPENs have the Graceful Restart capability (RFC 4724 section 4: the peer keeps the routes).
    GracefulRestart,
    /// The send buffer was full: a NOTIFICATION could not be sent.
    NoRoom,
    /// None of these: it may not.
    Unexplained,
}

/// The fields of an OPEN that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Time at which it was completely sent or received.
    pub at: Duration,
    /// The hold time that it proposes.
    pub hold: Duration,
    /// The BGP Identifier.
    pub identifier: Ipv4Addr,
    /// Whether it has the Graceful Restart capability.
    graceful: bool,
}

/// One connection, or an attempt at one.
#[derive(Debug, Clone)]
pub struct WireConnection {
    /// Its name, numbered from the host under test.
    pub name: ConnectionName,
    /// When the attempt began, or the connection was accepted.
    pub began: Duration,
    /// When it was open; absent for an attempt that failed.
    pub opened: Option<Duration>,
    /// The OPENs: sent, received.
    pub opens: [Option<Opening>; 2],
    /// When the peer's KEEPALIVE was read after an OPEN had gone each way: the state of the host under test is
    /// Established then (RFC 4271 section 8.2.2), whether or not its own KEEPALIVE fitted into the send buffer.
    pub established: Option<Duration>,
    /// When the NOTIFICATION was sent, if one was.
    pub notified: Option<Duration>,
    /// When and how the session ended; for an attempt that failed, the attempt.
    pub ended: Option<(Duration, Ending)>,
    /// The longest time in which an established session sent nothing although it could: since when, for how long.
    pub silence: Option<(Duration, Duration)>,
    /// Rate at which UPDATEs were sent.
    pub pace: Pace,
    framers: [Framer; 2],
    /// When octets were last sent, in an established session.
    spoke: Duration,
    /// The send buffer is full.
    full: bool,
    /// The host under test has sent FIN: it cannot say anything any more.
    shut: bool,
}

const SENT: usize = 0;
const RECEIVED: usize = 1;

/// A time on the true clock and on that of the host under test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) at: Duration,
    pub(super) own: Duration,
}

impl WireConnection {
    pub(super) fn new(name: ConnectionName, began: Duration) -> Self {
        Self {
            name,
            began,
            opened: None,
            opens: [None; 2],
            established: None,
            notified: None,
            ended: None,
            silence: None,
            pace: Pace::default(),
            framers: <[Framer; 2]>::default(),
            spoke: Duration::ZERO,
            full: false,
            shut: false,
        }
    }

    /// The peer's address.
    #[must_use]
    pub const fn peer(&self) -> IpAddr {
        self.name.peer
    }

    /// The hold time: the smaller of those offered so far (RFC 4271 section 4.2); zero is none.
    #[must_use]
    pub fn hold(&self) -> Option<Duration> {
        let offered = self.opens.iter().flatten().map(|open| open.hold);
        offered.min()
    }

    /// The furthest state that the session reached (RFC 4271 section 8.2.2).
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match (self.established, self.opens) {
            (Some(_), _) => "ESTABLISHED",
            (None, [_, Some(_)]) => "OPENCONFIRM",
            (None, [Some(_), None]) => "OPENSENT",
            (None, [None, None]) => "CONNECT",
        }
    }

    /// Whether the host under test ended it because it collided with another (RFC 4271 section 6.8).
    #[must_use]
    pub fn lost_a_collision(&self) -> bool {
        matches!(
            self.ended,
            Some((_, Ending::NotificationSent(CEASE, COLLISION_RESOLUTION)))
        )
    }

    /// Takes a socket event; returns the rare path that it is, if any.
    pub(super) fn socket(&mut self, now: Now, socket: &Socket) -> Option<Probe> {
        match socket {
            Socket::Connecting(_) => None,
            Socket::Shutdown => {
                self.quiet_until(now.at);
                self.shut = true;
                None
            }
            Socket::Open(..) => {
                self.opened = Some(now.at);
                None
            }
            Socket::Failed(kind) => {
                self.end(now, Ending::Broken(*kind));
                Some(Probe::ConnectFailed)
            }
            Socket::Sent(octets) => self.passed(now, SENT, octets),
            Socket::Received(octets) => self.passed(now, RECEIVED, octets),
            Socket::Blocked => {
                // From here on it is silent because it must be.
                self.quiet_until(now.at);
                self.full = true;
                self.pace.held_up(now.own);
                Some(Probe::ZeroWindow)
            }
            Socket::Finished => {
                self.end(now, Ending::ClosedByPeer);
                None
            }
            Socket::Broken(kind) => {
                let live = self.ended.is_none();
                self.end(now, Ending::Broken(*kind));
                live.then_some(match self.state() {
                    "OPENSENT" | "OPENCONFIRM" => Probe::LostBetweenOpenAndKeepalive,
                    _ => Probe::ConnectionLost,
                })
            }
            Socket::Closed => {
                self.end(now, Ending::Closed(self.silent_close()));
                None
            }
        }
    }

    fn silent_close(&self) -> Silence {
        match self.opens {
            [None, _] => Silence::BeforeOpen,
            [Some(sent), Some(received)] if sent.graceful && received.graceful => {
                Silence::GracefulRestart
            }
            _ if self.full => Silence::NoRoom,
            _ => Silence::Unexplained,
        }
    }

    fn passed(&mut self, now: Now, way: usize, octets: &[u8]) -> Option<Probe> {
        if way == SENT && !octets.is_empty() {
            if self.full {
                self.full = false;
                self.spoke = now.at;
            }
            self.quiet_until(now.at);
        }
        let mut framer = std::mem::take(&mut self.framers[way]);
        let mut probe = None;
        framer.take(octets, |message| {
            probe = self.message(now, way, message).or(probe);
        });
        if framer.is_within_a_message() {
            let cut = [Probe::PartialWrite, Probe::SplitRead][way];
            probe.get_or_insert(cut);
        }
        self.framers[way] = framer;
        probe
    }

    /// Takes the beginning of a message, or the whole of an OPEN.
    fn message(&mut self, now: Now, way: usize, octets: &[u8]) -> Option<Probe> {
        match octets[18] {
            OPEN => {
                if self.opens[way].is_none() {
                    self.opens[way] = opening(now.at, octets);
                }
                None
            }
            KEEPALIVE if way == RECEIVED => {
                let open = self.opens.iter().all(Option::is_some);
                if open && self.established.is_none() {
                    self.established = Some(now.at);
                    self.spoke = now.at;
                }
                None
            }
            UPDATE if way == SENT => {
                self.pace.update(now.own);
                None
            }
            NOTIFICATION => {
                let (code, subcode) = (octets.get(19)?, octets.get(20)?);
                let live = self.ended.is_none();
                if way == RECEIVED {
                    self.end(now, Ending::NotificationReceived(*code, *subcode));
                    return None;
                }
                self.notified.get_or_insert(now.at);
                self.end(now, Ending::NotificationSent(*code, *subcode));
                match (live, *code, *subcode) {
                    (true, HOLD_TIMER_EXPIRED, _) => Some(Probe::HoldExpired),
                    (true, CEASE, COLLISION_RESOLUTION) => Some(Probe::Collision),
                    _ => None,
                }
            }
            ROUTE_REFRESH if way == SENT => Some(Probe::RouteRefresh),
            _ => None,
        }
    }

    /// The session ends, unless it has ended.
    fn end(&mut self, now: Now, ending: Ending) {
        self.quiet_until(now.at);
        self.ended.get_or_insert((now.at, ending));
    }

    /// An established session sent nothing from when it last did until `now`.
    pub(super) fn quiet_until(&mut self, now: Duration) {
        if self.established.is_none() || self.ended.is_some() || self.full || self.shut {
            return;
        }
        let silence = (self.spoke, now.saturating_sub(self.spoke));
        self.spoke = now;
        if self.silence.is_none_or(|(_, longest)| silence.1 > longest) {
            self.silence = Some(silence);
        }
    }
}

fn opening(at: Duration, octets: &[u8]) -> Option<Opening> {
    let &[high, low, a, b, c, d] = octets.get(22..28)? else {
        return None;
    };
    let graceful = match Message::decode(&WireContext::default(), octets) {
        Ok(Message::Open(open)) => open
            .capabilities()
            .any(|capability| matches!(capability, Capability::GracefulRestart(_))),
        _ => false,
    };
    Some(Opening {
        at,
        hold: Duration::from_secs(u64::from(u16::from_be_bytes([high, low]))),
        identifier: Ipv4Addr::new(a, b, c, d),
        graceful,
    })
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotificationSent(code, subcode) => {
                write!(f, "it sent NOTIFICATION {code}/{subcode}")
            }
            Self::NotificationReceived(code, subcode) => {
                write!(f, "the peer sent NOTIFICATION {code}/{subcode}")
            }
            Self::ClosedByPeer => f.write_str("the peer closed the connection"),
            Self::Broken(kind) => write!(f, "the connection was lost: {kind}"),
            Self::Closed(_) => f.write_str("it closed the connection without a NOTIFICATION"),
        }
    }
}
