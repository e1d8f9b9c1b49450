//! The beginning, reloads, and the end.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Configuration, Process};
use crate::net::Network;
use crate::net::programs::Programs;
use crate::reactor::arrival;
use crate::reactor::control::Control;
use crate::reactor::defects::DefectSet;
use crate::reactor::observer::SpeakerEvent;
use crate::reactor::reload::{self, Change};
use crate::reactor::run::Outcome;
use crate::reactor::shortage::{RETRY, is_shortage};
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;

use crate::reactor::polled::Polled;
use crate::reactor::polled::peer::{Phase, Slot};
use crate::reactor::polled::program::Helper;

/// How long programs may take to read that the speaker ends.
const FAREWELL: Duration = Duration::from_millis(100);

/// The state of a speaker that is shutting down.
pub(super) struct Ending {
    /// Programs that have not read their farewell by then do not get it.
    pub until: Duration,
    outcome: Outcome,
}

impl<N: Network, P: Programs, C: DefectSet> Polled<N, P, C> {
    /// Reads the configuration, listens, and starts programs.
    ///
    /// # Errors
    /// Why it cannot start.
    pub(super) fn start(&mut self) -> Result<(), Outcome> {
        let configuration = self.configurations.read().map_err(Outcome::Refused)?;
        let places = arrival::places(&configuration, &self.turn.settings);
        self.listen(&places, &arrival::keys(&configuration))
            .map_err(Outcome::CannotListen)?;
        let Configuration {
            neighbors,
            processes,
            ..
        } = configuration;
        for neighbor in neighbors {
            self.add_peer(neighbor);
        }
        self.keep_programs(processes, false);
        Ok(())
    }

    pub(super) fn label(&self, neighbor: &Neighbor) -> Rc<str> {
        let taken = |label: &str| self.peers.values().any(|slot| *slot.label == *label);
        Rc::from(arrival::label(neighbor, taken))
    }

    pub(super) fn add_peer(&mut self, neighbor: Neighbor) {
        let id = self.id();
        let label = self.label(&neighbor);
        let (mut peer, refused) = Peer::new(Arc::new(neighbor));
        peer.reconnect_at_once(self.turn.now);
        self.turn.report_refused(&label, &refused);
        let waker = self.ready.waker(id);
        waker.wake_by_ref();
        self.peers.insert(id, Slot::new(label, peer, waker));
    }

