//! eventfd(2).

use nix::errno::Errno;
use nix::libc;

use super::description::{IN, Kind, OUT};
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[(libc::SYS_eventfd, eventfd), (libc::SYS_eventfd2, eventfd)];

/// The greatest value of the counter.
const GREATEST: u64 = u64::MAX - 1;

/// A counter behind a descriptor.
#[derive(Debug, Clone, Default)]
pub(super) struct EventFd {
    value: u64,
    /// `EFD_SEMAPHORE`: a read takes one.
    semaphore: bool,
    pub writes: u64,
    pub reads: u64,
}

fn eventfd(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let flags = if call.number == libc::SYS_eventfd2 {
        call.int(1)
    } else {
        0
    };
    let event = EventFd {
        value: u64::from(call.arguments[0] as u32),
        semaphore: flags & libc::EFD_SEMAPHORE != 0,
        writes: 1,
        reads: 1,
    };
    host.open(call, call.number, call.arguments, Kind::Event(event), flags)
        .map(|at| Answer::Value(at.into()))
}

impl EventFd {
    pub(super) fn events(&self) -> u32 {
        let readable = if self.value > 0 { IN } else { 0 };
        readable | if self.value < GREATEST { OUT } else { 0 }
    }

    pub(super) fn take(&mut self) -> Option<u64> {
        if self.value == 0 {
            return None;
        }
        let taken = if self.semaphore { 1 } else { self.value };
        self.value -= taken;
        self.reads += 1;
        Some(taken)
    }

    /// Adds; the octets that a write of it counts.
    pub(super) fn add(&mut self, value: u64) -> Result<usize, Errno> {
        if value == u64::MAX {
            return Err(Errno::EINVAL);
        }
        if value > GREATEST - self.value {
            return Err(Errno::EAGAIN);
        }
        self.value += value;
        self.writes += 1;
        Ok(8)
    }
}
