//! A guest that a signal is about to end: its stack and a core file, by gdb, before it is gone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::host::Host;

/// Signals that end a process with a core file unless they are caught (signal(7)).
const FATAL: &[i32] = &[
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGQUIT,
];

/// What was found of a process that a signal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostMortem {
    /// The process, by its number in the guest.
    pub guest: i32,
    /// The signal.
    pub signal: i32,
    /// The stacks of its threads, a frame to a line; why there are none.
    pub stack: Result<Vec<String>, String>,
    /// The core file.
    pub core: Option<PathBuf>,
}

impl Host {
    /// Whether `signal`, which is about to be delivered to the thread `number`, ends its process with a core file.
    pub(super) fn is_fatal(&self, number: i32, signal: i32) -> bool {
        let masks = self.tracees.get(&number).and_then(|it| it.signal_masks());
        let held = masks.is_some_and(|it| (it.caught | it.ignored) & (1 << (signal - 1)) != 0);
        FATAL.contains(&signal) && !held
    }

    /// Looks at the process of a thread that `signal` is about to end, and ends it.
    pub(super) fn look_at_the_dead(&mut self, process: i32, signal: i32, core: &Path) {
        let Some(left) = self.leave_process(process) else {
            return;
        };
        let stack = stack(left.process, core);
        let _ = nix::sys::signal::kill(Pid::from_raw(left.process), Signal::SIGKILL);
        let pid = rustix::process::Pid::from_raw(left.process);
        let _ = pid
            .map(|pid| rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()));
        self.post_mortems.push(PostMortem {
            guest: process,
            signal,
            stack,
            core: core.is_file().then(|| core.to_owned()),
        });
        self.process_ended(process, signal);
    }

    /// What was found of the processes that signals ended, where [`Settings::core`](super::Settings) asked for it.
    #[must_use]
    pub fn post_mortems(&self) -> &[PostMortem] {
        &self.post_mortems
    }
}

/// The stacks of a process that is stopped; its memory goes into the file `core`.
fn stack(process: i32, core: &Path) -> Result<Vec<String>, String> {
    let _ = std::fs::remove_file(core);
    let output = Command::new("gdb")
        .args(["-batch", "-nx", "-p", &process.to_string()])
        .args(["-ex", "thread apply all backtrace"])
        .arg("-ex")
        .arg(format!("generate-core-file {}", core.display()))
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "install gdb for its stack and a core file".to_owned())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let frames: Vec<String> = said.lines().filter_map(frame).collect();
    if frames.is_empty() {
        let error = String::from_utf8_lossy(&output.stderr);
        let last = error.lines().next_back().unwrap_or("nothing");
        return Err(format!("gdb found no stack: {last}"));
    }
    Ok(frames)
}

/// What `line` of gdb's says of a stack, without the numbers of the machine, which are others in the next run.
fn frame(line: &str) -> Option<String> {
    if let Some((number, _)) = line
        .strip_prefix("Thread ")
        .and_then(|rest| rest.split_once(' '))
    {
        return Some(format!("thread {number}"));
    }
    line.starts_with('#').then(|| line.to_owned())
}
