//! setitimer(2) and alarm(2): signals at a time.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::kernel::{Kernel, Time};
use super::memory::timeval;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_alarm, alarm),
    (libc::SYS_getitimer, get),
    (libc::SYS_setitimer, set),
];

/// A process's timer of real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IntervalTimer {
    next: Time,
    interval: i64,
}

fn timer(host: &mut Host, call: &Call) -> Result<&'static str, Errno> {
    match call.int(0) {
        0 => Ok("real"),
        1 | 2 => {
            host.refuse(call, "timers of processor time are not emulated: a guest's processor time stands still (it fails with EINVAL)");
            Err(Errno::EINVAL)
        }
        _ => Err(Errno::EINVAL),
    }
}

fn left(host: &Host, call: &Call) -> (i64, i64) {
    let found = host
        .kernel
        .processes
        .get(&call.process)
        .and_then(|it| it.timer);
    found.map_or((0, 0), |it| {
        (it.interval, (it.next - host.kernel.now).max(1_000))
    })
}

fn setting(host: &Host, call: &Call) -> Vec<u8> {
    let (interval, value) = left(host, call);
    [timeval(interval), timeval(value)].concat()
}

fn get(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    timer(host, call)?;
    let setting = setting(host, call);
    host.write(call, call.address(1), &setting)?;
    Ok(Answer::Value(0))
}

fn set(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    timer(host, call)?;
    let old = setting(host, call);
    let (interval, value) = match call.address(1) {
        0 => (0, 0),
        at => {
            let memory = host.memory(call)?;
            (memory.read_timeval(at)?, memory.read_timeval(at + 16)?)
        }
    };
    host.arm(call.process, value, interval);
    if call.address(2) != 0 {
        host.write(call, call.address(2), &old)?;
    }
    Ok(Answer::Value(0))
}

fn alarm(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (_, left) = left(host, call);
    let seconds = i64::from(call.arguments[0] as u32);
    host.arm(call.process, seconds * 1_000_000_000, 0);
    Ok(Answer::Value((left + 999_999_999) / 1_000_000_000))
}

impl Host {
    fn arm(&mut self, process: i32, value: i64, interval: i64) {
        let next = self.kernel.now.saturating_add(value);
        if let Some(process) = self.kernel.processes.get_mut(&process) {
            process.timer = (value > 0).then_some(IntervalTimer { next, interval });
        }
    }

    /// Sends what timers and others have asked for.
    pub(super) fn fire_timers(&mut self) {
        let now = self.kernel.now;
        for (number, process) in &mut self.kernel.processes {
            let Some(timer) = &mut process.timer else {
                continue;
            };
            if timer.next > now || process.status.is_some() {
                continue;
            }
            self.kernel.signals.push_back((*number, libc::SIGALRM));
            if timer.interval > 0 {
                let missed = (now - timer.next) / timer.interval;
                timer.next += timer.interval * (missed + 1);
            } else {
                process.timer = None;
            }
        }
        while let Some((process, signal)) = self.kernel.signals.pop_front() {
            self.signal_process(process, signal);
        }
    }
}

impl Kernel {
    /// When the first timer expires.
    pub(super) fn timer_deadline(&self) -> Option<Time> {
        let live = self.processes.values().filter(|it| it.status.is_none());
        live.filter_map(|it| it.timer).map(|it| it.next).min()
    }
}
