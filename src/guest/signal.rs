//! Signals between guests, and to threads that wait.
//!
//! Handlers, masks and frames are the kernel's: a signal is queued there, and a thread that waits leaves its call as it
//! would have left it natively, to be interrupted or restarted as the signal's action says.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::memory::timespec;
use super::registers::Call;
use super::thread::{Condition, State, Wait};
use super::tracer::SignalMasks;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_kill, kill),
    (libc::SYS_tkill, tkill),
    (libc::SYS_tgkill, tgkill),
    (libc::SYS_rt_sigsuspend, sigsuspend),
    (libc::SYS_rt_sigtimedwait, sigtimedwait),
    (libc::SYS_rt_sigqueueinfo, kill_with_info),
    (libc::SYS_signalfd, signalfd),
    (libc::SYS_signalfd4, signalfd),
];

/// The kernel's own code for "restart where the action says SA_RESTART, else EINTR".
const ERESTARTSYS: i64 = -512;
/// Signals that do nothing unless they are caught.
const DO_NOTHING: &[i32] = &[libc::SIGCHLD, libc::SIGURG, libc::SIGWINCH, libc::SIGCONT];
/// Signals that stop a process unless they are caught.
const STOPPING: &[i32] = &[libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
/// The first real-time signal.
const REAL_TIME: i32 = 32;
/// The last signal.
const LAST: i32 = 64;
/// Calls that restart after a handler with SA_RESTART.
const RESTARTED: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_connect,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_futex,
];

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

