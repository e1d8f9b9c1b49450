//! futex(2): waiting and waking between the threads of a process.
//!
//! A futex is known by process and address; one in memory shared between processes is not supported.

use nix::errno::Errno;
use nix::libc;

use super::clock::Clock;
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::registers::Call;
use super::thread::{Condition, State, Wait};

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_futex, futex),
    (libc::SYS_set_robust_list, set_robust_list),
    (libc::SYS_set_tid_address, set_tid_address),
];

/// `FUTEX_BITSET_MATCH_ANY`.
const ANY: u32 = u32::MAX;
/// The owner died (robust futexes).
const OWNER_DIED: u32 = 0x4000_0000;
/// Someone waits.
const WAITERS: u32 = 0x8000_0000;
/// The owner's number.
const OWNER: u32 = 0x3fff_ffff;
/// The kernel follows no longer list.
const LONGEST_LIST: usize = 2_048;

fn futex(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (address, value) = (call.address(0), call.arguments[2] as u32);
    let (fourth, second, third) = (call.arguments[3], call.address(4), call.arguments[5] as u32);
    let flags = call.int(1);
    if address % 4 != 0 {
        return Err(Errno::EINVAL);
    }
    match flags & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME) {
        libc::FUTEX_WAIT => wait(host, call, ANY, false),
        libc::FUTEX_WAIT_BITSET => wait(host, call, third, true),
        libc::FUTEX_WAKE => Ok(Answer::Value(host.wake(call.process, address, value, ANY))),
        libc::FUTEX_WAKE_BITSET => Ok(Answer::Value(host.wake(
            call.process,
            address,
            value,
            third,
        ))),
        libc::FUTEX_REQUEUE => requeue(host, call, fourth as u32),
        libc::FUTEX_CMP_REQUEUE => {
            if host.memory(call)?.read_u32(address)? != third {
                return Err(Errno::EAGAIN);
            }
            requeue(host, call, fourth as u32)
        }
        libc::FUTEX_WAKE_OP => {
            let old = operate(host, call, second, third)?;
            let mut woken = host.wake(call.process, address, value, ANY);
            if compare(old, third)? {
                woken += host.wake(call.process, second, fourth as u32, ANY);
            }
            Ok(Answer::Value(woken))
        }
        libc::FUTEX_LOCK_PI => lock(host, call),
        libc::FUTEX_TRYLOCK_PI => {
            if take(host, call)? {
                Ok(Answer::Value(0))
            } else {
                Err(Errno::EAGAIN)
            }
        }
        libc::FUTEX_UNLOCK_PI => unlock(host, call),
        other => {
            host.unknown(
                call,
                format!(
                    "futex operation {other} is not emulated; it belongs in src/guest/futex.rs"
                ),
            );
            Err(Errno::ENOSYS)
        }
    }
}

fn wait(host: &mut Host, call: &Call, mask: u32, absolute: bool) -> Result<Answer, Errno> {
    if call.again.is_some_and(|again| again.woken) {
        return Ok(Answer::Value(0));
    }
    if call.due() {
        return Err(Errno::ETIMEDOUT);
    }
    if mask == 0 {
        return Err(Errno::EINVAL);
    }
    let (address, value) = (call.address(0), call.arguments[2] as u32);
    if host.memory(call)?.read_u32(address)? != value {
        return Err(Errno::EAGAIN);
    }
    let deadline = match call.address(3) {
        0 => None,
        at => {
            let time = host.memory(call)?.read_timespec(at)?;
            let real = call.int(1) & libc::FUTEX_CLOCK_REALTIME != 0;
            let clock = if real { Clock::Real } else { Clock::Monotonic };
            match absolute {
                true => Some(clock.since_start(time)),
                false => host.deadline_of(call, Some(time)),
            }
        }
    };
    let on = Condition::Futex {
        process: call.process,
        address,
        mask,
        woken: false,
    };
    Ok(Answer::Wait(Wait::new(on, deadline)))
}

impl Host {
    /// Wakes up to `most` threads, those that came first by number; how many.
    pub(super) fn wake(&mut self, process: i32, address: u64, most: u32, bits: u32) -> i64 {
        let mut count = 0;
        for thread in self.kernel.threads.values_mut() {
            if count >= i64::from(most) {
                break;
            }
            if let State::Waiting(wait) = &mut thread.state
                && let Condition::Futex {
                    process: own,
                    address: at,
                    mask,
                    woken,
                } = &mut wait.on
                && (*own, *at) == (process, address)
                && !*woken
                && *mask & bits != 0
            {
                *woken = true;
                count += 1;
            }
        }
        count
    }
}

fn requeue(host: &mut Host, call: &Call, most: u32) -> Result<Answer, Errno> {
    let (from, to) = (call.address(0), call.address(4));
    let woken = host.wake(call.process, from, call.arguments[2] as u32, ANY);
    let mut moved = 0;
    for thread in host.kernel.threads.values_mut() {
        if moved >= i64::from(most) {
            break;
        }
        if let State::Waiting(wait) = &mut thread.state
            && let Condition::Futex {
                process,
                address,
                woken: false,
                ..
            } = &mut wait.on
            && (*process, *address) == (call.process, from)
        {
            *address = to;
            moved += 1;
        }
    }
    Ok(Answer::Value(woken + moved))
}

