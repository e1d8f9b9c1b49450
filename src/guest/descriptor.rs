//! Descriptor tables: close, dup, fcntl, ioctl.

use nix::errno::Errno;
use nix::libc;

use super::description::{Description, Kind};
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::kernel::{Id, Kernel};
use super::output::Stream;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_close, close),
    (libc::SYS_close_range, close_range),
    (libc::SYS_dup, dup),
    (libc::SYS_dup2, dup2),
    (libc::SYS_dup3, dup2),
    (libc::SYS_fcntl, fcntl),
    (libc::SYS_ioctl, ioctl),
];

/// A descriptor that is not a file of the kernel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub description: Id,
    /// `FD_CLOEXEC`.
    pub close_on_exec: bool,
}

impl Kernel {
    /// What stands behind a descriptor of a process, where it is not a file of the kernel's.
    pub(super) fn lookup(&self, process: i32, descriptor: i32) -> Option<Id> {
        let table = &self.processes.get(&process)?.table;
        table.get(&descriptor).map(|it| it.description)
    }

    pub(super) fn description(&mut self, id: Id) -> Option<&mut Description> {
        self.descriptions.get_mut(&id)
    }

    /// Puts a description at a descriptor.
    pub(super) fn place(&mut self, process: i32, at: i32, description: Id, close_on_exec: bool) {
        if let Some(found) = self.descriptions.get_mut(&description) {
            found.references += 1;
        }
        if let Some(process) = self.processes.get_mut(&process) {
            let descriptor = Descriptor {
                description,
                close_on_exec,
            };
            process.table.insert(at, descriptor);
        }
    }
}

impl Host {
    /// Makes a descriptor for a new description by running `number`, which gives the kernel's own for it.
    pub(super) fn open(
        &mut self,
        call: &Call,
        number: i64,
        arguments: [u64; 6],
        kind: Kind,
        flags: i32,
    ) -> Result<i32, Errno> {
        let at = self.inject(call, number, arguments)? as i32;
        let description = self.kernel.describe(kind, flags & libc::O_NONBLOCK != 0);
        self.kernel
            .place(call.process, at, description, flags & libc::O_CLOEXEC != 0);
        Ok(at)
    }

    /// Gives `call`'s process a descriptor for a description that is there already.
    pub(super) fn install(
        &mut self,
        call: &Call,
        description: Id,
        close_on_exec: bool,
    ) -> Result<i32, Errno> {
        let flags = if close_on_exec { libc::SOCK_CLOEXEC } else { 0 };
        let arguments = [
            libc::AF_UNIX as u64,
            (libc::SOCK_STREAM | flags) as u64,
            0,
            0,
            0,
            0,
        ];
        let at = self.inject(call, libc::SYS_socket, arguments)? as i32;
        self.kernel
            .place(call.process, at, description, close_on_exec);
        Ok(at)
    }

    /// Descriptors 1 and 2 of a new process are captured.
    pub(super) fn open_output(&mut self, process: i32) {
        for (at, stream) in [(1, Stream::Output), (2, Stream::Error)] {
            let id = self.kernel.describe(Kind::Output(stream), false);
            self.kernel.place(process, at, id, false);
        }
    }

    /// A descriptor is closed; what it named ends with its last one.
    pub(super) fn close_descriptor(&mut self, process: i32, at: i32) {
        let Some(found) = self.kernel.processes.get_mut(&process) else {
            return;
        };
        if let Some(descriptor) = found.table.remove(&at) {
            self.unreference(descriptor.description);
        }
    }

    pub(super) fn unreference(&mut self, id: Id) {
        let Some(found) = self.kernel.descriptions.get_mut(&id) else {
            return;
        };
        found.references = found.references.saturating_sub(1);
        if found.references > 0 {
            return;
        }
        let Some(gone) = self.kernel.descriptions.remove(&id) else {
            return;
        };
        // epoll(7): a description leaves every interest list with its last descriptor.
        for other in self.kernel.descriptions.values_mut() {
            if let Kind::Epoll(epoll) = &mut other.kind {
                epoll.entries.retain(|_, entry| entry.description != id);
            }
        }
        match gone.kind {
            Kind::PipeReader(channel) => self.close_reader(channel),
            Kind::PipeWriter(channel) => self.close_writer(channel),
            Kind::Unix(socket) => self.close_unix(id, socket),
            Kind::Inet(socket) => self.network.close(id, socket.lingers_not()),
            Kind::Netlink(_)
            | Kind::Event(_)
            | Kind::Timer(_)
            | Kind::Epoll(_)
            | Kind::Output(_)
            | Kind::Random => {}
        }
    }
}

fn close(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    host.close_descriptor(call.process, call.int(0));
    Ok(Answer::Native)
}

fn close_range(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (first, last, flags) = (
        call.arguments[0] as u32,
        call.arguments[1] as u32,
        call.int(2),
    );
    let Some(process) = host.kernel.processes.get_mut(&call.process) else {
        return Ok(Answer::Native);
    };
    let meant = |at: i32| (first..=last).contains(&(at as u32));
    if flags & 4 != 0 {
        // CLOSE_RANGE_CLOEXEC
        for (at, descriptor) in &mut process.table {
            descriptor.close_on_exec |= meant(*at);
        }
        return Ok(Answer::Native);
    }
    let all: Vec<i32> = process
        .table
        .keys()
        .copied()
        .filter(|at| meant(*at))
        .collect();
    for at in all {
        host.close_descriptor(call.process, at);
    }
    Ok(Answer::Native)
}

