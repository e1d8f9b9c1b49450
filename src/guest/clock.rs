//! Time: the clocks of a host, and sleeping.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry, nothing};
use super::host::Host;
use super::kernel::Time;
use super::memory::{timespec, timeval};
use super::registers::Call;
use super::thread::{Condition, Wait};

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_clock_gettime, clock_gettime),
    (libc::SYS_clock_getres, clock_getres),
    (libc::SYS_gettimeofday, gettimeofday),
    (libc::SYS_time, time),
    (libc::SYS_times, times),
    (libc::SYS_nanosleep, nanosleep),
    (libc::SYS_clock_nanosleep, clock_nanosleep),
    (libc::SYS_sched_yield, sched_yield),
    (libc::SYS_pause, pause),
    (libc::SYS_sync, nothing),
];

/// 2023-11-14 22:13:20 UTC: the date at the start of every world.
pub(super) const EPOCH: Time = 1_700_000_000 * SECOND;
/// How long a host has been up when its world starts.
pub(super) const UPTIME: Time = 1_000 * SECOND;
/// A second in nanoseconds.
const SECOND: Time = 1_000_000_000;

/// A clock of clock_gettime(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Since 1970.
    Real,
    /// Since the host started.
    Monotonic,
    /// Processor time, which costs nothing here: since the world began.
    Processor,
}

pub(super) fn clock_of(number: i32) -> Result<Clock, Errno> {
    Ok(match number {
        libc::CLOCK_REALTIME
        | libc::CLOCK_REALTIME_COARSE
        | libc::CLOCK_REALTIME_ALARM
        | libc::CLOCK_TAI => Clock::Real,
        libc::CLOCK_MONOTONIC
        | libc::CLOCK_MONOTONIC_RAW
        | libc::CLOCK_MONOTONIC_COARSE
        | libc::CLOCK_BOOTTIME
        | libc::CLOCK_BOOTTIME_ALARM => Clock::Monotonic,
        libc::CLOCK_PROCESS_CPUTIME_ID | libc::CLOCK_THREAD_CPUTIME_ID => Clock::Processor,
        // Clocks of other processes and threads are negative.
        below if below < 0 => Clock::Processor,
        _ => return Err(Errno::EINVAL),
    })
}

impl Clock {
    /// What it shows at `time` since the world began.
    pub(super) fn at(self, time: Time) -> i64 {
        time + self.offset()
    }

    /// When it shows `shown`, since the world began.
    pub(super) fn since_start(self, shown: i64) -> Time {
        shown - self.offset()
    }

    fn offset(self) -> i64 {
        match self {
            Self::Real => EPOCH,
            Self::Monotonic => UPTIME,
            Self::Processor => 0,
        }
    }
}

fn clock_gettime(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let shown = clock_of(call.int(0))?.at(host.kernel.now);
    host.write(call, call.address(1), &timespec(shown))?;
    Ok(Answer::Value(0))
}

fn clock_getres(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    clock_of(call.int(0))?;
    if call.address(1) != 0 {
        host.write(call, call.address(1), &timespec(1))?;
    }
    Ok(Answer::Value(0))
}

fn gettimeofday(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if call.address(0) != 0 {
        let shown = Clock::Real.at(host.kernel.now);
        host.write(call, call.address(0), &timeval(shown))?;
    }
    if call.address(1) != 0 {
        host.write(call, call.address(1), &[0; 8])?; // UTC
    }
    Ok(Answer::Value(0))
}

fn time(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let seconds = Clock::Real.at(host.kernel.now) / SECOND;
    if call.address(0) != 0 {
        host.write(call, call.address(0), &seconds.to_ne_bytes())?;
    }
    Ok(Answer::Value(seconds))
}

/// `struct tms` in hundredths of a second.
fn times(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if call.address(0) != 0 {
        host.write(call, call.address(0), &[0; 32])?;
    }
    Ok(Answer::Value(
        Clock::Monotonic.at(host.kernel.now) / 10_000_000,
    ))
}

fn nanosleep(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let span = host.memory(call)?.read_timespec(call.address(0))?;
    let deadline = host.deadline_of(call, Some(span));
    sleep(call, deadline)
}

fn clock_nanosleep(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let clock = clock_of(call.int(0))?;
    let asked = host.memory(call)?.read_timespec(call.address(2))?;
    let deadline = if call.int(1) & libc::TIMER_ABSTIME != 0 {
        Some(clock.since_start(asked))
    } else {
        host.deadline_of(call, Some(asked))
    };
    sleep(call, deadline)
}

fn sleep(call: &Call, deadline: Option<Time>) -> Result<Answer, Errno> {
    if call.due() {
        return Ok(Answer::Value(0));
    }
    Ok(Answer::Wait(Wait::new(Condition::Time, deadline)))
}

/// Time must pass, or threads that yield to each other would do so for ever.
fn sched_yield(host: &mut Host, _call: &Call) -> Result<Answer, Errno> {
    host.kernel.yields = true;
    Ok(Answer::Value(0))
}

fn pause(_host: &mut Host, _call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Wait(Wait::new(Condition::Time, None)))
}
