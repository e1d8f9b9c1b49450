//! Standard output that tolerates a closed pipe: `lockstep run | head` ends with its own status.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal, StdoutLock, Write};

use crate::bgp::text::plain_lines;

/// Standard output; writes after its reader has gone are discarded, and what would move a terminal's cursor is escaped.
pub struct Output {
    inner: StdoutLock<'static>,
    /// Text may be coloured.
    is_coloured: bool,
}

/// Standard output.
#[must_use]
pub fn output() -> Output {
    Output {
        inner: io::stdout().lock(),
        is_coloured: console::colors_enabled(),
    }
}

impl Write for Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = match str::from_utf8(octets).map(|text| plain_lines(text, self.is_coloured)) {
            Ok(Cow::Owned(plain)) => self
                .inner
                .write_all(plain.as_bytes())
                .map(|()| octets.len()),
            Ok(Cow::Borrowed(_)) | Err(_) => self.inner.write(octets),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(octets.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.inner.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Like `println!`, but tolerates a closed pipe.
pub fn line(text: fmt::Arguments<'_>) {
    if let Err(error) = output().write_all(format!("{text}\n").as_bytes()) {
        complaint(format_args!("standard output: {error}"));
    }
}

/// Like `eprintln!`, but where standard error takes nothing (a full disk, a closed pipe) nothing is said.
pub fn complaint(text: fmt::Arguments<'_>) {
    let text = format!("{text}\n");
    let text = plain_lines(&text, io::stderr().is_terminal());
    let _ = io::stderr().lock().write_all(text.as_bytes());
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
