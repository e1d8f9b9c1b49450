//! The processes of a host.

use std::collections::BTreeMap;

use super::descriptor::Descriptor;
use super::itimer::IntervalTimer;
use super::kernel::Kernel;
use super::thread::State;

/// A process.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub parent: i32,
    /// Its group and its session, by their leaders.
    pub group: i32,
    pub session: i32,
    /// Its descriptors that are not files of the kernel's.
    pub table: BTreeMap<i32, Descriptor>,
    /// Its end, as wait4(2) encodes it, until its parent has asked.
    pub status: Option<i32>,
    /// Its parent has asked, or nobody will.
    pub reaped: bool,
    /// It executed a program of its own, so that a vfork(2) is over.
    pub executed: bool,
    /// Where the patched vDSO reads the time; zero where it is hidden.
    pub clock_at: u64,
    /// `clock_gettime` in the vDSO.
    pub clock_code_at: u64,
    /// The virtual time written to `clock_at`, in nanoseconds.
    pub clock: i64,
    /// User and group: real, effective, saved.
    pub users: [u32; 3],
    pub groups: [u32; 3],
    /// setitimer(2), alarm(2): real time.
    pub timer: Option<IntervalTimer>,
    /// Signals that every thread blocks wait in the kernel.
    pub signals_wait: bool,
}

impl Process {
    pub(super) fn first(pid: i32) -> Self {
        Self {
            parent: 1,
            group: pid,
            session: pid,
            table: BTreeMap::new(),
            status: None,
            reaped: false,
            executed: false,
            clock_at: 0,
            clock_code_at: 0,
            clock: -1,
            users: [0; 3],
            groups: [0; 3],
            timer: None,
            signals_wait: false,
        }
    }

    /// A child as fork(2) makes it.
    pub(super) fn forked(&self, parent: i32) -> Self {
        Self {
            parent,
            status: None,
            reaped: false,
            executed: false,
            clock: -1,
            timer: None,
            signals_wait: false,
            ..self.clone()
        }
    }
}

impl Kernel {
    /// The live threads of a process, in order.
    pub(super) fn threads_of(&self, process: i32) -> Vec<i32> {
        let threads = self.threads.iter();
        threads
            .filter(|(_, thread)| thread.process == process && thread.state != State::Dead)
            .map(|(number, _)| *number)
            .collect()
    }

    pub(super) fn lives(&self, process: i32) -> bool {
        self.processes
            .get(&process)
            .is_some_and(|it| it.status.is_none())
    }

    /// A vfork(2) of this child is over.
    pub(super) fn released(&self, child: i32) -> bool {
        self.processes
            .get(&child)
            .is_none_or(|it| it.executed || it.status.is_some())
    }

    /// The first child of `process` that has ended and that wait4(2) of `which` would give.
    pub(super) fn child_to_reap(&self, process: i32, which: i32) -> Option<i32> {
        let ended = |number: &i32| {
            self.processes
                .get(number)
                .is_some_and(|it| it.status.is_some())
        };
        self.children(process, which).into_iter().find(ended)
    }

    /// The children of `process` that wait4(2) of `which` means, those that nobody has asked for.
    pub(super) fn children(&self, process: i32, which: i32) -> Vec<i32> {
        let own = self.processes.get(&process).map_or(0, |it| it.group);
        let meant = |number: i32, group: i32| match which {
            -1 => true,
            0 => group == own,
            group_wanted if group_wanted < -1 => group == -group_wanted,
            wanted => number == wanted,
        };
        let all = self.processes.iter();
        all.filter(|(number, it)| it.parent == process && !it.reaped && meant(**number, it.group))
            .map(|(number, _)| *number)
            .collect()
    }
}
