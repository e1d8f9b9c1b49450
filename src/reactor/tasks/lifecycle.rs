//! The main task: the beginning, reloads, and the end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::api::apply::Acknowledgement;
use crate::config::{Configuration, Process};
use crate::net::programs::Programs;
use crate::net::{Listener, Network, PeerKey};
use crate::reactor::arrival;
use crate::reactor::control::{Control, ControlReceiver};
use crate::reactor::defects::DefectSet;
use crate::reactor::observer::SpeakerEvent;
use crate::reactor::pipe::Outbox;
use crate::reactor::reload::{self, Change};
use crate::reactor::run::{Configurations, Outcome};
use crate::speaker::neighbor::Neighbor;

use crate::reactor::tasks::hub::{Hub, Mailbox, ProgramOrder, Request};
use crate::reactor::tasks::program::Starter;
use crate::reactor::tasks::{peer, program};

/// How long programs may take to read that the speaker ends.
const FAREWELL: Duration = Duration::from_millis(100);

/// The task that starts the others.
pub(super) struct Main<N: Network, P, C> {
    hub: Rc<Hub<N, C>>,
    starter: Starter<P>,
    configurations: Box<dyn Configurations>,
}

impl<N: Network, P: Programs, C: DefectSet> Main<N, P, C> {
    pub fn new(hub: Rc<Hub<N, C>>, programs: P, configurations: Box<dyn Configurations>) -> Self {
        Self {
            hub,
            starter: Rc::new(RefCell::new(programs)),
            configurations,
        }
    }

    /// Runs the speaker to its end.
    pub async fn run(mut self, mut control: ControlReceiver) -> Outcome {
        if let Err(outcome) = self.start() {
            return outcome;
        }
        let outcome = self.serve(&mut control).await;
        self.end().await;
        self.hub.observe(&SpeakerEvent::Ended);
        outcome
    }

    /// Takes up requests until one of them, or the last peer, ends the run.
    async fn serve(&mut self, control: &mut ControlReceiver) -> Outcome {
        loop {
            let request = self.hub.requests.borrow_mut().pop_front();
            match request {
                Some(Request::Control(control)) => {
                    if self.control(control) {
                        return Outcome::Terminated;
                    }
                    continue;
                }
                Some(Request::Create(neighbor)) => {
                    self.add_peer(*neighbor);
                    continue;
                }
                Some(Request::ProgramKeptDying(name)) => return Outcome::ProgramKeptDying(name),
                None => {}
            }
            if self.hub.settings.attempts > 0 && self.hub.peers.borrow().is_empty() {
                return Outcome::PeersEnded;
            }
            tokio::select! {
                biased;
                request = poll_fn(|context| control.poll_recv(context)) => {
                    self.hub.request(Request::Control(request));
                }
                () = self.hub.bell.notified() => {}
            }
        }
    }