    /// Starts programs that are new or have ended, ends those that are gone; `anew` starts the others again too.
    fn keep_programs(&mut self, processes: Vec<Process>, anew: bool) {
        let directory = self.configurations.directory();
        self.turn.subscriptions.configure(&processes);
        let list = &mut self.turn.helpers.list;
        let gone: Vec<usize> = list
            .iter()
            .filter(|(_, helper)| {
                !processes
                    .iter()
                    .any(|process| process.name == helper.process.name)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.end_program(id, "it is not configured any more");
            self.turn.helpers.list.remove(&id);
        }
        for process in processes {
            let mut known = self.turn.helpers.list.iter();
            let id = known
                .find(|(_, helper)| helper.process.name == process.name)
                .map(|(id, _)| *id);
            let Some(id) = id else {
                self.add_program(process, &directory);
                continue;
            };
            let Some(helper) = self.turn.helpers.list.get_mut(&id) else {
                continue;
            };
            helper.configure(process, directory.clone());
            if anew {
                self.end_program(id, "it is started anew");
                self.restart_program(id);
            } else if !helper.is_running() && helper.process.respawn {
                self.restart_program(id);
            }
        }
    }

    fn add_program(&mut self, process: Process, directory: &Path) {
        if process.run.is_empty() {
            return;
        }
        let id = self.id();
        let name = process.name.clone();
        let waker = self.ready.waker(id);
        let acknowledged = self.turn.settings.api_ack;
        let started =
            self.turn
                .helpers
                .add(id, process, directory.to_path_buf(), waker, acknowledged);
        self.program_started(id, &name, started);
    }

    fn restart_program(&mut self, id: usize) {
        let Some(helper) = self.turn.helpers.list.get(&id) else {
            return;
        };
        let name = helper.process.name.clone();
        let started = self.turn.helpers.restart(id, self.turn.settings.api_ack);
        self.program_started(id, &name, started);
    }

    /// As in ExaBGP a program that cannot be started costs every peer its session, since it might have had a say in it.
    fn program_started(&mut self, id: usize, program: &str, started: std::io::Result<()>) {
        let Err(error) = started else {
            if let Some(helper) = self.turn.helpers.list.get(&id) {
                self.turn.subscriptions.started(&helper.process);
            }
            return self.turn.observe(&SpeakerEvent::ProgramStarted { program });
        };
        let reason = error.to_string();
        self.turn.observe(&SpeakerEvent::ProgramFailed {
            program,
            reason: &reason,
        });
        self.turn
            .warn(program, format_args!("could not be started: {reason}"));
        if is_shortage(&error) {
            // It is not the program that is missing: sessions go on, and it is tried again.
            let retry = self.turn.now + RETRY;
            if let Some(helper) = self.turn.helpers.list.get_mut(&id) {
                helper.retry = Some(retry);
            }
            return;
        }
        if self.turn.settings.api_terminate {
            self.requests.push(Control::Terminate);
        }
        self.stop_peers();
    }

    /// Starts the programs for which the machine had nothing left, where it is time.
    pub(super) fn retry_programs(&mut self) {
        let now = self.turn.now;
        let due: Vec<usize> = (self.turn.helpers.list.iter())
            .filter(|(_, helper)| helper.retry.is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.restart_program(id);
        }
    }

    fn stop_peers(&mut self) {
        for slot in self.peers.values_mut() {
            slot.stopped = true;
            slot.waker.wake_by_ref();
        }
    }

    pub(super) fn end_program(&mut self, id: usize, reason: &str) {
        if let Some(helper) = self.turn.helpers.list.get_mut(&id)
            && helper.is_running()
        {
            helper.end();
            let program = &helper.process.name;
            self.turn.observer.observe(
                self.turn.now,
                &SpeakerEvent::ProgramEnded { program, reason },
            );
        }
    }

    /// A program died: it is started again where it may be.
    pub(super) fn program_ended(&mut self, id: usize, reason: &str) {
        self.end_program(id, reason);
        let allowed = self.turn.settings.api_respawn;
        let Some(helper) = self.turn.helpers.list.get_mut(&id) else {
            return;
        };
        match helper.respawns(self.turn.now, allowed) {
            Some(true) => self.restart_program(id),
            Some(false) => {}
            None => {
                let name = helper.process.name.clone();
                self.begin_end(Outcome::ProgramKeptDying(name));
            }
        }
    }

    /// Takes up the requests that were made. What was queued before a reload goes out before what the reload changes.
    pub(super) fn requests(&mut self) {
        let requests = std::mem::take(&mut self.requests);
        for control in requests {
            if std::mem::take(&mut self.untaken) {
                self.take_changes();
            }
            self.turn.observe(&SpeakerEvent::Control(control));
            self.tell_signal(control);
            // Whoever asked for it has its answer before a program may have to end for it.
            self.answer();
            self.turn.helpers.list.values_mut().for_each(Helper::flush);
            match control {
                Control::Terminate => self.begin_end(Outcome::Terminated),
                Control::Reload | Control::Restart | Control::Reestablish => self.reload(control),
            }
        }
    }

    fn tell_signal(&mut self, control: Control) {
        let Self { peers, turn, .. } = self;
        let super::Turn {
            helpers,
            observer,
            now,
            subscriptions,
            ..
        } = turn;
        for slot in peers.values() {
            subscriptions.signal(*now, &slot.peer, control.signal(), &mut |program, line| {
                helpers.tell(program, line, &**observer, *now);
            });
        }
    }

    fn reload(&mut self, control: Control) {
        let configuration = match self.configurations.read() {
            Ok(configuration) => configuration,
            Err(reason) => {
                self.turn.warn("configuration", &reason);
                return self.turn.observe(&SpeakerEvent::Reloaded {
                    accepted: false,
                    reason: &reason,
                });
            }
        };
        self.turn.observe(&SpeakerEvent::Reloaded {
            accepted: true,
            reason: "",
        });
        let places = arrival::places(&configuration, &self.turn.settings);
        if let Err(reason) = self.listen(&places, &arrival::keys(&configuration)) {
            self.turn.warn("listener", reason);
        }
        let old = self
            .peers
            .values()
            .filter(|slot| !slot.generated && !slot.stopped);
        let changes = reload::compare(
            old.map(|slot| &**slot.peer.neighbor()),
            configuration.neighbors,
        );
        for change in changes {
            self.change(change);
        }
        if control == Control::Reestablish {
            for slot in self.peers.values_mut() {
                slot.peer.claim_restart();
                slot.peer.reconnect_at_once(self.turn.now);
                slot.teardown = Some(3);
            }
        }
        self.keep_programs(configuration.processes, control != Control::Reload);
        self.untaken = true;
    }

    fn named(&mut self, name: &str) -> Option<&mut Slot<N>> {
        self.peers
            .values_mut()
            .find(|slot| slot.name == name && !slot.generated)
    }

    fn change(&mut self, change: Change) {
        let now = self.turn.now;
        match change {
            Change::Add(neighbor) => self.add_peer(*neighbor),
            Change::Remove(name) => {
                if let Some(slot) = self.named(&name) {
                    slot.stopped = true;
                    slot.waker.wake_by_ref();
                }
            }
            Change::Update(neighbor) => {
                if let Some(slot) = self.named(&neighbor.name()) {
                    let refused = slot.peer.reconfigure(Arc::new(*neighbor));
                    let label = Rc::clone(&slot.label);
                    self.turn.report_refused(&label, &refused);
                }
            }
            Change::Reestablish(neighbor) => {
                if let Some(slot) = self.named(&neighbor.name()) {
                    slot.replacement = Some(Arc::new(*neighbor));
                    slot.peer.claim_restart();
                    slot.peer.reconnect_at_once(now);
                    slot.teardown = Some(3);
                    slot.waker.wake_by_ref();
                }
            }
        }
    }

    /// Forgets peers that are on their way out and have no connection any more.
    pub(super) fn remove_stopped(&mut self) {
        let turn = &self.turn;
        self.peers.retain(|_, slot| {
            let gone = slot.stopped && matches!(slot.phase, Phase::Idle);
            if gone {
                turn.observe(&SpeakerEvent::PeerEnded { peer: &slot.label });
            }
            !gone
        });
    }

    /// Removes peers and listeners, and notifies programs.
    fn begin_end(&mut self, outcome: Outcome) {
        if self.ending.is_some() {
            return;
        }
        self.doors.clear();
        self.answer();
        let Self { peers, turn, .. } = self;
        for slot in peers.values_mut() {
            slot.shut_down(turn);
        }
        let now = self.turn.now;
        for helper in self
            .turn
            .helpers
            .list
            .values_mut()
            .filter(|helper| helper.is_running())
        {
            let line = self
                .turn
                .subscriptions
                .farewell(now, helper.process.encoder);
            let program = &helper.process.name;
            self.turn.observer.observe(
                now,
                &SpeakerEvent::ProgramEvent {
                    program,
                    line: line.trim_end(),
                },
            );
            helper.farewell(&line);
        }
        self.ending = Some(Ending {
            until: now + FAREWELL,
            outcome,
        });
    }

    /// Whether everything is over.
    pub(super) fn end(&mut self) -> Option<Outcome> {
        if self.ending.is_none() && self.turn.settings.attempts > 0 && self.peers.is_empty() {
            self.begin_end(Outcome::PeersEnded);
            self.write_programs();
        }
        let ending = self.ending.as_ref()?;
        let running = self.turn.helpers.list.values().any(Helper::is_running);
        let waiting = running && self.turn.now < ending.until;
        if waiting || !self.peers.is_empty() || !self.closing.is_empty() {
            return None;
        }
        let outcome = ending.outcome.clone();
        let ids: Vec<usize> = self.turn.helpers.list.keys().copied().collect();
        for id in ids {
            self.end_program(id, "the speaker ends");
        }
        self.turn.observe(&SpeakerEvent::Ended);
        Some(outcome)
    }
}
