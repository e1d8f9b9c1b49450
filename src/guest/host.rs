//! A host with its guests: start a program, run what can run, say what is waited for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::task::Context;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;

use super::Failure;
use super::dispatch::{Answer, handler};
use super::identity::Identity;
use super::kernel::{Kernel, Time};
use super::memory::Memory;
use super::network::Network;
use super::output::{Line, Stream};
use super::pace::Pace;
use super::refusal::Refusal;
use super::registers::{Again, Call, Registers, name_of};
use super::schedule::Schedule;
use super::startup::{self, Program};
use super::thread::{Condition, State, Thread, Wait};
use super::tracer::{Stop, Tracee};
use super::{process, watchdog};

/// How far a guest may run ahead of its world: the world's clock counts milliseconds.
const AHEAD: Time = 1_000_000;

/// How a host's guests are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What their work costs in virtual time.
    pub pace: Pace,
    /// Which thread of those that can go on is the next, and for how long, is drawn from the seed.
    pub drawn_order: bool,
    /// What they see of the machine.
    pub identity: Identity,
    /// Every look at the clock stops, and so takes time: for a program that takes two looks for two times.
    pub clock_stops: bool,
    /// Feeds their randomness.
    pub seed: u64,
    /// Keep every answered call as text.
    pub keep_calls: bool,
    /// Seconds of processor time after which a process that makes no call is given up.
    pub patience: u32,
    /// Where the memory of a guest that a signal ends is written, with a look at its stack; neither where it is absent.
    pub core: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            drawn_order: false,
            identity: Identity::default(),
            clock_stops: false,
            seed: 0,
            keep_calls: false,
            patience: 20,
            core: None,
        }
    }
}

/// What a host's guests wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Everything waits: for the network, and for this time at the latest.
    Waits(Option<Duration>),
    /// No process is left.
    Ended,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// A host of the simulation in which real programs run.
///
/// It belongs to the thread that made it, as ptrace(2) does. Dropping it kills its guests.
pub struct Host {
    pub(super) kernel: Kernel,
    pub(super) tracees: BTreeMap<i32, Tracee>,
    pub(super) memories: BTreeMap<i32, Memory>,
    pub(super) network: Box<dyn Network>,
    pub(super) failure: Option<Failure>,
    /// Where each process was started, what it may write.
    pub(super) directories: BTreeMap<i32, PathBuf>,
    pub(super) watchdog: watchdog::Watchdog,
    pub(super) played: super::played::Played,
    last: i32,
    /// Who runs this host, to be woken where something is asked of it from outside.
    task: Option<std::task::Waker>,
    pub(super) core: Option<PathBuf>,
    pub(super) post_mortems: Vec<super::PostMortem>,
}

impl Host {
    /// A host without guests on `network`.
    #[must_use]
    pub fn new(settings: &Settings, network: Box<dyn Network>) -> Self {
        let mut kernel = Kernel::new(settings.pace, settings.identity.clone(), settings.seed);
        kernel.schedule = Schedule::new(settings.seed, settings.drawn_order);
        kernel.clock_stops = settings.clock_stops;
        kernel.trace.kept = settings.keep_calls.then(Vec::new);
        Self {
            kernel,
            tracees: BTreeMap::new(),
            memories: BTreeMap::new(),
            network,
            failure: None,
            directories: BTreeMap::new(),
            watchdog: watchdog::Watchdog::new(settings.patience),
            played: super::played::Played::default(),
            last: 0,
            task: None,
            core: settings.core.clone(),
            post_mortems: Vec::new(),
        }
    }

    /// Starts a program as a guest; its process number on this host.
    ///
    /// # Errors
    /// The program or the tracer cannot start; the reason is the launcher's own.
    pub fn start(&mut self, program: &Program) -> Result<i32, Failure> {
        super::affinity::pin();
        super::machine::write(&program.directory, &self.kernel.identity)
            .map_err(|error| Failure::Start(format!("{}: {error}", program.directory.display())))?;
        let tracee = startup::spawn(program)?;
        let pid = self.kernel.new_pid();
        let memory = Memory::new(tracee.process).map_err(Failure::Tracing)?;
        let registers = tracee.registers().map_err(Failure::Tracing)?;
        self.kernel
            .processes
            .insert(pid, process::Process::first(pid));
        self.kernel.threads.insert(
            pid,
            Thread {
                process: pid,
                state: State::Ready,
                registers,
                in_call: false,
                clear_at: 0,
                robust_at: 0,
                idle: 0,
            },
        );
        self.tracees.insert(pid, tracee);
        self.memories.insert(pid, memory);
        self.directories.insert(pid, program.directory.clone());
        self.open_output(pid);
        self.executed(pid).map_err(Failure::Tracing)?;
        self.wake_task();
        Ok(pid)
    }

