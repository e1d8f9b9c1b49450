//! What the tasks share: the peers, the programs' mailboxes, and the notifications between them. Nobody holds a borrow
//! of it across an await.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::api::apply::Identity;
use crate::api::apply::{Acknowledgement, Peers, Subject};
use crate::api::tally::Tally;
use crate::config::Process;
use crate::net::clock::Clock;
use crate::net::{Network, PeerKey};
use crate::reactor::arrival;
use crate::reactor::control::Control;
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::reactor::pipe::Outbox;
use crate::reactor::shortage::Shortage;
use crate::reactor::subscriptions::Subscriptions;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;
use crate::speaker::rib::Refused;
use crate::speaker::route::ConfiguredRoute;
use crate::speaker::session::{Session, SessionEvent};
use crate::speaker::settings::Settings;

use crate::reactor::tasks::executor::Spawner;

/// Shared by all tasks of a run.
pub(super) struct Hub<N: Network, C> {
    pub clock: Clock,
    pub network: N,
    pub settings: Settings,
    pub identity: Identity,
    pub subscriptions: RefCell<Subscriptions>,
    pub defects: C,
    pub observer: Rc<dyn Observer>,
    pub spawner: Spawner,
    pub peers: RefCell<BTreeMap<usize, PeerEntry<N::Connection>>>,
    pub mailboxes: RefCell<BTreeMap<usize, Mailbox>>,
    pub doors: RefCell<Vec<(SocketAddr, Rc<Notify>)>>,
    /// The keys with which those who connect must sign.
    pub keys: RefCell<Vec<PeerKey>>,
    /// What the main task is to take up.
    pub requests: RefCell<VecDeque<Request>>,
    /// Wakes the main task: a request arrived, a peer or a program ended, a connection closed.
    pub bell: Notify,
    /// How many batches of changes there were.
    pub changes: Cell<u64>,
    /// When the last command was applied.
    pub last_command: Cell<Option<Duration>>,
    /// Some peer has taken changes, or its session has ended.
    pub taken: Notify,
    /// Whether the speaker is shutting down.
    pub ending: Cell<bool>,
    /// Number of connections that are closing.
    pub lingering: Cell<usize>,
    /// How many of them each peer has.
    pub lingering_of: RefCell<BTreeMap<IpAddr, usize>>,
    pub shortage: Shortage,
    next_id: Cell<usize>,
}

/// What the main task is asked for by others.
#[derive(Debug)]
pub(super) enum Request {
    Control(Control),
    Create(Box<Neighbor>),
    ProgramKeptDying(String),
}

/// A peer, between its own task and everybody else.
pub(super) struct PeerEntry<T> {
    pub label: Rc<str>,
    pub name: String,
    pub peer: Peer,
    pub tally: Tally,
    /// The number of the last batch of changes that it has taken.
    pub taken: u64,
    pub teardown: Option<u8>,
    /// A definition that holds from the next session on.
    pub replacement: Option<Arc<Neighbor>>,
    /// It has a session whose end is not reported yet.
    pub in_session: bool,
    /// It is being removed and will not reconnect.
    pub stopped: bool,
    /// It was created for one peer of a passive range, and is removed with its connection.
    pub generated: bool,
    /// Connections that it made, not yet looked at.
    pub arrivals: VecDeque<T>,
    /// Octets of a message that was half written when its connection was lost: only where the defects is wrong.
    pub leftover: Vec<u8>,
    /// Its task should look at this entry.
    pub changed: Rc<Notify>,
}

/// A program, between its own task and everybody else.
pub(super) struct Mailbox {
    /// As it was started.
    pub process: Process,
    /// As the configuration has it now, and where it is to be started: for the next start.
    pub configured: (Process, PathBuf),
    pub outbox: Outbox,
    pub acknowledgement: Acknowledgement,
    pub running: bool,
    /// What its task is to do about the program.
    pub order: Option<ProgramOrder>,
    /// There is something in the outbox, or an order.
    pub filled: Rc<Notify>,
}

