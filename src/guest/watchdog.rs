//! Progress: a guest that computes for ever without a call is a verdict, not a hang.
//!
//! The kernel counts a guest's processor time and sends SIGXCPU at each second of it (RLIMIT_CPU); where no call was
//! answered in between, the guest makes no progress. So a slow machine is no reason.

use std::collections::BTreeMap;

use rustix::process::{Resource, Rlimit};

use super::Failure;
use super::host::Host;

/// What is known of each process's progress.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// Seconds of processor time without a call before a guest is given up.
    patience: u32,
    /// By process: calls answered when it was looked at last, seconds since then, seconds in all.
    seen: BTreeMap<i32, (u64, u32, u64)>,
}

impl Watchdog {
    pub(super) fn new(patience: u32) -> Self {
        Self {
            patience,
            seen: BTreeMap::new(),
        }
    }
}

impl Host {
    /// SIGXCPU has come for a thread of `process`.
    pub(super) fn second_of_processor_time(&mut self, number: i32, process: i32) {
        let answered = self.kernel.trace.count();
        // The first second says nothing: calls may have been answered all the while.
        let known = self.watchdog.seen.get(&process).copied();
        let (before, idle, seconds) = known.unwrap_or((u64::MAX, 0, 1));
        let idle = if before == answered { idle + 1 } else { 0 };
        let seconds = seconds + 1;
        let seen = (answered, idle, seconds);
        self.watchdog.seen.insert(process, seen);
        if idle == 1 {
            // It may wait for the clock to move, which it reads without a stop: from now on every look counts.
            self.count_clock(process);
        }
        let patience = self.watchdog.patience;
        if idle > patience {
            self.failure = Some(Failure::Spins {
                process,
                seconds: patience,
            });
            return;
        }
        let Some(tracee) = self.tracees.get(&number) else {
            return;
        };
        let limit = Rlimit {
            current: Some(seconds),
            maximum: None,
        };
        let pid = rustix::process::Pid::from_raw(tracee.process.as_raw());
        let _ = rustix::process::prlimit(pid, Resource::Cpu, limit);
    }
}
