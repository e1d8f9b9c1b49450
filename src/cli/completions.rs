//! `lockstep completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::diff::print;
use super::{CommandLine, Status};

/// The shell.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell whose completions are printed.
    shell: Shell,
}

/// Prints them.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let mut script = Vec::new();
    let mut line = CommandLine::command();
    generate(arguments.shell, &mut line, "lockstep", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Status::Passed)
}
