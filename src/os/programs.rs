//! API programs as child processes.

use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Sleep, sleep};

use crate::net::Stream;
use crate::net::programs::{Program, ProgramPipe, Programs};
use crate::os::service::Identity;

/// Starts child processes: input and output are pipes, standard error is ours.
///
/// Each leads a process group of its own, so that a signal meant for the
/// speaker does not reach it, and its end takes its own children along.
#[derive(Debug, Clone, Default)]
pub struct ChildPrograms {
    environment: Vec<(String, String)>,
    identity: Option<Identity>,
}

/// A child process; dropping it closes its input and kills its group.
#[derive(Debug)]
pub struct ChildPipe {
    /// Held so that the child is reaped.
    _child: Child,
    group: Option<Pid>,
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// The next look at what the program has read, and how long after the last one it comes.
    look: Option<Pin<Box<Sleep>>>,
    pause: Duration,
}

/// The shortest and the longest time between two looks at what a program has read, which the kernel does not report.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(16));

impl ChildPrograms {
    /// Programs that see `environment` on top of our own.
    #[must_use]
    pub fn new(environment: Vec<(String, String)>) -> Self {
        Self {
            environment,
            identity: None,
        }
    }

    /// Programs that run as another user.
    #[must_use]
    pub fn run_as(identity: Option<Identity>) -> Self {
        Self {
            identity,
            ..Self::default()
        }
    }
}

impl Programs for ChildPrograms {
    type Pipe = ChildPipe;

    fn start(&mut self, program: &Program) -> io::Result<ChildPipe> {
        let Some((executable, arguments)) = program.command.split_first() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("process {} has nothing to run", program.name),
            ));
        };
        let mut command = Command::new(find(executable, &program.directory));
        if let Some(identity) = self.identity {
            command.uid(identity.user).gid(identity.group);
        }
        let mut child = command
            .args(arguments)
            .current_dir(&program.directory)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let input = child.stdin.take();
        let output = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("the child has no standard output"))?;
        Ok(ChildPipe {
            _child: child,
            group,
            input,
            output,
            look: None,
            pause: LOOKS.0,
        })
    }
}

/// Where the program `executable` of a configuration in `directory` is, as ExaBGP looks for it (`process/parser.py
/// run`): in `/etc/exabgp`, beside the configuration, then in the directories of `PATH`; the last that has it counts.
///
/// # Errors
/// It is nowhere, or cannot be run.
pub fn locate(executable: &str, directory: &Path) -> Result<PathBuf, String> {
    let path = find(executable, directory);
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no program `{executable}`"),
        _ => format!("the program `{executable}` cannot be used: {error}"),
    };
    let about = path.metadata().map_err(failed)?;
    let mode = about.permissions().mode();
    if about.is_dir() {
        return Err(format!("`{executable}` is a directory, not a program"));
    }
    if !about.is_file() {
        return Err(format!("`{executable}` is not a regular file"));
    }
    if mode & 0o6000 != 0 {
        return Err(format!(
            "the program `{executable}` changes its user (setuid or setgid), and is not run"
        ));
    }
    if mode & 0o111 == 0 {
        return Err(format!("the program `{executable}` is not executable"));
    }
    Ok(path)
}

fn find(executable: &str, directory: &Path) -> PathBuf {
    if executable.starts_with('/') {
        return executable.into();
    }
    let mut places = vec![
        Path::new("/etc/exabgp").to_path_buf(),
        directory.to_path_buf(),
    ];
    if let Some(rest) = executable.strip_prefix("etc/exabgp/") {
        // ExaBGP's own samples name their programs from the root of an installation.
        let installed = std::env::var_os("EXABGP_ETC").map(PathBuf::from);
        let installed = installed.into_iter().map(|etc| etc.join(rest));
        let here = std::env::current_dir().map(|here| here.join(executable));
        let found = installed.chain(here).rfind(|path| path.exists());
        return found.unwrap_or_else(|| directory.join(executable));
    }
    if let Some(path) = std::env::var_os("PATH") {
        places.extend(std::env::split_paths(&path));
    }
    let mut candidates = places.into_iter().map(|place| place.join(executable));
    let found = candidates.rfind(|path| path.exists());
    found.unwrap_or_else(|| directory.join(executable))
}