/// The argument of FUTEX_WAKE_OP, sign-extended from twelve bits.
fn twelve_bits(word: u32) -> i32 {
    (word << 20) as i32 >> 20
}

/// Does the operation of FUTEX_WAKE_OP; the value before it.
fn operate(host: &mut Host, call: &Call, at: u64, word: u32) -> Result<u32, Errno> {
    let memory = host.memory(call)?;
    let old = memory.read_u32(at)?;
    let mut argument = twelve_bits(word >> 12) as u32;
    let operation = word >> 28 & 0xf;
    if operation & 8 != 0 {
        argument = 1 << (argument & 31);
    }
    let new = match operation & 7 {
        0 => argument,
        1 => old.wrapping_add(argument),
        2 => old | argument,
        3 => old & !argument,
        4 => old ^ argument,
        _ => return Err(Errno::ENOSYS),
    };
    memory.write_u32(at, new)?;
    Ok(old)
}

fn compare(old: u32, word: u32) -> Result<bool, Errno> {
    let (old, argument) = (old as i32, twelve_bits(word));
    Ok(match word >> 24 & 0xf {
        0 => old == argument,
        1 => old != argument,
        2 => old < argument,
        3 => old <= argument,
        4 => old > argument,
        5 => old >= argument,
        _ => return Err(Errno::ENOSYS),
    })
}

/// Takes a priority-inheriting lock where it is free.
fn take(host: &mut Host, call: &Call) -> Result<bool, Errno> {
    let own = call.thread as u32;
    let memory = host.memory(call)?;
    let word = memory.read_u32(call.address(0))?;
    if word & OWNER == own {
        return Err(Errno::EDEADLK);
    }
    if word & OWNER == 0 {
        memory.write_u32(call.address(0), own | word & (OWNER_DIED | WAITERS))?;
        return Ok(true);
    }
    memory.write_u32(call.address(0), word | WAITERS)?;
    Ok(false)
}

/// Priorities do not matter where one thread runs at a time; the protocol of the word does.
fn lock(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if call.due() {
        return Err(Errno::ETIMEDOUT);
    }
    if take(host, call)? {
        return Ok(Answer::Value(0));
    }
    let deadline = match call.address(3) {
        0 => None,
        at => Some(Clock::Real.since_start(host.memory(call)?.read_timespec(at)?)),
    };
    let on = Condition::Futex {
        process: call.process,
        address: call.address(0),
        mask: ANY,
        woken: false,
    };
    Ok(Answer::Wait(Wait::new(on, deadline)))
}

fn unlock(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let memory = host.memory(call)?;
    if memory.read_u32(call.address(0))? & OWNER != call.thread as u32 {
        return Err(Errno::EPERM);
    }
    memory.write_u32(call.address(0), 0)?;
    host.wake(call.process, call.address(0), 1, ANY);
    Ok(Answer::Value(0))
}

fn set_robust_list(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if let Some(thread) = host.kernel.threads.get_mut(&call.thread) {
        thread.robust_at = call.address(0);
    }
    // The kernel's own walk at the end of the thread stores the same words.
    Ok(Answer::Native)
}

fn set_tid_address(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if let Some(thread) = host.kernel.threads.get_mut(&call.thread) {
        thread.clear_at = call.address(0);
    }
    Ok(Answer::Value(call.thread.into()))
}

impl Host {
    /// The robust futexes of a thread that is about to end are given up, and one waiter each is woken.
    pub(super) fn give_up_robust(&mut self, number: i32) {
        let Some((process, head)) = self
            .kernel
            .threads
            .get(&number)
            .map(|thread| (thread.process, thread.robust_at))
        else {
            return;
        };
        if head == 0 {
            return;
        }
        let _ = self.walk_robust(process, head, number as u32);
    }

    fn walk_robust(&mut self, process: i32, head: u64, owner: u32) -> Result<(), Errno> {
        let of = |host: &mut Self, at| {
            host.memories
                .get_mut(&process)
                .ok_or(Errno::EFAULT)?
                .read_u64(at)
        };
        let offset = of(self, head + 8)?;
        let mut entry = of(self, head)? & !1;
        for _ in 0..LONGEST_LIST {
            if entry == head || entry == 0 {
                break;
            }
            let next = of(self, entry)? & !1;
            let at = entry.wrapping_add(offset);
            let memory = self.memories.get_mut(&process).ok_or(Errno::EFAULT)?;
            let word = memory.read_u32(at)?;
            if word & OWNER == owner {
                memory.write_u32(at, word & WAITERS | OWNER_DIED)?;
                self.wake(process, at, 1, ANY);
            }
            entry = next;
        }
        Ok(())
    }
}