fn dup(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let Some(id) = host.kernel.lookup(call.process, call.int(0)) else {
        return Ok(Answer::Native);
    };
    let at = host.inject(call, call.number, call.arguments)?;
    host.kernel.place(call.process, at as i32, id, false);
    Ok(Answer::Value(at))
}

fn dup2(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (from, to) = (call.int(0), call.int(1));
    let found = host.kernel.lookup(call.process, from);
    let at = host.inject(call, call.number, call.arguments)?;
    if from == to {
        return Ok(Answer::Value(at));
    }
    host.close_descriptor(call.process, to);
    if let Some(id) = found {
        let close_on_exec = call.number == libc::SYS_dup3 && call.int(2) & libc::O_CLOEXEC != 0;
        host.kernel.place(call.process, to, id, close_on_exec);
    }
    Ok(Answer::Value(at))
}

fn fcntl(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (at, operation) = (call.int(0), call.int(1));
    let Some(id) = host.kernel.lookup(call.process, at) else {
        return match operation {
            // A lock that waits would stop the tracer; nobody but the guest has one in its directory.
            libc::F_SETLKW | libc::F_OFD_SETLKW => {
                let mut arguments = call.arguments;
                arguments[1] = (operation - 1) as u64;
                host.inject(call, libc::SYS_fcntl, arguments)
                    .map(Answer::Value)
            }
            _ => Ok(Answer::Native),
        };
    };
    match operation {
        libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => {
            let new = host.inject(call, call.number, call.arguments)?;
            let close_on_exec = operation == libc::F_DUPFD_CLOEXEC;
            host.kernel
                .place(call.process, new as i32, id, close_on_exec);
            Ok(Answer::Value(new))
        }
        libc::F_SETFD => {
            if let Some(process) = host.kernel.processes.get_mut(&call.process)
                && let Some(descriptor) = process.table.get_mut(&at)
            {
                descriptor.close_on_exec = call.int(2) & libc::FD_CLOEXEC != 0;
            }
            Ok(Answer::Native)
        }
        libc::F_GETFL => {
            let description = host.kernel.description(id).ok_or(Errno::EBADF)?;
            let mode = match description.kind {
                Kind::PipeReader(_) => libc::O_RDONLY,
                Kind::PipeWriter(_) | Kind::Output(_) => libc::O_WRONLY,
                _ => libc::O_RDWR,
            };
            let nonblocking = if description.nonblocking {
                libc::O_NONBLOCK
            } else {
                0
            };
            Ok(Answer::Value(i64::from(mode | nonblocking)))
        }
        libc::F_SETFL => {
            let description = host.kernel.description(id).ok_or(Errno::EBADF)?;
            description.nonblocking = call.int(2) & libc::O_NONBLOCK != 0;
            Ok(Answer::Value(0))
        }
        libc::F_SETOWN => Ok(Answer::Value(0)),
        libc::F_GETOWN => Ok(Answer::Value(0)),
        libc::F_SETPIPE_SZ | libc::F_GETPIPE_SZ => {
            Ok(Answer::Value(super::channel::CAPACITY as i64))
        }
        _ => Ok(Answer::Native),
    }
}

/// Requests on files of the kernel's that are harmless.
const HARMLESS_REQUESTS: &[u64] = &[
    libc::TCGETS,
    libc::TIOCGWINSZ,
    libc::TIOCGPGRP,
    libc::FIOCLEX,
    libc::FIONCLEX,
    libc::FIONREAD,
    libc::FIONBIO,
    libc::TIOCGSID,
];

fn ioctl(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (at, request) = (call.int(0), call.arguments[1] & 0xffff_ffff);
    let Some(id) = host.kernel.lookup(call.process, at) else {
        if HARMLESS_REQUESTS.contains(&request) {
            return Ok(Answer::Native);
        }
        host.refuse(
            call,
            format!(
                "ioctl {request:#x} on a file is not known to be harmless (it fails with ENOTTY)"
            ),
        );
        return Err(Errno::ENOTTY);
    };
    match request {
        libc::FIONBIO => {
            let wanted = host.memory(call)?.read_u32(call.address(2))?;
            host.kernel.description(id).ok_or(Errno::EBADF)?.nonblocking = wanted != 0;
            Ok(Answer::Value(0))
        }
        libc::FIONREAD => {
            let waiting = host.waiting(id);
            host.memory(call)?
                .write_u32(call.address(2), waiting as u32)?;
            Ok(Answer::Value(0))
        }
        libc::FIOCLEX | libc::FIONCLEX => {
            if let Some(process) = host.kernel.processes.get_mut(&call.process)
                && let Some(descriptor) = process.table.get_mut(&at)
            {
                descriptor.close_on_exec = request == libc::FIOCLEX;
            }
            Ok(Answer::Native)
        }
        libc::TCGETS | libc::TIOCGWINSZ | libc::TIOCGPGRP => Err(Errno::ENOTTY),
        0x8900..=0x89ff => super::interface::ioctl(host, call, request),
        _ => {
            host.refuse(
                call,
                format!(
                    "ioctl {request:#x} on a socket or pipe is not emulated (it fails with ENOTTY)"
                ),
            );
            Err(Errno::ENOTTY)
        }
    }
}

impl Host {
    /// Octets that a read would find.
    fn waiting(&self, id: Id) -> usize {
        let Some(description) = self.kernel.descriptions.get(&id) else {
            return 0;
        };
        let of = |channel: &Id| {
            self.kernel
                .channels
                .get(channel)
                .map_or(0, super::channel::Channel::waiting)
        };
        match &description.kind {
            Kind::PipeReader(channel) => of(channel),
            Kind::Unix(socket) => socket.incoming.as_ref().map_or(0, of),
            Kind::Inet(_) => self.network.waiting(id),
            _ => 0,
        }
    }
}
