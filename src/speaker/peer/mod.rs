//! One neighbor across its sessions: both Adj-RIBs, what is on its way out, and when to connect again. Pure.
//!
//! A reactor owns every ordering: it opens sessions with [`Peer::open`], hands their events to [`Peer::handle_event`],
//! takes changes with [`Peer::take_changes`] and fills sessions with [`Peer::fill`].

mod accepted;
mod attempts;
mod routes;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use accepted::Accepted;

use super::backoff::Backoff;
use super::neighbor::{Address, Neighbor};
use super::outbound::{Filled, Outbound, Queues};
use super::rib::{AdjRibIn, AdjRibOut, Refused};
use super::route::ConfiguredRoute;
use super::session::{Cause, Ends, Negotiated, Session, SessionEvent};
use super::settings::Settings;
use crate::bgp::collections::Map;
use crate::bgp::family::Family;
use crate::bgp::message::notification::cease;
use crate::bgp::message::operational::OperationalType;
use crate::bgp::message::{Message, NotificationCode, Operational, RefreshSubtype, RouteRefresh};

/// How many times as long as usual the first UPDATEs wait for the peer's where a program sees which come first.
const SEES_ORDER: u32 = 25;

/// A neighbor and everything of it that outlives a session.
#[derive(Debug)]
pub struct Peer {
    neighbor: Arc<Neighbor>,
    /// The configuration's routes as they were accepted.
    configured: Accepted,
    /// Those of the configurations before, until a session has been told.
    previous: Vec<Accepted>,
    /// The address of the last connection, where the configuration leaves it open.
    discovered: Option<IpAddr>,
    /// Routes with `next-hop self` that wait for our address to be known.
    deferred: Vec<Deferred>,
    out: AdjRibOut,
    incoming: AdjRibIn,
    queues: Queues,
    /// Static advisories, sent in every session.
    advisories: Map<Family, Operational>,
    outbound: Option<Outbound>,
    backoff: Backoff,
    attempts: u32,
    restarted: bool,
    /// See [`Settings::settle`].
    settle: Duration,
}

/// A route that waits.
#[derive(Debug)]
struct Deferred {
    route: ConfiguredRoute,
    /// It is one of the configuration's.
    is_configured: bool,
}

impl Peer {
    /// A neighbor without a session, its configured routes announced.
    ///
    /// # Errors
    /// Configured routes that cannot be sent come back with the reason; the others are announced all the same.
    #[must_use]
    pub fn new(neighbor: Arc<Neighbor>) -> (Self, Vec<(ConfiguredRoute, Refused)>) {
        let mut peer = Self {
            out: AdjRibOut::new(
                neighbor.families.clone(),
                neighbor.adj_rib_out,
                Arc::new(Negotiated::hoped(&neighbor)),
            ),
            incoming: AdjRibIn::new(neighbor.adj_rib_in),
            configured: Accepted::none_of(&neighbor),
            neighbor,
            previous: Vec::new(),
            discovered: None,
            deferred: Vec::new(),
            queues: Queues::default(),
            advisories: Map::default(),
            outbound: None,
            backoff: Backoff::default(),
            attempts: 0,
            // ExaBGP's first OPEN claims a restart: see `parity`.
            restarted: true,
            settle: Duration::ZERO,
        };
        let refused = peer.announce_configuration();
        peer.queue_configured_messages();
        (peer, refused)
    }

    pub(super) fn queue_configured_messages(&mut self) {
        let neighbor = Arc::clone(&self.neighbor);
        for message in &neighbor.operational {
            match message.family() {
                Some(family) if !neighbor.families.contains(family) => {}
                Some(family) if message.kind == OperationalType::ASM => {
                    self.advisories.insert(family, message.clone());
                }
                _ => self.queues.operational.push_back(message.clone()),
            }
        }
    }

