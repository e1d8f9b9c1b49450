//! The polled reactor (sync): one future that takes turns, as ExaBGP's loop of generators does.
//!
//! A turn is: requests from outside, one new connection per listener, one step of each peer that has something to
//! do (a step reads once, fills up to 25 messages, writes once), then the answers whose changes the peers have
//! taken by that, then one read of each program, all commands of which are applied at once, then what programs are
//! to be sent their lines. Between turns the future sleeps until a socket, a pipe or the earliest deadline wakes it:
//! every socket and pipe has a waker of its own, which puts it into a FIFO; there is one timer.

mod accept;
mod closing;
mod commands;
mod turn;
mod lifecycle;
mod open;
mod peer;
mod program;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::api::command::Parser;
use crate::net::Network;
use crate::net::buffer::ReadBuffer;
use crate::net::clock::Clock;
use crate::net::programs::Programs;
use crate::net::timer::{Sleep, sleep_until};
use crate::reactor::control::{Control, ControlReceiver};
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;
use crate::reactor::order::{Order, arrange};
use crate::reactor::ready::ReadyQueue;
use crate::reactor::run::{Configurations, Outcome, Speaker, Surroundings};
use crate::reactor::shortage::{LINGERING, Shortage};
use crate::reactor::subscriptions::Subscriptions;

use accept::ListeningSocket;
use closing::Closing;
use lifecycle::Ending;
use peer::Slot;
use turn::Turn;

/// Runs `speaker` to its end.
pub(super) async fn run<N: Network, P: Programs, C: DefectSet>(
    speaker: Speaker,
    surroundings: Surroundings<N, P, C>,
) -> Outcome {
    let mut polled = Polled::new(speaker, surroundings);
    if let Err(outcome) = polled.start() {
        return outcome;
    }
    poll_fn(|context| polled.turn(context)).await
}

/// Everything that takes turns.
struct Polled<N: Network, P: Programs, C> {
    clock: Clock,
    network: N,
    configurations: Box<dyn Configurations>,
    order: Box<dyn Order>,
    control: ControlReceiver,
    turn: Turn<P, C>,
    ready: ReadyQueue,
    next_id: usize,
    peers: BTreeMap<usize, Slot<N>>,
    doors: BTreeMap<usize, ListeningSocket<N::Listener>>,
    closing: BTreeMap<usize, Closing<N::Connection>>,
    /// Requests that wait for their turn.
    requests: Vec<Control>,
    /// Commands were applied that no peer has been able to take yet.
    untaken: bool,
    ending: Option<Ending>,
    timer: Option<Sleep>,
    buffer: ReadBuffer,
    woken: Vec<usize>,
}

impl<N: Network, P: Programs, C: DefectSet> Polled<N, P, C> {
    fn new(speaker: Speaker, surroundings: Surroundings<N, P, C>) -> Self {
        let Surroundings {
            network,
            programs,
            clock,
            observer,
            control,
            defects,
        } = surroundings;
        Self {
            clock,
            network,
            configurations: speaker.configurations,
            order: speaker.order,
            control,
            turn: Turn {
                now: clock.now(),
                settings: speaker.settings,
                subscriptions: Subscriptions::new(&speaker.identity),
                parser: Parser::default(),
                last_command: None,
                shortage: Shortage::default(),
                identity: speaker.identity,
                observer: Rc::clone(&observer),
                defects,
                helpers: program::Helpers::new(programs),
            },
            ready: ReadyQueue::new(),
            next_id: 0,
            peers: BTreeMap::new(),
            doors: BTreeMap::new(),
            closing: BTreeMap::new(),
            requests: Vec::new(),
            untaken: false,
            ending: None,
            timer: None,
            buffer: ReadBuffer::new(peer::READ),
            woken: Vec::new(),
        }
    }

    fn id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    fn turn(&mut self, context: &mut Context<'_>) -> Poll<Outcome> {
        self.turn.now = self.clock.now();
        self.ready.register(context.waker());
        let woken = self.collect();
        while let Poll::Ready(control) = self.control.poll_recv(context) {
            self.requests.push(control);
        }
        self.requests();
        self.retry_programs();
        self.accept();
        if !self.turn.defects.has(Defect::CommandsBeforePeers) {
            self.peers(&woken);
            self.answer();
            self.commands();
        } else {
            self.commands();
            self.answer();
            self.peers(&woken);
        }
        self.woken = woken;
        self.write_programs();
        self.close();
        if let Some(outcome) = self.end() {
            return Poll::Ready(outcome);
        }
        self.sleep(context);
        Poll::Pending
    }

