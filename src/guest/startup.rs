//! How a guest's first process comes to be: this binary executes itself as a hidden subcommand, which confines itself
//! and then executes the guest. So nothing runs between fork and exec, where only async-signal-safe code may.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::personality::{self, Persona};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use rustix::process::{Resource, Rlimit, TimeStampCounterReadability};

use super::landlock;
use super::tracer::{Stop, Tracee};
use super::{Failure, filter};

/// The hidden subcommand: `lockstep guest-exec DIRECTORY COMMAND ARGUMENTS...`.
pub const SUBCOMMAND: &str = "guest-exec";
/// Descriptors beyond this one are not a guest's.
const DESCRIPTORS: u64 = 4_096;

/// A program to start as a guest.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable: a path, found by the caller.
    pub path: PathBuf,
    /// Its arguments, the program's own name not among them.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The `lockstep` binary.
    pub launcher: PathBuf,
    /// The directory where it starts and that alone it may write, apart from `/dev/null`.
    pub directory: PathBuf,
}

impl Program {
    /// A program with a plain environment.
    #[must_use]
    pub fn new(launcher: &Path, directory: &Path, path: &Path) -> Self {
        let environment = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
            ("HOME", "/"),
            ("LANG", "C.UTF-8"),
            ("PYTHONHASHSEED", "0"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("PYTHONUNBUFFERED", "1"),
        ];
        Self {
            path: path.to_owned(),
            arguments: vec![],
            environment: environment
                .map(|(name, value)| (name.into(), value.into()))
                .to_vec(),
            launcher: launcher.to_owned(),
            directory: directory.to_owned(),
        }
    }

    /// With these arguments.
    #[must_use]
    pub fn arguments<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// With one more variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }
}

/// Starts `program`: it has just executed itself, and stands before its first instruction.
pub(super) fn spawn(program: &Program) -> Result<Tracee, Failure> {
    let failed = |what: String| Failure::Start(format!("{}: {what}", program.path.display()));
    let mut child = Command::new(&program.launcher)
        .arg(SUBCOMMAND)
        .arg(&program.directory)
        .arg(&program.path)
        .args(&program.arguments)
        .env_clear()
        .envs(program.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            failed(format!(
                "cannot start {}: {error}",
                program.launcher.display()
            ))
        })?;
    let pid = i32::try_from(child.id()).unwrap_or(0);
    let mut tracee = Tracee::new(pid, pid);
    until_executed(&mut tracee).map_err(|stop| {
        tracee.kill();
        let mut words = String::new();
        if let Some(stderr) = child.stderr.as_mut() {
            let _ = stderr.read_to_string(&mut words);
        }
        let words = words.trim();
        failed(if words.is_empty() {
            stop
        } else {
            words.to_owned()
        })
    })?;
    Ok(tracee)
}

fn until_executed(tracee: &mut Tracee) -> Result<(), String> {
    match tracee.wait() {
        Ok(Stop::Signal(nix::libc::SIGSTOP)) => {}
        Ok(stop) => return Err(format!("did not stop for its tracer ({stop:?})")),
        Err(error) => return Err(format!("cannot be waited for: {error}")),
    }
    let errno = |error: Errno| format!("ptrace is refused: {error}");
    tracee.set_options().map_err(errno)?;
    loop {
        tracee.resume(0).map_err(errno)?;
        match tracee.wait().map_err(errno)? {
            Stop::Executed(_) => return Ok(()),
            Stop::Ended(status) => {
                return Err(format!("ended before it began (wait status {status:#x})"));
            }
            Stop::Signal(signal) if signal != nix::libc::SIGTRAP => {
                return Err(format!("ended by signal {signal} before it began"));
            }
            _ => {}
        }
    }
}

/// The hidden subcommand; returns only where it failed, with the reason.
///
/// # Errors
/// What could not be set up, or why the program could not be executed.
pub fn execute(arguments: &[OsString]) -> Result<std::convert::Infallible, String> {
    let [directory, path, rest @ ..] = arguments else {
        return Err(format!(
            "usage: {SUBCOMMAND} DIRECTORY COMMAND [ARGUMENTS...]"
        ));
    };
    let errno = |what: &'static str| move |error: Errno| format!("{what}: {error}");
    ptrace::traceme().map_err(errno("ptrace is refused"))?;
    std::env::set_current_dir(directory)
        .map_err(|error| format!("{}: {error}", Path::new(directory).display()))?;
    nix::unistd::setsid().map_err(errno("setsid"))?;
    // Refused in some containers; a guest is deterministic without it, as far as is known.
    if let Ok(now) = personality::get() {
        let _ = personality::set(now | Persona::ADDR_NO_RANDOMIZE);
    }
    rustix::process::set_time_stamp_counter_readability(TimeStampCounterReadability::RaiseSIGSEGV)
        .map_err(|error| format!("cannot trap the time stamp counter: {error}"))?;
    let limit = |resource, current, maximum| {
        let limit = Rlimit {
            current: Some(current),
            maximum,
        };
        let _ = rustix::process::setrlimit(resource, limit);
    };
    limit(Resource::Nofile, DESCRIPTORS, Some(DESCRIPTORS));
    limit(Resource::Core, 0, None);
    // At each second of processor time the tracer looks whether there was progress.
    limit(Resource::Cpu, 1, None);
    landlock::confine(Path::new(directory))?;
    let filter = filter::program()?;
    raise(Signal::SIGSTOP).map_err(errno("raise"))?; // the tracer sets its options now
    seccompiler::apply_filter(&filter).map_err(|error| format!("seccomp is refused: {error}"))?;
    let error = Command::new(path).args(rest).exec();
    // It did not work: this process reads clocks again, if only to end.
    let _ =
        rustix::process::set_time_stamp_counter_readability(TimeStampCounterReadability::Readable);
    Err(format!("{}: {error}", Path::new(path).display()))
}
