//! One peer's place in the turn: a step is one read, one fill, one write.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::api::tally::Tally;
use crate::reactor::cease;
use crate::reactor::conduct::{Conduct, Defect};
use crate::reactor::defect;
use crate::reactor::network::{Connection, Network, SocketOptions};
use crate::reactor::observer::{ConnectionName, Event};
use crate::reactor::programs::Programs;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;
use crate::speaker::session::{Direction, Ends, State};

use super::closing::Closing;
use super::desk::Desk;
use super::open::{Open, skips_output};

/// Octets that one peer may receive in one turn.
pub(super) const READ: usize = 16 * 1024;

/// A peer and its connection.
pub(super) struct Slot<N: Network> {
    pub label: Rc<str>,
    pub name: String,
    pub peer: Peer,
    pub tally: Tally,
    pub waker: Waker,
    pub phase: Phase<N>,
    /// The subcode of a teardown that was asked for.
    pub teardown: Option<u8>,
    /// A definition that holds from the next session on.
    pub replacement: Option<Arc<Neighbor>>,
    /// It is on its way out and does not come back.
    pub stopped: bool,
    /// It came of a range of passive peers, and goes with its connection.
    pub generated: bool,
    connections: u32,
    /// Octets of a message that was half written when its connection was lost: only where the conduct is wrong.
    leftover: Vec<u8>,
}

/// Whether timers are left out on a turn that `received` something or nothing.
fn starves<P: Programs, C: Conduct>(desk: &Desk<P, C>, received: bool) -> bool {
    let commands = defect::starved_until(&desk.conduct, desk.last_command);
    let reading = !received && desk.conduct.has(Defect::ReadWithoutTimeout);
    reading || commands.is_some_and(|until| desk.now < until)
}

/// Where a peer is.
pub(super) enum Phase<N: Network> {
    /// Without a connection.
    Idle,
    /// A connection is on its way.
    Connecting(ConnectionName, N::Connecting),
    /// A connection is open.
    Open(Box<Open<N::Connection>>),
}

impl<N: Network> Slot<N> {
    pub fn new(label: Rc<str>, peer: Peer, waker: Waker) -> Self {
        Self {
            label,
            name: peer.neighbor().name(),
            peer,
            tally: Tally::default(),
            waker,
            phase: Phase::Idle,
            teardown: None,
            replacement: None,
            stopped: false,
            generated: false,
            connections: 0,
            leftover: Vec::new(),
        }
    }

    pub fn next_connection(&mut self) -> ConnectionName {
        self.connections += 1;
        ConnectionName {
            peer: Rc::clone(&self.label),
            attempt: self.connections,
        }
    }

    /// Whether it connects, rather than waits to be connected to.
    fn is_active(&self, passive: bool) -> bool {
        !passive && !self.peer.neighbor().passive && !self.generated && !self.stopped
    }

    /// When it must have its turn although nothing was received.
    pub fn deadline<P: Programs, C: Conduct>(&self, desk: &Desk<P, C>) -> Option<Duration> {
        match &self.phase {
            Phase::Idle => self
                .is_active(desk.settings.passive)
                .then(|| self.peer.next_attempt()),
            Phase::Connecting(..) => None,
            Phase::Open(_) if desk.conduct.has(Defect::ReadWithoutTimeout) => None,
            Phase::Open(open) => {
                let timer = open.session.poll_deadline().map(|deadline| deadline.at);
                let starved = defect::starved_until(&desk.conduct, desk.last_command);
                let timer = timer.max(timer.and(starved));
                [timer, open.wait_until].into_iter().flatten().min()
            }
        }
    }

    /// Whether it has something to do now, with nothing received and no time passed.
    pub fn has_work(&self, conduct: &impl Conduct) -> bool {
        match &self.phase {
            Phase::Idle => false,
            Phase::Connecting(..) => self.stopped || self.teardown.is_some(),
            Phase::Open(open) => {
                open.readable
                    || open.session.wants_close()
                    || (self.stopped && !open.session.is_closed())
                    || (self.teardown.is_some() && self.peer.is_established())
                    || (open.writable && open.session.transmit_len() > 0)
                    || (open.has_room() && self.peer.has_output() && !skips_output(conduct))
            }
        }
    }

    /// Something was received, or there is room again.
    pub fn woken(&mut self) {
        if let Phase::Open(open) = &mut self.phase {
            open.readable = true;
            open.writable = true;
        }
    }

