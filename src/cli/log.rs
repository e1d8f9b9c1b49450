//! The daemon's log: where it goes, and that the daemon outlives it.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use miette::{IntoDiagnostic, WrapErr};
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
    let writer: Box<dyn Write + Send> = match environment.log_destination.as_deref() {
        None | Some("" | "stdout") => Box::new(io::stdout()),
        Some("stderr") => Box::new(io::stderr()),
        Some(other) if other == "syslog" || other.starts_with("host:") => {
            unheard = Some(format!(
                "exabgp_log_destination={other}: syslog is not spoken here, the log goes to standard output"
            ));
            Box::new(io::stdout())
        }
        Some(path) => Box::new(
            File::options()
                .append(true)
                .create(true)
                .open(path)
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot write the log to {path}"))?,
        ),
    };
    // A log that is set up already (in a test) stays.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(Lossy::new(writer))
        .try_init();
    Ok(unheard)
}

/// Writes whole entries, and drops those that cannot be written: a full disk or a closed pipe is no reason to end sessions.
///
/// The first entry that can be written again says how many were lost. What would move a terminal's cursor is escaped.
#[derive(Clone)]
struct Lossy(Arc<Mutex<Sink>>);

struct Sink {
    writer: Box<dyn Write + Send>,
    lost: u64,
}

impl Lossy {
    fn new(writer: Box<dyn Write + Send>) -> Self {
        Self(Arc::new(Mutex::new(Sink { writer, lost: 0 })))
    }
}

impl Sink {
    fn write(&mut self, entry: &[u8]) {
        let entry = String::from_utf8_lossy(entry);
        let mut text = String::new();
        if self.lost > 0 {
            text = format!("{} entries of this log could not be written\n", self.lost);
        }
        for line in entry.split_inclusive('\n') {
            let (line, end) = line
                .strip_suffix('\n')
                .map_or((line, ""), |line| (line, "\n"));
            text += &plain(line);
            text += end;
        }
        let written = self.writer.write_all(text.as_bytes());
        match written.and_then(|()| self.writer.flush()) {
            Ok(()) => self.lost = 0,
            Err(_) => self.lost += 1,
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
    use super::*;

    /// A disk that is full while `full` is set.
    struct Disk {
        full: Arc<Mutex<bool>>,
        held: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Disk {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            if *self.full.lock().unwrap() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.held.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_lost_is_counted_and_what_moves_the_cursor_is_escaped() {
        let (full, held) = (Arc::new(Mutex::new(false)), Arc::default());
        let log = Lossy::new(Box::new(Disk {
            full: Arc::clone(&full),
            held: Arc::clone(&held),
        }));
        let say = |text: &str| log.make_writer().write_all(text.as_bytes()).unwrap();
        say("one\n");
        *full.lock().unwrap() = true;
        say("two\n");
        say("three\n");
        *full.lock().unwrap() = false;
        say("four \x1b[2J\u{9b}1A\u{202e}\r\n");
        say("five\n");
        assert_eq!(
            String::from_utf8(held.lock().unwrap().clone()).unwrap(),
            "one\n2 entries of this log could not be written\n\
             four \\u{1b}[2J\\u{9b}1A\\u{202e}\\r\nfive\n"
        );
    }
}
