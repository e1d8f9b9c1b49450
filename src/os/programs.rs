//! API programs as child processes.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::net::Stream;
use crate::net::programs::{Program, Programs};
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
}

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
        let mut command = Command::new(resolve(executable, &program.directory));
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
        })
    }
}

/// A relative path with a directory in it starts from the program's own directory; a bare name is looked up in `PATH`.
fn resolve(executable: &str, directory: &Path) -> PathBuf {
    if executable.contains('/') {
        directory.join(executable)
    } else {
        executable.into()
    }
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
