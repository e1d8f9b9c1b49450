//! What a run's speaker was seen to do, as the oracles need it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::explore::probe::Probe;
use crate::explore::stream::Framer;
use crate::net::clock::Clock;
use crate::reactor::control::Control;
use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::scenario::run::mark::Mark;
use crate::sim::{self, Socket, Trace};
use crate::speaker::session::{Cause, State, TimerKind};

/// How long a message may be under way in a run that ends.
const UNDER_WAY: Duration = Duration::from_millis(500);

/// RFC 4271 section 6.7.
const CEASE: u8 = 6;

/// A session that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Duration,
    /// Which connection, as `127.0.0.1#1`.
    pub connection: String,
    /// Why, in words.
    pub cause: String,
    /// Whether the speaker meant it to end: it was told to.
    pub meant: bool,
    /// In which state it was.
    pub state: State,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Sessions that ended, in order.
    pub ended: Vec<Ended>,
    /// Longest silence of an established session, by connection: from when, for how long.
    pub silences: BTreeMap<String, (Duration, Duration)>,
    /// Negotiated hold time by connection.
    pub holds: BTreeMap<String, Duration>,
    /// Answers by program, in order.
    pub answers: BTreeMap<String, Vec<String>>,
    /// Commands that were not answered, by program, since it was last started.
    pub unanswered: BTreeMap<String, usize>,
    /// Breaches of what is owed to programs and peers, in order: a late or an early answer, a connection lost in a collision.
    pub breaches: Vec<(Breach, String)>,
    /// NOTIFICATIONs sent, by connection.
    pub notifications: usize,
    /// UPDATEs sent on a connection within one second of the speaker's clock, at most.
    pub busiest: BTreeMap<String, usize>,
    /// Whether the configuration was read again.
    pub reloaded: bool,
    /// Rare paths that were reached.
    pub probes: BTreeSet<Probe>,
    /// What was pending at the instant asked for.
    pub pending: Vec<String>,
    look_at: Option<Duration>,
    /// Octets queued for a connection and not written yet.
    unwritten: BTreeMap<String, usize>,
    states: BTreeMap<String, State>,
    spoke: BTreeMap<String, Duration>,
    untaken: usize,
    owed: Owed,
    told_to_end: bool,
    last_notification: Duration,
    /// The connection that a collision was resolved to, until it is heard of.
    survivor: Option<String>,
    /// How the octets of each connection, sent and received, fall into messages.
    streams: BTreeMap<sim::ConnectionName, [Framer; 2]>,
    /// The second of the speaker's clock, and UPDATEs sent in it, by connection.
    second: BTreeMap<String, (u64, usize)>,
}

/// What was not as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// An answer, or a change taken, out of order.
    Order,
    /// An answer, or a change taken, later than the moment of the command.
    Late,
    /// A collision left no connection.
    Collision,
}

/// Commands that peers and programs have not heard the end of.
#[derive(Debug, Clone, Default)]
struct Owed {
    /// Commands less answers.
    unanswered: usize,
    /// When the last command of each program was read.
    asked: BTreeMap<String, Duration>,
    /// By established peer, when the first command was read since it last took changes.
    news: BTreeMap<String, Option<Duration>>,
}

/// The same moment, whatever the clock rounds to.
const MOMENT: Duration = Duration::from_millis(10);

/// Notes everything in the trace, and what the oracles need beside it.
pub struct Watcher {
    trace: Trace,
    host: Rc<str>,
    kind: Rc<str>,
    /// The true one: the speaker's own may be skewed.
    clock: Clock,
    observed: Rc<RefCell<Observed>>,
    /// What happened beside messages, where it is wanted.
    marks: Option<RefCell<Vec<Mark>>>,
}

