//! The API programs that a reactor serves, as it sees them: a pipe each.

use std::io;
use std::path::{Path, PathBuf};

use super::network::Stream;
use crate::config::Process;

/// A program to start: a `process` section of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The section's name.
    pub name: String,
    /// The words of its `run` line.
    pub command: Vec<String>,
    /// The directory it is started in, the configuration's own.
    pub directory: PathBuf,
}

impl Program {
    /// The program of `process`, to be started in `directory`.
    #[must_use]
    pub fn new(process: &Process, directory: &Path) -> Self {
        Self {
            name: process.name.clone(),
            command: process.run.clone(),
            directory: directory.to_path_buf(),
        }
    }
}

/// Starts API programs: child processes on the kernel, scripts in a simulation.
///
/// A program's pipe reads its standard output and writes its standard input;
/// a read of 0 octets means that it has ended. Dropping the pipe ends the program.
pub trait Programs: 'static {
    /// A running program's standard output and input.
    type Pipe: Stream;

    /// Starts `program`.
    ///
    /// # Errors
    /// Why it could not be started, in the operating system's words.
    fn start(&mut self, program: &Program) -> io::Result<Self::Pipe>;
}