    /// Our address: as configured, else that of the last connection.
    #[must_use]
    pub fn local_address(&self) -> Option<IpAddr> {
        match self.neighbor.local_address {
            Address::Ip(address) => Some(address),
            Address::Auto => self.discovered,
        }
    }

    /// Our BGP Identifier, as far as it is known.
    #[must_use]
    pub fn local_id(&self) -> Option<Ipv4Addr> {
        self.neighbor
            .router_id
            .or_else(|| match self.local_address()? {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
    }

    /// `flush adj-rib out`: sends everything again, between BoRR and EoRR where route refresh is configured.
    pub fn flush(&mut self, now: Duration) {
        self.out.flush(None, self.neighbor.capability.route_refresh);
        self.backoff.hurry(now);
    }

    /// `clear adj-rib out`: withdraws everything.
    pub fn clear(&mut self) {
        self.out.clear(None);
    }

    /// `clear adj-rib in`.
    pub fn clear_incoming(&mut self) {
        self.incoming.clear();
    }

    /// `announce watchdog NAME`.
    ///
    /// # Errors
    /// As for [`Peer::announce`].
    pub fn announce_watchdog(&mut self, name: &str) -> Result<(), Refused> {
        self.out.announce_watchdog(name)
    }

    /// `withdraw watchdog NAME`.
    ///
    /// # Errors
    /// As for [`Peer::withdraw`].
    pub fn withdraw_watchdog(&mut self, name: &str) -> Result<(), Refused> {
        self.out.withdraw_watchdog(name)
    }

    /// `announce eor`: queues an End-of-RIB, which leaves once no route is left to send.
    pub fn queue_end_of_rib(&mut self, family: Family) {
        self.queues.end_of_rib.push_back(family);
    }

    /// `announce route-refresh`: asks the peer for its routes.
    pub fn queue_refresh(&mut self, family: Family) {
        self.queues.refresh.push_back(family);
    }

    /// Queues an OPERATIONAL message; an ASM is sent in every session.
    ///
    /// # Errors
    /// A message of a family that the neighbor does not have is not for it.
    pub fn queue_operational(&mut self, message: Operational) -> Result<(), Refused> {
        if let Some(family) = message.family() {
            if !self.neighbor.families.contains(family) {
                return Err(Refused::Family(family));
            }
            if message.kind == OperationalType::ASM {
                self.advisories.insert(family, message.clone());
            }
        }
        self.queues.operational.push_back(message);
        Ok(())
    }

    /// Starts the session of a connection that has just opened.
    #[must_use]
    pub fn open(&mut self, ends: Ends, settings: &Settings, now: Duration) -> Session {
        self.discovered = Some(ends.local.ip());
        self.settle = settings.settle;
        for waiting in std::mem::take(&mut self.deferred) {
            // Our address is known now: what is refused here is of another family than the session.
            let _ = if waiting.is_configured {
                self.announce_configured(&waiting.route, None)
            } else {
                self.announce(&waiting.route).map(drop)
            };
        }
        Session::new(
            Arc::clone(&self.neighbor),
            ends,
            settings,
            self.restarted,
            now,
        )
    }

    /// Acts on an event of the neighbor's session: hand it every one, in order.
    pub fn handle_event(&mut self, now: Duration, event: &SessionEvent) {
        match event {
            SessionEvent::Established(negotiated) => self.established(now, negotiated),
            SessionEvent::Received { message, .. } => self.received(now, message),
            SessionEvent::Closed { cause } => {
                self.session_lost(now);
                if is_ours(cause) {
                    self.backoff.reset(now);
                }
            }
            _ => {}
        }
    }

    fn established(&mut self, now: Duration, negotiated: &Arc<Negotiated>) {
        self.restarted = false;
        self.incoming.clear();
        for (family, advisory) in &self.advisories {
            if self.neighbor.families.contains(*family) {
                self.queues.operational.push_front(advisory.clone());
            }
        }
        let previous = std::mem::take(&mut self.previous);
        // Each of these routes was accepted once, and only withdraws can follow.
        let _ = self.out.replace_restart(
            previous.iter().flat_map(Accepted::routes),
            self.configured.routes(),
        );
        self.out.hold_against(Arc::clone(negotiated));
        self.outbound = Some(Outbound::new(
            Arc::clone(negotiated),
            &self.neighbor,
            now + self.patience(),
        ));
        self.backoff.established(now);
    }

    /// How long the first UPDATEs wait for those of the peer: longer where a program is told of both and so sees the order.
    fn patience(&self) -> Duration {
        let sections = || self.neighbor.api.iter();
        let sees_order = sections().any(|section| section.receive.update)
            && sections().any(|section| section.send.update);
        self.settle * if sees_order { SEES_ORDER } else { 1 }
    }

    fn received(&mut self, now: Duration, message: &Message) {
        let Some(outbound) = &mut self.outbound else {
            return;
        };
        match message {
            Message::Update(update) => {
                outbound.settle_by(now + self.settle);
                self.incoming.apply(update, outbound.negotiated());
            }
            Message::RouteRefresh(refresh) => {
                let enhanced = outbound.answers_enhanced();
                self.refresh_asked(refresh, enhanced);
            }
            _ => {}
        }
    }

    /// RFC 7313 section 4: BoRR and EoRR of the peer need no answer, a subtype nobody knows is ignored.
    fn refresh_asked(&mut self, refresh: &RouteRefresh, enhanced: bool) {
        // What is recited answers for itself.
        if refresh.subtype == RefreshSubtype::REQUEST && self.neighbor.verbatim.is_none() {
            self.out.flush(Some(refresh.family), enhanced);
        }
    }

    fn session_lost(&mut self, now: Duration) {
        self.outbound = None;
        self.out
            .hold_against(Arc::new(Negotiated::hoped(&self.neighbor)));
        self.out.reset();
        self.queues.operational.clear();
        self.queues.refresh.clear();
        self.backoff.session_ended(now);
    }

    /// Takes everything queued so far into the session's own outgoing batch, so that what is queued from now on comes
    /// after it. Without a session nothing is taken.
    pub fn take_changes(&mut self) {
        if let Some(outbound) = &mut self.outbound {
            outbound.take(&mut self.out);
        }
    }

    /// Puts up to `messages` messages into `session`, in the reference's order: an OPERATIONAL message, a
    /// ROUTE-REFRESH, then routes, and once there are none left End-of-RIB.
    pub fn fill(&mut self, now: Duration, session: &mut Session, messages: usize) -> Filled {
        match &mut self.outbound {
            Some(outbound) if session.is_established() => {
                outbound.fill(now, session, &mut self.out, &mut self.queues, messages)
            }
            _ => Filled::default(),
        }
    }

    /// Whether [`Peer::fill`] has something to send.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.outbound
            .as_ref()
            .is_some_and(|outbound| outbound.has_output(&self.out, &self.queues))
    }

    /// The neighbor as configured.
    #[must_use]
    pub const fn neighbor(&self) -> &Arc<Neighbor> {
        &self.neighbor
    }

    /// The Adj-RIB-Out (RFC 4271 section 1.1).
    #[must_use]
    pub const fn rib_out(&self) -> &AdjRibOut {
        &self.out
    }

    /// The Adj-RIB-In (RFC 4271 section 1.1).
    #[must_use]
    pub const fn rib_in(&self) -> &AdjRibIn {
        &self.incoming
    }

    /// Whether a session is established.
    #[must_use]
    pub const fn is_established(&self) -> bool {
        self.outbound.is_some()
    }
}

/// Whether it was we who wanted the session to end: the next one may begin at once.
fn is_ours(cause: &Cause) -> bool {
    match cause {
        Cause::ClosedSilently { .. } | Cause::Stopped(_) => true,
        Cause::NotificationSent(notification) => {
            notification.code == NotificationCode::CEASE
                && notification.subcode != cease::CONNECTION_COLLISION
        }
        _ => false,
    }
}
