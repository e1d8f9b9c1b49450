//! Captures that are still being written: standard input and files that grow, read until they end or the user stops.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use miette::{IntoDiagnostic, WrapErr};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Interval between checks for a signal, in milliseconds.
const TURN: u16 = 200;
/// Interval between reads at the end of a growing file, in milliseconds.
const PAUSE: u16 = 100;

/// Whether SIGINT or SIGTERM asked to end; the second one ends at once.
#[derive(Debug, Clone)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Installs the handlers of both signals.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn on_signals() -> miette::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for (signal, status) in [(SIGINT, 130), (SIGTERM, 143)] {
            signal_hook::flag::register_conditional_shutdown(signal, status, asked.clone())
                .into_diagnostic()?;
            signal_hook::flag::register(signal, asked.clone()).into_diagnostic()?;
        }
        Ok(Self(asked))
    }

    /// Whether a signal has arrived.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Octets as they come; the end of the file when the user stops.
pub struct Live<R> {
    inner: R,
    stop: Stop,
    /// At the end of the file, wait for more.
    follows: bool,
}

impl Live<io::Stdin> {
    /// Standard input.
    #[must_use]
    pub fn standard_input(stop: Stop) -> Self {
        Self {
            inner: io::stdin(),
            stop,
            follows: false,
        }
    }
}

impl Live<File> {
    /// A file that another program is writing.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn follow(path: &Path, stop: Stop) -> miette::Result<Self> {
        let inner = File::open(path)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot open {}", path.display()))?;
        Ok(Self {
            inner,
            stop,
            follows: true,
        })
    }
}

impl<R: Read + AsFd> Read for Live<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.is_asked() {
                return Ok(0);
            }
            if !is_ready(self.inner.as_fd())? {
                continue;
            }
            match self.inner.read(buffer) {
                // The end of a file is always ready: this waits.
                Ok(0) if self.follows => _ = poll(&mut [], PollTimeout::from(PAUSE)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

/// Waits for octets for a short time.
fn is_ready(file: BorrowedFd<'_>) -> io::Result<bool> {
    let mut files = [PollFd::new(file, PollFlags::POLLIN)];
    match poll(&mut files, PollTimeout::from(TURN)) {
        Ok(count) => Ok(count > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
