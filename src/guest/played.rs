//! Programs that a guest starts and that the host plays: their standard input and output are its own.
//!
//! What a guest executes at such a path is a stub that waits for ever; who runs the host reads what the guest writes to
//! it, writes what the guest reads from it, and ends it.

use std::path::{Path, PathBuf};

use nix::libc;

use super::channel::Part;
use super::description::Kind;
use super::host::Host;
use super::kernel::Id;
use super::registers::Call;

/// What stands where a guest looks for a played program.
pub const STUB: &str = "#!/bin/sh\nexec sleep infinity\n";

/// A played program that a guest has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its process number in the guest.
    pub process: i32,
    /// Its arguments, the program's own name not among them.
    pub arguments: Vec<String>,
}

/// What became of octets that were offered or asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// So many octets (written), or these (read).
    Some(Vec<u8>),
    /// Nothing now: no room, or nothing there yet.
    Later,
    /// Nothing ever: the other end is closed, or the program has ended.
    Over,
}

impl Host {
    /// Has the host play the program at `path`, where a file with [`STUB`] must be.
    pub fn play(&mut self, path: &Path) {
        self.played.paths.push(path.to_owned());
    }

    /// The played programs that were started since this was asked last.
    pub fn started(&mut self) -> Vec<Started> {
        std::mem::take(&mut self.played.started)
    }

    /// A process executes `path`: noted where that is a played program.
    pub(super) fn note_played(&mut self, call: &Call, path: &Path) {
        let Some(directory) = self.directories.get(&call.process) else {
            return;
        };
        let Ok(whole) = directory.join(path).canonicalize() else {
            return;
        };
        let is_played = |played: &PathBuf| played.canonicalize().is_ok_and(|it| it == whole);
        if !self.played.paths.iter().any(is_played) {
            return;
        }
        let arguments = self.strings(call, call.address(1)).unwrap_or_default();
        self.played.started.push(Started {
            process: call.process,
            arguments: arguments.into_iter().skip(1).collect(),
        });
    }

    /// The strings of an `argv`.
    fn strings(&mut self, call: &Call, at: u64) -> Result<Vec<String>, nix::errno::Errno> {
        let memory = self.memory(call)?;
        let mut strings = Vec::new();
        let mut at = at;
        loop {
            let pointer = memory.read_u64(at)?;
            if pointer == 0 {
                return Ok(strings);
            }
            let text = memory.read_string(pointer)?;
            strings.push(String::from_utf8_lossy(&text).into_owned());
            at += 8;
        }
    }

    fn channel_of(&self, process: i32, descriptor: i32) -> Option<Id> {
        let id = self.kernel.lookup(process, descriptor)?;
        match self.kernel.descriptions.get(&id)?.kind {
            Kind::PipeReader(channel) | Kind::PipeWriter(channel) => Some(channel),
            _ => None,
        }
    }

    /// Takes up to `most` octets of what the guest wrote to the standard input of a played program.
    pub fn take_input(&mut self, process: i32, most: usize) -> Moved {
        let channel = self.channel_of(process, libc::STDIN_FILENO);
        let Some(channel) = channel.and_then(|id| self.kernel.channels.get_mut(&id)) else {
            return Moved::Over;
        };
        if channel.is_empty() {
            return if channel.writer {
                Moved::Later
            } else {
                Moved::Over
            };
        }
        let (part, _) = channel.take(most, false);
        Moved::Some(part.octets.into())
    }

    /// How many octets may be written to the standard output of a played program now; `None` where nobody reads on.
    #[must_use]
    pub fn output_room(&self, process: i32) -> Option<usize> {
        let channel = self.channel_of(process, libc::STDOUT_FILENO)?;
        let channel = self.kernel.channels.get(&channel)?;
        channel.reader.then(|| channel.room())
    }

    /// Writes octets as the standard output of a played program; no more than [`Self::output_room`] allows.
    pub fn put_output(&mut self, process: i32, octets: &[u8]) {
        let channel = self.channel_of(process, libc::STDOUT_FILENO);
        if let Some(channel) = channel.and_then(|id| self.kernel.channels.get_mut(&id)) {
            channel.push(Part {
                octets: octets.iter().copied().collect(),
                ..Part::default()
            });
        }
    }

    /// Ends a played program.
    pub fn end(&mut self, process: i32) {
        if self.kernel.lives(process) {
            self.signal(process, libc::SIGTERM);
        }
    }
}

/// What a host plays.
#[derive(Debug, Default)]
pub(super) struct Played {
    paths: Vec<PathBuf>,
    started: Vec<Started>,
}
