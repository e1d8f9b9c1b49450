//! A peer's view: the negotiated session, and the table built from the UPDATEs received.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::bgp::attribute::{Attributes, NextHop, WireContext};
use crate::bgp::error::DecodeError;
use crate::bgp::family::Family;
use crate::bgp::message::{Message, Update};
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::nlri::{Nlri, NlriValue};
use crate::bgp::wire::Reader;
use crate::scenario::format::message::{HEADER, NOTIFICATION, ROUTE_REFRESH, UPDATE};
use crate::scenario::scripted::sight::Seen;

/// A route as the peer holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The NLRI.
    pub nlri: Nlri,
    /// The next hop.
    pub next_hop: NextHop,
    /// The attributes, without MP_REACH_NLRI and MP_UNREACH_NLRI.
    pub attributes: Attributes,
}

/// The routes that a peer has received from the speaker.
#[derive(Debug, Clone, Default)]
pub struct View {
    context: WireContext,
    routes: BTreeMap<Vec<u8>, Held>,
    live: bool,
    undecodable: usize,
    garbled: bool,
}

impl View {
    /// Whether its session is up.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// Its session came up, or ended.
    pub const fn set_live(&mut self, live: bool) {
        self.live = live;
    }

    /// How many messages of the speaker did not decode.
    #[must_use]
    pub const fn undecodable(&self) -> usize {
        self.undecodable
    }

    /// A new session of the same peer; malformed octets of earlier sessions still count.
    pub(super) const fn inherit(&mut self, last: &Self) {
        self.garbled = last.garbled;
    }

    /// Records octets that are not a BGP message.
    pub(super) const fn garble(&mut self) {
        self.garbled = true;
    }

    /// Whether any session received octets that are not a BGP message.
    #[must_use]
    pub const fn is_garbled(&self) -> bool {
        self.garbled
    }

    /// Negotiates with a peer that mirrors the speaker's OPEN.
    pub fn negotiated(&mut self, open: &[u8]) {
        self.context = agreed(open);
    }

    /// Negotiates with a peer that sends an OPEN of its own.
    pub fn negotiated_with(&mut self, open: &[u8], peer: &[u8]) {
        let read = |octets| match Message::decode(&WireContext::default(), octets) {
            Ok(Message::Open(open)) => Some(open),
            _ => None,
        };
        if let (Some(sent), Some(received)) = (read(open), read(peer)) {
            self.context = WireContext::agreed(&sent, &received);
        }
    }

    /// Applies a message from the speaker and returns the event that it is.
    pub fn handle(&mut self, bytes: &[u8]) -> Seen {
        let kind = bytes[18];
        match Message::decode(&self.context, bytes) {
            Ok(Message::Update(update)) => self.update(&update),
            _ if kind == NOTIFICATION && bytes.len() >= 21 => {
                Seen::Notification(bytes[19], bytes[20])
            }
            Ok(Message::RouteRefresh(refresh)) if kind == ROUTE_REFRESH => {
                Seen::Refresh(refresh.family, bytes[21])
            }
            // An UPDATE for which RFC 7606 resets the session counts too: the peer accepts anything.
            _ if kind == UPDATE => {
                self.undecodable += 1;
                self.update(&self.routes_alone(bytes).unwrap_or_default())
            }
            Err(_) => {
                self.undecodable += 1;
                Seen::Other(kind)
            }
            Ok(_) => Seen::Other(kind),
        }
    }

    /// The classic routes of an UPDATE, whatever its attributes.
    fn routes_alone(&self, bytes: &[u8]) -> Result<Update, DecodeError> {
        let add_path = self.context.add_path.contains(Family::IPV4_UNICAST);
        let mut reader = Reader::at(&bytes[HEADER..], HEADER);
        let length = usize::from(reader.u16()?);
        let withdrawn = reader.sub(length)?;
        let length = usize::from(reader.u16()?);
        reader.sub(length)?;
        Ok(Update {
            withdrawn_routes: Nlri::decode_all(Family::IPV4_UNICAST, add_path, withdrawn)?,
            nlri: Nlri::decode_all(Family::IPV4_UNICAST, add_path, reader)?,
            ..Update::default()
        })
    }

    fn update(&mut self, update: &Update) -> Seen {
        if let Some(family) = update.end_of_rib() {
            return Seen::EndOfRib(family);
        }
        let mut seen = (Vec::new(), Vec::new());
        for nlri in update.withdrawn() {
            seen.1.extend(prefix(nlri));
            self.routes.remove(&nlri.index().unwrap_or_default());
        }
        let attributes: Attributes = update
            .attributes
            .iter()
            .filter(|attribute| !matches!(attribute.value.code(), 0x0e | 0x0f))
            .cloned()
            .collect();
        for (nlri, next_hop) in update.announced() {
            seen.0.extend(prefix(nlri));
            let held = Held {
                nlri: nlri.clone(),
                next_hop,
                attributes: attributes.clone(),
            };
            self.routes.insert(nlri.index().unwrap_or_default(), held);
        }
        Seen::Update {
            announced: seen.0,
            withdrawn: seen.1,
        }
    }

    /// The routes, ordered by their index.
    pub fn routes(&self) -> impl Iterator<Item = &Held> {
        self.routes.values()
    }

    /// The unicast prefixes and their next hops.
    #[must_use]
    pub fn unicast(&self) -> Vec<(Prefix, Option<IpAddr>)> {
        self.routes
            .values()
            .filter_map(|held| Some((prefix(&held.nlri)?, held.next_hop.address())))
            .collect()
    }
}

fn prefix(nlri: &Nlri) -> Option<Prefix> {
    match &nlri.value {
        NlriValue::Inet(inet) => Some(inet.prefix),
        _ => None,
    }
}

/// Whether a whole UPDATE has no route at all.
#[must_use]
pub fn is_end_of_rib(bytes: &[u8]) -> bool {
    match Message::decode(&WireContext::default(), bytes) {
        Ok(Message::Update(update)) => update.end_of_rib().is_some(),
        _ => false,
    }
}

/// How a speaker that sent `open` writes to a peer that mirrors it.
#[must_use]
pub fn agreed(open: &[u8]) -> WireContext {
    match Message::decode(&WireContext::default(), open) {
        Ok(Message::Open(open)) => WireContext::agreed(&open, &open),
        _ => WireContext::default(),
    }
}
