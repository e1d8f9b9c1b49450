//! poll(2), ppoll(2), select(2), pselect(2).

use nix::errno::Errno;
use nix::libc;

use super::description::{ALWAYS, ERR, HUP, IN, OUT};
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::kernel::Id;
use super::memory::{u16_at, u32_at};
use super::registers::Call;
use super::thread::{Condition, Wait};

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_poll, poll),
    (libc::SYS_ppoll, ppoll),
    (libc::SYS_select, select),
    (libc::SYS_pselect6, pselect),
];

/// `POLLPRI`.
const PRI: u32 = libc::POLLPRI as u32;
/// `POLLNVAL`.
const NVAL: u32 = libc::POLLNVAL as u32;

/// What one descriptor is asked for.
struct Asked {
    descriptor: i32,
    events: u32,
    /// Behind it, where it is not a file of the kernel's.
    description: Option<Id>,
    /// What is reported.
    found: u32,
}

fn poll(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let milliseconds = call.int(2);
    let timeout = (milliseconds >= 0).then(|| i64::from(milliseconds) * 1_000_000);
    poll_for(host, call, timeout)
}

fn ppoll(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let timeout = match call.address(2) {
        0 => None,
        at => Some(host.memory(call)?.read_timespec(at)?),
    };
    host.check_mask(call, call.address(3))?;
    poll_for(host, call, timeout)
}

fn poll_for(host: &mut Host, call: &Call, timeout: Option<i64>) -> Result<Answer, Errno> {
    let (at, count) = (call.address(0), call.size(1));
    if count > 4_096 {
        return Err(Errno::EINVAL);
    }
    let mut array = host.read(call, at, 8 * count)?;
    let mut all: Vec<Asked> = array
        .chunks_exact(8)
        .map(|one| Asked::new(host, call, u32_at(one, 0) as i32, u32::from(u16_at(one, 4))))
        .collect();
    let ready = look(host, &mut all);
    if ready == 0
        && let Some(wait) = wait(host, call, &all, timeout)
    {
        return Ok(Answer::Wait(wait));
    }
    for (one, found) in array.chunks_exact_mut(8).zip(&all) {
        one[6..8].copy_from_slice(&(found.found as u16).to_ne_bytes());
    }
    host.write(call, at, &array)?;
    host.looked(call, ready > 0);
    host.kernel.yields = true;
    Ok(Answer::Value(ready))
}

/// After this many looks in turn that found nothing a loop is idle.
const IDLE: u32 = 50;
/// Timeouts of a loop that polls: longer ones are timers.
const SHORT: std::ops::RangeInclusive<i64> = 1_000_000..=50_000_000;

impl Asked {
    fn new(host: &Host, call: &Call, descriptor: i32, events: u32) -> Self {
        let description = host.kernel.lookup(call.process, descriptor);
        Self {
            descriptor,
            events,
            description,
            found: if descriptor < 0 || description.is_some() {
                0
            } else {
                host.poll_file(call, descriptor, events)
            },
        }
    }
}

impl Host {
    /// poll(2) of a file of the kernel's: regular files and `/dev/null` are always ready.
    fn poll_file(&self, call: &Call, descriptor: i32, events: u32) -> u32 {
        let there = self
            .tracees
            .get(&call.thread)
            .is_some_and(|it| it.directory().join(format!("fd/{descriptor}")).is_symlink());
        if there { events & (IN | OUT) } else { NVAL }
    }

    /// What an empty look costs, and what a wait of `timeout` lasts: never less than that.
    pub(super) fn patience(&mut self, timeout: Option<i64>) -> Option<i64> {
        let kernel = &mut self.kernel;
        timeout.map(|it| it.max(kernel.schedule.cost(kernel.pace.empty_poll)))
    }

    /// A wait for readiness that lasts `timeout`. One of a loop that has long found nothing may end late: a timeout is a
    /// lower bound, and each turn of such a loop costs a tracer's time.
    pub(super) fn wait_for_readiness(
        &mut self,
        call: &Call,
        on: Condition,
        timeout: Option<i64>,
    ) -> Wait {
        let patience = self.patience(timeout);
        let mut wait = Wait::new(on, self.deadline_of(call, patience));
        let idle = self.kernel.threads.get(&call.thread).map(|it| it.idle);
        if let Some(timeout) = timeout.filter(|it| SHORT.contains(it))
            && idle.is_some_and(|idle| idle >= IDLE)
        {
            wait.lateness =
                (9 * timeout).min(self.kernel.schedule.cost(self.kernel.pace.late_poll));
        }
        wait
    }