    /// Reads the configuration, listens, and starts the tasks.
    fn start(&mut self) -> Result<(), Outcome> {
        let configuration = self.configurations.read().map_err(Outcome::Refused)?;
        let places = arrival::places(&configuration, &self.hub.settings);
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

    fn add_peer(&self, neighbor: Neighbor) {
        let id = self.hub.add_entry(neighbor, false);
        self.hub.spawner.spawn(peer::run(Rc::clone(&self.hub), id));
    }

    /// Listens where `wanted` says, and nowhere else, to peers that sign with their keys.
    fn listen(&self, wanted: &[SocketAddr], keys: &[PeerKey]) -> Result<(), String> {
        let rekeyed = self.hub.keys.replace(keys.to_vec()) != keys;
        let mut doors = self.hub.doors.borrow_mut();
        doors.retain(|(at, stop)| {
            let keep = wanted.contains(at);
            if !keep || rekeyed {
                stop.notify_one();
            }
            keep
        });
        let mut outcome = Ok(());
        for &at in wanted {
            if doors.iter().any(|(known, _)| *known == at) {
                continue;
            }
            let opened = self.hub.network.listen(at).and_then(|mut listener| {
                listener.set_keys(keys)?;
                Ok(listener)
            });
            match opened {
                Ok(listener) => {
                    self.hub.observe(&SpeakerEvent::Listening { at });
                    let stop = Rc::new(Notify::new());
                    doors.push((at, Rc::clone(&stop)));
                    self.hub
                        .spawner
                        .spawn(peer::accept(Rc::clone(&self.hub), listener, stop));
                }
                Err(error) => {
                    self.hub.observe(&SpeakerEvent::NotListening {
                        at,
                        reason: error.kind(),
                    });
                    outcome = Err(format!("can not listen on {at}: {error}"));
                }
            }
        }
        outcome
    }

    /// Starts programs that are new or have ended, ends those that are gone; `anew` starts the others again too.
    fn keep_programs(&self, processes: Vec<Process>, anew: bool) {
        let directory = self.configurations.directory();
        self.hub.subscriptions.borrow_mut().configure(&processes);
        for mailbox in self.hub.mailboxes.borrow_mut().values_mut() {
            let kept = processes
                .iter()
                .find(|process| process.name == mailbox.process.name);
            if let Some(process) = kept {
                mailbox.configured = (process.clone(), directory.clone());
            }
            if kept.is_none() || anew {
                mailbox.order = Some(if kept.is_some() {
                    ProgramOrder::Restart
                } else {
                    ProgramOrder::End
                });
                mailbox.filled.notify_one();
            }
        }
        for process in processes {
            let running = |mailbox: &Mailbox| {
                mailbox.process.name == process.name
                    && (mailbox.running || (!anew && !mailbox.process.respawn))
            };
            let known = self.hub.mailboxes.borrow().values().any(running);
            if !known && !process.run.is_empty() {
                self.add_program(process, &directory);
            }
        }
    }

    fn add_program(&self, process: Process, directory: &Path) {
        let id = self.hub.id();
        self.hub
            .mailboxes
            .borrow_mut()
            .retain(|_, mailbox| mailbox.process.name != process.name);
        let mailbox = Mailbox {
            configured: (process.clone(), directory.to_path_buf()),
            process,
            outbox: Outbox::default(),
            acknowledgement: Acknowledgement(self.hub.settings.api_ack),
            running: false,
            order: None,
            filled: Rc::new(Notify::new()),
        };
        self.hub.mailboxes.borrow_mut().insert(id, mailbox);
        let (hub, starter) = (Rc::clone(&self.hub), Rc::clone(&self.starter));
        self.hub.spawner.spawn(program::run(hub, starter, id));
    }

    /// Takes up a request from outside; says whether it ends the run.
    fn control(&mut self, control: Control) -> bool {
        self.hub.observe(&SpeakerEvent::Control(control));
        self.hub.tell_signal(control);
        if control == Control::Terminate {
            return true;
        }
        self.reload(control);
        false
    }

    fn reload(&mut self, control: Control) {
        let configuration = match self.configurations.read() {
            Ok(configuration) => configuration,
            Err(reason) => {
                self.hub.warn("configuration", &reason);
                return self.hub.observe(&SpeakerEvent::Reloaded {
                    accepted: false,
                    reason: &reason,
                });
            }
        };
        self.hub.observe(&SpeakerEvent::Reloaded {
            accepted: true,
            reason: "",
        });
        let places = arrival::places(&configuration, &self.hub.settings);
        if let Err(reason) = self.listen(&places, &arrival::keys(&configuration)) {
            self.hub.warn("listener", reason);
        }
        let changes = {
            let mut peers = self.hub.peers.borrow_mut();
            // What was queued before the reload goes out before what the reload changes.
            peers
                .values_mut()
                .for_each(|entry| entry.peer.take_changes());
            let old = peers
                .values()
                .filter(|entry| !entry.generated && !entry.stopped);
            reload::compare(
                old.map(|entry| &**entry.peer.neighbor()),
                configuration.neighbors,
            )
        };
        for change in changes {
            self.change(change);
        }
        if control == Control::Reestablish {
            let now = self.hub.now();
            for entry in self.hub.peers.borrow_mut().values_mut() {
                entry.peer.claim_restart();
                entry.peer.reconnect_at_once(now);
                entry.teardown = Some(3);
            }
        }
        self.hub.announce_changes();
        self.keep_programs(configuration.processes, control != Control::Reload);
    }

    fn change(&self, change: Change) {
        let now = self.hub.now();
        let name = match &change {
            Change::Remove(name) => name.clone(),
            Change::Add(neighbor) | Change::Update(neighbor) | Change::Reestablish(neighbor) => {
                neighbor.name()
            }
        };
        if let Change::Add(neighbor) = change {
            return self.add_peer(*neighbor);
        }
        let mut peers = self.hub.peers.borrow_mut();
        let Some(entry) = peers
            .values_mut()
            .find(|entry| entry.name == name && !entry.generated)
        else {
            return;
        };
        match change {
            Change::Add(_) => {}
            Change::Remove(_) => entry.stop(),
            Change::Update(neighbor) => {
                let refused = entry.peer.reconfigure(Arc::new(*neighbor));
                self.hub.report_refused(&entry.label, &refused);
            }
            Change::Reestablish(neighbor) => {
                entry.replacement = Some(Arc::new(*neighbor));
                entry.peer.claim_restart();
                entry.peer.reconnect_at_once(now);
                entry.teardown = Some(3);
                entry.changed.notify_one();
            }
        }
    }

    /// Removes peers and listeners and notifies programs; returns once that is done.
    async fn end(&self) {
        let hub = &self.hub;
        for (_, stop) in hub.doors.borrow_mut().drain(..) {
            stop.notify_one();
        }
        hub.ending.set(true);
        hub.peers
            .borrow_mut()
            .values_mut()
            .for_each(super::hub::PeerEntry::stop);
        // Programs receive the end of each session before that of the speaker.
        while hub.peers.borrow().values().any(|entry| entry.in_session) {
            hub.bell.notified().await;
        }
        let now = hub.now();
        for mailbox in hub
            .mailboxes
            .borrow_mut()
            .values_mut()
            .filter(|mailbox| mailbox.running)
        {
            let line = hub
                .subscriptions
                .borrow()
                .farewell(now, mailbox.process.encoder);
            let program = &mailbox.process.name;
            hub.observe(&SpeakerEvent::ProgramEvent {
                program,
                line: line.trim_end(),
            });
            mailbox.outbox.hurry();
            mailbox.outbox.push(&line);
            mailbox.process.respawn = false;
            mailbox.filled.notify_one();
        }
        let over = now + FAREWELL;
        loop {
            let waits = hub
                .mailboxes
                .borrow()
                .values()
                .any(|mailbox| mailbox.running)
                && hub.now() < over;
            if !waits && hub.peers.borrow().is_empty() && hub.lingering.get() == 0 {
                break;
            }
            let until = waits.then(|| crate::net::timer::sleep_until(hub.clock.at(over)));
            tokio::select! {
                biased;
                () = peer::maybe(until) => {}
                () = hub.bell.notified() => {}
            }
        }
        for mailbox in hub
            .mailboxes
            .borrow()
            .values()
            .filter(|mailbox| mailbox.running)
        {
            let program = &mailbox.process.name;
            hub.observe(&SpeakerEvent::ProgramEnded {
                program,
                reason: "the speaker ends",
            });
        }
    }
}
