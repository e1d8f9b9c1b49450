//! fork(2), vfork(2), clone(2): new processes and threads.
//!
//! A process is made with CLONE_PARENT, so that the kernel holds it a child of the tracer's: who is whose child is kept
//! here, and no wait4(2) or SIGCHLD of the kernel's comes between.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::memory::Memory;
use super::registers::Call;
use super::thread::{Condition, State, Thread, Wait};
use super::tracer::Tracee;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_fork, clone),
    (libc::SYS_vfork, clone),
    (libc::SYS_clone, clone),
    (libc::SYS_clone3, clone3),
];

/// Name spaces of its own: a way out.
const NAME_SPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWCGROUP;
/// What a process would share with its parent: it gets copies instead, of all but the memory (posix_spawn(3) reports
/// through it that a program cannot be executed). The parent of a vfork waits here, not in the kernel.
const SHARED: i32 = libc::CLONE_VFORK
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_PTRACE
    | libc::CLONE_PIDFD;

/// As in a kernel before 5.3: the C library falls back to clone(2).
fn clone3(_host: &mut Host, _call: &Call) -> Result<Answer, Errno> {
    Err(Errno::ENOSYS)
}

fn clone(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if call.again.is_some() {
        // vfork is over.
        let child = host.kernel.children(call.process, -1).into_iter().max();
        return Ok(Answer::Value(child.unwrap_or_default().into()));
    }
    let (flags, arguments) = match call.number {
        libc::SYS_clone => (call.int(0), call.arguments),
        libc::SYS_vfork => (libc::SIGCHLD | libc::CLONE_VFORK | libc::CLONE_VM, [0; 6]),
        _ => (libc::SIGCHLD, [0; 6]),
    };
    if flags & NAME_SPACES != 0 {
        host.refuse(
            call,
            "a guest may not have name spaces of its own (it fails with EPERM)",
        );
        return Err(Errno::EPERM);
    }
    let is_thread = flags & libc::CLONE_THREAD != 0;
    let made = if is_thread {
        flags
    } else {
        flags & !SHARED | libc::CLONE_PARENT
    };
    let mut arguments = arguments;
    arguments[0] = made as u32 as u64;
    let number = host.make(call, arguments, is_thread)?;
    let settings = (flags, arguments[2], arguments[3]);
    host.number_threads(call, number, settings)?;
    if flags & libc::CLONE_VFORK != 0 {
        return Ok(Answer::Wait(Wait::new(Condition::Vfork(number), None)));
    }
    Ok(Answer::Value(number.into()))
}

impl Host {
    /// Makes the thread or process, and takes it in; its number.
    fn make(&mut self, call: &Call, arguments: [u64; 6], is_thread: bool) -> Result<i32, Errno> {
        let thread = self.kernel.threads.get(&call.thread).ok_or(Errno::ESRCH)?;
        let at = thread.registers;
        let tracee = self.tracees.get_mut(&call.thread).ok_or(Errno::ESRCH)?;
        let (value, born) = tracee.run(&at, libc::SYS_clone, arguments)?;
        if value < 0 {
            return Err(Errno::from_raw(-value as i32));
        }
        let real = born.ok_or(Errno::ECHILD)?;
        let parent_process = tracee.process.as_raw();
        let new = Tracee::new(real, if is_thread { parent_process } else { real });
        new.wait()?;
        // The call ran with other arguments than it had: its child has them as they were.
        let mut registers = new.registers()?;
        (registers.rdi, registers.rsi, registers.rdx) = (at.rdi, at.rsi, at.rdx);
        (registers.r10, registers.r8, registers.r9) = (at.r10, at.r8, at.r9);
        new.set_registers(registers)?;
        let number = self.kernel.new_pid();
        let process = if is_thread { call.process } else { number };
        if !is_thread {
            self.memories.insert(number, Memory::new(new.process)?);
            if let Some(directory) = self.directories.get(&call.process).cloned() {
                self.directories.insert(number, directory);
            }
            self.inherit(call.process, number);
        }
        self.kernel.threads.insert(
            number,
            Thread {
                process,
                state: State::Ready,
                registers,
                in_call: false,
                clear_at: 0,
                robust_at: 0,
                idle: 0,
            },
        );
        self.tracees.insert(number, new);
        Ok(number)
    }

    /// The new process has its parent's descriptors.
    fn inherit(&mut self, parent: i32, child: i32) {
        let Some(process) = self.kernel.processes.get(&parent) else {
            return;
        };
        let forked = process.forked(parent);
        for descriptor in forked.table.values() {
            if let Some(found) = self.kernel.descriptions.get_mut(&descriptor.description) {
                found.references += 1;
            }
        }
        self.kernel.processes.insert(child, forked);
    }

    /// Where the kernel stored the new thread's number, the guest reads the one that it has there.
    fn number_threads(
        &mut self,
        call: &Call,
        number: i32,
        (flags, parent_at, child_at): (i32, u64, u64),
    ) -> Result<(), Errno> {
        if flags & libc::CLONE_PARENT_SETTID != 0 {
            self.memory(call)?.write_u32(parent_at, number as u32)?;
        }
        let Some(thread) = self.kernel.threads.get_mut(&number) else {
            return Ok(());
        };
        if flags & libc::CLONE_CHILD_CLEARTID != 0 {
            thread.clear_at = child_at;
        }
        let process = thread.process;
        if flags & libc::CLONE_CHILD_SETTID != 0
            && let Some(memory) = self.memories.get_mut(&process)
        {
            memory.write_u32(child_at, number as u32)?;
        }
        Ok(())
    }
}
