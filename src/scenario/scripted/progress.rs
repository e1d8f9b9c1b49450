//! What the peers and programs of a run have seen so far, and wake-ups for those that wait.
//!
//! Peers and programs share it; all of them are on one thread.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::scenario::format::script::Condition;
use crate::scenario::scripted::sight::{Seen, Sight};

/// Why a run failed, at which step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// Description of the failure.
    pub message: String,
    /// The step of the scenario file that was not met: byte range, and line from 1.
    pub step: Option<(Range<usize>, usize)>,
}

#[derive(Debug, Default)]
struct Inner {
    seen: Vec<(IpAddr, Seen)>,
    opened: BTreeMap<IpAddr, Duration>,
    connections: BTreeMap<IpAddr, u64>,
    programs_done: Vec<String>,
    peers_done: Vec<IpAddr>,
    failure: Option<StepFailure>,
    over: bool,
}

/// The shared state; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    inner: Rc<RefCell<Inner>>,
    changed: Rc<Notify>,
}

impl Progress {
    /// Records an event at `peer` and wakes all waiters.
    pub fn saw(&self, peer: IpAddr, seen: Seen) {
        self.change(|inner| inner.seen.push((peer, seen)));
    }

    /// Records that a connection with `peer` opened at `now`; the first one counts.
    pub fn opened(&self, peer: IpAddr, now: Duration) {
        self.change(|inner| {
            inner.opened.entry(peer).or_insert(now);
            *inner.connections.entry(peer).or_insert(0) += 1;
        });
    }

    /// When the first connection with `peer` opened.
    #[must_use]
    pub fn opening(&self, peer: IpAddr) -> Option<Duration> {
        self.inner.borrow().opened.get(&peer).copied()
    }

    /// The peer with most connections so far, and how many.
    #[must_use]
    pub fn busiest(&self) -> Option<(IpAddr, u64)> {
        let inner = self.inner.borrow();
        let counts = inner
            .connections
            .iter()
            .map(|(peer, count)| (*peer, *count));
        counts.max_by_key(|(_, count)| *count)
    }

    /// Records that the program `name` has run all its steps.
    pub fn program_done(&self, name: &str) {
        self.change(|inner| {
            if !inner.programs_done.iter().any(|done| done == name) {
                inner.programs_done.push(name.to_owned());
            }
        });
    }

    /// Records that `peer` has run the steps of its last connection.
    pub fn peer_done(&self, peer: IpAddr) {
        self.change(|inner| {
            if !inner.peers_done.contains(&peer) {
                inner.peers_done.push(peer);
            }
        });
    }

    /// Records a failure of the run; the first one counts.
    pub fn fail(&self, message: impl Into<String>, step: Option<(Range<usize>, usize)>) {
        let message = message.into();
        self.change(|inner| {
            inner.failure.get_or_insert(StepFailure { message, step });
        });
    }

    /// Ends the run: peers close, programs exit.
    pub fn end(&self) {
        self.change(|inner| inner.over = true);
    }

    /// Whether the run is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.inner.borrow().over
    }

    /// The first failure.
    #[must_use]
    pub fn failure(&self) -> Option<StepFailure> {
        self.inner.borrow().failure.clone()
    }

    /// How often `condition`'s sight was seen.
    #[must_use]
    pub fn count(&self, condition: &Condition) -> usize {
        let inner = self.inner.borrow();
        if let Sight::Program(name) = &condition.what {
            return usize::from(inner.programs_done.contains(name));
        }
        inner
            .seen
            .iter()
            .filter(|(peer, seen)| {
                condition.from.is_none_or(|from| from == *peer) && seen.is(&condition.what)
            })
            .count()
    }

    /// Whether `condition` is met.
    #[must_use]
    pub fn met(&self, condition: &Condition) -> bool {
        self.count(condition) >= condition.count
    }

    /// Whether these programs and peers have run all their steps.
    #[must_use]
    pub fn all_done<'a>(
        &self,
        mut programs: impl Iterator<Item = &'a str>,
        mut peers: impl Iterator<Item = IpAddr>,
    ) -> bool {
        let inner = self.inner.borrow();
        programs.all(|name| inner.programs_done.iter().any(|done| done == name))
            && peers.all(|peer| inner.peers_done.contains(&peer))
    }

    /// Waits until `ready` returns true; it is called again after every change.
    pub async fn until(&self, mut ready: impl FnMut(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if ready(self) {
                return;
            }
            changed.await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.borrow_mut());
        self.changed.notify_waiters();
    }
}
