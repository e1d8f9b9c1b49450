//! What is known of a neighbor's session beside its Adj-RIBs: kept from its events, for `show`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::bgp::iana::MessageType;
use crate::bgp::message::{Header, Message, Open};
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;
use crate::speaker::session::{Negotiated, SessionEvent, State};

use super::show::{NeighborStatus, Statistics};

/// State, agreement and messages of a neighbor's session.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    state: State,
    negotiated: Option<Arc<Negotiated>>,
    received_open: Option<Open>,
    since: Duration,
    statistics: Statistics,
}

/// A neighbor as it is at one moment.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    neighbor: Arc<Neighbor>,
    local: Option<IpAddr>,
    now: Duration,
    tally: Tally,
}

impl Tally {
    /// Takes note of an event of the session.
    pub fn note(&mut self, now: Duration, event: &SessionEvent) {
        match event {
            SessionEvent::State { to, .. } => self.enter(*to, now),
            SessionEvent::Negotiated(negotiated) => self.negotiated = Some(Arc::clone(negotiated)),
            SessionEvent::Received { message, .. } => {
                if let Message::Open(open) = message {
                    self.received_open = Some(open.clone());
                }
                if let Some((_, received)) = self.count(message.kind()) {
                    *received += 1;
                }
            }
            SessionEvent::Sent { raw, .. } => {
                let kind = MessageType(raw.get(Header::SIZE - 1).copied().unwrap_or_default());
                if let Some((sent, _)) = self.count(kind) {
                    *sent += 1;
                }
            }
            // As in ExaBGP the numbers are those of one session.
            SessionEvent::Closed { .. } => {
                *self = Self {
                    since: now,
                    ..Self::default()
                };
            }
            SessionEvent::Malformed { .. }
            | SessionEvent::Established(_)
            | SessionEvent::Expired(_)
            | SessionEvent::Refused(_) => {}
        }
    }

    fn enter(&mut self, state: State, now: Duration) {
        if state == State::Established {
            self.since = now;
        }
        self.state = state;
    }

    const fn count(&mut self, kind: MessageType) -> Option<(&mut u64, &mut u64)> {
        let Statistics {
            open,
            notification,
            keepalive,
            update,
            refresh,
        } = &mut self.statistics;
        let (sent, received) = match kind {
            MessageType::OPEN => open,
            MessageType::UPDATE => update,
            MessageType::NOTIFICATION => notification,
            MessageType::KEEPALIVE => keepalive,
            MessageType::ROUTE_REFRESH => refresh,
            _ => return None,
        };
        Some((sent, received))
    }

    /// `peer` as it is now.
    pub(super) fn snapshot(&self, peer: &Peer, now: Duration) -> Snapshot {
        Snapshot {
            neighbor: Arc::clone(peer.neighbor()),
            local: peer.local_address(),
            now,
            tally: self.clone(),
        }
    }
}

impl Snapshot {
    pub fn status(&self) -> NeighborStatus<'_> {
        let tally = &self.tally;
        let elapsed = self.now.saturating_sub(tally.since);
        let up = tally.state == State::Established;
        NeighborStatus {
            neighbor: &self.neighbor,
            local: self.local,
            state: tally.state,
            session: tally
                .negotiated
                .as_deref()
                .zip(tally.received_open.as_ref()),
            up: up.then_some(elapsed),
            down: if up { Duration::ZERO } else { elapsed },
            statistics: tally.statistics,
        }
    }
}
