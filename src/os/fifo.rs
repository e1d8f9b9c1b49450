//! The named pipes over which ExaBGP's command-line client commands a daemon: `exabgp.in` takes commands, `exabgp.out`
//! gives answers.

use std::fs;
use std::future::Future;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use nix::libc::{ENXIO, O_NONBLOCK};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::{OpenOptions, Receiver};
use tokio::time::{Sleep, sleep};

use crate::net::Stream;
use crate::net::programs::{Program, ProgramPipe, Programs};
use crate::os::programs::{ChildPipe, ChildPrograms};

/// How long it takes until a client that does not read its answer yet is tried again.
const PATIENCE: Duration = Duration::from_millis(50);

/// A pair of named pipes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPipes {
    /// The pipe that the daemon reads commands from.
    pub commands: PathBuf,
    /// The pipe that the daemon writes answers to.
    pub answers: PathBuf,
}

impl NamedPipes {
    /// Those called `name` in the first directory that has both.
    ///
    /// # Errors
    /// The directories that were looked into.
    pub fn find(name: &str) -> Result<Self, Vec<PathBuf>> {
        let directories = directories();
        let is_pipe =
            |path: &Path| fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo());
        directories
            .iter()
            .map(|directory| Self {
                commands: directory.join(format!("{name}.in")),
                answers: directory.join(format!("{name}.out")),
            })
            .find(|pipes| is_pipe(&pipes.commands) && is_pipe(&pipes.answers))
            .ok_or(directories)
    }
}

/// Where ExaBGP looks for the pipes: under the root, then under the directory that it is installed in.
fn directories() -> Vec<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    let installed = std::env::current_exe().ok().and_then(|program| {
        let directory = program.parent()?.parent()?;
        Some(directory.to_path_buf())
    });
    let roots = std::iter::once(PathBuf::from("/")).chain(installed);
    roots
        .flat_map(|root| {
            [
                "run/exabgp".to_owned(),
                format!("run/{user}"),
                "run".to_owned(),
            ]
            .into_iter()
            .chain([
                "var/run/exabgp".to_owned(),
                format!("var/run/{user}"),
                "var/run".to_owned(),
            ])
            .map(move |place| root.join(place))
            .collect::<Vec<_>>()
        })
        .collect()
}

/// Starts child processes, and for one name serves the clients of named pipes instead.
#[derive(Debug, Clone)]
pub struct DaemonPrograms {
    /// Programs that are child processes.
    pub children: ChildPrograms,
    /// The name, and its pipes.
    pub clients: Option<(String, NamedPipes)>,
}

/// A child process, or the clients of named pipes.
#[derive(Debug)]
pub enum DaemonPipe {
    /// A child process.
    Child(Box<ChildPipe>),
    /// Pipes that `exabgp cli` opens.
    Clients(ClientPipe),
}

impl Programs for DaemonPrograms {
    type Pipe = DaemonPipe;

    fn start(&mut self, program: &Program) -> io::Result<DaemonPipe> {
        match &self.clients {
            Some((name, pipes)) if *name == program.name => {
                ClientPipe::open(pipes).map(DaemonPipe::Clients)
            }
            _ => self
                .children
                .start(program)
                .map(|child| DaemonPipe::Child(Box::new(child))),
        }
    }
}

/// Whoever writes commands into one named pipe and reads answers from the other.
#[derive(Debug)]
pub struct ClientPipe {
    commands: Receiver,
    answers: PathBuf,
    /// When to look again for somebody who reads.
    retry: Option<Pin<Box<Sleep>>>,
}

impl ClientPipe {
    fn open(pipes: &NamedPipes) -> io::Result<Self> {
        Ok(Self {
            // Open for writing too: else every client that leaves would end it.
            commands: OpenOptions::new()
                .read_write(true)
                .open_receiver(&pipes.commands)?,
            answers: pipes.answers.clone(),
            retry: None,
        })
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.commands).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Each write opens the pipe anew, so that a client which has left does not keep what is written from the next one.
    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(retry) = &mut self.retry {
                ready!(retry.as_mut().poll(context));
                self.retry = None;
            }
            let sender = fs::OpenOptions::new()
                .write(true)
                .custom_flags(O_NONBLOCK)
                .open(&self.answers);
            match sender.and_then(|mut sender| sender.write(bytes)) {
                Ok(count) => return Poll::Ready(Ok(count)),
                // Nobody reads, or not yet, or no more.
                Err(error) if error.raw_os_error() == Some(ENXIO) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::BrokenPipe) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            self.retry = Some(Box::pin(sleep(PATIENCE)));
        }
    }
}

impl Stream for DaemonPipe {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Child(child) => child.poll_read(context, buffer),
            Self::Clients(clients) => clients.poll_read(context, buffer),
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Child(child) => child.poll_write(context, bytes),
            Self::Clients(clients) => clients.poll_write(context, bytes),
        }
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Child(child) => child.poll_shutdown(context),
            Self::Clients(_) => Poll::Ready(Ok(())),
        }
    }
}

impl ProgramPipe for DaemonPipe {
    fn poll_unread(&mut self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        match self {
            Self::Child(child) => child.poll_unread(context, most),
            // A client reads until its answer ends.
            Self::Clients(_) => Poll::Ready(()),
        }
    }
}