impl Watcher {
    /// A watcher that writes to `trace`, and notes what is pending at the instant `look_at`.
    #[must_use]
    pub fn new(trace: Trace, clock: Clock, look_at: Option<Duration>) -> Self {
        let observed = Rc::new(RefCell::new(Observed {
            look_at,
            ..Observed::default()
        }));
        let ear = Rc::clone(&observed);
        trace.listen(move |record| {
            let mut observed = ear.borrow_mut();
            observed.reach(record.time);
            if let sim::TraceEvent::Socket(name, socket) = &record.event {
                observed.overhear(*name, socket);
            }
        });
        Self {
            trace,
            clock,
            host: "speaker".into(),
            kind: "speaker".into(),
            observed,
            marks: None,
        }
    }

    /// Keeps what happens beside messages too.
    #[must_use]
    pub fn marking(mut self) -> Self {
        self.marks = Some(RefCell::default());
        self
    }

    /// Takes what happened so far beside messages.
    #[must_use]
    pub fn take_marks(&self) -> Vec<Mark> {
        self.marks.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// What was seen so far; sessions that still live are silent until `now`.
    #[must_use]
    pub fn take(&self, now: Duration) -> Observed {
        let mut observed = self.observed.take();
        let live: Vec<String> = observed.spoke.keys().cloned().collect();
        for connection in live {
            observed.quiet_until(&connection, now);
        }
        observed
    }
}

impl Observer for Watcher {
    fn observe(&self, own: Duration, event: &SpeakerEvent<'_>) {
        self.trace.note(&self.host, &self.kind, event.to_string());
        let now = self.clock.now();
        if let Some(marks) = &self.marks {
            marks.borrow_mut().extend(Mark::of(now, event));
        }
        let mut observed = self.observed.borrow_mut();
        observed.take_in(now, event);
        if let SpeakerEvent::Sent { connection, raw } = event {
            observed.counted(own, &connection.to_string(), raw);
        }
    }
}

impl Observed {
    /// Time has come to `now`: what is pending is noted once, at the instant asked for.
    fn reach(&mut self, now: Duration) {
        if self.look_at.is_some_and(|at| now >= at) {
            self.look_at = None;
            self.pending = self.pending();
        }
    }

    /// What a socket of the speaker did.
    fn overhear(&mut self, name: sim::ConnectionName, socket: &Socket) {
        let [sent, received] = self.streams.entry(name).or_default();
        if let Socket::Sent(octets) = socket
            && let Some(unwritten) = self.unwritten.get_mut(&name.to_string())
        {
            *unwritten = unwritten.saturating_sub(octets.len());
        }
        match socket {
            Socket::Sent(octets) if sent.cuts(octets) => {
                self.probes.insert(Probe::PartialWrite);
            }
            Socket::Received(octets) if received.cuts(octets) => {
                self.probes.insert(Probe::SplitRead);
            }
            Socket::Blocked => drop(self.probes.insert(Probe::ZeroWindow)),
            _ => {}
        }
    }

    /// What the speaker still has to do, in sentences.
    fn pending(&self) -> Vec<String> {
        let answers = self.unanswered.iter().filter(|(_, open)| **open > 0);
        let answers = answers.map(|(program, open)| {
            format!("process {program}: {open} command(s) read and not answered")
        });
        let changes = self.owed.news.iter().filter_map(|(peer, since)| {
            let since = since.as_ref()?.as_secs_f64();
            Some(format!(
                "{peer}: what was asked for from {since:.6} s on is not taken"
            ))
        });
        let octets = self.unwritten.iter().filter(|(_, octets)| **octets > 0);
        let octets = octets
            .map(|(connection, octets)| format!("{connection}: {octets} octet(s) not written"));
        answers.chain(changes).chain(octets).collect()
    }

