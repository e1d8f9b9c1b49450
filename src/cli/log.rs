//! The daemon's log: where it goes, and that the daemon outlives it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use miette::{IntoDiagnostic, WrapErr};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::bgp::text::plain;
use crate::config::environment::Environment;
use crate::reactor::observer::{Observer, SpeakerEvent};

/// Whether the log goes to a terminal, which a background process cannot use.
pub(super) fn is_to_terminal(environment: &Environment) -> bool {
    !environment.log_off
        && matches!(
            environment.log_destination.as_deref(),
            None | Some("stdout" | "stderr")
        )
}

/// Sets up logging from the environment (everything, where `all` is set), and returns what failed.
///
/// # Errors
/// A log file that cannot be opened.
pub(super) fn set_up(all: bool, environment: &Environment) -> miette::Result<Option<String>> {
    let level = match environment.log_level.as_deref() {
        _ if all => LevelFilter::DEBUG,
        _ if environment.log_off => LevelFilter::OFF,
        Some("DEBUG") => LevelFilter::DEBUG,
        Some("WARNING") => LevelFilter::WARN,
        Some("ERR" | "ERROR" | "CRITICAL" | "ALERT" | "EMERG") => LevelFilter::ERROR,
        Some("DISABLED") => LevelFilter::OFF,
        _ => LevelFilter::INFO,
    };
    let mut unheard = None;
    let own = |standard: io::Result<OwnedFd>| standard.map(File::from).into_diagnostic();
    let output = || own(io::stdout().as_fd().try_clone_to_owned());
    let file = match environment.log_destination.as_deref() {
        None | Some("" | "stdout") => output()?,
        Some("stderr") => own(io::stderr().as_fd().try_clone_to_owned())?,
        Some(other) if other == "syslog" || other.starts_with("host:") => {
            unheard = Some(format!(
                "exabgp_log_destination={other}: syslog is not spoken here, the log goes to standard output"
            ));
            output()?
        }
        Some(path) => File::options()
            .append(true)
            .create(true)
            .open(path)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write the log to {path}"))?,
    };
    // A log that is set up already (in a test) stays.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(Lossy::new(file))
        .try_init();
    Ok(unheard)
}

/// Writes whole entries, and drops those that cannot be written: a full disk, a closed pipe, or one that nobody reads is no
/// reason to end sessions.
///
/// The first entry that can be written again says how many were lost. What would move a terminal's cursor is escaped.
#[derive(Clone)]
struct Lossy(Arc<Mutex<Sink<File>>>);

/// Where entries go; what blocks is not written to.
struct Sink<W> {
    writer: W,
    lost: u64,
    /// The last entry was not written to its end.
    is_cut: bool,
}

/// Octets that a pipe with any room takes without blocking (`PIPE_BUF` of pipe(7)).
const PIECE: usize = 4096;
/// How long the first entry waits for room, in milliseconds: the reader of a pipe may just be slow.
const PATIENCE: u8 = 100;

impl Lossy {
    fn new(file: File) -> Self {
        Self(Arc::new(Mutex::new(Sink::new(file))))
    }
}

impl<W: Write + AsFd> Sink<W> {
    const fn new(writer: W) -> Self {
        Self {
            writer,
            lost: 0,
            is_cut: false,
        }
    }

    fn write(&mut self, entry: &[u8]) {
        let entry = String::from_utf8_lossy(entry);
        let mut text = String::new();
        if self.lost > 0 {
            let before = if self.is_cut { "\n" } else { "" };
            text = format!(
                "{before}{} entries of this log could not be written\n",
                self.lost
            );
        }
        for line in entry.split_inclusive('\n') {
            let (line, end) = line
                .strip_suffix('\n')
                .map_or((line, ""), |line| (line, "\n"));
            text += &plain(line);
            text += end;
        }
        for (number, piece) in text.as_bytes().chunks(PIECE).enumerate() {
            let written = self
                .has_room()
                .and_then(|()| self.writer.write_all(piece))
                .and_then(|()| self.writer.flush());
            if written.is_err() {
                self.lost += 1;
                self.is_cut |= number > 0;
                return;
            }
        }
        (self.lost, self.is_cut) = (0, false);
    }

    /// Waits for room, but not where the last entry found none.
    fn has_room(&self) -> io::Result<()> {
        let patience = if self.lost == 0 { PATIENCE } else { 0 };
        let mut files = [PollFd::new(self.writer.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut files, PollTimeout::from(patience)) {
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            // Interrupted: whether it blocks is not known.
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }
}

/// What `tracing_subscriber` writes one entry to.
struct Entry<'a>(&'a Lossy);

impl<'a> MakeWriter<'a> for Lossy {
    type Writer = Entry<'a>;

    fn make_writer(&'a self) -> Entry<'a> {
        Entry(self)
    }
}

impl Write for Entry<'_> {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let sink = &self.0.0;
        sink.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(entry);
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes events into the log: messages in detail only where everything is logged.
pub(super) struct Log;

impl Observer for Log {
    fn observe(&self, _at: Duration, event: &SpeakerEvent<'_>) {
        match event {
            SpeakerEvent::Sent { .. }
            | SpeakerEvent::Received { .. }
            | SpeakerEvent::Command { .. }
            | SpeakerEvent::Answer { .. }
            | SpeakerEvent::ProgramEvent { .. }
            | SpeakerEvent::Taken { .. }
            | SpeakerEvent::Retry { .. } => tracing::debug!(target: "lockstep::reactor", "{event}"),
            SpeakerEvent::Malformed { .. }
            | SpeakerEvent::Unsendable { .. }
            | SpeakerEvent::NotListening { .. }
            | SpeakerEvent::ProgramFailed { .. } => {
                tracing::warn!(target: "lockstep::reactor", "{event}")
            }
            _ => tracing::info!(target: "lockstep::reactor", "{event}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// A pipe as the daemon writes to it, and its reader.
    fn pipe() -> (Sink<io::PipeWriter>, io::PipeReader) {
        let (reader, writer) = io::pipe().unwrap();
        (Sink::new(writer), reader)
    }

    #[test]
    fn what_moves_the_cursor_is_escaped() {
        let (mut log, mut reader) = pipe();
        log.write("four \x1b[2J\u{9b}1A\u{202e}\r\nfive\n".as_bytes());
        drop(log);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "four \\u{1b}[2J\\u{9b}1A\\u{202e}\\r\nfive\n");
    }

    #[test]
    fn nobody_who_does_not_read_is_waited_for_and_what_is_lost_is_counted() {
        let (mut log, mut reader) = pipe();
        let entry = format!("{}\n", "x".repeat(2 * PIECE - 1));
        let mut written = 0;
        while log.lost == 0 {
            log.write(entry.as_bytes());
            written += 1;
        }
        log.write(b"lost too\n");
        assert_eq!(log.lost, 2);
        let mut held = vec![0; written * entry.len()];
        let count = reader.read(&mut held).unwrap();
        log.write(b"again\n");
        assert_eq!(log.lost, 0);
        drop(log);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        let text = String::from_utf8(held[..count].to_vec()).unwrap() + &rest;
        let last = "x\n2 entries of this log could not be written\nagain\n";
        assert!(text.ends_with(last), "{}", &text[text.len() - 100..]);
    }

    #[test]
    fn a_full_disk_and_a_closed_pipe_lose_entries_and_nothing_else() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut log = Sink::new(full);
        log.write(b"one\n");
        log.write(b"two\n");
        assert_eq!((log.lost, log.is_cut), (2, false));
        let (mut log, reader) = pipe();
        drop(reader);
        log.write(b"one\n");
        assert_eq!(log.lost, 1);
    }
}
