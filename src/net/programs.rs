//! The API programs that a reactor serves, as it sees them: a pipe each.

use std::io;
use std::path::PathBuf;
use std::task::{Context, Poll};

use crate::net::Stream;

/// A program to start (in ExaBGP's configuration, a `process` section).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Name of its `process` section.
    pub name: String,
    /// The executable and its arguments.
    pub command: Vec<String>,
    /// Its working directory.
    pub directory: PathBuf,
}

/// Stands between the lines that a control program is given in one run: ASCII's unit separator, which no command has.
pub const COMMAND_SEPARATOR: char = '\u{1f}';

/// Starts API programs: child processes on the kernel, scripts in a simulation.
///
/// A program's pipe reads its standard output and writes its standard input;
/// a read of 0 octets means that it has ended. Dropping the pipe ends the program.
pub trait Programs: 'static {
    /// A running program's standard output and input.
    type Pipe: ProgramPipe;

    /// Starts `program`.
    ///
    /// # Errors
    /// Why it could not be started, in the operating system's words.
    fn start(&mut self, program: &Program) -> io::Result<Self::Pipe>;
}

/// The pipe of a running program.
pub trait ProgramPipe: Stream {
    /// Ready once at most `most` octets of what was written lie in the pipe, unread by the program.
    fn poll_unread(&mut self, context: &mut Context<'_>, most: usize) -> Poll<()>;
}
