//! Two speakers back to back in virtual time: what a test script needs to drive sessions without a network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lockstep::bgp::attribute::NextHop;
use lockstep::bgp::family::Family;
use lockstep::bgp::message::{Header, Message};
use lockstep::bgp::nlri::inet::Inet;
use lockstep::bgp::nlri::{Nlri, NlriValue, PathId};
use lockstep::net::Opener;
use lockstep::speaker::neighbor::Neighbor;
use lockstep::speaker::peer::Peer;
use lockstep::speaker::route::{ConfiguredRoute, Route};
use lockstep::speaker::session::{Ends, Session, SessionEvent, State};
use lockstep::speaker::settings::Settings;

pub const LEFT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const RIGHT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// A neighbor at `peer`, seen from `local`, both in AS 65000.
pub fn neighbor(local: Ipv4Addr, peer: Ipv4Addr) -> Neighbor {
    Neighbor::new(IpAddr::V4(peer), IpAddr::V4(local), 65000, 65000)
}

pub fn ends(local: Ipv4Addr, peer: Ipv4Addr, opener: Opener) -> Ends {
    Ends {
        local: SocketAddr::new(IpAddr::V4(local), 40000),
        peer: SocketAddr::new(IpAddr::V4(peer), 179),
        opener,
    }
}

/// A unicast route such as `10.0.0.0/8`, by way of `next_hop`.
pub fn route(prefix: &str, next_hop: &str) -> Route {
    let inet = Inet {
        prefix: prefix.parse().unwrap(),
    };
    let family = if inet.prefix.address.is_ipv4() {
        Family::IPV4_UNICAST
    } else {
        Family::IPV6_UNICAST
    };
    Route {
        nlri: Nlri {
            family,
            path_id: None,
            value: NlriValue::Inet(inet),
        },
        next_hop: NextHop::Address(next_hop.parse().unwrap()),
        attributes: Arc::default(),
    }
}

pub fn with_path(mut route: Route, id: u32) -> Route {
    route.nlri.path_id = Some(PathId(id));
    route
}

pub fn configured(route: Route) -> ConfiguredRoute {
    ConfiguredRoute {
        route,
        next_hop_self: false,
        watchdog: None,
        withdrawn: false,
    }
}

/// One end.
pub struct Side {
    pub peer: Peer,
    pub session: Session,
    pub events: Vec<SessionEvent>,
    /// Whole messages as they went out.
    pub sent: Vec<Vec<u8>>,
}