    /// A wait for readiness ended: with something, or with nothing when its time was up.
    pub(super) fn looked(&mut self, call: &Call, found: bool) {
        if let Some(thread) = self.kernel.threads.get_mut(&call.thread) {
            thread.idle = if found {
                0
            } else {
                thread.idle.saturating_add(1)
            };
        }
    }
}

/// Fills in what is there, and counts the descriptors that have something.
fn look(host: &Host, all: &mut [Asked]) -> i64 {
    for one in all.iter_mut() {
        if let Some(id) = one.description {
            one.found = host.kernel.events(id) & (one.events | ALWAYS);
        }
    }
    all.iter().filter(|one| one.found != 0).count() as i64
}

/// The wait for `all`, unless its time is up.
fn wait(host: &mut Host, call: &Call, all: &[Asked], timeout: Option<i64>) -> Option<Wait> {
    if call.due() {
        return None;
    }
    let list = all
        .iter()
        .filter_map(|one| one.description.map(|id| (id, one.events)))
        .collect();
    Some(host.wait_for_readiness(call, Condition::Poll(list), timeout))
}

fn select(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let timeout = match call.address(4) {
        0 => None,
        at => Some(host.memory(call)?.read_timeval(at)?),
    };
    select_for(host, call, timeout)
}

fn pselect(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let timeout = match call.address(4) {
        0 => None,
        at => Some(host.memory(call)?.read_timespec(at)?),
    };
    if call.address(5) != 0 {
        let mask = host.memory(call)?.read_u64(call.address(5))?;
        host.check_mask(call, mask)?;
    }
    select_for(host, call, timeout)
}

/// In the order of the arguments: what a set asks for, and which events put a descriptor into it.
const SETS: [(u32, u32); 3] = [(IN, IN | HUP | ERR), (OUT, OUT | ERR), (PRI, PRI)];

fn select_for(host: &mut Host, call: &Call, timeout: Option<i64>) -> Result<Answer, Errno> {
    let count = call.int(0);
    if !(0..=4_096).contains(&count) {
        return Err(Errno::EINVAL);
    }
    let words = (count as usize).div_ceil(64);
    let mut sets = vec![];
    for at in 1..4 {
        sets.push(match call.address(at) {
            0 => vec![0; 8 * words],
            address => host.read(call, address, 8 * words)?,
        });
    }
    let mut all = vec![];
    for descriptor in 0..count {
        let bit = |set: &Vec<u8>| set[descriptor as usize / 8] >> (descriptor % 8) & 1 == 1;
        let asked = SETS.iter().zip(&sets).filter(|(_, set)| bit(set));
        let events = asked.fold(0, |events, ((wanted, _), _)| events | wanted);
        if events != 0 {
            all.push(Asked::new(host, call, descriptor, events));
        }
    }
    let ready = look(host, &mut all);
    if all.iter().any(|one| one.found & NVAL != 0) {
        return Err(Errno::EBADF);
    }
    let meant = |one: &Asked, which: usize| {
        let (wanted, reported) = SETS[which];
        one.events & wanted != 0 && one.found & reported != 0
    };
    let hits: i64 = all
        .iter()
        .map(|one| (0..3).filter(|which| meant(one, *which)).count() as i64)
        .sum();
    if (ready == 0 || hits == 0)
        && let Some(wait) = wait(host, call, &all, timeout)
    {
        return Ok(Answer::Wait(wait));
    }
    for (which, address) in (0..3).map(|which| (which, call.address(which + 1))) {
        if address == 0 {
            continue;
        }
        let mut set = vec![0u8; 8 * words];
        for one in all.iter().filter(|one| meant(one, which)) {
            set[one.descriptor as usize / 8] |= 1 << (one.descriptor % 8);
        }
        host.write(call, address, &set)?;
    }
    if call.number == libc::SYS_select && call.address(4) != 0 && call.due() {
        host.write(call, call.address(4), &[0; 16])?;
    }
    host.looked(call, hits > 0);
    host.kernel.yields = true;
    Ok(Answer::Value(hits))
}