    fn take_in(&mut self, at: Duration, event: &SpeakerEvent<'_>) {
        match event {
            SpeakerEvent::State {
                connection,
                from,
                to,
                ..
            } => {
                let name = connection.to_string();
                if *to == State::Established {
                    self.spoke.insert(name.clone(), at);
                    self.owed.news.insert(connection.peer.to_string(), None);
                }
                // A session that ends is Idle by then: what it was before is what matters.
                self.states
                    .insert(name, if *to == State::Idle { *from } else { *to });
            }
            SpeakerEvent::Sent { connection, raw } => self.sent(at, &connection.to_string(), raw),
            SpeakerEvent::Received { raw, .. } if raw.get(18) == Some(&5) => self.asked_again(),
            SpeakerEvent::Received { connection, raw } if raw.get(18) == Some(&1) => {
                self.offered(&connection.to_string(), raw);
            }
            SpeakerEvent::Closed { connection, cause } => {
                self.closed(at, connection.to_string(), cause)
            }
            SpeakerEvent::Connected { connection, .. } => {
                // After a crash of the speaker names begin anew: what had them before is gone.
                let peer = format!("{}#", connection.peer);
                self.spoke.retain(|name, _| !name.starts_with(&peer));
                let name = connection.to_string();
                self.second.remove(&name);
                self.survivor.take_if(|survivor| *survivor == name);
            }
            SpeakerEvent::ProgramStarted { program } => {
                self.owed = Owed::default();
                self.unanswered.remove(*program);
            }
            SpeakerEvent::Control(_) | SpeakerEvent::Reloaded { .. } => {
                if matches!(event, SpeakerEvent::Control(Control::Terminate)) && !self.told_to_end {
                    self.told_to_end = true;
                    // One that was under way just then may not have been read any more.
                    let under_way = at.saturating_sub(self.last_notification) < UNDER_WAY;
                    self.notifications -= usize::from(under_way && self.notifications > 0);
                }
                self.reloaded |= matches!(event, SpeakerEvent::Reloaded { .. });
                for news in self.owed.news.values_mut() {
                    *news = None;
                }
            }
            SpeakerEvent::Disconnected { .. } => self.deserted(),
            SpeakerEvent::ConnectFailed { .. } => drop(self.probes.insert(Probe::ConnectFailed)),
            SpeakerEvent::Collision { new, new_lives, .. } => {
                self.probes.insert(Probe::Collision);
                self.survivor = new_lives.then(|| new.to_string());
            }
            SpeakerEvent::Expired {
                timer: TimerKind::Hold,
                ..
            } => drop(self.probes.insert(Probe::HoldExpired)),
            SpeakerEvent::Expired {
                timer: TimerKind::SendHold,
                ..
            } => drop(self.probes.insert(Probe::SendHoldExpired)),
            SpeakerEvent::ProgramEnded { program, .. } => {
                self.probes.insert(Probe::ProgramEnded);
                self.unanswered.remove(*program);
            }
            SpeakerEvent::Taken { peer } => {
                self.untaken = 0;
                self.took(at, peer);
            }
            // Sessions that a crash cut off are silent from then on, and owe nothing.
            SpeakerEvent::Ended => {
                self.spoke.clear();
                self.states.clear();
                self.unanswered.clear();
            }
            SpeakerEvent::Command { program, line } => {
                self.owed.unanswered += 1;
                self.owed.asked.insert((*program).to_owned(), at);
                for news in self.owed.news.values_mut() {
                    news.get_or_insert(at);
                }
                *self.unanswered.entry((*program).to_owned()).or_default() += 1;
                if line.contains("flush") {
                    self.asked_again();
                }
            }
            SpeakerEvent::Answer { program, line } => {
                self.answered(at, program);
                match self.unanswered.get_mut(*program) {
                    Some(open) if *open > 0 => *open -= 1,
                    _ => {
                        let text = format!("process {program} was answered what it did not ask");
                        self.breaches.push((Breach::Order, text));
                    }
                }
                let answers = self.answers.entry((*program).to_owned()).or_default();
                answers.push((*line).to_owned());
            }
            _ => {}
        }
    }

    /// A flush or a received ROUTE-REFRESH: two before either was taken meet.
    fn asked_again(&mut self) {
        self.untaken += 1;
        if self.untaken > 1 {
            self.probes.insert(Probe::RefreshDuringFlush);
        }
    }