    /// Runs every thread until all wait, at `now` since the world began.
    ///
    /// # Errors
    /// The guest cannot go on: it was refused a call, computes without end, or is lost.
    pub fn turn(&mut self, context: &mut Context<'_>, now: Duration) -> Result<Turn, Failure> {
        let world = Time::try_from(now.as_nanos()).unwrap_or(Time::MAX);
        self.kernel.now = self.kernel.now.max(world);
        self.task = Some(context.waker().clone());
        loop {
            self.network.take_in(context, &mut self.kernel.descriptions);
            self.fire_timers();
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.kernel.threads.is_empty() {
                return Ok(Turn::Ended);
            }
            if self.kernel.now >= world + AHEAD {
                let ahead = Duration::from_nanos(self.kernel.now as u64);
                return Ok(Turn::Waits(Some(ahead)));
            }
            let Some(next) = self.next() else {
                let deadline = self.deadline();
                let deadline = deadline.map(|it| Duration::from_nanos(it.max(0) as u64));
                return Ok(Turn::Waits(deadline));
            };
            self.last = next;
            self.go_on(next);
            if let Some(refusal) = self.kernel.refusals.iter().find(|one| one.fatal) {
                return Err(Failure::Refused(Box::new(refusal.clone())));
            }
        }
    }

    /// The thread whose turn it is: the first after the last one that can go on, or any of them that can.
    fn next(&mut self) -> Option<i32> {
        if self.kernel.schedule.is_drawn() {
            let threads = self.kernel.threads.iter();
            let able = threads.filter(|(_, thread)| self.can_go_on(thread));
            let able: Vec<i32> = able.map(|(number, _)| *number).collect();
            let picked = self.kernel.schedule.pick(able.len());
            return able.get(picked).copied();
        }
        let can = |(_, thread): &(&i32, &Thread)| self.can_go_on(thread);
        let threads = &self.kernel.threads;
        let after = threads.range(self.last + 1..).find(can);
        let found = after.or_else(|| threads.range(..=self.last).find(can));
        found.map(|(number, _)| *number)
    }

    fn can_go_on(&self, thread: &Thread) -> bool {
        match &thread.state {
            State::Ready => true,
            State::Dead => false,
            State::Waiting(wait) => {
                wait.deadline.is_some_and(|it| it <= self.kernel.now)
                    || self.satisfied(thread, wait)
            }
        }
    }

    fn satisfied(&self, thread: &Thread, wait: &Wait) -> bool {
        use super::description::ALWAYS;
        match &wait.on {
            Condition::Time => false,
            Condition::Events(id, events) => self.kernel.events(*id) & (events | ALWAYS) != 0,
            Condition::Poll(list) => list
                .iter()
                .any(|(id, events)| self.kernel.events(*id) & (events | ALWAYS) != 0),
            Condition::Epoll(id) => self.kernel.events(*id) != 0,
            Condition::Futex { woken, .. } | Condition::Signal { woken } => *woken,
            Condition::Child(which) => self.kernel.child_to_reap(thread.process, *which).is_some(),
            Condition::Vfork(child) => self.kernel.released(*child),
        }
    }

    /// When the first wait ends by itself.
    fn deadline(&self) -> Option<Time> {
        let mut first = self.kernel.timer_deadline();
        for thread in self.kernel.threads.values() {
            let State::Waiting(wait) = &thread.state else {
                continue;
            };
            let own = wait.deadline.map(|it| it + wait.lateness);
            let due = match &wait.on {
                Condition::Events(id, _) | Condition::Epoll(id) => self.kernel.due(*id),
                Condition::Poll(list) => {
                    list.iter().filter_map(|(id, _)| self.kernel.due(*id)).min()
                }
                _ => None,
            };
            first = [first, own, due].into_iter().flatten().min();
        }
        first
    }

