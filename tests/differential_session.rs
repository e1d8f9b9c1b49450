//! One neighbor of the differential test and its session, with a peer that mirrors our OPEN.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lockstep::api::tally::Tally;
use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::capability::{Capability, FourOctetAs};
use lockstep::bgp::message::open::{AS_TRANS, Parameter};
use lockstep::bgp::message::{Header, Message, Open};
use lockstep::net::Opener;
use lockstep::speaker::neighbor::{Address, AsNumber, Neighbor};
use lockstep::speaker::peer::Peer;
use lockstep::speaker::session::{Ends, Session, SessionEvent};
use lockstep::speaker::settings::Settings;

/// `open` as the other side sends it.
fn mirrored(mut open: Open, neighbor: &Neighbor) -> Open {
    let AsNumber::Number(peer_as) = neighbor.peer_as else {
        panic!("the corpus has no automatic AS numbers");
    };
    open.identifier = Ipv4Addr::from(u32::from(open.identifier) + 1);
    open.my_as = u16::try_from(peer_as).unwrap_or(AS_TRANS);
    for parameter in &mut open.parameters {
        let Parameter::Capabilities(capabilities) = parameter else {
            continue;
        };
        for capability in capabilities {
            if let Capability::FourOctetAs(own) = capability {
                *own = FourOctetAs { asn: peer_as };
            }
        }
    }
    open
}

/// Messages sent, by what they are for, in hexadecimal digits.
#[derive(Debug, Default)]
pub struct Told {
    pub open: String,
    /// UPDATEs, End-of-RIB apart.
    pub routes: Vec<String>,
    pub ends: Vec<String>,
    /// OPERATIONAL and ROUTE-REFRESH.
    pub others: Vec<String>,
    pub refused: Vec<String>,
}

/// A neighbor, and its session once there is one.
pub struct Conversation {
    pub peer: Peer,
    pub tally: Tally,
    pub told: Told,
    pub teardown: Option<u8>,
    pub removed: bool,
    session: Option<Session>,
    now: Duration,
}

impl Conversation {
    pub fn new(neighbor: Neighbor) -> Self {
        let (peer, refused) = Peer::new(Arc::new(neighbor));
        let refused = refused.iter().map(|(_, why)| why.to_string()).collect();
        Self {
            peer,
            tally: Tally::default(),
            told: Told {
                refused,
                ..Told::default()
            },
            teardown: None,
            removed: false,
            session: None,
            now: Duration::ZERO,
        }
    }

    /// Begins the session and sends what there is to send.
    pub fn establish(&mut self) {
        let neighbor = Arc::clone(self.peer.neighbor());
        let local = match neighbor.local_address {
            Address::Ip(local) => local,
            Address::Auto => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let ends = Ends {
            local: SocketAddr::new(local, 40000),
            peer: SocketAddr::new(local, 179),
            opener: Opener::Us,
        };
        self.session = Some(self.peer.open(ends, &Settings::default(), self.now));
        self.drain();
        let sent = lockstep::bgp::hex::parse(&self.told.open).unwrap();
        let Ok(Message::Open(open)) = Message::decode(&WireContext::default(), &sent) else {
            panic!("{}", self.told.open);
        };
        let mut answer = Vec::new();
        for message in [Message::Open(mirrored(open, &neighbor)), Message::Keepalive] {
            message
                .encode(&WireContext::default(), &mut answer)
                .unwrap();
        }
        if let Some(session) = &mut self.session {
            session.handle_bytes(self.now, &answer);
        }
        self.send();
    }

    /// Sends what there is to send.
    pub fn send(&mut self) {
        for _ in 0..200 {
            self.drain();
            let Some(session) = &mut self.session else {
                return;
            };
            let filled = self.peer.fill(self.now, session, 25);
            let refused = filled.refused.iter().map(ToString::to_string);
            self.told.refused.extend(refused);
            self.now = filled.wait_until.unwrap_or(self.now);
        }
        self.drain();
    }

    fn drain(&mut self) {
        let Some(session) = &mut self.session else {
            return;
        };
        while let Some(event) = session.poll_event() {
            self.tally.note(self.now, &event);
            self.peer.handle_event(self.now, &event);
            if let SessionEvent::Sent { raw } = event {
                self.told.note(&raw);
            }
        }
        while let Some(octets) = session.poll_transmit() {
            let count = octets.len();
            session.transmitted(count, self.now);
        }
    }
}

impl Told {
    fn note(&mut self, raw: &[u8]) {
        let digits = lockstep::bgp::hex::text(raw);
        let decoded = Message::decode(&WireContext::default(), raw);
        match Header::decode(raw).unwrap().kind.0 {
            1 => self.open = digits,
            2 if decoded.is_ok_and(|message| {
                matches!(message, Message::Update(update) if update.end_of_rib().is_some())
            }) =>
            {
                self.ends.push(digits);
            }
            2 => self.routes.push(digits),
            4 => {}
            _ => self.others.push(digits),
        }
    }
}