    /// What was woken since the last turn, first woken first.
    fn collect(&mut self) -> Vec<usize> {
        let mut woken = std::mem::take(&mut self.woken);
        woken.clear();
        self.ready.drain_into(&mut woken);
        for id in &woken {
            if let Some(slot) = self.peers.get_mut(id) {
                slot.woken();
            } else if let Some(helper) = self.turn.helpers.list.get_mut(id) {
                helper.woken();
            } else if let Some(door) = self.doors.get_mut(id) {
                door.woken = true;
            }
        }
        woken
    }

    /// One step of each peer that was woken, has work left, or whose time has come.
    fn peers(&mut self, woken: &[usize]) {
        if std::mem::take(&mut self.untaken) {
            self.take_changes();
        }
        let mut run: Vec<usize> = woken
            .iter()
            .copied()
            .filter(|id| self.peers.contains_key(id))
            .collect();
        let now = self.turn.now;
        let defects = &self.turn.defects;
        for (id, slot) in &self.peers {
            let due = || slot.deadline(&self.turn).is_some_and(|at| at <= now);
            if !run.contains(id) && (slot.has_work(defects) || due()) {
                run.push(*id);
            }
        }
        arrange(&mut *self.order, &mut run);
        for id in run {
            let Self {
                peers,
                network,
                turn,
                buffer,
                ..
            } = self;
            let Some(slot) = peers.get_mut(&id) else {
                continue;
            };
            if let Some(closing) = slot.step(network, turn, buffer) {
                self.linger(closing);
            }
        }
        self.remove_stopped();
    }

    /// Every established peer takes the changes made so far: a stalled one too.
    fn take_changes(&mut self) {
        for slot in self.peers.values_mut() {
            if slot.peer.is_established() {
                slot.peer.take_changes();
                self.turn
                    .observe(&SpeakerEvent::Taken { peer: &slot.label });
            }
        }
    }

    fn linger(&mut self, mut closing: Closing<N::Connection>) {
        let of_same_peer = |other: &&Closing<N::Connection>| other.peer == closing.peer;
        if self.closing.values().filter(of_same_peer).count() >= LINGERING {
            // Whoever connects over and over keeps no more of our descriptors than this.
            let oldest = self.closing.iter().find(|(_, other)| of_same_peer(other));
            if let Some(gone) = oldest
                .map(|(id, _)| *id)
                .and_then(|id| self.closing.remove(&id))
                && let Some(connection) = &gone.name
            {
                self.turn
                    .observe(&SpeakerEvent::Disconnected { connection });
            }
        }
        let id = self.id();
        closing.watch(self.ready.waker(id));
        self.closing.insert(id, closing);
    }

    fn close(&mut self) {
        let Self {
            closing,
            turn,
            buffer,
            ..
        } = self;
        closing.retain(|_, closing| {
            let done = closing.step(
                turn.now,
                !turn.defects.has(Defect::NotificationLost),
                buffer,
            );
            if done && let Some(connection) = &closing.name {
                turn.observe(&SpeakerEvent::Disconnected { connection });
            }
            !done
        });
    }

    /// Sees to it that the next turn comes when there is something to do.
    fn sleep(&mut self, context: &mut Context<'_>) {
        let defects = &self.turn.defects;
        let busy = self.untaken
            || self.peers.values().any(|slot| slot.has_work(defects))
            || (!self.is_locked_out()
                && self
                    .turn
                    .helpers
                    .list
                    .values()
                    .any(program::Helper::has_work))
            || self.doors.values().any(|door| door.woken)
            || !self.ready.is_empty();
        if busy {
            context.waker().wake_by_ref();
            return;
        }
        let Some(at) = self.deadline() else {
            self.timer = None;
            return;
        };
        let at = self.clock.at(at);
        let timer = self.timer.get_or_insert_with(|| sleep_until(at));
        if timer.deadline() != at {
            timer.reset(at);
        }
        if Pin::new(timer).poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
    }

    fn deadline(&self) -> Option<Duration> {
        let peers = self
            .peers
            .values()
            .filter_map(|slot| slot.deadline(&self.turn));
        let closing = self.closing.values().map(|closing| closing.until);
        // Once it is over, what is still closing is all that is waited for.
        let ending = self
            .ending
            .as_ref()
            .map(|ending| ending.until)
            .filter(|until| *until > self.turn.now);
        let doors = self.doors.values().filter_map(|door| door.retry);
        let programs = self.turn.helpers.list.values();
        let programs = programs.filter_map(|helper| helper.retry);
        peers
            .chain(closing)
            .chain(ending)
            .chain(doors)
            .chain(programs)
            .min()
    }
}