    /// Lets a thread go on: first the call in which it waited, then whatever comes, until it waits again.
    fn go_on(&mut self, number: i32) {
        let Some(thread) = self.kernel.threads.get_mut(&number) else {
            return;
        };
        let state = std::mem::replace(&mut thread.state, State::Ready);
        if let State::Waiting(wait) = state {
            let mut call = Call::new(number, thread.process, &thread.registers);
            let woken = matches!(wait.on, Condition::Futex { woken: true, .. });
            let now = self.kernel.now;
            call.again = Some(Again {
                deadline: wait.deadline,
                due: wait.deadline.is_some_and(|it| it <= now),
                woken,
            });
            if !self.answer(&call) {
                return;
            }
        }
        if let Err(error) = self.run(number) {
            self.lost(number, error);
        }
    }

    fn run(&mut self, number: i32) -> Result<(), Errno> {
        let mut signal = 0;
        let mut stops = 0;
        let turn = self.kernel.schedule.turn();
        loop {
            let Some(process) = self.kernel.threads.get(&number).map(|it| it.process) else {
                return Ok(());
            };
            self.write_clock(process);
            let Some(stop) = self.resume(number, process, signal)? else {
                return Ok(());
            };
            signal = 0;
            match stop {
                Stop::Call => {
                    let tracee = self.tracees.get(&number).ok_or(Errno::ESRCH)?;
                    let registers = tracee.registers()?;
                    self.stopped(number, registers, true);
                    self.kernel.stops += 1;
                    self.kernel.pay_for_call();
                    let call = Call::new(number, process, &registers);
                    if !self.answer(&call) {
                        return Ok(());
                    }
                    stops += 1;
                    if std::mem::take(&mut self.kernel.yields)
                        || stops >= turn
                        || self.failure.is_some()
                    {
                        return Ok(());
                    }
                }
                Stop::Signal(which) => match self.signal_stop(number, which)? {
                    Some(passed) => signal = passed,
                    None => return Ok(()),
                },
                Stop::Executed(_) => self.executed(number)?,
                Stop::Ended(status) => {
                    self.thread_ended(number, status);
                    return Ok(());
                }
                Stop::Step | Stop::Born(_) | Stop::Other => {}
            }
        }
    }

    fn stopped(&mut self, number: i32, registers: Registers, in_call: bool) {
        if let Some(thread) = self.kernel.threads.get_mut(&number) {
            thread.registers = registers;
            thread.in_call = in_call;
        }
    }

    /// Answers a call; whether the thread goes on.
    fn answer(&mut self, call: &Call) -> bool {
        let answered = match handler(call.number) {
            Some(handler) => handler(self, call),
            None => {
                let name = name_of(call.number);
                self.unknown(
                    call,
                    format!("{name} is not emulated; it needs a handler in src/guest, or, if harmless, a place in HARMLESS"),
                );
                Err(Errno::ENOSYS)
            }
        };
        if self.kernel.refusals.last().is_some_and(|it| it.fatal) {
            return false;
        }
        let value = match answered {
            Ok(Answer::Value(value)) => value,
            Err(error) => -i64::from(error as i32),
            Ok(Answer::Native) => {
                self.kernel
                    .trace
                    .call(self.kernel.now, call.thread, call.number, i64::MIN);
                return self.set(call.thread, Tracee::enter);
            }
            Ok(Answer::Wait(wait)) => {
                if let Some(thread) = self.kernel.threads.get_mut(&call.thread) {
                    thread.state = State::Waiting(wait);
                }
                self.kernel
                    .trace
                    .event(self.kernel.now, call.thread, "waits");
                return false;
            }
            Ok(Answer::Gone) => return false,
        };
        self.kernel
            .trace
            .call(self.kernel.now, call.thread, call.number, value);
        self.set(call.thread, |tracee, at| tracee.finish(at, value))
    }

    fn set(
        &mut self,
        number: i32,
        how: impl FnOnce(&Tracee, &Registers) -> Result<(), Errno>,
    ) -> bool {
        let Some((thread, tracee)) = self.pair(number) else {
            return false;
        };
        let at = thread.registers;
        match how(tracee, &at) {
            Ok(()) => true,
            Err(error) => {
                self.lost(number, error);
                false
            }
        }
    }

    fn pair(&mut self, number: i32) -> Option<(&Thread, &mut Tracee)> {
        let thread = self.kernel.threads.get(&number)?;
        Some((thread, self.tracees.get_mut(&number)?))
    }