fn check(signal: i32) -> Result<(), Errno> {
    if (0..=LAST).contains(&signal) {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

fn kill(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (which, signal) = (call.int(0), call.int(1));
    check(signal)?;
    let own = host
        .kernel
        .processes
        .get(&call.process)
        .map_or(0, |it| it.group);
    let meant: Vec<i32> = {
        let live = host
            .kernel
            .processes
            .iter()
            .filter(|(_, it)| it.status.is_none() || !it.reaped);
        live.filter(|(number, it)| match which {
            0 => it.group == own,
            -1 => **number != call.process,
            group if group < -1 => it.group == -group,
            pid => **number == pid,
        })
        .map(|(number, _)| *number)
        .collect()
    };
    if meant.is_empty() {
        return Err(Errno::ESRCH);
    }
    if signal != 0 {
        host.kernel
            .signals
            .extend(meant.iter().map(|number| (*number, signal)));
        if meant.contains(&call.process) {
            // A signal to oneself is there when kill returns.
            host.kernel
                .signals
                .retain(|it| *it != (call.process, signal));
            return host.signal_own(call, signal);
        }
    }
    Ok(Answer::Value(0))
}

fn kill_with_info(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    kill(host, call)
}

fn tkill(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    to_thread(host, call, call.int(0), call.int(1))
}

fn tgkill(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (process, thread) = (call.int(0), call.int(1));
    if host
        .kernel
        .threads
        .get(&thread)
        .is_none_or(|it| it.process != process)
    {
        return Err(Errno::ESRCH);
    }
    to_thread(host, call, thread, call.int(2))
}

fn to_thread(host: &mut Host, call: &Call, thread: i32, signal: i32) -> Result<Answer, Errno> {
    check(signal)?;
    let found = host.kernel.threads.get(&thread).ok_or(Errno::ESRCH)?;
    if found.state == State::Dead {
        return Err(Errno::ESRCH);
    }
    if thread == call.thread && signal != 0 {
        let arguments = host.own_numbers(call, signal)?;
        return host
            .inject(call, libc::SYS_tgkill, arguments)
            .map(Answer::Value);
    }
    if signal != 0 {
        host.signal_thread(thread, signal);
    }
    Ok(Answer::Value(0))
}

fn sigsuspend(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    host.check_mask(call, call.address(0))?;
    Ok(Answer::Wait(Wait::new(Condition::Time, None)))
}

fn sigtimedwait(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let span = match call.address(2) {
        0 => None,
        at => Some(host.memory(call)?.read_timespec(at)?),
    };
    // The kernel has what is queued; it is asked without waiting.
    let answer = host.with_octets(call, &timespec(0), |host, at| {
        let mut arguments = call.arguments;
        arguments[2] = at;
        host.inject(call, libc::SYS_rt_sigtimedwait, arguments)
    });
    match answer {
        Err(Errno::EAGAIN) if !call.due() => {
            let deadline = host.deadline_of(call, span);
            Ok(Answer::Wait(Wait::new(
                Condition::Signal { woken: false },
                deadline,
            )))
        }
        other => other.map(Answer::Value),
    }
}

fn signalfd(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    host.refuse(call, "signalfd is not emulated; it would need a kind of description of its own (it fails with ENOSYS)");
    Err(Errno::ENOSYS)
}

impl Host {
    fn own_numbers(&mut self, call: &Call, signal: i32) -> Result<[u64; 6], Errno> {
        // It may be blocked; whoever waits with a mask that lets it through looks.
        if let Some(process) = self.kernel.processes.get_mut(&call.process) {
            process.signals_wait = true;
        }
        let tracee = self.tracees.get(&call.thread).ok_or(Errno::ESRCH)?;
        let (process, thread) = (tracee.process.as_raw(), tracee.thread.as_raw());
        Ok([process as u64, thread as u64, signal as u64, 0, 0, 0])
    }

    /// A signal of a process to itself: the caller has it, unless it blocks it.
    fn signal_own(&mut self, call: &Call, signal: i32) -> Result<Answer, Errno> {
        let masks = self.masks(call.thread);
        if signal == libc::SIGKILL {
            self.kill_process(call.process);
            return Ok(Answer::Gone);
        }
        if masks.is_none_or(|it| it.blocked & bit(signal) != 0) {
            self.signal_process(call.process, signal);
            return Ok(Answer::Value(0));
        }
        let arguments = self.own_numbers(call, signal)?;
        self.inject(call, libc::SYS_tgkill, arguments)
            .map(Answer::Value)
    }

    fn masks(&self, thread: i32) -> Option<SignalMasks> {
        self.tracees.get(&thread)?.signal_masks()
    }

    /// Sends a signal to a process: to the first of its threads that does not block it.
    pub(super) fn signal_process(&mut self, process: i32, signal: i32) {
        let threads = self.kernel.threads_of(process);
        let Some(masks) = threads.first().and_then(|it| self.masks(*it)) else {
            return;
        };
        let event = format!("signal {signal}");
        self.kernel.trace.event(self.kernel.now, process, &event);
        if signal == libc::SIGKILL {
            return self.kill_process(process);
        }
        if signal == libc::SIGSTOP
            || (STOPPING.contains(&signal) && masks.caught & bit(signal) == 0)
        {
            return;
        }
        let caught = masks.caught & bit(signal) != 0;
        let unheard = !caught && DO_NOTHING.contains(&signal);
        if masks.ignored & bit(signal) != 0 {
            if signal == libc::SIGCHLD {
                self.forget_children(process);
            }
            return;
        }
        let waiter = threads.iter().find(|it| self.waits_for(**it, signal));
        if let Some(waiter) = waiter.copied() {
            if let Some(tracee) = self.tracees.get(&waiter) {
                let _ = tracee.send(signal);
            }
            if let Some(thread) = self.kernel.threads.get_mut(&waiter)
                && let State::Waiting(wait) = &mut thread.state
            {
                wait.on = Condition::Signal { woken: true };
            }
            return;
        }
        if unheard {
            return;
        }
        for thread in &threads {
            if self.effective_mask(*thread) & bit(signal) == 0 {
                return self.signal_thread(*thread, signal);
            }
        }
        if let Some(tracee) = threads.first().and_then(|it| self.tracees.get(it)) {
            let _ = tracee.send(signal);
        }
        if let Some(process) = self.kernel.processes.get_mut(&process) {
            process.signals_wait = true;
        }
    }

    /// Whoever ignores SIGCHLD has no zombies.
    fn forget_children(&mut self, process: i32) {
        for child in self.kernel.processes.values_mut() {
            if child.parent == process && child.status.is_some() {
                child.reaped = true;
            }
        }
    }

    /// A thread waits in sigtimedwait(2) for this signal.
    fn waits_for(&mut self, thread: i32, signal: i32) -> bool {
        let Some(found) = self.kernel.threads.get(&thread) else {
            return false;
        };
        let State::Waiting(Wait {
            on: Condition::Signal { .. },
            ..
        }) = found.state
        else {
            return false;
        };
        let (process, at) = (found.process, found.registers.rdi);
        let memory = self.memories.get_mut(&process);
        memory.is_some_and(|it| it.read_u64(at).is_ok_and(|set| set & bit(signal) != 0))
    }

    /// Signals that a thread blocks; one that waits with a mask of its own (ppoll(2)) blocks that.
    fn effective_mask(&mut self, thread: i32) -> u64 {
        let own = self.masks(thread).map_or(u64::MAX, |it| it.blocked);
        let Some(found) = self.kernel.threads.get(&thread) else {
            return own;
        };
        if !matches!(found.state, State::Waiting(_)) {
            return own;
        }
        let (process, at) = (found.process, self.mask_at(thread));
        match at {
            0 => own,
            at => self
                .memories
                .get_mut(&process)
                .and_then(|it| it.read_u64(at).ok())
                .unwrap_or(own),
        }
    }

    /// Where the mask lies with which a thread waits; zero where it has none.
    fn mask_at(&mut self, thread: i32) -> u64 {
        let Some(found) = self.kernel.threads.get(&thread) else {
            return 0;
        };
        let registers = found.registers;
        match registers.orig_rax as i64 {
            libc::SYS_ppoll => registers.r10,
            libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => registers.r8,
            libc::SYS_rt_sigsuspend => registers.rdi,
            libc::SYS_pselect6 if registers.r9 != 0 => self
                .memories
                .get_mut(&found.process)
                .and_then(|it| it.read_u64(registers.r9).ok())
                .unwrap_or(0),
            _ => 0,
        }
    }

    /// Sends a signal to a thread, and ends its wait where it does not block it.
    pub(super) fn signal_thread(&mut self, number: i32, signal: i32) {
        let mask = self.effective_mask(number);
        let at = self.mask_at(number);
        let Some(thread) = self.kernel.threads.get_mut(&number) else {
            return;
        };
        let Some(tracee) = self.tracees.get_mut(&number) else {
            return;
        };
        let wait = match &thread.state {
            // The parent of a vfork(2) is not to be disturbed: its child has its stack.
            State::Waiting(wait) if thread.in_call && !matches!(wait.on, Condition::Vfork(_)) => {
                wait.clone()
            }
            _ => {
                let _ = tracee.send(signal);
                return;
            }
        };
        let registers = thread.registers;
        if tracee.signal(&registers, signal).is_err() {
            return;
        }
        if signal >= 1 && mask & bit(signal) != 0 {
            if let Some(process) = self.kernel.processes.get_mut(&thread.process) {
                process.signals_wait = true;
            }
            return;
        }
        thread.state = State::Ready;
        let call = Call::new(number, thread.process, &registers);
        let done = if at != 0 {
            self.with_mask(&call, at)
        } else if RESTARTED.contains(&call.number) && wait.deadline.is_none() {
            self.tracees
                .get_mut(&number)
                .map_or(Ok(()), |it| it.interrupt(&registers, ERESTARTSYS))
        } else {
            self.write_remaining(&call, &wait);
            self.end_with(&call, Errno::EINTR)
        };
        if let Err(error) = done {
            self.lost(number, error);
        }
        self.kernel
            .trace
            .event(self.kernel.now, number, "interrupted");
    }

    fn end_with(&mut self, call: &Call, error: Errno) -> Result<(), Errno> {
        let thread = self.kernel.threads.get(&call.thread).ok_or(Errno::ESRCH)?;
        let tracee = self.tracees.get(&call.thread).ok_or(Errno::ESRCH)?;
        tracee.finish(&thread.registers, -i64::from(error as i32))
    }

    /// nanosleep(2) says how much was left.
    fn write_remaining(&mut self, call: &Call, wait: &Wait) {
        let at = match call.number {
            libc::SYS_nanosleep => call.address(1),
            libc::SYS_clock_nanosleep if call.int(1) & libc::TIMER_ABSTIME == 0 => call.address(3),
            _ => 0,
        };
        if let (Some(deadline), true) = (wait.deadline, at != 0) {
            let left = (deadline - self.kernel.now).max(0);
            let _ = self.write(call, at, &timespec(left));
        }
    }

    /// Waits in the kernel, for a moment, with the mask at `at`: a signal that it lets through ends that at once, and
    /// its handler runs with that mask, as in the call itself.
    fn with_mask(&mut self, call: &Call, at: u64) -> Result<(), Errno> {
        let _ = self.inject(call, libc::SYS_ppoll, [0, 0, 0, at, 8, 0]);
        self.end_with(call, Errno::EINTR)
    }

    /// A call is about to wait with the mask at `at`: a signal that is queued and that it lets through comes first.
    pub(super) fn check_mask(&mut self, call: &Call, at: u64) -> Result<(), Errno> {
        let waits = self
            .kernel
            .processes
            .get(&call.process)
            .is_some_and(|it| it.signals_wait);
        if at == 0 || call.again.is_some() || !waits {
            return Ok(());
        }
        let mask = self.memory(call)?.read_u64(at)?;
        let Some(masks) = self.masks(call.thread) else {
            return Ok(());
        };
        if masks.pending == 0
            && let Some(process) = self.kernel.processes.get_mut(&call.process)
        {
            process.signals_wait = false;
        }
        if masks.pending & !mask == 0 {
            return Ok(());
        }
        let _ = self.inject(call, libc::SYS_ppoll, [0, 0, 0, at, 8, 0]);
        Err(Errno::EINTR)
    }

    /// A thread stopped because a signal is about to be delivered: the signal that it gets, or zero; `None` where it
    /// does not go on.
    pub(super) fn signal_stop(&mut self, number: i32, signal: i32) -> Result<Option<i32>, Errno> {
        let Some(process) = self.kernel.threads.get(&number).map(|it| it.process) else {
            return Ok(None);
        };
        match signal {
            libc::SIGSEGV if self.read_counter(number)? => return Ok(Some(0)),
            libc::SIGXCPU => {
                self.second_of_processor_time(number, process);
                return Ok(self.failure.is_none().then_some(0));
            }
            libc::SIGTRAP | libc::SIGSTOP => return Ok(Some(0)),
            _ => {}
        }
        let event = format!("delivered {signal}");
        self.kernel.trace.event(self.kernel.now, number, &event);
        if let Some(core) = self.core.clone()
            && self.is_fatal(number, signal)
        {
            self.look_at_the_dead(process, signal, &core);
            return Ok(None);
        }
        if signal >= REAL_TIME {
            let registers = self.tracees.get(&number).ok_or(Errno::ESRCH)?.registers()?;
            let call = Call::new(number, process, &registers);
            self.unknown(&call, format!("real-time signal {signal} cannot be delivered to a guest: no safe wrapper of ptrace(2) passes it on"));
            return Ok(None);
        }
        Ok(Some(signal))
    }

    /// The time stamp counter is trapped: where that is why, it is answered.
    fn read_counter(&mut self, number: i32) -> Result<bool, Errno> {
        let Some(process) = self.kernel.threads.get(&number).map(|it| it.process) else {
            return Ok(false);
        };
        let tracee = self.tracees.get(&number).ok_or(Errno::ESRCH)?;
        let mut registers = tracee.registers()?;
        let memory = self.memories.get_mut(&process).ok_or(Errno::EFAULT)?;
        let Ok(code) = memory
            .read(registers.rip, 3)
            .or_else(|_| memory.read(registers.rip, 2))
        else {
            return Ok(false);
        };
        let length = if code.starts_with(&[0x0f, 0x31]) {
            2 // rdtsc
        } else if code == [0x0f, 0x01, 0xf9] {
            registers.rcx = 0; // rdtscp: also the processor
            3
        } else {
            return Ok(false);
        };
        self.kernel.pay_for_call();
        let count = (self.kernel.now + super::clock::UPTIME) as u64;
        registers.rax = count & 0xffff_ffff;
        registers.rdx = count >> 32;
        registers.rip += length;
        tracee.set_registers(registers)?;
        Ok(true)
    }
}
