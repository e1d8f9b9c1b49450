//! A peer's task: it connects, or waits to be connected to, and then converses until the session is over.

use std::future::{Future, poll_fn};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use crate::net::{Connecting, Connection, ConnectionName, Network, SocketOptions};
use crate::reactor::cease;
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;
use crate::reactor::shortage::{self, LINGERING};
use crate::reactor::socket_options::socket_options;
use crate::speaker::collision::{Collision, decide_on_accept};
use crate::speaker::session::State;

use crate::reactor::tasks::converse::Conversation;
use crate::reactor::tasks::hub::{Hub, PeerEntry};
use crate::reactor::tasks::linger;

/// Lives as long as the peer is wanted.
pub(super) async fn run<N: Network, C: DefectSet>(hub: Rc<Hub<N, C>>, id: usize) {
    while let Some(stream) = connection(&hub, id).await {
        let mut conversation = Conversation::new(&hub, id, stream);
        while let Some(open) = conversation {
            let Some(stream) = open.run().await else {
                break;
            };
            // A connection that the peer made has won over this one.
            conversation = Conversation::new(&hub, id, stream);
        }
        after_connection(&hub, id);
    }
    if let Some(entry) = hub.peers.borrow_mut().remove(&id) {
        hub.observe(&SpeakerEvent::PeerEnded { peer: &entry.label });
    }
    hub.taken.notify_waiters();
    hub.bell.notify_one();
}

/// What a peer without a connection does next.
enum Next<T> {
    Stop,
    Accept(T),
    Connect(SocketAddr, SocketOptions),
    Sleep(std::time::Duration),
    Wait,
}

/// The next open connection; `None` where the peer is not wanted any more.
async fn connection<N: Network, C: DefectSet>(
    hub: &Rc<Hub<N, C>>,
    id: usize,
) -> Option<N::Connection> {
    let changed = hub.with(id, |entry| Rc::clone(&entry.changed))?;
    loop {
        let next = hub.with(id, |entry| next(hub, entry)).unwrap_or(Next::Stop);
        match next {
            Next::Stop => return None,
            Next::Accept(stream) => return Some(stream),
            Next::Wait => changed.notified().await,
            Next::Sleep(until) => tokio::select! {
                biased;
                () = changed.notified() => {}
                () = crate::net::timer::sleep_until(hub.clock.at(until)) => {}
            },
            Next::Connect(to, options) => {
                let connecting = hub.network.connect(to, &options);
                hub.observe(&SpeakerEvent::Connecting {
                    connection: &connecting.name(),
                    to,
                });
                if let Some(stream) = attempt(hub, id, connecting).await {
                    return Some(stream);
                }
            }
        }
    }
}

fn next<N: Network, C: DefectSet>(
    hub: &Hub<N, C>,
    entry: &mut PeerEntry<N::Connection>,
) -> Next<N::Connection> {
    let refused = entry.redefine();
    hub.report_refused(&entry.label, &refused);
    entry.teardown = None;
    if entry.stopped {
        return Next::Stop;
    }
    if let Some(stream) = entry.arrivals.pop_front() {
        return Next::Accept(stream);
    }
    if !entry.is_active(hub.settings.passive) {
        return Next::Wait;
    }
    if entry.peer.next_attempt() > hub.now() {
        return Next::Sleep(entry.peer.next_attempt());
    }
    if !entry.peer.attempt(&hub.settings) {
        entry.stopped = true;
        return Next::Stop;
    }
    let neighbor = entry.peer.neighbor();
    let to = SocketAddr::new(
        neighbor.peer_address,
        neighbor.connect.unwrap_or(hub.settings.port),
    );
    let options = socket_options(neighbor);
    Next::Connect(to, options)
}

/// Waits for a connection to open; gives it up where the peer connects first, or is not wanted any more.
async fn attempt<N: Network, C: DefectSet>(
    hub: &Hub<N, C>,
    id: usize,
    mut connecting: N::Connecting,
) -> Option<N::Connection> {
    let name = connecting.name();
    let changed = hub.with(id, |entry| Rc::clone(&entry.changed))?;
    loop {
        let outcome = tokio::select! {
            biased;
            () = changed.notified() => None,
            outcome = &mut connecting => Some(outcome),
        };
        match outcome {
            Some(Ok(stream)) => return Some(stream),
            Some(Err(error)) => {
                if let Some(news) = hub.shortage.news(hub.now(), &error) {
                    let label = hub.with(id, |entry| Rc::clone(&entry.label));
                    hub.warn(label.as_deref().unwrap_or_default(), news);
                }
                hub.observe(&SpeakerEvent::ConnectFailed {
                    connection: &name,
                    reason: error.kind(),
                });
                hub.with(id, |entry| entry.peer.attempt_failed(hub.now()));
                after_connection(hub, id);
                return None;
            }
            None => {
                let given_up = hub.with(id, |entry| {
                    if let Some(arrived) = entry.arrivals.front() {
                        hub.observe(&SpeakerEvent::Collision {
                            old: &name,
                            new: &arrived.name(),
                            new_lives: true,
                        });
                    }
                    entry.stopped || entry.teardown.is_some() || !entry.arrivals.is_empty()
                });
                if given_up != Some(false) {
                    return None;
                }
            }
        }
    }
}

