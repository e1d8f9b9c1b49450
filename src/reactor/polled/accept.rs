//! Listening, and what becomes of a connection that a peer made.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::net::programs::Programs;
use crate::net::{Connecting, Connection, Listener, Network, PeerKey};
use crate::reactor::arrival::{self, Match};
use crate::reactor::cease;
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;
use crate::reactor::shortage;
use crate::reactor::socket_options::socket_options;
use crate::speaker::collision::{Collision, decide_on_accept};
use crate::speaker::peer::Peer;

use crate::reactor::polled::Polled;
use crate::reactor::polled::closing::Closing;
use crate::reactor::polled::peer::{Phase, Slot};

/// A listening socket.
pub(super) struct ListeningSocket<L> {
    pub at: SocketAddr,
    listener: L,
    waker: Waker,
    /// There may be a connection to accept.
    pub woken: bool,
    /// When to look again after an error.
    pub retry: Option<Duration>,
}

impl<N: Network, P: Programs, C: DefectSet> Polled<N, P, C> {
    /// Listens where `wanted` says, and nowhere else, to peers that sign with their keys.
    ///
    /// # Errors
    /// Where it could not listen, and why; it listens at the other places all the same.
    pub(super) fn listen(&mut self, wanted: &[SocketAddr], keys: &[PeerKey]) -> Result<(), String> {
        self.doors.retain(|_, door| wanted.contains(&door.at));
        let mut outcome = Ok(());
        for &at in wanted {
            if self.doors.values().any(|door| door.at == at) {
                continue;
            }
            match self.network.listen(at) {
                Ok(listener) => {
                    self.turn.observe(&SpeakerEvent::Listening { at });
                    let id = self.id();
                    let waker = self.ready.waker(id);
                    let woken = true;
                    self.doors.insert(
                        id,
                        ListeningSocket {
                            at,
                            listener,
                            waker,
                            woken,
                            retry: None,
                        },
                    );
                }
                Err(error) => {
                    self.turn.observe(&SpeakerEvent::NotListening {
                        at,
                        reason: error.kind(),
                    });
                    outcome = Err(format!("can not listen on {at}: {error}"));
                }
            }
        }
        self.doors
            .retain(|_, door| match door.listener.set_keys(keys) {
                Ok(()) => true,
                Err(error) => {
                    outcome = Err(format!("can not protect sessions at {}: {error}", door.at));
                    false
                }
            });
        outcome
    }

    /// Accepts one connection per listener.
    pub(super) fn accept(&mut self) {
        let ids: Vec<usize> = self.doors.keys().copied().collect();
        let now = self.turn.now;
        for door in self.doors.values_mut() {
            if door.retry.is_some_and(|at| at <= now) {
                door.retry = None;
                door.woken = true;
            }
        }
        for id in ids {
            let is_open = |door: &&mut ListeningSocket<_>| door.woken && door.retry.is_none();
            let Some(door) = self.doors.get_mut(&id).filter(is_open) else {
                continue;
            };
            let mut context = Context::from_waker(&door.waker);
            match door.listener.poll_accept(&mut context) {
                Poll::Pending => door.woken = false,
                Poll::Ready(Ok(connection)) => self.receive(connection),
                Poll::Ready(Err(error)) => {
                    // The connection stays in the backlog, and so does the error: asking at once would be a busy loop.
                    door.woken = false;
                    door.retry = Some(now + shortage::PAUSE);
                    if !shortage::is_shortage(&error) {
                        self.turn.warn("listener", error);
                    } else if let Some(news) = self.turn.shortage.news(now, &error) {
                        self.turn.warn("listener", news);
                    }
                }
            }
        }
    }

    fn receive(&mut self, connection: N::Connection) {
        let (local, remote) = (connection.local_address(), connection.peer_address());
        let neighbors = self
            .peers
            .iter()
            .map(|(id, slot)| (*id, &**slot.peer.neighbor()));
        let found = arrival::find(neighbors, local.ip(), remote.ip());
        if let Match::Neighbor(id) | Match::Range(id) = found
            && let Some(slot) = self.peers.get(&id)
            && let Err(error) = connection.restrict(&socket_options(slot.peer.neighbor()))
        {
            return self.turn.warn("listener", error);
        }
        match found {
            Match::Neighbor(id) => self.meet(id, connection),
            Match::Range(id) => self.generate(id, connection),
            Match::Several => self.reject(connection, cease::AMBIGUOUS),
            Match::Nobody => self.reject(connection, cease::NOT_CONFIGURED),
        }
    }

    fn reject(&mut self, connection: N::Connection, reason: (u8, &'static str)) {
        self.turn.observe(&SpeakerEvent::Rejected {
            connection: &connection.name(),
            reason: reason.1,
        });
        let notification = cease::message(reason);
        self.linger(Closing::new(None, connection, notification, self.turn.now));
    }

    /// A connection of a configured neighbor: it may collide with one that there is.
    fn meet(&mut self, id: usize, connection: N::Connection) {
        let Self { peers, turn, .. } = self;
        let Some(slot) = peers.get_mut(&id) else {
            return;
        };
        if slot.stopped {
            return self.reject(connection, cease::NOT_CONFIGURED);
        }
        let local = slot
            .peer
            .local_id()
            .unwrap_or(std::net::Ipv4Addr::UNSPECIFIED);
        let (state, remote) = match &slot.phase {
            Phase::Open(open) => (
                slot.state(),
                open.session.received_open().map(|open| open.identifier),
            ),
            _ => (slot.state(), None),
        };
        let decision = decide_on_accept(state, local, remote);
        let old = match &slot.phase {
            Phase::Idle => None,
            Phase::Connecting(connecting) => Some(connecting.name()),
            Phase::Open(open) => Some(open.name),
        };
        let name = connection.name();
        let new_lives = decision == Collision::KeepNew;
        if let Some(old) = &old {
            turn.observe(&SpeakerEvent::Collision {
                old,
                new: &name,
                new_lives,
            });
        }
        let superseded = if new_lives {
            slot.supersede(turn)
        } else {
            None
        };
        let resolved = old.is_none() || !turn.defects.has(Defect::CollisionToNone);
        if new_lives && resolved {
            slot.opened(connection, turn);
        } else {
            let reason = if slot.peer.is_established() {
                cease::ALREADY_ESTABLISHED
            } else {
                cease::COLLISION
            };
            self.reject(connection, reason);
        }
        if let Some(closing) = superseded {
            self.linger(closing);
        }
    }

    /// A connection of one of a range of peers: it gets a neighbor of its own.
    fn generate(&mut self, id: usize, connection: N::Connection) {
        let Some(range) = self.peers.get(&id) else {
            return;
        };
        let neighbor = arrival::generated(
            range.peer.neighbor(),
            connection.local_address().ip(),
            connection.peer_address().ip(),
        );
        let id = self.id();
        let label = self.label(&neighbor);
        let (peer, refused) = Peer::new(Arc::new(neighbor));
        self.turn.report_refused(&label, &refused);
        let mut slot = Slot::new(label, peer, self.ready.waker(id));
        slot.generated = true;
        slot.opened(connection, &mut self.turn);
        self.peers.insert(id, slot);
    }
}
