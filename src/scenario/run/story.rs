//! A speaker's events as a rolling hash, as marks on the time axis and, if enabled, in the log.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use crate::net::HostName;
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

impl Story {
    /// The observer of the speaker on `host`; `None` where it is the only one.
    #[must_use]
    pub fn of_host(self: &Rc<Self>, host: Option<HostName>) -> Rc<dyn Observer> {
        match host {
            None => self.clone(),
            Some(host) => Rc::new(Chapter {
                story: self.clone(),
                host,
            }),
        }
    }

    fn tell(&self, host: Option<HostName>, at: Duration, event: &SpeakerEvent<'_>) {
        let mut line = String::new();
        let _ = write!(line, "{} ", at.as_micros());
        if let Some(host) = host {
            let _ = write!(line, "{host} ");
        }
        let _ = write!(line, "{event}");
        let hash = line.bytes().fold(self.hash.get(), |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(PRIME)
        });
        self.hash.set(hash);
        let mark = Mark::of(at, event).map(|mark| match host {
            Some(host) => mark.on(host),
            None => mark,
        });
        self.marks.borrow_mut().extend(mark);
        tracing::trace!("{line}");
    }
}

/// What the speaker of one host does.
struct Chapter {
    story: Rc<Story>,
    host: HostName,
}

impl Observer for Chapter {
    fn observe(&self, at: Duration, event: &SpeakerEvent<'_>) {
        self.story.tell(Some(self.host), at, event);
    }
}

impl Observer for Story {
    fn observe(&self, at: Duration, event: &SpeakerEvent<'_>) {
        self.tell(None, at, event);
    }
}