/// A connection ended, or did not come about.
fn after_connection<N: Network, C: DefectSet>(hub: &Hub<N, C>, id: usize) {
    hub.with(id, |entry| {
        if entry.generated || !entry.peer.may_attempt(&hub.settings) {
            entry.stopped = true;
        } else if entry.is_active(hub.settings.passive) {
            if let Some(news) = entry.peer.backoff_news() {
                hub.warn(&entry.label, news);
            }
            hub.observe(&SpeakerEvent::Retry {
                peer: &entry.label,
                at: entry.peer.next_attempt(),
            });
        }
    });
}

/// A connection that the peer made while `old` is open: gives it back where it is the one that lives (RFC 4271 section 6.8).
pub(super) fn collide<N: Network, C: DefectSet>(
    hub: &Rc<Hub<N, C>>,
    id: usize,
    old: &ConnectionName,
    state: State,
    remote: Option<Ipv4Addr>,
) -> Option<Arrived<N::Connection>> {
    let mut peers = hub.peers.borrow_mut();
    let entry = peers.get_mut(&id)?;
    let stream = entry.arrivals.pop_front()?;
    let local = entry.peer.local_id().unwrap_or(Ipv4Addr::UNSPECIFIED);
    let lives = decide_on_accept(state, local, remote) == Collision::KeepNew;
    let name = stream.name();
    hub.observe(&SpeakerEvent::Collision {
        old,
        new: &name,
        new_lives: lives,
    });
    let refusal = if state == State::Established {
        cease::ALREADY_ESTABLISHED
    } else {
        cease::COLLISION
    };
    drop(peers);
    if lives && !hub.defects.has(Defect::CollisionToNone) {
        return Some(Arrived::Lives(stream));
    }
    reject(hub, stream, refusal);
    lives.then_some(Arrived::NoneLives)
}

/// What became of a connection that collided.
pub(super) enum Arrived<T> {
    Lives(T),
    /// Both go: only where the defects is wrong.
    NoneLives,
}

/// Refuses a connection with a NOTIFICATION.
pub(super) fn reject<N: Network, C: DefectSet>(
    hub: &Rc<Hub<N, C>>,
    stream: N::Connection,
    reason: (u8, &'static str),
) {
    hub.observe(&SpeakerEvent::Rejected {
        connection: &stream.name(),
        reason: reason.1,
    });
    linger::spawn(hub, None, stream, cease::message(reason));
}

/// Accepts on `listener`; when `changed` is told, it takes up the keys of the hub, or ends where its door is gone.
pub(super) async fn accept<N: Network, C: DefectSet>(
    hub: Rc<Hub<N, C>>,
    mut listener: N::Listener,
    changed: Rc<tokio::sync::Notify>,
) {
    use crate::net::Listener;
    loop {
        let accepted = tokio::select! {
            biased;
            () = changed.notified() => {
                if !hub.doors.borrow().iter().any(|(_, door)| Rc::ptr_eq(door, &changed)) {
                    return;
                }
                if let Err(error) = listener.set_keys(&hub.keys.borrow()) {
                    // Nobody is let in who may not have signed.
                    hub.doors.borrow_mut().retain(|(_, door)| !Rc::ptr_eq(door, &changed));
                    return hub.warn("listener", error);
                }
                continue;
            }
            accepted = poll_fn(|context| listener.poll_accept(context)) => accepted,
        };
        match accepted {
            Ok(stream) => arrive(&hub, stream),
            Err(error) => {
                if !shortage::is_shortage(&error) {
                    hub.warn("listener", error);
                } else if let Some(news) = hub.shortage.news(hub.now(), &error) {
                    hub.warn("listener", news);
                }
                // The connection stays in the backlog, and so does the error: asking at once would be a busy loop.
                let later = hub.clock.at(hub.now() + shortage::PAUSE);
                crate::net::timer::sleep_until(later).await;
            }
        }
    }
}

/// Hands a connection to the task of the peer that it belongs to, which decides about it.
fn arrive<N: Network, C: DefectSet>(hub: &Rc<Hub<N, C>>, stream: N::Connection) {
    use crate::reactor::arrival::{self, Match};
    let (local, remote) = (stream.local_address().ip(), stream.peer_address().ip());
    let found = {
        let peers = hub.peers.borrow();
        let neighbors = peers
            .iter()
            .map(|(id, entry)| (*id, &**entry.peer.neighbor()));
        let found = arrival::find(neighbors, local, remote);
        if let Match::Neighbor(id) | Match::Range(id) = found
            && let Some(entry) = peers.get(&id)
            && let Err(error) = stream.restrict(&socket_options(entry.peer.neighbor()))
        {
            return hub.warn("listener", error);
        }
        found
    };
    let id = match found {
        Match::Several => return reject(hub, stream, cease::AMBIGUOUS),
        Match::Nobody => return reject(hub, stream, cease::NOT_CONFIGURED),
        Match::Neighbor(id) => id,
        Match::Range(id) => {
            let range = hub.with(id, |entry| {
                arrival::generated(entry.peer.neighbor(), local, remote)
            });
            let Some(neighbor) = range else {
                return;
            };
            let id = hub.add_entry(neighbor, true);
            hub.spawner.spawn(run(Rc::clone(hub), id));
            id
        }
    };
    let mut peers = hub.peers.borrow_mut();
    match peers.get_mut(&id) {
        Some(entry) if !entry.stopped && entry.arrivals.len() < LINGERING => {
            entry.arrivals.push_back(stream);
            entry.changed.notify_one();
        }
        _ => {
            drop(peers);
            reject(hub, stream, cease::NOT_CONFIGURED);
        }
    }
}

/// Polls a future that may be replaced by waiting for ever.
pub(super) async fn maybe<F: Future>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
