//! A scripted peer: it mirrors OPEN, checks expected messages in order, and keeps a table.

mod receive;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::net::clock::Clock;
use crate::net::timer::{sleep_until, timeout};
use crate::net::{Connection, Listener, Opener, Stream};
use crate::scenario::format::message;
use crate::scenario::format::script::{PeerAction, PeerScript, Signal, Step};
use crate::scenario::scripted::duplex::Duplex;
use crate::scenario::scripted::progress::Progress;
use crate::scenario::scripted::sight::Seen;
use crate::scenario::scripted::table::{View, is_end_of_rib};
use crate::scenario::scripted::transcript::{Ending, Passed};
use crate::scenario::scripted::transcripts::Ends;

/// State shared by all peers of a run.
#[derive(Clone)]
pub struct Shared {
    /// The progress of the run.
    pub progress: Progress,
    /// The peers' clock.
    pub clock: Clock,
    /// Transcripts of all connections.
    pub transcripts: crate::scenario::scripted::transcripts::Transcripts,
    /// Signals to the speaker.
    pub signals: UnboundedSender<Signal>,
    /// Opens connections to the speaker on a peer's behalf.
    pub dials: UnboundedSender<Dial>,
    /// Lines of the scenario whose signal was sent.
    pub signalled: Rc<RefCell<BTreeSet<usize>>>,
    /// Whether an unexpected message fails the run; false in runs with faults.
    pub strict: bool,
}

/// A connection that a peer is to make.
pub struct Dial {
    /// Where the speaker listens.
    pub to: SocketAddr,
    /// The peer's address.
    pub script: Rc<PeerScript>,
    /// Which of the peer's connections it is, from 1, whoever opened them: scripts name their sections so.
    pub number: usize,
}

/// Runs `dial.script` on a connection that the peer opened.
pub async fn converse<C: Connection>(dial: Dial, connection: C, shared: Shared) {
    Session::new(dial.script, (dial.number, Opener::Peer), connection, shared)
        .play()
        .await;
}

/// How many connections a peer has had, its crashes notwithstanding.
pub type ConnectionCount = Rc<Cell<usize>>;

/// Accepts and serves connections until the run is over.
pub async fn listen<L: Listener>(
    script: Rc<PeerScript>,
    mut listener: L,
    shared: Shared,
    count: ConnectionCount,
) {
    let local = tokio::task::LocalSet::new();
    let over = shared.progress.clone();
    let port = listener.local_address().port();
    local
        .run_until(async {
            loop {
                let accepted = tokio::select! {
                    biased;
                    accepted = poll_fn(|context| listener.poll_accept(context)) => accepted,
                    () = over.until(Progress::is_over) => return,
                };
                let Ok(connection) = accepted else { continue };
                count.set(count.get() + 1);
                let number = count.get();
                let dial = script.open.connect.filter(|_| number == 1).map(|at| Dial {
                    to: SocketAddr::new(at.address, at.port.unwrap_or(port)),
                    script: script.clone(),
                    number: number + 1,
                });
                let which = (number, Opener::Us);
                let session = Session::new(script.clone(), which, connection, shared.clone());
                tokio::task::spawn_local(session.play());
                if let Some(dial) = dial {
                    count.set(dial.number);
                    let _ = shared.dials.send(dial);
                }
            }
        })
        .await;
    local.await;
}

/// One connection being served.
struct Session<C> {
    script: Rc<PeerScript>,
    number: usize,
    began: Duration,
    duplex: Duplex<C>,
    shared: Shared,
    record: usize,
    view: Rc<RefCell<View>>,
    received: Vec<u8>,
    /// The speaker's OPEN.
    open: Option<Vec<u8>>,
    /// The peer's own OPEN, if the script sends it.
    said: Option<Vec<u8>>,
    opened: bool,
    up: bool,
    pending: VecDeque<Seen>,
    at: usize,
    wake: Option<Instant>,
    hold: Duration,
    offered: Option<Duration>,
    last_received: Duration,
    spoke: Duration,
    ending: Option<Ending>,
    /// Which second it was when the last KEEPALIVE came, and how many came in it.
    keepalives: (u64, u32),
}