    /// The state of its session, as collisions and the API see it.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Idle => State::Idle,
            Phase::Connecting(..) => State::Connect,
            Phase::Open(open) => open.session.state(),
        }
    }

    /// One step. Gives back a connection that is to be closed in order.
    pub fn step<P: Programs, C: Conduct>(
        &mut self,
        network: &N,
        desk: &mut Desk<P, C>,
        buffer: &mut [u8],
    ) -> Option<Closing<N::Connection>> {
        match &mut self.phase {
            Phase::Idle => {
                self.idle(network, desk);
                None
            }
            Phase::Connecting(..) => {
                self.connecting(desk);
                None
            }
            Phase::Open(_) => self.converse(desk, buffer),
        }
    }

    fn idle<P: Programs, C: Conduct>(&mut self, network: &N, desk: &mut Desk<P, C>) {
        if let Some(neighbor) = self.replacement.take() {
            let refused = self.peer.replace_neighbor(neighbor);
            desk.report_refused(&self.label, &refused);
        }
        self.teardown = None;
        if !self.is_active(desk.settings.passive) || self.peer.next_attempt() > desk.now {
            return;
        }
        if !self.peer.attempt(&desk.settings) {
            self.stopped = true;
            return;
        }
        let neighbor = self.peer.neighbor();
        let port = neighbor.connect.unwrap_or(desk.settings.port);
        let to = SocketAddr::new(neighbor.peer_address, port);
        let options = SocketOptions::of(neighbor);
        let name = self.next_connection();
        desk.observe(&Event::Connecting {
            connection: &name,
            to,
        });
        self.phase = Phase::Connecting(name, network.connect(to, &options));
        // Polled at once, so that it has our waker.
        self.connecting(desk);
    }

    fn connecting<P: Programs, C: Conduct>(&mut self, desk: &mut Desk<P, C>) {
        if self.stopped || self.teardown.is_some() {
            // Abandoned: nobody has seen a session yet.
            self.phase = Phase::Idle;
            self.teardown = None;
            return;
        }
        let Phase::Connecting(name, connecting) = &mut self.phase else {
            return;
        };
        let name = name.clone();
        match Pin::new(connecting).poll(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => {}
            Poll::Ready(Ok(stream)) => self.opened(name, stream, Direction::Outgoing, desk),
            Poll::Ready(Err(error)) => {
                desk.observe(&Event::ConnectFailed {
                    connection: &name,
                    reason: error.kind(),
                });
                self.phase = Phase::Idle;
                self.peer.attempt_failed(desk.now);
                self.after_connection(desk);
            }
        }
    }

    /// A connection is open: a session begins on it.
    pub fn opened<P: Programs, C: Conduct>(
        &mut self,
        name: ConnectionName,
        stream: N::Connection,
        direction: Direction,
        desk: &mut Desk<P, C>,
    ) {
        desk.observe(&Event::Connected {
            connection: &name,
            direction,
        });
        let ends = Ends {
            local: stream.local_address(),
            peer: stream.peer_address(),
            direction,
        };
        if let Some(neighbor) = self.replacement.take() {
            let refused = self.peer.replace_neighbor(neighbor);
            desk.report_refused(&self.label, &refused);
        }
        let session = self.peer.open(ends, &desk.settings, desk.now);
        let mut open = Box::new(Open {
            name,
            stream,
            session,
            readable: true,
            writable: true,
            lost: false,
            broken: None,
            wait_until: None,
            leftover: std::mem::take(&mut self.leftover),
        });
        desk.tell_connected(&self.peer);
        open.tell(&mut self.peer, &mut self.tally, desk);
        self.phase = Phase::Open(open);
    }

    /// Reading, then time, then outbound work, then writing: once each.
    fn converse<P: Programs, C: Conduct>(
        &mut self,
        desk: &mut Desk<P, C>,
        buffer: &mut [u8],
    ) -> Option<Closing<N::Connection>> {
        let Phase::Open(open) = &mut self.phase else {
            return None;
        };
        let mut context = Context::from_waker(&self.waker);
        let half = defect::leftover(&desk.conduct, &mut open.session);
        let received = open.read(&mut context, desk, buffer);
        open.tell(&mut self.peer, &mut self.tally, desk);
        if !starves(desk, received) {
            open.session.handle_timeout(desk.now);
        }
        open.tell(&mut self.peer, &mut self.tally, desk);
        if self.stopped {
            open.session.close_silently(desk.now);
        } else if self.peer.is_established()
            && let Some(subcode) = self.teardown.take()
        {
            open.teardown(subcode, desk.now);
        }
        if received || !skips_output(&desk.conduct) {
            open.fill(&mut self.peer, desk);
        }
        open.tell(&mut self.peer, &mut self.tally, desk);
        open.write(&mut context, desk.now);
        open.tell(&mut self.peer, &mut self.tally, desk);
        if open.lost {
            self.leftover = half;
        }
        open.session.wants_close().then(|| self.close(desk))?
    }

    /// The session is over and has said everything.
    fn close<P: Programs, C: Conduct>(
        &mut self,
        desk: &mut Desk<P, C>,
    ) -> Option<Closing<N::Connection>> {
        let Phase::Open(open) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return None;
        };
        let closing = (*open).into_closing(desk);
        self.after_connection(desk);
        closing
    }

    /// The connection that there was, taken away for another: its session ends with `notification`.
    pub fn supersede<P: Programs, C: Conduct>(
        &mut self,
        desk: &mut Desk<P, C>,
    ) -> Option<Closing<N::Connection>> {
        let Phase::Open(mut open) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return None;
        };
        let (subcode, text) = cease::COLLISION;
        open.session.close(desk.now, cease::worded(subcode, text));
        open.tell(&mut self.peer, &mut self.tally, desk);
        (*open).into_closing(desk)
    }

    /// A connection ended, or did not come about.
    fn after_connection<P: Programs, C: Conduct>(&mut self, desk: &Desk<P, C>) {
        if self.generated || !self.peer.may_attempt(&desk.settings) {
            self.stopped = true;
        } else if self.is_active(desk.settings.passive) {
            desk.observe(&Event::Retry {
                peer: &self.label,
                at: self.peer.next_attempt(),
            });
        }
    }
}
