//! Guests left to a debugger: stopped where they stand, and no longer traced. They make no further call that the
//! simulation could answer, so they are for looking at, not for going on.

use std::path::PathBuf;

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::signal::Signal;

use super::host::Host;
use super::thread::State;

/// A process that was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its number in the guest.
    pub guest: i32,
    /// Its number on this machine.
    pub process: i32,
    /// What it runs.
    pub executable: PathBuf,
}

impl Host {
    /// Stops every process but those that `except` names, as SIGSTOP does, and traces them no longer.
    pub fn leave(&mut self, except: impl Fn(i32) -> bool) -> Vec<Left> {
        let processes: Vec<i32> = self.kernel.processes.keys().copied().collect();
        let left = processes.into_iter().filter(|process| !except(*process));
        left.filter_map(|process| self.leave_process(process))
            .collect()
    }

    /// Stops the process `guest`, as SIGSTOP does, and traces it no longer; `None` where it lives no more. This host forgets
    /// its threads.
    pub(super) fn leave_process(&mut self, guest: i32) -> Option<Left> {
        let threads = self.kernel.threads_of(guest);
        let process = threads
            .iter()
            .find_map(|it| self.tracees.get(it))
            .map(|tracee| tracee.process)?;
        let executable = std::fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default();
        // It is pending until the threads are let go, and stops them before their next instruction.
        let _ = nix::sys::signal::kill(process, Signal::SIGSTOP);
        for number in threads {
            let thread = self.kernel.threads.remove(&number);
            let (Some(thread), Some(tracee)) = (thread, self.tracees.remove(&number)) else {
                continue;
            };
            if thread.in_call && matches!(thread.state, State::Waiting(_)) {
                // The call is not made: its answer could only be the real machine's.
                let _ = tracee.finish(&thread.registers, -i64::from(Errno::EINTR as i32));
            }
            let _ = ptrace::detach(tracee.thread, None);
        }
        Some(Left {
            guest,
            process: process.as_raw(),
            executable,
        })
    }
}
