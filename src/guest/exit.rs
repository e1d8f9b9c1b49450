//! The end of threads and processes, and wait4(2).

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::registers::Call;
use super::thread::{Condition, State, Wait};
use super::tracer::{Stop, Tracee};

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_exit, exit),
    (libc::SYS_exit_group, exit_group),
    (libc::SYS_wait4, wait4),
    (libc::SYS_waitid, waitid),
];

fn exit(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let others = host.kernel.threads_of(call.process).len() > 1;
    if !others {
        return exit_group(host, call);
    }
    host.give_up_robust(call.thread);
    host.kernel
        .trace
        .event(host.kernel.now, call.thread, "exit");
    let tracee = host.tracees.get_mut(&call.thread).ok_or(Errno::ESRCH)?;
    let leads = tracee.thread == tracee.process;
    tracee.resume(0)?;
    if leads {
        // The kernel reports a leader only with the last of its threads.
        host.clear(call.thread);
        if let Some(thread) = host.kernel.threads.get_mut(&call.thread) {
            thread.state = State::Dead;
        }
        return Ok(Answer::Gone);
    }
    tracee.reap();
    host.clear(call.thread);
    host.kernel.threads.remove(&call.thread);
    host.tracees.remove(&call.thread);
    Ok(Answer::Gone)
}

fn exit_group(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    host.kernel
        .trace
        .event(host.kernel.now, call.thread, "exit group");
    let status = (call.int(0) & 0xff) << 8;
    host.tracees
        .get_mut(&call.thread)
        .ok_or(Errno::ESRCH)?
        .resume(0)?;
    host.reap_process(call.process);
    host.process_ended(call.process, status);
    Ok(Answer::Gone)
}

impl Host {
    /// Lets a thread go on with `signal` until it stops; with one that ends the process, its other threads end before it.
    pub(super) fn resume(
        &mut self,
        number: i32,
        process: i32,
        signal: i32,
    ) -> Result<Option<Stop>, Errno> {
        let others: Vec<_> = if signal == 0 {
            vec![]
        } else {
            let threads = self.kernel.threads_of(process).into_iter();
            let others = threads.filter(|other| *other != number);
            let tracees = others.filter_map(|other| self.tracees.get(&other));
            tracees.map(|tracee| tracee.thread).collect()
        };
        let Some(tracee) = self.tracees.get_mut(&number) else {
            return Ok(None);
        };
        tracee.resume(signal)?;
        let stop = match others.is_empty() {
            true => tracee.wait(),
            false => tracee.wait_beside(&others),
        };
        stop.map(Some)
    }

    /// A thread is gone: the word that it gave to set_tid_address(2) is zero, and who waits there is woken.
    fn clear(&mut self, number: i32) {
        let Some((process, at)) = self
            .kernel
            .threads
            .get(&number)
            .map(|it| (it.process, it.clear_at))
        else {
            return;
        };
        if at == 0 {
            return;
        }
        if let Some(memory) = self.memories.get_mut(&process) {
            let _ = memory.write_u32(at, 0);
        }
        self.wake(process, at, 1, u32::MAX);
    }

    /// Waits for every thread of a process that is ending; its leader is the last.
    fn reap_process(&mut self, process: i32) {
        let numbers: Vec<i32> = {
            let threads = self.kernel.threads.iter();
            threads
                .filter(|(_, thread)| thread.process == process)
                .map(|(number, _)| *number)
                .collect()
        };
        let gone: Vec<Tracee> = numbers
            .iter()
            .filter_map(|it| self.tracees.remove(it))
            .collect();
        let leads = |tracee: &&Tracee| tracee.thread == tracee.process;
        gone.iter().filter(|it| !leads(it)).for_each(Tracee::reap);
        gone.iter().filter(leads).for_each(Tracee::reap);
        for number in numbers {
            self.kernel.threads.remove(&number);
        }
    }