impl Side {
    fn new(neighbor: Neighbor, ends: Ends, settings: &Settings) -> Self {
        let (mut peer, refused) = Peer::new(Arc::new(neighbor));
        assert_eq!(refused, []);
        let session = peer.open(ends, settings, Duration::ZERO);
        Self {
            peer,
            session,
            events: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Full drain of events, then as much output as there is to give.
    fn drain(&mut self, now: Duration) -> Vec<u8> {
        loop {
            while let Some(event) = self.session.poll_event() {
                self.peer.handle_event(now, &event);
                if let SessionEvent::Sent { raw } = &event {
                    self.sent.push(raw.clone());
                }
                self.events.push(event);
            }
            let filled = self.peer.fill(now, &mut self.session, 25);
            assert_eq!(filled.refused, []);
            if filled.messages == 0 && (!filled.more || filled.wait_until.is_some()) {
                break;
            }
        }
        let mut out = Vec::new();
        while let Some(bytes) = self.session.poll_transmit() {
            let count = bytes.len();
            out.extend_from_slice(bytes);
            self.session.transmitted(count, now);
        }
        out
    }

    /// What was sent since the last call, in words.
    pub fn take_sent(&mut self) -> Vec<String> {
        let add_path = self.session.negotiated().map(|agreed| agreed.send.clone());
        let context = add_path.unwrap_or_default();
        self.sent
            .drain(..)
            .map(|raw| words(&Message::decode(&context, &raw).unwrap(), &raw))
            .collect()
    }
}

/// A message in a few words.
pub fn words(message: &Message, raw: &[u8]) -> String {
    assert_eq!(usize::from(Header::decode(raw).unwrap().length), raw.len());
    match message {
        Message::Open(open) => format!("OPEN as {} hold {}", open.asn(), open.hold_time),
        Message::Keepalive => String::from("KEEPALIVE"),
        Message::Notification(notification) => format!(
            "NOTIFICATION {}/{} {:?}",
            notification.code.0,
            notification.subcode,
            String::from_utf8_lossy(&notification.data)
        ),
        Message::RouteRefresh(refresh) => {
            format!("ROUTE-REFRESH {} {}", refresh.family, refresh.subtype)
        }
        Message::Update(update) => {
            if let Some(family) = update.end_of_rib() {
                return format!("EOR {family}");
            }
            let mut out = String::from("UPDATE");
            for nlri in update.withdrawn() {
                out.push_str(&format!(" -{}", plain(nlri)));
            }
            for (nlri, next_hop) in update.announced() {
                let hop = next_hop
                    .address()
                    .map_or_else(|| String::from("none"), |hop| hop.to_string());
                out.push_str(&format!(" +{} via {hop}", plain(nlri)));
            }
            out
        }
        other => format!("{:?}", other.kind()),
    }
}

/// A unicast NLRI in words.
pub fn plain(nlri: &Nlri) -> String {
    let prefix = match &nlri.value {
        NlriValue::Inet(inet) => inet.prefix.to_string(),
        other => format!("{other:?}"),
    };
    match nlri.path_id {
        Some(id) => format!("{prefix}#{}", id.0),
        None => prefix,
    }
}

/// Two ends of one connection.
pub struct Pair {
    pub now: Duration,
    pub left: Side,
    pub right: Side,
    /// Octets per delivery: 1 tears every message apart.
    pub chunk: usize,
}

impl Pair {
    pub fn new(left: Neighbor, right: Neighbor) -> Self {
        Self::with_settings(left, right, &Settings::default())
    }

    pub fn with_settings(left: Neighbor, right: Neighbor, settings: &Settings) -> Self {
        Self {
            now: Duration::ZERO,
            left: Side::new(left, ends(LEFT, RIGHT, Opener::Us), settings),
            right: Side::new(right, ends(RIGHT, LEFT, Opener::Peer), settings),
            chunk: usize::MAX,
        }
    }

    /// Both ends with defaults.
    pub fn plain() -> Self {
        Self::new(neighbor(LEFT, RIGHT), neighbor(RIGHT, LEFT))
    }

    /// Delivers octets both ways until neither end has any more to send.
    pub fn settle(&mut self) -> &mut Self {
        for _ in 0..10_000 {
            let to_right = self.left.drain(self.now);
            deliver(&mut self.right.session, &to_right, self.chunk, self.now);
            let to_left = self.right.drain(self.now);
            deliver(&mut self.left.session, &to_left, self.chunk, self.now);
            if to_right.is_empty() && to_left.is_empty() {
                return self;
            }
        }
        panic!("the pair does not settle");
    }

    /// Time passes, deadline by deadline.
    pub fn run_for(&mut self, time: Duration) -> &mut Self {
        let end = self.now + time;
        loop {
            self.settle();
            let next = [&self.left.session, &self.right.session]
                .into_iter()
                .filter_map(|session| session.poll_deadline())
                .map(|deadline| deadline.at)
                .min()
                .filter(|at| *at <= end);
            let Some(at) = next else {
                self.now = end;
                return self;
            };
            self.now = at.max(self.now);
            self.left.session.handle_timeout(self.now);
            self.right.session.handle_timeout(self.now);
        }
    }

    /// The connection breaks, and another opens and settles; what was said before is forgotten.
    pub fn reconnect(&mut self) -> &mut Self {
        for (side, local, peer) in [
            (&mut self.left, LEFT, RIGHT),
            (&mut self.right, RIGHT, LEFT),
        ] {
            side.session.handle_eof(self.now);
            side.drain(self.now);
            side.sent.clear();
            let ends = ends(local, peer, Opener::Us);
            side.session = side.peer.open(ends, &Settings::default(), self.now);
        }
        self.settle()
    }

    /// Both sessions are established, and what was said so far is forgotten.
    pub fn establish(&mut self) -> &mut Self {
        self.settle();
        assert_eq!(self.left.session.state(), State::Established);
        assert_eq!(self.right.session.state(), State::Established);
        self.left.sent.clear();
        self.right.sent.clear();
        self
    }
}

fn deliver(session: &mut Session, bytes: &[u8], chunk: usize, now: Duration) {
    for part in bytes.chunks(chunk.min(bytes.len()).max(1)) {
        session.handle_bytes(now, part);
    }
}
