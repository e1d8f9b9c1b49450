//! What is no fault of a peer or a program: the machine has no descriptor or memory left for it.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use rustix::io::Errno;

/// How long until something that failed for want of a descriptor or of memory is tried again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// How long until a program is started again for which there was nothing left.
pub(super) const RETRY: Duration = Duration::from_secs(10);

/// How long until it is said again.
const SILENCE: Duration = Duration::from_secs(60);

/// Connections of one peer that may be on their way out at a time: each holds a descriptor until the peer has closed its half.
pub(super) const LINGERING: usize = 8;

/// Whether `error` says that this process or the machine has too little of something: descriptors, memory, processes.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    const SHORTAGES: [Errno; 5] = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::NOBUFS,
        Errno::AGAIN,
    ];
    Errno::from_io_error(error).is_some_and(|errno| SHORTAGES.contains(&errno))
}

/// When a shortage was last said: with many peers each would say the same.
#[derive(Debug, Default)]
pub(super) struct Shortage(Cell<Option<Duration>>);

impl Shortage {
    /// What to say of `error` at `now`, if it is a shortage that was not said within a minute.
    pub fn news(&self, now: Duration, error: &io::Error) -> Option<String> {
        if !is_shortage(error) || self.0.get().is_some_and(|said| now < said + SILENCE) {
            return None;
        }
        self.0.set(Some(now));
        Some(format!(
            "{error}: sessions that are up stay up, and the rest is tried again; `ulimit -n` shows the limit of descriptors"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_is_said_once_a_minute() {
        let shortage = Shortage::default();
        let full = || io::Error::from_raw_os_error(Errno::MFILE.raw_os_error());
        let said = shortage.news(Duration::from_secs(1), &full()).unwrap();
        assert!(said.starts_with("Too many open files"), "{said}");
        assert_eq!(shortage.news(Duration::from_secs(60), &full()), None);
        assert!(shortage.news(Duration::from_secs(61), &full()).is_some());
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(!is_shortage(&refused));
        assert_eq!(shortage.news(Duration::from_secs(200), &refused), None);
    }
}