impl<C: Connection + Stream> Session<C> {
    fn new(
        script: Rc<PeerScript>,
        (number, opener): (usize, Opener),
        connection: C,
        shared: Shared,
    ) -> Self {
        let now = shared.clock.now();
        shared.progress.opened(script.address, now);
        let ends = Ends {
            peer: script.address,
            opener,
            speaker_end: connection.peer_address(),
            peer_end: connection.local_address(),
        };
        let record = shared.transcripts.open(ends, now);
        Self {
            view: shared.transcripts.begin(script.address),
            opened: script.open.verbatim,
            began: now,
            script,
            number,
            duplex: Duplex::new(connection),
            shared,
            record,
            received: Vec::new(),
            open: None,
            said: None,
            up: false,
            pending: VecDeque::new(),
            at: 0,
            wake: None,
            hold: Duration::ZERO,
            offered: None,
            last_received: now,
            spoke: now,
            ending: None,
            keepalives: (0, 0),
        }
    }

    fn peer(&self) -> IpAddr {
        self.script.address
    }

    fn step(&self) -> Option<&Step<PeerAction>> {
        self.script.steps_of(self.number).get(self.at)
    }

    async fn play(mut self) {
        while self.ending.is_none() {
            while self.advance() {}
            self.report_done();
            if self.ending.is_some() {
                break;
            }
            self.wait().await;
        }
        let _ = timeout(Duration::from_secs(1), self.duplex.flush()).await;
        let ending = self.ending.unwrap_or(Ending::ByPeer);
        let now = self.shared.clock.now();
        self.shared.transcripts.close(self.record, now, ending);
        if !self.shared.progress.is_over() {
            // The end of the run itself must not change the final state.
            self.view.borrow_mut().set_live(false);
        }
        if ending != Ending::ByPeer && self.step().is_some() && self.shared.strict {
            self.fail("the speaker ended the connection before this step");
        }
    }

    /// Records the end of the script, once it is reached.
    fn report_done(&self) {
        let last = self.number >= self.script.last_connection();
        if last && self.opened && self.step().is_none() {
            self.shared.progress.peer_done(self.peer());
        }
    }

    /// Runs the next step if it can run now.
    fn advance(&mut self) -> bool {
        if !self.opened {
            return self.answer_open();
        }
        let Some(step) = self.step().cloned() else {
            return false;
        };
        let done = match step.action {
            PeerAction::Send(bytes) => {
                self.send(&bytes);
                true
            }
            PeerAction::Expect(sight) => match self.pending.pop_front() {
                None => false,
                Some(seen) if seen.is(&sight) || !self.shared.strict => true,
                Some(seen) => {
                    self.fail(&format!("`{seen}` came where `{sight}` was expected"));
                    self.ending = Some(Ending::ByPeer);
                    return false;
                }
            },
            PeerAction::ExpectClose { or_reset } => match self.ending {
                Some(Ending::BySpeaker) => true,
                Some(Ending::Reset) => or_reset,
                _ => false,
            },
            PeerAction::Wait(condition) | PeerAction::StallUntil(condition) => {
                self.shared.progress.met(&condition)
            }
            PeerAction::Replay => {
                let updates = self.shared.transcripts.updates_from_speaker(self.record);
                self.send_routes(updates);
                true
            }
            PeerAction::Relay(peer) => {
                self.send_routes(self.shared.transcripts.updates_received_by(peer));
                true
            }
            PeerAction::Stall(time) => self.slept(self.shared.clock.now() + time),
            PeerAction::Signal(signal) => {
                // Runs with faults reconnect repeatedly, and a signal belongs to the run, not to a connection.
                let first = self.shared.signalled.borrow_mut().insert(step.line);
                if first || self.shared.strict {
                    let _ = self.shared.signals.send(signal);
                }
                true
            }
            PeerAction::Sleep(time) => self.slept(self.shared.clock.now() + time),
            PeerAction::At(time) => self.slept(self.began + time),
            PeerAction::Close => {
                self.ending = Some(Ending::ByPeer);
                true
            }
        };
        self.at += usize::from(done);
        done
    }

