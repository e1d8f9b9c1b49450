//! The registers of a stopped thread, as a system call sees them.

/// x86-64's, as ptrace(2) gives them.
pub(super) type Registers = nix::libc::user_regs_struct;

/// A system call at which a thread stopped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// Who calls, by its number in the guest.
    pub thread: i32,
    /// The thread's process, by its number in the guest.
    pub process: i32,
    pub number: i64,
    pub arguments: [u64; 6],
    /// Asked again, after it had waited until this time (`None`: without a limit).
    pub again: Option<Again>,
}

/// What a call that waited knows when it is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Again {
    /// When its time is up, in nanoseconds.
    pub deadline: Option<i64>,
    /// Its time is up.
    pub due: bool,
    /// It was woken (futex).
    pub woken: bool,
}

impl Call {
    pub(super) fn new(thread: i32, process: i32, registers: &Registers) -> Self {
        Self {
            thread,
            process,
            number: registers.orig_rax as i64,
            arguments: [
                registers.rdi,
                registers.rsi,
                registers.rdx,
                registers.r10,
                registers.r8,
                registers.r9,
            ],
            again: None,
        }
    }

    /// An argument as the descriptor or `int` that it is.
    pub(super) fn int(&self, at: usize) -> i32 {
        self.arguments[at] as i32
    }

    pub(super) fn address(&self, at: usize) -> u64 {
        self.arguments[at]
    }

    pub(super) fn size(&self, at: usize) -> usize {
        self.arguments[at] as usize
    }

    /// Its time is up.
    pub(super) fn due(&self) -> bool {
        self.again.is_some_and(|again| again.due)
    }
}

/// The name of a call by its number.
pub(super) fn name_of(number: i64) -> String {
    usize::try_from(number)
        .ok()
        .and_then(syscalls::Sysno::new)
        .map_or_else(
            || format!("system call {number}"),
            |it| it.name().to_owned(),
        )
}
