//! What a guest prints, with the virtual time of each write.

use super::kernel::Kernel;

/// Where a guest writes for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 1.
    Output,
    /// Descriptor 2.
    Error,
    /// syslog(3), over `/dev/log`.
    Log,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Nanoseconds of virtual time since the world began.
    pub time: i64,
    /// The process, by its number in the guest.
    pub process: i32,
    /// Where it was written.
    pub stream: Stream,
    /// The octets written.
    pub octets: Vec<u8>,
}

impl Kernel {
    pub(super) fn print(&mut self, process: i32, stream: Stream, octets: &[u8]) {
        self.trace.octets(octets);
        self.output.push(Line {
            time: self.now,
            process,
            stream,
            octets: octets.to_vec(),
        });
    }
}
