//! One thread of a guest, held by ptrace(2): resume it, wait for its stops, run a call in its place.

use std::path::PathBuf;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rustix::process::WaitOptions;

use super::registers::Registers;

/// `__WALL`: children of every kind, threads included.
const ALL: WaitOptions = WaitOptions::from_bits_retain(0x4000_0000);
/// What `PTRACE_O_TRACESYSGOOD` adds to the signal of a system call stop.
const SYSTEM_CALL: i32 = libc::SIGTRAP | 0x80;

/// Why a thread stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// At a call that the filter hands to the tracer.
    Call,
    /// Entering or leaving a call that the tracer steps through.
    Step,
    /// It made a thread or a process.
    Born(i32),
    /// It runs another program now; the number is its former thread's.
    Executed(i32),
    /// A signal is about to be delivered.
    Signal(i32),
    /// Another stop, which says nothing.
    Other,
    /// It ended; the raw wait status.
    Ended(i32),
}

/// Where a thread stands in the call at which it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the call.
    Entry,
    /// After a call that was run in its place.
    Exit,
}

/// A traced thread.
#[derive(Debug)]
pub(super) struct Tracee {
    /// Its number in the kernel.
    pub thread: Pid,
    /// Its process's number in the kernel.
    pub process: Pid,
    place: Place,
}

impl Tracee {
    pub(super) fn new(thread: i32, process: i32) -> Self {
        Self {
            thread: Pid::from_raw(thread),
            process: Pid::from_raw(process),
            place: Place::Entry,
        }
    }

    /// What is traced from now on, in it and in its children.
    pub(super) fn set_options(&self) -> Result<(), Errno> {
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_TRACESECCOMP
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(self.thread, options)
    }

    pub(super) fn resume(&mut self, signal: i32) -> Result<(), Errno> {
        self.place = Place::Entry;
        let signal = match signal {
            0 => None,
            number => Some(Signal::try_from(number)?),
        };
        ptrace::cont(self.thread, signal)
    }

    pub(super) fn wait(&self) -> Result<Stop, Errno> {
        self.stop(self.wait_raw()?)
    }

    /// Waits after a signal was let through, which may end every thread of the process: the kernel reports the end of a
    /// leader only once `others` have been waited for.
    pub(super) fn wait_beside(&self, others: &[Pid]) -> Result<Stop, Errno> {
        let look = |thread: Pid| {
            let thread = rustix::process::Pid::from_raw(thread.as_raw());
            rustix::process::waitpid(thread, ALL | WaitOptions::NOHANG)
        };
        loop {
            match look(self.thread) {
                Ok(Some((_, status))) => return self.stop(status.as_raw()),
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(Errno::from_raw(error.raw_os_error())),
            }
            for other in others {
                // They stand still, and report nothing but their end.
                let _ = look(*other);
            }
            std::thread::yield_now();
        }
    }

