//! Reading and writing, whatever stands behind the descriptor: read, write, readv, writev, and the socket calls that
//! do the same.

use nix::errno::Errno;
use nix::libc;

use super::description::{IN, Kind, OUT};
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::kernel::Id;
use super::memory::MOST;
use super::registers::Call;
use super::thread::{Condition, Wait};

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_read, read),
    (libc::SYS_readv, readv),
    (libc::SYS_write, write),
    (libc::SYS_writev, writev),
    (libc::SYS_sendfile, sendfile),
    (libc::SYS_splice, super::dispatch::native),
];

/// The buffers of a call: address and length each.
pub(super) type Vectors = Vec<(u64, usize)>;

fn read(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let Some(id) = host.kernel.lookup(call.process, call.int(0)) else {
        return Ok(Answer::Native);
    };
    host.receive(call, id, &vec![(call.address(1), call.size(2))], 0)
}

fn readv(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let Some(id) = host.kernel.lookup(call.process, call.int(0)) else {
        return Ok(Answer::Native);
    };
    let vectors = host
        .memory(call)?
        .read_vectors(call.address(1), call.size(2))?;
    host.receive(call, id, &vectors, 0)
}

fn write(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let Some(id) = host.kernel.lookup(call.process, call.int(0)) else {
        return Ok(Answer::Native);
    };
    host.send(call, id, &vec![(call.address(1), call.size(2))], 0)
}

fn writev(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let Some(id) = host.kernel.lookup(call.process, call.int(0)) else {
        return Ok(Answer::Native);
    };
    let vectors = host
        .memory(call)?
        .read_vectors(call.address(1), call.size(2))?;
    host.send(call, id, &vectors, 0)
}

/// Between files the kernel does it; with anything else it is as in a kernel that cannot, and the caller copies.
fn sendfile(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let emulated = |at| host.kernel.lookup(call.process, at).is_some();
    if emulated(call.int(0)) || emulated(call.int(1)) {
        return Err(Errno::EINVAL);
    }
    Ok(Answer::Native)
}

pub(super) fn length(vectors: &Vectors) -> usize {
    let total = vectors.iter().map(|(_, length)| length);
    total
        .fold(0usize, |sum, one| sum.saturating_add(*one))
        .min(MOST)
}

impl Host {
    /// What a call that finds nothing does: it fails with EAGAIN, or waits for `events`.
    pub(super) fn would_block(
        &self,
        call: &Call,
        id: Id,
        events: u32,
        flags: i32,
    ) -> Result<Answer, Errno> {
        let description = self.kernel.descriptions.get(&id).ok_or(Errno::EBADF)?;
        if description.nonblocking || flags & libc::MSG_DONTWAIT != 0 || call.due() {
            return Err(Errno::EAGAIN);
        }
        let limit = match &description.kind {
            Kind::Inet(socket) => socket.timeout(events & IN != 0),
            Kind::Unix(socket) => socket.timeout(events & IN != 0),
            _ => None,
        };
        let deadline = self.deadline_of(call, limit);
        Ok(Answer::Wait(Wait::new(
            Condition::Events(id, events),
            deadline,
        )))
    }

    /// Reads from a description; `flags` are those of recv(2).
    pub(super) fn receive(
        &mut self,
        call: &Call,
        id: Id,
        vectors: &Vectors,
        flags: i32,
    ) -> Result<Answer, Errno> {
        let most = length(vectors);
        let now = self.kernel.now;
        let description = self.kernel.description(id).ok_or(Errno::EBADF)?;
        let octets = match &mut description.kind {
            Kind::PipeReader(channel) => {
                let channel = *channel;
                match self.read_channel(channel, most, flags)? {
                    Some((part, _)) => part.octets.into(),
                    None => return self.would_block(call, id, IN, flags),
                }
            }
            Kind::Unix(_) => return self.receive_unix(call, id, vectors, flags),
            Kind::Inet(socket) => {
                let ready = socket.check_connected();
                let peek = flags & libc::MSG_PEEK != 0;
                let read = ready.and_then(|()| self.network.read(id, most, peek));
                self.refresh(id);
                match read {
                    Err(Errno::EAGAIN) => return self.would_block(call, id, IN, flags),
                    other => other?,
                }
            }
            Kind::Netlink(_) => return self.receive_netlink(call, id, vectors, flags, None),
            Kind::Event(event) => {
                if most < 8 {
                    return Err(Errno::EINVAL);
                }
                match event.take() {
                    Some(value) => value.to_ne_bytes().to_vec(),
                    None => return self.would_block(call, id, IN, flags),
                }
            }
            Kind::Timer(timer) => {
                if most < 8 {
                    return Err(Errno::EINVAL);
                }
                match timer.take(now) {
                    Some(value) => value.to_ne_bytes().to_vec(),
                    None => return self.would_block(call, id, IN, flags),
                }
            }
            Kind::Random => self.kernel.random.octets(most),
            Kind::PipeWriter(_) | Kind::Output(_) => return Err(Errno::EBADF),
            Kind::Epoll(_) => return Err(Errno::EINVAL),
        };
        self.kernel.trace.octets(&octets);
        self.memory(call)?.scatter(vectors, &octets)?;
        Ok(Answer::Value(octets.len() as i64))
    }

    /// Writes to a description; `flags` are those of send(2).
    pub(super) fn send(
        &mut self,
        call: &Call,
        id: Id,
        vectors: &Vectors,
        flags: i32,
    ) -> Result<Answer, Errno> {
        let octets = self.memory(call)?.gather(vectors)?;
        let description = self.kernel.description(id).ok_or(Errno::EBADF)?;
        let sent = match &mut description.kind {
            Kind::PipeWriter(channel) => {
                let channel = *channel;
                self.write_pipe(channel, &octets)
            }
            Kind::Unix(_) => return self.send_unix(call, id, octets, vec![], None, flags),
            Kind::Inet(socket) => {
                let written = match socket.check_connected() {
                    Ok(()) => self.network.write(id, &octets),
                    Err(Errno::ENOTCONN) => Err(Errno::EPIPE),
                    Err(error) => Err(error),
                };
                self.refresh(id);
                written
            }
            Kind::Netlink(_) => return self.send_netlink(id, &octets),
            Kind::Event(event) => {
                let value = octets.first_chunk().map(|it| u64::from_ne_bytes(*it));
                event.add(value.ok_or(Errno::EINVAL)?)
            }
            Kind::Output(stream) => {
                let stream = *stream;
                self.kernel.print(call.process, stream, &octets);
                return Ok(Answer::Value(octets.len() as i64));
            }
            Kind::Random => Ok(octets.len()),
            Kind::PipeReader(_) => return Err(Errno::EBADF),
            Kind::Timer(_) | Kind::Epoll(_) => return Err(Errno::EINVAL),
        };
        match sent {
            Err(Errno::EAGAIN) => self.would_block(call, id, OUT, flags),
            Err(Errno::EPIPE) => {
                if flags & libc::MSG_NOSIGNAL == 0 {
                    self.signal_thread(call.thread, libc::SIGPIPE);
                }
                Err(Errno::EPIPE)
            }
            Err(error) => Err(error),
            Ok(count) => {
                self.kernel.trace.octets(&octets[..count.min(octets.len())]);
                Ok(Answer::Value(count as i64))
            }
        }
    }
}
