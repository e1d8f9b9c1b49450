//! epoll(7): level-triggered, edge-triggered, one shot.

use std::collections::BTreeMap;

use nix::errno::Errno;
use nix::libc;

use super::description::{ALWAYS, Kind};
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::kernel::{Id, Kernel};
use super::memory::{u32_at, u64_at};
use super::registers::Call;
use super::thread::Condition;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_epoll_create, create),
    (libc::SYS_epoll_create1, create),
    (libc::SYS_epoll_ctl, control),
    (libc::SYS_epoll_wait, wait),
    (libc::SYS_epoll_pwait, wait),
    (libc::SYS_epoll_pwait2, wait),
];

/// `EPOLLET`.
const EDGE: u32 = libc::EPOLLET as u32;
/// `EPOLLONESHOT`.
const ONE_SHOT: u32 = libc::EPOLLONESHOT as u32;
/// `struct epoll_event`, packed.
const EVENT: usize = 12;

/// An epoll instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Epoll {
    /// By descriptor; a descriptor number may outlive its description's place in a table.
    pub entries: BTreeMap<(i32, Id), Interest>,
    /// The last one reported: the next look begins after it, so that none starves.
    last: Option<(i32, Id)>,
}

/// What is wanted of one descriptor.
#[derive(Debug, Clone)]
pub(super) struct Interest {
    pub description: Id,
    events: u32,
    data: u64,
    /// Where edge-triggered: the arrivals and departures that were reported.
    seen: (u64, u64),
    /// One shot, and it has been.
    spent: bool,
}

fn create(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let flags = if call.number == libc::SYS_epoll_create1 {
        call.int(0)
    } else {
        0
    };
    host.open(
        call,
        call.number,
        call.arguments,
        Kind::Epoll(Epoll::default()),
        flags,
    )
    .map(|at| Answer::Value(at.into()))
}

fn control(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (operation, descriptor) = (call.int(1), call.int(2));
    let own = host
        .kernel
        .lookup(call.process, call.int(0))
        .ok_or(Errno::EINVAL)?;
    // A regular file cannot be polled: EPERM, as the kernel says.
    let Some(description) = host.kernel.lookup(call.process, descriptor) else {
        return Ok(Answer::Native);
    };
    let event = if operation == libc::EPOLL_CTL_DEL {
        vec![]
    } else {
        host.read(call, call.address(3), EVENT)?
    };
    let interest = Interest {
        description,
        events: u32_at(&event, 0),
        data: u64_at(&event, 4),
        seen: (0, 0),
        spent: false,
    };
    let Some(Kind::Epoll(epoll)) = host.kernel.description(own).map(|it| &mut it.kind) else {
        return Err(Errno::EINVAL);
    };
    let key = (descriptor, description);
    let there = epoll.entries.contains_key(&key);
    match operation {
        libc::EPOLL_CTL_ADD if there => Err(Errno::EEXIST),
        libc::EPOLL_CTL_MOD | libc::EPOLL_CTL_DEL if !there => Err(Errno::ENOENT),
        libc::EPOLL_CTL_ADD | libc::EPOLL_CTL_MOD => {
            epoll.entries.insert(key, interest);
            Ok(Answer::Value(0))
        }
        libc::EPOLL_CTL_DEL => {
            epoll.entries.remove(&key);
            Ok(Answer::Value(0))
        }
        _ => Err(Errno::EINVAL),
    }
}

impl Kernel {
    /// Whether epoll_wait(2) would report something.
    pub(super) fn epoll_ready(&self, epoll: &Epoll) -> bool {
        epoll.entries.values().any(|it| self.reported(it) != 0)
    }

    /// What would be reported of an entry now.
    fn reported(&self, interest: &Interest) -> u32 {
        if interest.spent {
            return 0;
        }
        let found = self.events(interest.description) & (interest.events | ALWAYS);
        if found != 0
            && interest.events & EDGE != 0
            && self.edges(interest.description) == interest.seen
        {
            return 0;
        }
        found
    }
}

fn wait(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let most = call.int(2);
    if most <= 0 {
        return Err(Errno::EINVAL);
    }
    let timeout = match call.number {
        libc::SYS_epoll_pwait2 if call.address(3) == 0 => None,
        libc::SYS_epoll_pwait2 => Some(host.memory(call)?.read_timespec(call.address(3))?),
        _ => (call.int(3) >= 0).then(|| i64::from(call.int(3)) * 1_000_000),
    };
    if call.number != libc::SYS_epoll_wait {
        host.check_mask(call, call.address(4))?;
    }
    let own = host
        .kernel
        .lookup(call.process, call.int(0))
        .ok_or(Errno::EBADF)?;
    let Some(Kind::Epoll(epoll)) = host.kernel.descriptions.get(&own).map(|it| &it.kind) else {
        return Err(Errno::EINVAL);
    };
    let mut found = vec![];
    let after = epoll
        .entries
        .iter()
        .filter(|(key, _)| Some(**key) > epoll.last);
    let before = epoll
        .entries
        .iter()
        .filter(|(key, _)| Some(**key) <= epoll.last);
    for (key, interest) in after.chain(before) {
        if found.len() == most as usize {
            break;
        }
        let events = host.kernel.reported(interest);
        if events != 0 {
            found.push((
                *key,
                events,
                interest.data,
                host.kernel.edges(interest.description),
            ));
        }
    }
    if found.is_empty() {
        if call.due() {
            host.looked(call, false);
            host.kernel.yields = true;
            return Ok(Answer::Value(0));
        }
        let wait = host.wait_for_readiness(call, Condition::Epoll(own), timeout);
        return Ok(Answer::Wait(wait));
    }
    let mut events = Vec::with_capacity(found.len() * EVENT);
    if let Some(Kind::Epoll(epoll)) = host.kernel.description(own).map(|it| &mut it.kind) {
        epoll.last = found.last().map(|it| it.0);
        for (key, bits, data, edges) in &found {
            events.extend(bits.to_ne_bytes());
            events.extend(data.to_ne_bytes());
            if let Some(interest) = epoll.entries.get_mut(key) {
                interest.seen = *edges;
                interest.spent = interest.events & ONE_SHOT != 0;
            }
        }
    }
    host.write(call, call.address(1), &events)?;
    host.looked(call, true);
    host.kernel.yields = true;
    Ok(Answer::Value(found.len() as i64))
}
