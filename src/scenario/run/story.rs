//! A speaker's events as a rolling hash, as marks on the time axis and, if enabled, in the log.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::time::Duration;

use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::scenario::run::mark::Mark;

/// FNV-1a, 64 bits: the same on every machine and in every build.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Every event of a run.
#[derive(Debug)]
pub struct Story {
    hash: Cell<u64>,
    marks: RefCell<Vec<Mark>>,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            hash: Cell::new(OFFSET),
            marks: RefCell::default(),
        }
    }
}

impl Story {
    /// The hash of every event so far and its time.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash.get()
    }

    /// Returns the events other than messages so far.
    #[must_use]
    pub fn take_marks(&self) -> Vec<Mark> {
        self.marks.take()
    }
}

impl Observer for Story {
    fn observe(&self, at: Duration, event: &SpeakerEvent<'_>) {
        let mut line = String::new();
        let _ = write!(line, "{} {event}", at.as_micros());
        let hash = line.bytes().fold(self.hash.get(), |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(PRIME)
        });
        self.hash.set(hash);
        self.marks.borrow_mut().extend(Mark::of(at, event));
        tracing::trace!("{line}");
    }
}