    /// A thread ended of itself or by a signal, and has been waited for.
    pub(super) fn thread_ended(&mut self, number: i32, status: i32) {
        let Some(process) = self.kernel.threads.get(&number).map(|it| it.process) else {
            return;
        };
        self.tracees.remove(&number);
        self.kernel.threads.remove(&number);
        // A signal that ends one thread ends them all.
        self.reap_process(process);
        self.kernel
            .trace
            .event(self.kernel.now, number, &format!("ended {status:#x}"));
        self.process_ended(process, status);
    }

    pub(super) fn kill_process(&mut self, process: i32) {
        let Some(number) = self.kernel.threads_of(process).first().copied() else {
            return;
        };
        if let Some(tracee) = self.tracees.get(&number) {
            tracee.kill();
        }
        self.reap_process(process);
        self.process_ended(process, libc::SIGKILL);
    }

    pub(super) fn process_ended(&mut self, process: i32, status: i32) {
        let Some(state) = self.kernel.processes.get_mut(&process) else {
            return;
        };
        state.status = Some(status);
        let table = std::mem::take(&mut state.table);
        let parent = state.parent;
        for descriptor in table.into_values() {
            self.unreference(descriptor.description);
        }
        self.memories.remove(&process);
        for child in self.kernel.processes.values_mut() {
            if child.parent == process {
                child.parent = 1;
                child.reaped |= child.status.is_some();
            }
        }
        if self.kernel.lives(parent) {
            self.kernel.signals.push_back((parent, libc::SIGCHLD));
        } else if let Some(state) = self.kernel.processes.get_mut(&process) {
            state.reaped = true;
        }
    }
}

fn wait4(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let which = call.int(0);
    let Some(child) = host.kernel.child_to_reap(call.process, which) else {
        return no_child(host, call, which, call.int(2));
    };
    let status = host.reap(child, true);
    if call.address(1) != 0 {
        host.memory(call)?
            .write_u32(call.address(1), status as u32)?;
    }
    if call.address(3) != 0 {
        host.write(call, call.address(3), &[0; 144])?;
    }
    Ok(Answer::Value(child.into()))
}

/// Nothing has ended: fail, say so, or wait.
fn no_child(host: &Host, call: &Call, which: i32, options: i32) -> Result<Answer, Errno> {
    if host.kernel.children(call.process, which).is_empty() {
        return Err(Errno::ECHILD);
    }
    if options & libc::WNOHANG != 0 {
        return Ok(Answer::Value(0));
    }
    Ok(Answer::Wait(Wait::new(Condition::Child(which), None)))
}

fn waitid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let options = call.int(3);
    let which = match (call.int(0), call.int(1)) {
        (0, _) => -1,    // P_ALL
        (1, pid) => pid, // P_PID
        (2, 0) => 0,     // P_PGID, the caller's
        (2, group) => -group,
        _ => return Err(Errno::EINVAL),
    };
    let at = call.address(2);
    let Some(child) = host.kernel.child_to_reap(call.process, which) else {
        let answer = no_child(host, call, which, options)?;
        if answer == Answer::Value(0) && at != 0 {
            host.write(call, at, &[0; 128])?;
        }
        return Ok(answer);
    };
    let status = host.reap(child, options & libc::WNOWAIT == 0);
    if at != 0 {
        let exited = libc::WIFEXITED(status);
        let (code, value) = if exited {
            (libc::CLD_EXITED, libc::WEXITSTATUS(status))
        } else {
            (libc::CLD_KILLED, libc::WTERMSIG(status))
        };
        let mut info = [0; 128];
        // siginfo_t: signal, errno, code, padding, pid, uid, status
        for (place, word) in [(0, libc::SIGCHLD), (8, code), (16, child), (24, value)] {
            info[place..place + 4].copy_from_slice(&word.to_ne_bytes());
        }
        host.write(call, at, &info)?;
    }
    Ok(Answer::Value(0))
}

impl Host {
    fn reap(&mut self, child: i32, for_good: bool) -> i32 {
        let Some(state) = self.kernel.processes.get_mut(&child) else {
            return 0;
        };
        state.reaped |= for_good;
        state.status.unwrap_or_default()
    }
}
