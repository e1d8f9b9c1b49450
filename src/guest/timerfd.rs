//! timerfd_create(2).

use nix::errno::Errno;
use nix::libc;

use super::clock::{Clock, clock_of};
use super::description::{IN, Kind};
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::kernel::Time;
use super::memory::timespec;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_timerfd_create, create),
    (libc::SYS_timerfd_settime, set),
    (libc::SYS_timerfd_gettime, get),
];

/// A timer behind a descriptor.
#[derive(Debug, Clone)]
pub(super) struct TimerFd {
    clock: Clock,
    /// Its first expiry that nobody has read; `None` where it is disarmed.
    first: Option<Time>,
    interval: i64,
    pub sets: u64,
}

fn create(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let timer = TimerFd {
        clock: clock_of(call.int(0))?,
        first: None,
        interval: 0,
        sets: 0,
    };
    host.open(
        call,
        call.number,
        call.arguments,
        Kind::Timer(timer),
        call.int(1),
    )
    .map(|at| Answer::Value(at.into()))
}

fn timer<'a>(host: &'a mut Host, call: &Call) -> Result<&'a mut TimerFd, Errno> {
    let id = host
        .kernel
        .lookup(call.process, call.int(0))
        .ok_or(Errno::EINVAL)?;
    match host.kernel.description(id).map(|it| &mut it.kind) {
        Some(Kind::Timer(timer)) => Ok(timer),
        _ => Err(Errno::EINVAL),
    }
}

fn set(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let memory = host.memory(call)?;
    let interval = memory.read_timespec(call.address(2))?;
    let value = memory.read_timespec(call.address(2) + 16)?;
    let now = host.kernel.now;
    let timer = timer(host, call)?;
    let old = timer.setting(now);
    timer.interval = interval;
    timer.sets += 1;
    let clock = timer.clock;
    timer.first = match value {
        0 => None,
        _ if call.int(1) & libc::TFD_TIMER_ABSTIME != 0 => Some(clock.since_start(value)),
        _ => Some(now.saturating_add(value)),
    };
    if call.address(3) != 0 {
        host.write(call, call.address(3), &old)?;
    }
    Ok(Answer::Value(0))
}

fn get(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let now = host.kernel.now;
    let setting = timer(host, call)?.setting(now);
    host.write(call, call.address(1), &setting)?;
    Ok(Answer::Value(0))
}

impl TimerFd {
    /// `struct itimerspec`: interval, and time to the next expiry.
    fn setting(&self, now: Time) -> Vec<u8> {
        let left = self.next(now).map_or(0, |next| (next - now).max(1));
        [timespec(self.interval), timespec(left)].concat()
    }

    /// Expiries that nobody has read.
    pub(super) fn expiries(&self, now: Time) -> u64 {
        match self.first {
            Some(first) if first <= now => {
                let further = if self.interval > 0 {
                    (now - first) / self.interval
                } else {
                    0
                };
                1 + further as u64
            }
            _ => 0,
        }
    }

    pub(super) fn events(&self, now: Time) -> u32 {
        if self.expiries(now) > 0 { IN } else { 0 }
    }

    /// When it expires next.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        let first = self.first?;
        if first > now {
            return Some(first);
        }
        (self.interval > 0).then(|| first + self.interval * self.expiries(now) as i64)
    }

    pub(super) fn take(&mut self, now: Time) -> Option<u64> {
        let count = self.expiries(now);
        if count == 0 {
            return None;
        }
        self.first = self.next(now);
        Some(count)
    }
}
