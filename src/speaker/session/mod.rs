//! One connection's BGP session (RFC 4271 section 8), pure.
//!
//! Four verbs: octets in ([`Session::handle_bytes`]), time in ([`Session::handle_timeout`]), octets out
//! ([`Session::poll_transmit`]), next deadline ([`Session::poll_deadline`]); and events ([`Session::poll_event`]).
//! Every call that takes `&mut self` and a time is followed by a full drain of the three `poll_*`.
//!
//! A session is made when a connection is open and dies with it: octets half received or half sent never pass to
//! another.

mod event;
mod negotiate;
mod negotiated;
mod open;
mod receive;
mod verbatim;
mod state;
mod timers;
mod transmit;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::neighbor::{Address, AsNumber, Neighbor};
use super::settings::Settings;
use crate::bgp::message::{Notification, Open};

pub use event::{Cause, SessionEvent};
pub use negotiated::{Missing, Negotiated, Refresh};
pub use state::State;
pub use timers::{Deadline, TimerKind};
pub use verbatim::{NoOpen, Verbatim};

use crate::net::Opener;
use timers::Timers;
use transmit::Output;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's address and port.
    pub peer: SocketAddr,
    /// The end that opened the connection.
    pub opener: Opener,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    neighbor: Arc<Neighbor>,
    ends: Ends,
    version: String,
    send_hold: Option<Duration>,
    restarted: bool,
    state: State,
    timers: Timers,
    input: Vec<u8>,
    output: Output,
    events: VecDeque<SessionEvent>,
    sent_open: Option<Open>,
    received_open: Option<Open>,
    negotiated: Option<Arc<Negotiated>>,
    /// Another KEEPALIVE breaks the agreement that there are none (hold time 0).
    had_keepalive: bool,
    verbatim: Option<verbatim::Progress>,
    closed: bool,
}

impl Session {
    /// The session on a connection that has just opened: it queues OPEN at once, unless our AS number is to be the
    /// peer's.
    ///
    /// `restarted` claims in OPEN that the speaker has restarted (RFC 4724 section 3), where graceful restart is
    /// configured.
    #[must_use]
    pub fn new(
        neighbor: Arc<Neighbor>,
        ends: Ends,
        settings: &Settings,
        restarted: bool,
        now: Duration,
    ) -> Self {
        let mut session = Self {
            neighbor,
            ends,
            version: settings.version.clone(),
            send_hold: settings.send_hold,
            restarted,
            state: State::Idle,
            timers: Timers::default(),
            input: Vec::new(),
            output: Output::default(),
            events: VecDeque::new(),
            sent_open: None,
            received_open: None,
            negotiated: None,
            had_keepalive: false,
            verbatim: None,
            closed: false,
        };
        session.enter(State::Connect, Cause::Connected);
        session
            .timers
            .set(TimerKind::OpenWait, now + settings.open_wait);
        if !session.begin_recital(now)
            && let AsNumber::Number(asn) = session.neighbor.local_as
        {
            session.send_open(now, asn);
        }
        session
    }

    /// Ends the session with `notification`.
    pub fn close(&mut self, now: Duration, notification: Notification) {
        if self.closed {
            return;
        }
        self.send_notification(now, &notification);
        self.finish(now, Cause::NotificationSent(notification));
    }

    /// Ends the session without a word (RFC 4724: the peer keeps our routes).
    pub fn close_silently(&mut self, now: Duration) {
        if !self.closed {
            let peer_restarts = |agreed: &Arc<Negotiated>| agreed.peer_restart_time.is_some();
            let negotiated = self.negotiated().is_some_and(peer_restarts);
            self.finish(now, Cause::ClosedSilently { negotiated });
        }
    }

    /// Ends the session without a word because the neighbor is removed, or the speaker ends; `why` is reported in the
    /// event.
    pub fn stop(&mut self, now: Duration, why: &'static str) {
        if !self.closed {
            self.finish(now, Cause::Stopped(why));
        }
    }

    /// The connection is of no more use: what was not sent will not be.
    fn lose(&mut self, now: Duration, cause: Cause) {
        self.output.discard();
        self.timers.stop_all();
        if !self.closed {
            self.finish(now, cause);
        }
    }

    fn finish(&mut self, now: Duration, cause: Cause) {
        self.closed = true;
        self.input = Vec::new();
        self.timers.stop_all();
        if !self.output.is_empty() {
            self.timers.set(TimerKind::SendHold, now + LINGER);
        }
        self.enter(State::Idle, cause.clone());
        self.events.push_back(SessionEvent::Closed { cause });
    }

    fn enter(&mut self, to: State, cause: Cause) {
        let from = std::mem::replace(&mut self.state, to);
        self.events
            .push_back(SessionEvent::State { from, to, cause });
    }

    /// Time has come to `now`: timers that expired by then do their work.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(timer) = self.timers.expired(now) {
            self.events.push_back(SessionEvent::Expired(timer));
            self.expire(now, timer);
        }
    }

    fn expire(&mut self, now: Duration, timer: TimerKind) {
        match timer {
            TimerKind::OpenWait => self.close(now, open::waited_too_long()),
            TimerKind::Hold => self.close(now, open::hold_timer_expired()),
            TimerKind::Keepalive => self.keepalive(now),
            TimerKind::SendHold => self.lose(now, Cause::SendHoldExpired),
            TimerKind::Verbatim => self.recite(now),
        }
    }

    /// The next deadline, and what for: call [`Session::handle_timeout`] then.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Deadline> {
        self.timers.next()
    }

    /// Takes the next event; `None` if there is none.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }

    /// The state of the session (RFC 4271 section 8.2.2).
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether routes may flow.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.state == State::Established
    }

    /// Whether the session has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the session has ended and everything was sent: the connection may be closed.
    #[must_use]
    pub const fn wants_close(&self) -> bool {
        self.closed && self.output.is_empty()
    }

    /// What was negotiated, once both OPENs are there.
    #[must_use]
    pub const fn negotiated(&self) -> Option<&Arc<Negotiated>> {
        self.negotiated.as_ref()
    }

    /// Our OPEN, once sent.
    #[must_use]
    pub const fn sent_open(&self) -> Option<&Open> {
        self.sent_open.as_ref()
    }

    /// The peer's OPEN, once received.
    #[must_use]
    pub const fn received_open(&self) -> Option<&Open> {
        self.received_open.as_ref()
    }

    /// The neighbor as configured when the session began.
    #[must_use]
    pub const fn neighbor(&self) -> &Arc<Neighbor> {
        &self.neighbor
    }

    /// The two ends of the connection.
    #[must_use]
    pub const fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Our address: as configured, else the connection's.
    #[must_use]
    pub fn local_address(&self) -> IpAddr {
        match self.neighbor.local_address {
            Address::Ip(address) => address,
            Address::Auto => self.ends.local.ip(),
        }
    }

    /// Our BGP Identifier: as configured, else our address if it is IPv4 (ExaBGP's default).
    #[must_use]
    pub fn local_id(&self) -> Ipv4Addr {
        match (self.neighbor.router_id, self.local_address()) {
            (Some(id), _) => id,
            (None, IpAddr::V4(address)) => address,
            (None, IpAddr::V6(_)) => Ipv4Addr::UNSPECIFIED,
        }
    }
}

/// How long a closed session waits for its last octets to be taken.
const LINGER: Duration = Duration::from_secs(5);