    /// A peer took changes. All that asked for them have their answers already? Then one of those came too early.
    fn took(&mut self, at: Duration, peer: &str) {
        let unanswered = self.owed.unanswered;
        let Some(asked) = self.owed.news.get_mut(peer).and_then(Option::take) else {
            return;
        };
        if unanswered == 0 {
            let text = format!("a change was answered before {peer} took it");
            self.breaches.push((Breach::Order, text));
        } else if self
            .owed
            .asked
            .values()
            .max()
            .is_some_and(|last| at > *last + MOMENT)
        {
            let text = format!(
                "{peer} took at {:.6} s a change asked for from {:.6} s on",
                at.as_secs_f64(),
                asked.as_secs_f64()
            );
            self.breaches.push((Breach::Late, text));
        }
    }

    fn answered(&mut self, at: Duration, program: &str) {
        self.owed.unanswered = self.owed.unanswered.saturating_sub(1);
        let asked = self.owed.asked.get(program).copied();
        if let Some(asked) = asked.filter(|asked| at > *asked + MOMENT) {
            let text = format!(
                "process {program} was answered at {:.6} s what it asked at {:.6} s",
                at.as_secs_f64(),
                asked.as_secs_f64()
            );
            self.breaches.push((Breach::Late, text));
        }
    }

    /// A connection is gone: the one that outlived it in a collision should have been heard of by now.
    fn deserted(&mut self) {
        if let Some(survivor) = self.survivor.take() {
            let text = format!("{survivor} was to live, and both connections are gone");
            self.breaches.push((Breach::Collision, text));
        }
    }

    fn counted(&mut self, own: Duration, connection: &str, raw: &[u8]) {
        if raw.get(18) != Some(&2) {
            return;
        }
        let (second, count) = self.second.entry(connection.to_owned()).or_default();
        if *second != own.as_secs() {
            (*second, *count) = (own.as_secs(), 0);
        }
        *count += 1;
        let busiest = self.busiest.entry(connection.to_owned()).or_default();
        *busiest = (*busiest).max(*count);
    }

    fn sent(&mut self, at: Duration, connection: &str, raw: &[u8]) {
        *self.unwritten.entry(connection.to_owned()).or_default() += raw.len();
        match raw.get(18) {
            // What is said after the run was told to end may find nobody who listens.
            Some(3) if !self.told_to_end => {
                self.notifications += 1;
                self.last_notification = at;
            }
            Some(1) => self.offered(connection, raw),
            Some(5) => drop(self.probes.insert(Probe::RouteRefresh)),
            _ => {}
        }
        self.quiet_until(connection, at);
    }

    /// The hold time of a session is the smaller of the two offered (RFC 4271 section 4.2).
    fn offered(&mut self, connection: &str, open: &[u8]) {
        if let Some(&[high, low]) = open.get(22..24) {
            let offered = Duration::from_secs(u64::from(u16::from_be_bytes([high, low])));
            let hold = self.holds.entry(connection.to_owned()).or_insert(offered);
            *hold = offered.min(*hold);
        }
    }

    fn quiet_until(&mut self, connection: &str, now: Duration) {
        let Some(last) = self.spoke.get_mut(connection) else {
            return;
        };
        let silence = (*last, now.saturating_sub(*last));
        *last = now;
        let longest = self
            .silences
            .entry(connection.to_owned())
            .or_insert(silence);
        if silence.1 > longest.1 {
            *longest = silence;
        }
    }

    fn closed(&mut self, at: Duration, connection: String, cause: &Cause) {
        self.quiet_until(&connection, at);
        self.spoke.remove(&connection);
        if let Some((peer, _)) = connection.rsplit_once('#') {
            self.owed.news.remove(peer);
        }
        let state = self.states.get(&connection).copied().unwrap_or(State::Idle);
        if matches!(cause, Cause::ConnectionLost(_)) {
            self.probes.insert(match state {
                State::OpenSent | State::OpenConfirm => Probe::LostBetweenOpenAndKeepalive,
                _ => Probe::ConnectionLost,
            });
        }
        self.ended.push(Ended {
            at,
            connection,
            cause: cause.to_string(),
            meant: match cause {
                Cause::ClosedSilently => true,
                Cause::NotificationSent(notification) => notification.code.0 == CEASE,
                _ => false,
            },
            state,
        });
    }
}