/// What becomes of a program that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgramOrder {
    End,
    Restart,
}

/// What a hub begins with.
pub(super) struct HubParts<N, C> {
    pub clock: Clock,
    pub network: N,
    pub settings: Settings,
    pub identity: Identity,
    pub defects: C,
    pub observer: Rc<dyn Observer>,
    pub spawner: Spawner,
}

impl<N: Network, C: DefectSet> Hub<N, C> {
    pub fn new(foundation: HubParts<N, C>) -> Self {
        let HubParts {
            clock,
            network,
            settings,
            identity,
            defects,
            observer,
            spawner,
        } = foundation;
        Self {
            clock,
            network,
            settings,
            subscriptions: RefCell::new(Subscriptions::new(&identity)),
            identity,
            defects,
            observer,
            spawner,
            peers: RefCell::default(),
            mailboxes: RefCell::default(),
            doors: RefCell::default(),
            keys: RefCell::default(),
            requests: RefCell::default(),
            bell: Notify::new(),
            changes: Cell::new(0),
            last_command: Cell::new(None),
            taken: Notify::new(),
            ending: Cell::new(false),
            lingering: Cell::new(0),
            lingering_of: RefCell::default(),
            shortage: Shortage::default(),
            next_id: Cell::new(0),
        }
    }

    pub fn id(&self) -> usize {
        self.next_id.set(self.next_id.get() + 1);
        self.next_id.get()
    }

    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    pub fn observe(&self, event: &SpeakerEvent<'_>) {
        self.observer.observe(self.now(), event);
    }

    pub fn warn(&self, who: &str, what: impl fmt::Display) {
        tracing::warn!(target: "lockstep::reactor", "{who}: {what}");
    }

    pub fn report_refused(&self, who: &str, refused: &[(ConfiguredRoute, Refused)]) {
        for (configured, reason) in refused {
            self.warn(
                who,
                format_args!("{}: {reason}", configured.route.nlri.text()),
            );
        }
    }

    /// Asks the main task for something.
    pub fn request(&self, request: Request) {
        self.requests.borrow_mut().push_back(request);
        self.bell.notify_one();
    }

    /// Looks at (or changes) one peer; `None` where it is gone.
    pub fn with<R>(
        &self,
        id: usize,
        act: impl FnOnce(&mut PeerEntry<N::Connection>) -> R,
    ) -> Option<R> {
        self.peers.borrow_mut().get_mut(&id).map(act)
    }

    pub fn label(&self, neighbor: &Neighbor) -> Rc<str> {
        let peers = self.peers.borrow();
        let taken = |label: &str| peers.values().any(|entry| *entry.label == *label);
        Rc::from(arrival::label(neighbor, taken))
    }

    /// Adds a peer without a task; gives its key.
    pub fn add_entry(&self, mut neighbor: Neighbor, generated: bool) -> usize {
        if self.defects.has(Defect::NoRateLimit) {
            neighbor.rate_limit = None;
        }
        let id = self.id();
        let label = self.label(&neighbor);
        let (mut peer, refused) = Peer::new(Arc::new(neighbor));
        peer.reconnect_at_once(self.now());
        self.report_refused(&label, &refused);
        let entry = PeerEntry {
            label,
            name: peer.neighbor().name(),
            peer,
            tally: Tally::default(),
            taken: 0,
            teardown: None,
            replacement: None,
            in_session: false,
            stopped: false,
            generated,
            arrivals: VecDeque::new(),
            leftover: Vec::new(),
            changed: Rc::new(Notify::new()),
        };
        self.peers.borrow_mut().insert(id, entry);
        id
    }

    /// Notifies every peer of a batch of changes, and returns the number of the batch.
    pub fn announce_changes(&self) -> u64 {
        self.changes.set(self.changes.get() + 1);
        for entry in self.peers.borrow().values() {
            entry.changed.notify_one();
        }
        self.changes.get()
    }

