//! Standard output that tolerates a closed pipe: `lockstep run | head` ends with its own status.

use std::fmt;
use std::io::{self, StdoutLock, Write};

/// Standard output; writes after its reader has gone are discarded.
pub struct Output(StdoutLock<'static>);

/// Standard output.
#[must_use]
pub fn output() -> Output {
    Output(io::stdout().lock())
}

impl Write for Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.0.write(octets) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(octets.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Like `println!`, but tolerates a closed pipe.
pub fn line(text: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(output(), "{text}") {
        complaint(format_args!("standard output: {error}"));
    }
}

/// Like `eprintln!`, but where standard error takes nothing (a full disk, a closed pipe) nothing is said.
pub fn complaint(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A line to standard output, which tolerates a closed pipe.
macro_rules! say {
    () => { $crate::cli::output::line(format_args!("")) };
    ($($text:tt)*) => { $crate::cli::output::line(format_args!($($text)*)) };
}

/// A line to standard error, where there is one that takes it.
macro_rules! complain {
    ($($text:tt)*) => { $crate::cli::output::complaint(format_args!($($text)*)) };
}

pub(super) use {complain, say};
