//! What a run's speaker was seen to do, as the oracles need it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use super::probe::Probe;
use crate::net::clock::Clock;
use crate::reactor::observer::{Event, Observer};
use crate::sim::Trace;
use crate::speaker::session::{Cause, State, TimerKind};

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
    /// Commands by program, as many as were read.
    pub commands: BTreeMap<String, usize>,
    /// Rare paths that were reached.
    pub probes: BTreeSet<Probe>,
    states: BTreeMap<String, State>,
    spoke: BTreeMap<String, Duration>,
    untaken: usize,
}

/// Notes everything in the trace, and what the oracles need beside it.
pub struct Watcher {
    trace: Trace,
    host: Rc<str>,
    kind: Rc<str>,
    /// The true one: the speaker's own may be skewed.
    clock: Clock,
    observed: RefCell<Observed>,
}

impl Watcher {
    /// A watcher that writes to `trace`.
    #[must_use]
    pub fn new(trace: Trace, clock: Clock) -> Self {
        Self {
            trace,
            clock,
            host: "speaker".into(),
            kind: "speaker".into(),
            observed: RefCell::default(),
        }
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
    fn observe(&self, _at: Duration, event: &Event<'_>) {
        self.trace.note(&self.host, &self.kind, event.to_string());
        self.observed.borrow_mut().take_in(self.clock.now(), event);
    }
}

impl Observed {
    fn take_in(&mut self, at: Duration, event: &Event<'_>) {
        match event {
            Event::State {
                connection,
                from,
                to,
                ..
            } => {
                let name = connection.to_string();
                if *to == State::Established {
                    self.spoke.insert(name.clone(), at);
                }
                // A session that ends is Idle by then: what it was before is what matters.
                self.states
                    .insert(name, if *to == State::Idle { *from } else { *to });
            }
            Event::Sent { connection, raw } => self.sent(at, &connection.to_string(), raw),
            Event::Received { raw, .. } if raw.get(18) == Some(&5) => self.asked_again(),
            Event::Received { connection, raw } if raw.get(18) == Some(&1) => {
                self.offered(&connection.to_string(), raw);
            }
            Event::Closed { connection, cause } => self.closed(at, connection.to_string(), cause),
            Event::ConnectFailed { .. } => drop(self.probes.insert(Probe::ConnectFailed)),
            Event::Collision { .. } => drop(self.probes.insert(Probe::Collision)),
            Event::Expired {
                timer: TimerKind::Hold,
                ..
            } => drop(self.probes.insert(Probe::HoldExpired)),
            Event::Expired {
                timer: TimerKind::SendHold,
                ..
            } => drop(self.probes.insert(Probe::SendHoldExpired)),
            Event::ProgramEnded { .. } => drop(self.probes.insert(Probe::ProgramEnded)),
            Event::Taken { .. } => self.untaken = 0,
            Event::Command { program, line } => {
                *self.commands.entry((*program).to_owned()).or_default() += 1;
                if line.contains("flush") {
                    self.asked_again();
                }
            }
            Event::Answer { program, line } => self
                .answers
                .entry((*program).to_owned())
                .or_default()
                .push((*line).to_owned()),
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

    fn sent(&mut self, at: Duration, connection: &str, raw: &[u8]) {
        match raw.get(18) {
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
