//! A speaker that is stopped in the middle of a run, and left there for a debugger.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// When guests are to stop, and what stopped.
#[derive(Debug, Clone)]
pub struct StopAt {
    at: Duration,
    stopped: Rc<RefCell<Vec<Stopped>>>,
}

/// A process of a speaker that was stopped, and is traced no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The speaker's name as its authors write it.
    pub title: String,
    /// Its number on this machine.
    pub process: i32,
    /// What it runs.
    pub executable: PathBuf,
    /// The command that shows where it stands.
    pub debugger: String,
    /// The directory in which it ran, until the next run of a guest.
    pub directory: PathBuf,
}

impl StopAt {
    /// Stops guests as soon as they have done all that they have to do at `at`, since the run began.
    #[must_use]
    pub fn new(at: Duration) -> Self {
        Self {
            at,
            stopped: Rc::default(),
        }
    }

    /// When they stop, since the run began.
    #[must_use]
    pub const fn at(&self) -> Duration {
        self.at
    }

    /// What has been stopped.
    #[must_use]
    pub fn stopped(&self) -> Vec<Stopped> {
        self.stopped.borrow().clone()
    }

    pub(super) fn add(&self, stopped: Stopped) {
        self.stopped.borrow_mut().push(stopped);
    }
}
