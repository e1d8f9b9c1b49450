//! execve(2), and what a new program finds on its stack.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::memory::Memory;
use super::registers::Call;
use super::vdso;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[(libc::SYS_execve, execve), (libc::SYS_execveat, execve)];

/// `AT_IGNORE`.
const AT_IGNORE: u64 = 1;

fn execve(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if host.kernel.threads_of(call.process).len() > 1 {
        host.unknown(call, "a program executed by one of several threads is not emulated; it belongs in src/guest/execute.rs");
        return Err(Errno::ENOSYS);
    }
    if call.number == libc::SYS_execve {
        let path = host.path(call, 0)?;
        host.note_played(call, &path);
    }
    Ok(Answer::Native)
}

impl Host {
    /// A process runs another program: it stands before its first instruction.
    pub(super) fn executed(&mut self, number: i32) -> Result<(), Errno> {
        let Some(process) = self.kernel.threads.get(&number).map(|it| it.process) else {
            return Ok(());
        };
        let tracee = self.tracees.get(&number).ok_or(Errno::ESRCH)?;
        let registers = tracee.registers()?;
        let memory = Memory::new(tracee.process)?;
        self.memories.insert(process, memory);
        if let Some(thread) = self.kernel.threads.get_mut(&number) {
            thread.registers = registers;
            thread.in_call = false;
            (thread.clear_at, thread.robust_at) = (0, 0);
        }
        let table = self.kernel.processes.get_mut(&process).map(|it| {
            it.executed = true;
            (it.clock, it.clock_at, it.clock_code_at) = (-1, 0, 0);
            it.table.clone()
        });
        for (at, descriptor) in table.into_iter().flatten() {
            if descriptor.close_on_exec {
                self.close_descriptor(process, at);
            }
        }
        self.kernel.trace.event(self.kernel.now, number, "executed");
        self.prepare_stack(process, registers.rsp)
    }

    /// What the kernel put on the stack for the new program, made the same on every run.
    fn prepare_stack(&mut self, process: i32, stack: u64) -> Result<(), Errno> {
        let octets = self.kernel.random.octets(16);
        let users = self
            .kernel
            .processes
            .get(&process)
            .map_or([0; 2], |it| [it.users[0], it.users[1]]);
        let groups = self
            .kernel
            .processes
            .get(&process)
            .map_or([0; 2], |it| [it.groups[0], it.groups[1]]);
        let hidden = self.kernel.clock_stops;
        let memory = self.memories.get_mut(&process).ok_or(Errno::EFAULT)?;
        let mut at = stack + 8 * (2 + memory.read_u64(stack)?);
        while memory.read_u64(at)? != 0 {
            at += 8;
        }
        at += 8;
        let mut patched = None;
        loop {
            let (kind, value) = (memory.read_u64(at)?, memory.read_u64(at + 8)?);
            match kind {
                libc::AT_NULL => break,
                libc::AT_RANDOM => memory.write(value, &octets)?,
                libc::AT_SYSINFO_EHDR => {
                    patched = if hidden {
                        None
                    } else {
                        vdso::patch(memory, value)
                    };
                    if patched.is_none() {
                        memory.write_u64(at, AT_IGNORE)?;
                    }
                }
                libc::AT_UID => memory.write_u64(at + 8, users[0].into())?,
                libc::AT_EUID => memory.write_u64(at + 8, users[1].into())?,
                libc::AT_GID => memory.write_u64(at + 8, groups[0].into())?,
                libc::AT_EGID => memory.write_u64(at + 8, groups[1].into())?,
                _ => {}
            }
            at += 16;
        }
        if let (Some(patched), Some(process)) = (patched, self.kernel.processes.get_mut(&process)) {
            process.clock_at = patched.time_at;
            process.clock_code_at = patched.code_at;
        }
        Ok(())
    }
}