    /// Whether every established peer has taken that batch of changes.
    pub fn have_taken(&self, changes: u64) -> bool {
        self.peers
            .borrow()
            .values()
            .all(|entry| !entry.peer.is_established() || entry.taken >= changes)
    }

    /// Whether routes are on their way to some peer.
    pub fn is_sending(&self) -> bool {
        self.peers
            .borrow()
            .values()
            .any(|entry| entry.peer.is_established() && entry.peer.has_output())
    }

    /// Waits until every established peer has taken that batch of changes.
    pub async fn all_take(&self, changes: u64) {
        if self.defects.has(Defect::LostWakeup) {
            return self.all_take_unless_missed(changes).await;
        }
        loop {
            let taken = self.taken.notified();
            let mut taken = std::pin::pin!(taken);
            // Registered before the check, so that nothing is missed between it and the wait.
            taken.as_mut().enable();
            if self.have_taken(changes) {
                return;
            }
            taken.await;
        }
    }

    /// The same, but what happens between the check and the wait is missed.
    async fn all_take_unless_missed(&self, changes: u64) {
        while !self.have_taken(changes) {
            tokio::task::yield_now().await;
            self.taken.notified().await;
        }
    }

    /// Tells the programs that want to know what happened in a session.
    pub fn tell(&self, peer: &Peer, session: &Session, event: &SessionEvent) {
        self.subscriptions.borrow_mut().session(
            self.now(),
            peer,
            session,
            event,
            &mut |program, line| {
                self.post(program, line);
            },
        );
    }

    /// Tells the programs that want to know that a connection is open.
    pub fn tell_connected(&self, peer: &Peer) {
        self.subscriptions
            .borrow_mut()
            .connected(self.now(), peer, &mut |program, line| {
                self.post(program, line);
            });
    }

    /// Tells the programs that want to know of a signal.
    pub fn tell_signal(&self, control: Control) {
        for entry in self.peers.borrow().values() {
            self.subscriptions.borrow_mut().signal(
                self.now(),
                &entry.peer,
                control.signal(),
                &mut |program, line| {
                    self.post(program, line);
                },
            );
        }
    }

    /// Puts a line into the mailbox of `program`, if it runs.
    fn post(&self, program: &str, line: String) {
        let mut mailboxes = self.mailboxes.borrow_mut();
        if let Some(mailbox) = mailboxes.values_mut().find(|it| it.process.name == program)
            && mailbox.running
        {
            self.observe(&SpeakerEvent::ProgramEvent {
                program,
                line: line.trim_end(),
            });
            mailbox.outbox.push(&line);
            mailbox.filled.notify_one();
        }
    }
}

impl<T> PeerEntry<T> {
    /// Whether it connects, rather than waits to be connected to.
    pub fn is_active(&self, passive: bool) -> bool {
        !passive && !self.peer.neighbor().passive && !self.generated && !self.stopped
    }

    /// Puts a definition that was held back for the next session into force.
    pub fn redefine(&mut self) -> Vec<(ConfiguredRoute, Refused)> {
        match self.replacement.take() {
            Some(neighbor) => self.peer.replace_neighbor(neighbor),
            None => Vec::new(),
        }
    }

    pub fn stop(&mut self) {
        self.stopped = true;
        self.changed.notify_one();
    }
}

/// The peers, as commands meet them.
pub(super) struct Subjects<'a, T>(pub &'a mut BTreeMap<usize, PeerEntry<T>>);

impl<T> Peers for Subjects<'_, T> {
    fn for_each(&mut self, visit: &mut dyn FnMut(Subject<'_>)) {
        for entry in self.0.values_mut().filter(|entry| !entry.stopped) {
            visit(Subject {
                name: &entry.name,
                peer: &mut entry.peer,
                tally: &entry.tally,
                teardown: &mut entry.teardown,
                removed: &mut entry.stopped,
            });
        }
    }
}
