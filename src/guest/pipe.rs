//! Pipes.

use nix::errno::Errno;
use nix::libc;

use super::channel::{CAPACITY, Channel, Part};
use super::description::{ERR, HUP, IN, Kind, OUT};
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::kernel::{Id, Kernel};
use super::memory::u32_at;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[(libc::SYS_pipe, pipe), (libc::SYS_pipe2, pipe)];

/// The most octets that are written as one, or not at all (pipe(7)).
const PIPE_BUF: usize = 4_096;

fn pipe(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let flags = if call.number == libc::SYS_pipe2 {
        call.int(1)
    } else {
        0
    };
    host.inject(call, call.number, call.arguments)?;
    let numbers = host.read(call, call.address(0), 8)?;
    let channel = host.kernel.new_id();
    host.kernel.channels.insert(channel, Channel::new(false));
    let nonblocking = flags & libc::O_NONBLOCK != 0;
    for (at, kind) in [
        (0, Kind::PipeReader(channel)),
        (4, Kind::PipeWriter(channel)),
    ] {
        let id = host.kernel.describe(kind, nonblocking);
        let number = u32_at(&numbers, at) as i32;
        host.kernel
            .place(call.process, number, id, flags & libc::O_CLOEXEC != 0);
    }
    Ok(Answer::Value(0))
}

impl Kernel {
    pub(super) fn pipe_reader_events(&self, channel: Id) -> u32 {
        let Some(channel) = self.channels.get(&channel) else {
            return HUP;
        };
        let waiting = if channel.is_empty() { 0 } else { IN };
        waiting | if channel.writer { 0 } else { HUP }
    }

    pub(super) fn pipe_writer_events(&self, channel: Id) -> u32 {
        match self.channels.get(&channel) {
            Some(channel) if channel.reader => {
                if channel.writable() {
                    OUT
                } else {
                    0
                }
            }
            _ => ERR | OUT,
        }
    }
}

impl Host {
    /// Reads from a channel; `None` where nothing is there yet, nothing at all at its end.
    pub(super) fn read_channel(
        &mut self,
        channel: Id,
        most: usize,
        flags: i32,
    ) -> Result<Option<(Part, bool)>, Errno> {
        let Some(channel) = self.kernel.channels.get_mut(&channel) else {
            return Ok(Some((Part::default(), false)));
        };
        if !channel.is_empty() {
            return Ok(Some(channel.take(most, flags & libc::MSG_PEEK != 0)));
        }
        if std::mem::take(&mut channel.reset) {
            return Err(Errno::ECONNRESET);
        }
        if !channel.writer {
            return Ok(Some((Part::default(), false)));
        }
        Ok(None)
    }

    /// Writes to a pipe what fits.
    pub(super) fn write_pipe(&mut self, channel: Id, octets: &[u8]) -> Result<usize, Errno> {
        let found = self.kernel.channels.get_mut(&channel);
        let channel = found.filter(|it| it.reader).ok_or(Errno::EPIPE)?;
        let room = channel.room();
        if octets.is_empty() {
            return Ok(0);
        }
        if room == 0 || (octets.len() <= PIPE_BUF && room < octets.len()) {
            return Err(Errno::EAGAIN);
        }
        let count = room.min(octets.len()).min(CAPACITY);
        channel.push(Part {
            octets: octets[..count].iter().copied().collect(),
            ..Part::default()
        });
        Ok(count)
    }

    pub(super) fn close_reader(&mut self, channel: Id) {
        let Some(found) = self.kernel.channels.get_mut(&channel) else {
            return;
        };
        let rights = found.drain_rights();
        found.reader = false;
        found.departures += 1;
        if !found.writer {
            self.kernel.channels.remove(&channel);
        }
        for right in rights {
            self.unreference(right.0);
        }
    }

    pub(super) fn close_writer(&mut self, channel: Id) {
        let Some(found) = self.kernel.channels.get_mut(&channel) else {
            return;
        };
        found.writer = false;
        found.arrivals += 1;
        if !found.reader {
            self.kernel.channels.remove(&channel);
        }
    }
}