    fn stop(&self, status: i32) -> Result<Stop, Errno> {
        let (stopped, event) = (status >> 8 & 0xff, status >> 16);
        if status & 0xff != 0x7f {
            return Ok(Stop::Ended(status));
        }
        Ok(match event {
            0 if stopped == SYSTEM_CALL => Stop::Step,
            0 => Stop::Signal(stopped),
            libc::PTRACE_EVENT_SECCOMP => Stop::Call,
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                Stop::Born(ptrace::getevent(self.thread)? as i32)
            }
            libc::PTRACE_EVENT_EXEC => Stop::Executed(ptrace::getevent(self.thread)? as i32),
            _ => Stop::Other,
        })
    }

    /// nix's `waitpid` loses stops by real-time signals, so rustix's, with the raw status.
    fn wait_raw(&self) -> Result<i32, Errno> {
        let thread = rustix::process::Pid::from_raw(self.thread.as_raw());
        loop {
            match rustix::process::waitpid(thread, ALL) {
                Ok(Some((_, status))) => return Ok(status.as_raw()),
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(Errno::from_raw(error.raw_os_error())),
            }
        }
    }

    pub(super) fn registers(&self) -> Result<Registers, Errno> {
        ptrace::getregs(self.thread)
    }

    pub(super) fn set_registers(&self, registers: Registers) -> Result<(), Errno> {
        ptrace::setregs(self.thread, registers)
    }

    /// Ends the call whose registers at entry are `at`, with `value` as its result.
    pub(super) fn finish(&self, at: &Registers, value: i64) -> Result<(), Errno> {
        let mut registers = *at;
        registers.orig_rax = u64::MAX;
        registers.rax = value as u64;
        self.set_registers(registers)
    }

    /// Lets the kernel enter the call again in which the thread stands, even after others were run in its place.
    pub(super) fn enter(&self, at: &Registers) -> Result<(), Errno> {
        match self.place {
            Place::Entry => self.set_registers(*at),
            Place::Exit => {
                let mut registers = *at;
                registers.rip -= 2;
                registers.rax = at.orig_rax;
                registers.orig_rax = u64::MAX;
                self.set_registers(registers)
            }
        }
    }

    /// Leaves the call with `value` so that the kernel, delivering a signal, restarts it where the signal's action says
    /// so: `value` is one of the kernel's own codes, such as `-ERESTARTSYS`.
    pub(super) fn interrupt(&mut self, at: &Registers, value: i64) -> Result<(), Errno> {
        let mut registers = *at;
        if self.place == Place::Entry {
            registers.orig_rax = u64::MAX;
            self.set_registers(registers)?;
            ptrace::syscall(self.thread, None)?;
            self.wait()?;
            self.place = Place::Exit;
        }
        registers = *at;
        registers.rax = value as u64;
        self.set_registers(registers)
    }

    /// Runs a call in the place of the one at which the thread stopped; the result, and the thread or process that it made.
    pub(super) fn run(
        &mut self,
        at: &Registers,
        number: i64,
        arguments: [u64; 6],
    ) -> Result<(i64, Option<i32>), Errno> {
        let mut registers = *at;
        [
            registers.rdi,
            registers.rsi,
            registers.rdx,
            registers.r10,
            registers.r8,
            registers.r9,
        ] = arguments;
        registers.rax = number as u64;
        let mut steps = match self.place {
            Place::Entry => {
                registers.orig_rax = number as u64;
                1
            }
            Place::Exit => {
                registers.rip -= 2;
                registers.orig_rax = u64::MAX;
                2
            }
        };
        self.set_registers(registers)?;
        let mut born = None;
        let mut held = vec![];
        while steps > 0 {
            ptrace::syscall(self.thread, None)?;
            match self.wait()? {
                Stop::Step => steps -= 1,
                Stop::Born(thread) => born = Some(thread),
                Stop::Signal(signal) => held.push(signal),
                Stop::Ended(_) => return Err(Errno::ESRCH),
                Stop::Call | Stop::Executed(_) | Stop::Other => {}
            }
        }
        self.place = Place::Exit;
        for signal in held {
            self.send(signal)?;
        }
        Ok((self.registers()?.rax as i64, born))
    }

    /// Queues a signal for this thread, which stands in a call with the registers `at`.
    ///
    /// No safe wrapper has tgkill(2), so the thread sends it to itself.
    pub(super) fn signal(&mut self, at: &Registers, signal: i32) -> Result<(), Errno> {
        let arguments = [
            self.process.as_raw() as u64,
            self.thread.as_raw() as u64,
            signal as u64,
            0,
            0,
            0,
        ];
        self.run(at, libc::SYS_tgkill, arguments).map(|_| ())
    }

    /// Queues a signal for its process.
    pub(super) fn send(&self, signal: i32) -> Result<(), Errno> {
        nix::sys::signal::kill(self.thread, Signal::try_from(signal)?)
    }

    pub(super) fn kill(&self) {
        let _ = nix::sys::signal::kill(self.process, Signal::SIGKILL);
    }

    /// Waits until it is gone.
    pub(super) fn reap(&self) {
        while let Ok(stop) = self.wait() {
            if matches!(stop, Stop::Ended(_)) {
                return;
            }
            let _ = ptrace::cont(self.thread, None);
        }
    }

    pub(super) fn directory(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.thread))
    }
}

impl Tracee {
    /// The masks of /proc/TID/status by name: `SigPnd`, `ShdPnd`, `SigBlk`, `SigIgn`, `SigCgt`.
    pub(super) fn signal_masks(&self) -> Option<SignalMasks> {
        let text = std::fs::read_to_string(self.directory().join("status")).ok()?;
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            u64::from_str_radix(line.trim_start_matches(':').trim(), 16).ok()
        };
        Some(SignalMasks {
            pending: of("SigPnd")? | of("ShdPnd")?,
            blocked: of("SigBlk")?,
            ignored: of("SigIgn")?,
            caught: of("SigCgt")?,
        })
    }
}

/// Sets of signals, signal n at bit n - 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct SignalMasks {
    pub pending: u64,
    pub blocked: u64,
    pub ignored: u64,
    pub caught: u64,
}