impl Stream for ChildPipe {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.output).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_write(context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_shutdown(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A pipe is written straight through: closing it is all there is to do.
        self.input = None;
        Poll::Ready(Ok(()))
    }
}

impl ChildPipe {
    /// Octets that the program has yet to read; none where nothing is known of them.
    fn unread(&self) -> usize {
        let unread = self.input.as_ref().map(ioctl_fionread);
        unread
            .and_then(Result::ok)
            .map_or(0, |octets| usize::try_from(octets).unwrap_or(usize::MAX))
    }
}

impl ProgramPipe for ChildPipe {
    fn poll_unread(&mut self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        loop {
            if self.unread() <= most {
                self.look = None;
                self.pause = LOOKS.0;
                return Poll::Ready(());
            }
            let pause = self.pause;
            let look = self.look.get_or_insert_with(|| Box::pin(sleep(pause)));
            ready!(look.as_mut().poll(context));
            self.look = None;
            self.pause = (pause * 2).min(LOOKS.1);
        }
    }
}

impl Drop for ChildPipe {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may have ended already, with all its children.
            let _ = kill_process_group(group, Signal::TERM);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn program(words: &[&str]) -> Program {
        Program {
            name: "test".into(),
            command: words.iter().map(ToString::to_string).collect(),
            directory: "/".into(),
        }
    }

    async fn read_all(pipe: &mut ChildPipe) -> String {
        let mut text = Vec::new();
        let mut buffer = [0; 64];
        loop {
            let count = poll_fn(|context| pipe.poll_read(context, &mut buffer))
                .await
                .unwrap();
            if count == 0 {
                return String::from_utf8(text).unwrap();
            }
            text.extend_from_slice(&buffer[..count]);
        }
    }

    #[tokio::test]
    async fn echoes_what_it_is_given_until_its_input_closes() {
        let mut programs = ChildPrograms::default();
        let mut pipe = programs.start(&program(&["cat"])).unwrap();
        let sent = poll_fn(|context| pipe.poll_write(context, b"done\n"))
            .await
            .unwrap();
        assert_eq!(sent, 5);
        poll_fn(|context| pipe.poll_shutdown(context))
            .await
            .unwrap();
        assert_eq!(read_all(&mut pipe).await, "done\n");
    }

    #[tokio::test]
    async fn what_a_program_has_not_read_is_waited_for() {
        let mut programs = ChildPrograms::default();
        let waits = [
            "sh",
            "-c",
            "sleep 0.05; read answer; echo $answer; read next",
        ];
        let mut pipe = programs.start(&program(&waits)).unwrap();
        let sent = poll_fn(|context| pipe.poll_write(context, b"done\n")).await;
        assert_eq!(sent.unwrap(), 5);
        let early = poll_fn(|context| Poll::Ready(pipe.poll_unread(context, 0))).await;
        assert!(early.is_pending());
        assert!(pipe.unread() == 5);
        poll_fn(|context| pipe.poll_unread(context, 0)).await;
        assert_eq!(pipe.unread(), 0);
    }

    #[tokio::test]
    async fn runs_in_the_given_directory_with_the_given_environment() {
        let mut programs = ChildPrograms::new(vec![("EXTRA".into(), "seen".into())]);
        let command = ["bin/sh", "-c", "pwd; echo $EXTRA"];
        let mut pipe = programs.start(&program(&command)).unwrap();
        assert_eq!(read_all(&mut pipe).await, "/\nseen\n");
    }

    #[tokio::test]
    async fn what_is_not_there_cannot_start() {
        let mut programs = ChildPrograms::default();
        let missing = programs.start(&program(&["./no/such/program"]));
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
        let nothing = programs.start(&program(&[]));
        assert_eq!(nothing.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
