//! What our own speaker's events say about its API and pending work: the inside, which no other speaker exposes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::explore::probe::Probe;
use crate::net::ConnectionName;
use crate::net::clock::Clock;
use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::scenario::run::mark::Mark;
use crate::sim::{Record, Socket, Trace, TraceEvent};
use crate::speaker::session::{State, TimerKind};

/// What the events showed.
#[derive(Debug, Clone, Default)]
pub struct Inside {
    /// Answers by program, in order.
    pub answers: BTreeMap<String, Vec<String>>,
    /// Commands that were not answered, by program, since it was last started.
    pub unanswered: BTreeMap<String, usize>,
    /// Violations of the API contract, in order: late or early answers.
    pub breaches: Vec<(Breach, String)>,
    /// Rare paths that were reached.
    pub probes: BTreeSet<Probe>,
    /// What was pending at the instant asked for.
    pub pending: Vec<String>,
    look_at: Option<Duration>,
    /// Octets queued for a connection and not written yet.
    unwritten: BTreeMap<String, usize>,
    untaken: usize,
    owed: Owed,
    /// The neighbor of each connection that is open.
    neighbors: BTreeMap<ConnectionName, String>,
}

/// A violation of the API contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// An answer, or a change taken, out of order.
    Order,
    /// An answer, or a change taken, later than the moment of the command.
    Late,
}

/// Commands without an answer, or not yet applied by every peer.
#[derive(Debug, Clone, Default)]
struct Owed {
    /// By program, number of commands minus number of answers.
    unanswered: usize,
    /// When the last command of each program was read.
    asked: BTreeMap<String, Duration>,
    /// By established peer, when the first command was read since it last took changes.
    news: BTreeMap<String, Option<Duration>>,
}

/// Two times closer than this are the same: the clock may round.
const MOMENT: Duration = Duration::from_millis(10);

/// Notes every event of our own speaker in the trace, and keeps what the oracles need of them.
pub struct Watcher {
    trace: Trace,
    host: Rc<str>,
    kind: Rc<str>,
    /// The true clock: the speaker's own may be skewed.
    clock: Clock,
    inside: Rc<RefCell<Inside>>,
    /// Events other than messages, if they are kept.
    marks: Option<RefCell<Vec<Mark>>>,
}

impl Watcher {
    /// A watcher that writes to `trace`, and notes what is pending at the instant `look_at`.
    #[must_use]
    pub fn new(trace: Trace, clock: Clock, look_at: Option<Duration>) -> Self {
        let inside = Rc::new(RefCell::new(Inside {
            look_at,
            ..Inside::default()
        }));
        Self {
            trace,
            clock,
            host: "speaker".into(),
            kind: "speaker".into(),
            inside,
            marks: None,
        }
    }

    /// The same for `host`, one of several under test.
    #[must_use]
    pub fn of_host(mut self, host: &str) -> Self {
        self.host = host.into();
        self
    }

    /// Also keeps events other than messages.
    #[must_use]
    pub fn marking(mut self) -> Self {
        self.marks = Some(RefCell::default());
        self
    }

    /// Returns the events other than messages so far.
    #[must_use]
    pub fn take_marks(&self) -> Vec<Mark> {
        self.marks.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// The subscriber for trace records: it follows what was written, and notes what is pending at the instant asked
    /// for.
    pub fn record(&self) -> impl Fn(&Record) + 'static {
        let inside = Rc::clone(&self.inside);
        move |record| {
            let mut inside = inside.borrow_mut();
            inside.reach(record.time);
            if let TraceEvent::Socket(name, Socket::Sent(octets)) = &record.event
                && let Some(unwritten) = inside.unwritten.get_mut(&name.to_string())
            {
                *unwritten = unwritten.saturating_sub(octets.len());
            }
        }
    }

    /// Returns what was seen so far.
    #[must_use]
    pub fn take(&self) -> Inside {
        self.inside.take()
    }
}