    /// A thread cannot be reached any more: it was killed from outside.
    pub(super) fn lost(&mut self, number: i32, error: Errno) {
        if error == Errno::ESRCH
            && let Some(tracee) = self.tracees.get(&number)
            && let Ok(Stop::Ended(status)) = tracee.wait()
        {
            return self.thread_ended(number, status);
        }
        self.failure = Some(Failure::Tracing(error));
    }

    /// Runs a call in the place of `call`; an error is the kernel's.
    pub(super) fn inject(
        &mut self,
        call: &Call,
        number: i64,
        arguments: [u64; 6],
    ) -> Result<i64, Errno> {
        let (thread, tracee) = self.pair(call.thread).ok_or(Errno::ESRCH)?;
        let at = thread.registers;
        let (value, _) = tracee.run(&at, number, arguments)?;
        if (-4_095..0).contains(&value) {
            return Err(Errno::from_raw(-value as i32));
        }
        Ok(value)
    }

    pub(super) fn memory(&mut self, call: &Call) -> Result<&mut Memory, Errno> {
        self.memories.get_mut(&call.process).ok_or(Errno::EFAULT)
    }

    pub(super) fn read(&mut self, call: &Call, at: u64, length: usize) -> Result<Vec<u8>, Errno> {
        self.memory(call)?.read(at, length)
    }

    pub(super) fn write(&mut self, call: &Call, at: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.memory(call)?.write(at, bytes)
    }

    /// The deadline of a call that waits `nanoseconds`: as it was first, however often it is asked.
    pub(super) fn deadline_of(&self, call: &Call, nanoseconds: Option<i64>) -> Option<Time> {
        match call.again {
            Some(again) => again.deadline,
            None => nanoseconds.map(|it| self.kernel.now.saturating_add(it)),
        }
    }
}

impl Host {
    /// Sends a signal to a process of this host, as from outside.
    pub fn signal(&mut self, process: i32, signal: i32) {
        self.kernel.signals.push_back((process, signal));
        self.wake_task();
    }

    fn wake_task(&mut self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// How a process ended; `None` while it lives.
    #[must_use]
    pub fn ended(&self, process: i32) -> Option<Ended> {
        let status = self.kernel.processes.get(&process)?.status?;
        Some(if libc::WIFEXITED(status) {
            Ended::Exited(libc::WEXITSTATUS(status))
        } else {
            Ended::Killed(libc::WTERMSIG(status))
        })
    }

    /// What was printed so far, in order.
    #[must_use]
    pub fn output(&self) -> &[Line] {
        &self.kernel.output
    }

    /// What a stream printed so far, joined.
    #[must_use]
    pub fn printed(&self, stream: Stream) -> String {
        let lines = self
            .kernel
            .output
            .iter()
            .filter(|line| line.stream == stream);
        let octets: Vec<u8> = lines.flat_map(|line| line.octets.iter().copied()).collect();
        String::from_utf8_lossy(&octets).into_owned()
    }

    /// Calls that were refused.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.kernel.refusals
    }

    /// The hash of every answered call so far, and their number.
    #[must_use]
    pub fn trace(&self) -> ([u8; 32], u64) {
        (self.kernel.trace.digest(), self.kernel.trace.count())
    }

    /// The answered calls as text, where [`Settings::keep_calls`] asked for them.
    #[must_use]
    pub fn calls(&self) -> &[String] {
        self.kernel.trace.kept.as_deref().unwrap_or_default()
    }

    /// Calls that stopped in the tracer so far.
    #[must_use]
    pub fn stops(&self) -> u64 {
        self.kernel.stops
    }

    /// Whether a connection to another host was ever tried or accepted.
    #[must_use]
    pub fn was_connected(&self) -> bool {
        self.kernel.connections > 0
    }

    /// The host's time, since the world began.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.kernel.now.max(0) as u64)
    }

    /// What every thread waits for, for people.
    #[must_use]
    pub fn waits(&self) -> Vec<String> {
        let threads = self.kernel.threads.iter();
        threads
            .map(|(number, thread)| {
                let call = name_of(thread.registers.orig_rax as i64);
                format!(
                    "thread {number} of {}: {call} {:?}",
                    thread.process, thread.state
                )
            })
            .collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for tracee in self.tracees.values() {
            tracee.kill();
        }
        for tracee in self.tracees.values().rev() {
            tracee.reap();
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Host")
            .field("waits", &self.waits())
            .finish_non_exhaustive()
    }
}