    /// Whether it stays silent on this connection because it connects to the speaker instead.
    fn met_elsewhere(&self) -> bool {
        self.script.open.connect.is_some() && self.number == 1
    }

    fn answer_open(&mut self) -> bool {
        let answer = &self.script.open;
        if self.met_elsewhere() {
            return false;
        }
        let held_back = answer
            .after
            .as_ref()
            .is_some_and(|condition| !self.shared.progress.met(condition));
        let Some(open) = self.open.as_ref().filter(|_| !held_back) else {
            return false;
        };
        let open = message::mirror(open, answer.asn, answer.capability);
        self.hold = Duration::from_secs(u64::from(u16::from_be_bytes([open[22], open[23]])));
        self.send(&open);
        self.send(&message::keepalive());
        self.opened = true;
        true
    }

    /// Sends `updates`, End-of-RIBs left out.
    fn send_routes(&mut self, updates: Vec<Vec<u8>>) {
        for update in updates.iter().filter(|update| !is_end_of_rib(update)) {
            self.send(update);
        }
    }

    /// Whether it reads nothing at the moment.
    fn stalls(&self) -> bool {
        let action = self.step().map(|step| &step.action);
        self.opened
            && matches!(
                action,
                Some(PeerAction::Stall(_) | PeerAction::StallUntil(_))
            )
    }

    fn send(&mut self, bytes: &[u8]) {
        self.duplex.write(bytes);
        if self.script.open.verbatim && bytes.get(18) == Some(&message::OPEN) {
            self.agree(bytes);
            self.said = Some(bytes.to_vec());
            self.negotiate();
        }
        self.spoke = self.shared.clock.now();
        self.record(false, bytes.to_vec());
    }

    fn record(&self, from_speaker: bool, bytes: Vec<u8>) {
        let passed = Passed {
            at: self.shared.clock.now(),
            from_speaker,
            bytes,
        };
        self.shared.transcripts.passed(self.record, passed);
    }

    fn fail(&self, what: &str) {
        let step: Option<(Range<usize>, usize)> =
            self.step().map(|step| (step.span.clone(), step.line));
        let who = match self.shared.transcripts.name(self.record) {
            Some(name) => name.to_string(),
            None => format!("peer {}", self.peer()),
        };
        self.shared.progress.fail(format!("{who}: {what}"), step);
    }

    /// Waits for octets, an event at another peer, or a timer.
    async fn wait(&mut self) {
        let progress = self.shared.progress.clone();
        let clock = self.shared.clock;
        let condition = match self.step().map(|step| &step.action) {
            _ if self.met_elsewhere() => None,
            _ if !self.opened && self.open.is_some() => self.script.open.after.clone(),
            Some(PeerAction::Wait(condition) | PeerAction::StallUntil(condition)) => {
                Some(condition.clone())
            }
            _ => None,
        };
        let stalls = self.stalls();
        let mut due = self.wake;
        if self.keeps_alive() {
            let keepalive = clock.at(self.spoke + self.hold / 3);
            due = Some(due.unwrap_or(keepalive).min(keepalive));
            if !self.script.patient && !stalls {
                due = due.min(Some(clock.at(self.last_received + self.hold)));
            }
        }
        tokio::select! {
            biased;
            read = self.duplex.read(!stalls) => match read {
                Ok([]) => self.ended(Ending::BySpeaker),
                Ok(bytes) => {
                    let bytes = bytes.to_vec();
                    self.handle_bytes(&bytes);
                }
                Err(_) => self.ended(Ending::Reset),
            },
            () = progress.until(|progress| {
                progress.is_over() || condition.as_ref().is_some_and(|condition| progress.met(condition))
            }) => {
                if self.shared.progress.is_over() {
                    self.ending = Some(Ending::ByPeer);
                }
            }
            () = async {
                match due {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            } => self.timers(stalls),
        }
    }

    fn ended(&mut self, ending: Ending) {
        self.ending = Some(ending);
        while self.advance() {}
        self.report_done();
    }
}