impl Observer for Watcher {
    fn observe(&self, _own: Duration, event: &SpeakerEvent<'_>) {
        self.trace.note(&self.host, &self.kind, event);
        let now = self.clock.now();
        if let Some(marks) = &self.marks {
            let host = self.host.parse().ok().filter(|_| *self.host != *self.kind);
            let mark = Mark::of(now, event).map(|mark| match host {
                Some(host) => mark.on(host),
                None => mark,
            });
            marks.borrow_mut().extend(mark);
        }
        self.inside.borrow_mut().take_in(now, event);
    }
}

impl Inside {
    /// What the events of several hosts showed: no two have a program of one name.
    pub(in crate::explore) fn merged(insides: impl Iterator<Item = Self>) -> Self {
        let all = insides.reduce(|mut all, other| {
            all.answers.extend(other.answers);
            all.unanswered.extend(other.unanswered);
            all.breaches.extend(other.breaches);
            all.probes.extend(other.probes);
            all.pending.extend(other.pending);
            all
        });
        all.unwrap_or_default()
    }

    /// Advances to `now`: pending work is noted once, at the instant asked for.
    fn reach(&mut self, now: Duration) {
        if self.look_at.is_some_and(|at| now >= at) {
            self.look_at = None;
            self.pending = self.pending();
        }
    }

    /// Describes the pending work of the speaker.
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
            SpeakerEvent::Connected { connection, peer } => {
                self.neighbors.insert(**connection, (*peer).to_owned());
            }
            SpeakerEvent::State {
                connection,
                to: State::Established,
                ..
            } => {
                if let Some(neighbor) = self.neighbors.get(connection) {
                    self.owed.news.insert(neighbor.clone(), None);
                }
            }
            SpeakerEvent::Sent { connection, raw } => {
                *self.unwritten.entry(connection.to_string()).or_default() += raw.len();
            }
            SpeakerEvent::Received { raw, .. } if raw.get(18) == Some(&5) => self.asked_again(),
            SpeakerEvent::Closed { connection, .. } => {
                if let Some(neighbor) = self.neighbors.remove(connection) {
                    self.owed.news.remove(&neighbor);
                }
            }
            SpeakerEvent::ProgramStarted { program } => {
                self.owed = Owed::default();
                self.unanswered.remove(*program);
            }
            SpeakerEvent::Control(_) | SpeakerEvent::Reloaded { .. } => {
                for news in self.owed.news.values_mut() {
                    *news = None;
                }
            }
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
            // What a crash cut off is owed to nobody.
            SpeakerEvent::Ended => self.unanswered.clear(),
            SpeakerEvent::Command { program, line } => self.asked(at, program, line),
            SpeakerEvent::Answer { program, line } => self.answered(at, program, line),
            _ => {}
        }
    }

    fn asked(&mut self, at: Duration, program: &str, line: &str) {
        self.owed.unanswered += 1;
        match self.owed.asked.get_mut(program) {
            Some(asked) => *asked = at,
            None => drop(self.owed.asked.insert(program.to_owned(), at)),
        }
        for news in self.owed.news.values_mut() {
            news.get_or_insert(at);
        }
        match self.unanswered.get_mut(program) {
            Some(open) => *open += 1,
            None => drop(self.unanswered.insert(program.to_owned(), 1)),
        }
        if line.contains("flush") {
            self.asked_again();
        }
    }

    /// A flush or a received ROUTE-REFRESH: records the rare path of two before either was taken.
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

    fn answered(&mut self, at: Duration, program: &str, line: &str) {
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
        match self.unanswered.get_mut(program) {
            Some(open) if *open > 0 => *open -= 1,
            _ => {
                let text = format!("process {program} was answered what it did not ask");
                self.breaches.push((Breach::Order, text));
            }
        }
        match self.answers.get_mut(program) {
            Some(answers) => answers.push(line.to_owned()),
            None => drop(
                self.answers
                    .insert(program.to_owned(), vec![line.to_owned()]),
            ),
        }
    }
}
