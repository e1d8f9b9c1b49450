//! A capture as a stream of events, packet by packet.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::connection::{Connection, Direction};
use super::error::CaptureError;
use super::framing::JunkReason;
use super::internet::segment;
use super::reader::Reader;
use super::tally::Tally;
use super::tracker::Tracker;

/// Something that happened on a connection that speaks BGP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// On which connection.
    pub connection: &'a Connection,
    /// Who did it. For [`EventKind::Opened`], who opened the connection.
    pub direction: Direction,
    /// Nanoseconds since 1970: when its last octet was in order.
    pub time: u64,
    /// What.
    pub kind: EventKind<'a>,
}

impl Event<'_> {
    /// The time as a duration since 1970.
    #[must_use]
    pub const fn since_epoch(&self) -> Duration {
        Duration::from_nanos(self.time)
    }
}

/// What happened on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind<'a> {
    /// It was opened. Told with the first octets, so that connections on which nothing is said are not told of.
    Opened,
    /// A message, marker and all.
    Message {
        /// Octets of the stream before it.
        offset: u64,
        /// The whole message.
        octets: &'a [u8],
    },
    /// Octets that are no message.
    Junk {
        /// Octets of the stream before them.
        offset: u64,
        /// Why they are no message.
        reason: JunkReason,
        /// They themselves.
        octets: &'a [u8],
    },
    /// Octets that were sent and are not in the capture.
    Gap {
        /// Octets of the stream before them.
        offset: u64,
        /// How many.
        lost: u64,
    },
    /// The sender will send no more (FIN).
    Finished,
    /// The sender reset the connection (RST).
    Reset,
}

/// A capture being read: its packets go in order, its events come out in order, memory stays bounded.
#[derive(Debug)]
pub struct Capture<R> {
    reader: Reader<R>,
    tracker: Tracker,
    ended: bool,
}

impl Capture<File> {
    /// Opens a pcap or pcapng file.
    ///
    /// # Errors
    /// It cannot be opened or is no capture.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        Ok(Self::from_reader(Reader::open(path)?))
    }
}

impl<R: Read> Capture<R> {
    /// Reads a capture that errors call `name`.
    ///
    /// # Errors
    /// It is no capture.
    pub fn new(name: impl Into<String>, inner: R) -> Result<Self, CaptureError> {
        Ok(Self::from_reader(Reader::new(name, inner)?))
    }

    fn from_reader(reader: Reader<R>) -> Self {
        Self {
            reader,
            tracker: Tracker::default(),
            ended: false,
        }
    }

    /// Reads one packet, tells `sink` what it brought about, and says whether there may be more.
    ///
    /// # Errors
    /// The file is malformed or cut short. All that came before has been told then, and the next call gives `false`.
    #[inline]
    pub fn step(&mut self, mut sink: impl FnMut(Event<'_>)) -> Result<bool, CaptureError> {
        if self.ended {
            return Ok(false);
        }
        let packet = match self.reader.packet() {
            Ok(Some(packet)) => packet,
            end => {
                self.ended = true;
                let end = end.map(|_| false);
                self.tracker.finish(&mut sink);
                return end;
            }
        };
        self.tracker.tally.packets += 1;
        match segment(&packet) {
            Ok(segment) => self.tracker.segment(packet.time, &segment, &mut sink),
            Err(reason) => *self.tracker.tally.skipped.entry(reason).or_insert(0) += 1,
        }
        Ok(true)
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// As for [`Self::step`].
    pub fn read_all(&mut self, mut sink: impl FnMut(Event<'_>)) -> Result<(), CaptureError> {
        while self.step(&mut sink)? {}
        Ok(())
    }

    /// What was met so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tracker.tally
    }

    /// Octets of the file read so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.reader.position()
    }
}
