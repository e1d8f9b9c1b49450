//! One peer's place in the turn: a step is one read, one fill, one write.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::api::tally::Tally;
use crate::net::programs::Programs;
use crate::net::{Connecting, Connection, Network};
use crate::reactor::cease;
use crate::reactor::defect;
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;
use crate::reactor::socket_options::socket_options;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;
use crate::speaker::session::{Ends, State};

use crate::reactor::polled::closing::Closing;
use crate::reactor::polled::open::{Open, skips_output};
use crate::reactor::polled::turn::Turn;

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
    /// Octets of a message that was half written when its connection was lost: only where the defects is wrong.
    leftover: Vec<u8>,
}

/// Whether timers are left out on a turn that `received` something or nothing.
fn starves<P: Programs, C: DefectSet>(turn: &Turn<P, C>, received: bool) -> bool {
    let commands = defect::starved_until(&turn.defects, turn.last_command);
    let reading = !received && turn.defects.has(Defect::ReadWithoutTimeout);
    reading || commands.is_some_and(|until| turn.now < until)
}

/// Where a peer is.
pub(super) enum Phase<N: Network> {
    /// Without a connection.
    Idle,
    /// A connection is on its way.
    Connecting(N::Connecting),
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
            leftover: Vec::new(),
        }
    }

    /// Whether it connects, rather than waits to be connected to.
    fn is_active(&self, passive: bool) -> bool {
        !passive && !self.peer.neighbor().passive && !self.generated && !self.stopped
    }

    /// When it must have its turn although nothing was received.
    pub fn deadline<P: Programs, C: DefectSet>(&self, turn: &Turn<P, C>) -> Option<Duration> {
        match &self.phase {
            Phase::Idle => self
                .is_active(turn.settings.passive)
                .then(|| self.peer.next_attempt()),
            Phase::Connecting(..) => None,
            Phase::Open(_) if turn.defects.has(Defect::ReadWithoutTimeout) => None,
            Phase::Open(open) => {
                let timer = open.session.poll_deadline().map(|deadline| deadline.at);
                let starved = defect::starved_until(&turn.defects, turn.last_command);
                let timer = timer.max(timer.and(starved));
                [timer, open.wait_until].into_iter().flatten().min()
            }
        }
    }

    /// Whether it has something to do now, with nothing received and no time passed.
    pub fn has_work(&self, defects: &impl DefectSet) -> bool {
        match &self.phase {
            Phase::Idle => false,
            Phase::Connecting(..) => self.stopped || self.teardown.is_some(),
            Phase::Open(open) => {
                open.readable
                    || open.session.wants_close()
                    || (self.stopped && !open.session.is_closed())
                    || (self.teardown.is_some() && self.peer.is_established())
                    || (open.writable && open.session.transmit_len() > 0)
                    || (open.has_room() && self.peer.has_output() && !skips_output(defects))
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
    pub fn step<P: Programs, C: DefectSet>(
        &mut self,
        network: &N,
        turn: &mut Turn<P, C>,
        buffer: &mut [u8],
    ) -> Option<Closing<N::Connection>> {
        match &mut self.phase {
            Phase::Idle => {
                self.idle(network, turn);
                None
            }
            Phase::Connecting(..) => {
                self.connecting(turn);
                None
            }
            Phase::Open(_) => self.converse(turn, buffer),
        }
    }

    fn idle<P: Programs, C: DefectSet>(&mut self, network: &N, turn: &mut Turn<P, C>) {
        if let Some(neighbor) = self.replacement.take() {
            let refused = self.peer.replace_neighbor(neighbor);
            turn.report_refused(&self.label, &refused);
        }
        self.teardown = None;
        if !self.is_active(turn.settings.passive) || self.peer.next_attempt() > turn.now {
            return;
        }
        if !self.peer.attempt(&turn.settings) {
            self.stopped = true;
            return;
        }
        let neighbor = self.peer.neighbor();
        let port = neighbor.connect.unwrap_or(turn.settings.port);
        let to = SocketAddr::new(neighbor.peer_address, port);
        let options = socket_options(neighbor);
        let connecting = network.connect(to, &options);
        turn.observe(&SpeakerEvent::Connecting {
            connection: &connecting.name(),
            to,
        });
        self.phase = Phase::Connecting(connecting);
        // Polled at once, so that it has our waker.
        self.connecting(turn);
    }

    fn connecting<P: Programs, C: DefectSet>(&mut self, turn: &mut Turn<P, C>) {
        if self.stopped || self.teardown.is_some() {
            // Abandoned: nobody has seen a session yet.
            self.phase = Phase::Idle;
            self.teardown = None;
            return;
        }
        let Phase::Connecting(connecting) = &mut self.phase else {
            return;
        };
        let name = connecting.name();
        match Pin::new(connecting).poll(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => {}
            Poll::Ready(Ok(stream)) => self.opened(stream, turn),
            Poll::Ready(Err(error)) => {
                turn.observe(&SpeakerEvent::ConnectFailed {
                    connection: &name,
                    reason: error.kind(),
                });
                if let Some(news) = turn.shortage.news(turn.now, &error) {
                    turn.warn(&self.label, news);
                }
                self.phase = Phase::Idle;
                self.peer.attempt_failed(turn.now);
                self.after_connection(turn);
            }
        }
    }

    /// A connection is open: a session begins on it.
    pub fn opened<P: Programs, C: DefectSet>(
        &mut self,
        stream: N::Connection,
        turn: &mut Turn<P, C>,
    ) {
        let name = stream.name();
        turn.observe(&SpeakerEvent::Connected {
            connection: &name,
            peer: &self.label,
        });
        let ends = Ends {
            local: stream.local_address(),
            peer: stream.peer_address(),
            opener: name.opener,
        };
        if let Some(neighbor) = self.replacement.take() {
            let refused = self.peer.replace_neighbor(neighbor);
            turn.report_refused(&self.label, &refused);
        }
        let session = self.peer.open(ends, &turn.settings, turn.now);
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
        turn.tell_connected(&self.peer);
        open.tell(&mut self.peer, &mut self.tally, turn);
        self.phase = Phase::Open(open);
    }

    /// Reading, then time, then outbound work, then writing: once each.
    fn converse<P: Programs, C: DefectSet>(
        &mut self,
        turn: &mut Turn<P, C>,
        buffer: &mut [u8],
    ) -> Option<Closing<N::Connection>> {
        let Phase::Open(open) = &mut self.phase else {
            return None;
        };
        let mut context = Context::from_waker(&self.waker);
        let half = defect::leftover(&turn.defects, &mut open.session);
        let received = open.read(&mut context, turn, buffer);
        open.tell(&mut self.peer, &mut self.tally, turn);
        if received {
            // What the output waits for may have come.
            open.wait_until = None;
        }
        if !starves(turn, received) {
            open.session.handle_timeout(turn.now);
        }
        open.tell(&mut self.peer, &mut self.tally, turn);
        if self.stopped {
            open.session.stop(turn.now, cease::REMOVED);
        } else if self.peer.is_established()
            && let Some(subcode) = self.teardown.take()
        {
            open.teardown(subcode, turn.now);
        }
        if received || !skips_output(&turn.defects) {
            open.fill(&mut self.peer, turn);
        }
        open.tell(&mut self.peer, &mut self.tally, turn);
        open.write(&mut context, turn.now);
        open.tell(&mut self.peer, &mut self.tally, turn);
        if open.lost {
            self.leftover = half;
        }
        open.session.wants_close().then(|| self.close(turn))?
    }

    /// The session is over and has said everything.
    fn close<P: Programs, C: DefectSet>(
        &mut self,
        turn: &mut Turn<P, C>,
    ) -> Option<Closing<N::Connection>> {
        let Phase::Open(open) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return None;
        };
        let closing = (*open).into_closing(turn);
        self.after_connection(turn);
        closing
    }

    /// The connection that there was, taken away for another: its session ends with `notification`.
    pub fn supersede<P: Programs, C: DefectSet>(
        &mut self,
        turn: &mut Turn<P, C>,
    ) -> Option<Closing<N::Connection>> {
        let Phase::Open(mut open) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return None;
        };
        let (subcode, text) = cease::COLLISION;
        open.session.close(turn.now, cease::worded(subcode, text));
        open.tell(&mut self.peer, &mut self.tally, turn);
        self.peer.gave_way();
        (*open).into_closing(turn)
    }

    /// The speaker ends: programs receive the end of the session.
    pub fn shut_down<P: Programs, C: DefectSet>(&mut self, turn: &mut Turn<P, C>) {
        self.stopped = true;
        if let Phase::Open(open) = &mut self.phase {
            open.session.stop(turn.now, cease::SHUTTING_DOWN);
            open.tell(&mut self.peer, &mut self.tally, turn);
        }
        self.waker.wake_by_ref();
    }

    /// A connection ended, or did not come about.
    fn after_connection<P: Programs, C: DefectSet>(&mut self, turn: &Turn<P, C>) {
        if self.generated || !self.peer.may_attempt(&turn.settings) {
            self.stopped = true;
        } else if self.is_active(turn.settings.passive) {
            if let Some(news) = self.peer.backoff_news() {
                turn.warn(&self.label, news);
            }
            turn.observe(&SpeakerEvent::Retry {
                peer: &self.label,
                at: self.peer.next_attempt(),
            });
        }
    }
}
