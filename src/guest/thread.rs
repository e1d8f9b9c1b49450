//! The threads of a guest, and what each waits for.

use super::kernel::{Id, Time};
use super::registers::Registers;

/// A thread.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    /// Its process, by its number in the guest.
    pub process: i32,
    pub state: State,
    /// Its registers where it stopped last.
    pub registers: Registers,
    /// It stands in a system call (and not where it was made, or at a signal).
    pub in_call: bool,
    /// Where a zero is stored, and a futex woken, when it ends (set_tid_address(2)).
    pub clear_at: u64,
    /// The head of its robust futexes (set_robust_list(2)).
    pub robust_at: u64,
    /// How often in turn it looked for readiness for a short time and found nothing.
    pub idle: u32,
}

/// What a thread does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It goes on when it is its turn.
    Ready,
    /// It waits in a call.
    Waiting(Wait),
    /// It ended.
    Dead,
}

/// What a thread waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wait {
    pub on: Condition,
    pub deadline: Option<Time>,
    /// How much later than its deadline it may end where nothing else is due, in nanoseconds.
    pub lateness: Time,
}

impl Wait {
    pub(super) fn new(on: Condition, deadline: Option<Time>) -> Self {
        Self {
            on,
            deadline,
            lateness: 0,
        }
    }
}

/// What ends a wait before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing but time and signals.
    Time,
    /// Events of one description.
    Events(Id, u32),
    /// Events of several descriptions.
    Poll(Vec<(Id, u32)>),
    /// An epoll instance has something to report.
    Epoll(Id),
    /// A futex is woken.
    Futex {
        process: i32,
        address: u64,
        mask: u32,
        woken: bool,
    },
    /// A child ended (wait4(2)): this one, of this group (below -1, or zero for the caller's own), or any (-1).
    Child(i32),
    /// A signal of a set comes (sigtimedwait(2)).
    Signal { woken: bool },
    /// A child executed another program, or ended (vfork(2)).
    Vfork(i32),
}
