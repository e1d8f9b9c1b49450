//! A capture as a stream of events, packet by packet.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::decapsulator::Decapsulator;
use super::error::CaptureError;
use super::events::CaptureEvent;
use super::internet::Segment;
use super::mrt::Mrt;
use super::order::Ordered;
use super::reader::{Opened, Reader};
use super::tally::{Skipped, Tally};
use super::tracker::Tracker;

/// Nanoseconds by which a packet may be earlier than the one before it: several queues of one network card.
const JITTER: u64 = 1_000_000_000;

#[derive(Debug)]
enum Content<R: Read> {
    Packets(Reader<R>),
    Records(Mrt<R>),
}

/// A capture being read: its packets go in order, its events come out in the order of time, memory stays bounded.
#[derive(Debug)]
pub struct Capture<R: Read> {
    content: Content<R>,
    decapsulator: Decapsulator,
    tracker: Tracker,
    ordered: Ordered,
    last: u64,
    ended: bool,
}

impl Capture<File> {
    /// Opens a pcap, pcapng or MRT file, compressed or not.
    ///
    /// # Errors
    /// It cannot be opened or is no capture.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::new(name, file),
            Err(error) => Err(CaptureError {
                file: name,
                offset: 0,
                kind: error.into(),
            }),
        }
    }
}

impl<R: Read> Capture<R> {
    /// Reads a capture that errors call `name`.
    ///
    /// # Errors
    /// It is no capture.
    pub fn new(name: impl Into<String>, inner: R) -> Result<Self, CaptureError> {
        let content = match Opened::new(name, inner)? {
            Opened::Packets(reader) => Content::Packets(reader),
            Opened::Records(mrt) => Content::Records(mrt),
        };
        Ok(Self {
            content,
            decapsulator: Decapsulator::default(),
            tracker: Tracker::default(),
            ordered: Ordered::default(),
            last: 0,
            ended: false,
        })
    }

    /// Reads one packet, passes its events to `sink`, and returns whether there may be more.
    ///
    /// # Errors
    /// The file is malformed or truncated. Everything before has been reported, and the next call returns `false`.
    #[inline]
    pub fn step(&mut self, sink: impl FnMut(CaptureEvent<'_>)) -> Result<bool, CaptureError> {
        self.step_watched(|_, _| (), sink)
    }

    /// Reads one packet as [`Self::step`] does, and gives its TCP segment to `watch` too, with its time in nanoseconds
    /// since 1970: before `sink` is told what it brought about, which may be later.
    ///
    /// # Errors
    /// As for [`Self::step`].
    #[inline]
    pub fn step_watched(
        &mut self,
        mut watch: impl FnMut(u64, &Segment<'_>),
        mut sink: impl FnMut(CaptureEvent<'_>),
    ) -> Result<bool, CaptureError> {
        if self.ended {
            return Ok(false);
        }
        let reader = match &mut self.content {
            Content::Packets(reader) => reader,
            Content::Records(mrt) => {
                let more = mrt.step(&mut self.tracker, &mut sink);
                self.ended = !matches!(more, Ok(true));
                return more;
            }
        };
        let packet = match reader.packet() {
            Ok(Some(packet)) => packet,
            end => {
                let end = end.map(|_| false);
                self.finish(&mut sink);
                return end;
            }
        };
        self.tracker.tally.packets += 1;
        let time = packet.time;
        if time.saturating_add(JITTER) < self.last {
            self.tracker.tally.backwards += 1;
        }
        self.last = time;
        let segment = self.decapsulator.segment(&packet);
        if let Ok(Some(segment)) = &segment {
            watch(time, segment);
        }
        match segment {
            Ok(Some(segment)) if !self.tracker.is_waiting() && self.ordered.is_empty() => {
                let ordered = &mut self.ordered;
                self.tracker.segment(time, &segment, &mut sink);
                debug_assert!(ordered.is_empty());
            }
            Ok(Some(segment)) => {
                let ordered = &mut self.ordered;
                self.tracker
                    .segment(time, &segment, &mut |event| ordered.push(&event));
                if self.ordered.is_full() {
                    let ordered = &mut self.ordered;
                    self.tracker.give_up(&mut |event| ordered.push(&event));
                }
                if !self.tracker.is_waiting() {
                    self.ordered.release(&mut sink);
                }
            }
            // A fragment whose packet is not whole yet is counted at the end.
            Ok(None) => {}
            Err(reason) => self.tracker.tally.skip(reason, 1),
        }
        Ok(true)
    }

    fn finish(&mut self, sink: &mut impl FnMut(CaptureEvent<'_>)) {
        self.ended = true;
        let ordered = &mut self.ordered;
        self.tracker
            .finish(self.last, &mut |event| ordered.push(&event));
        self.ordered.release(sink);
        let (complete, incomplete) = self.decapsulator.finish();
        self.tracker.tally.reassembled = complete;
        if incomplete > 0 {
            self.tracker.tally.skip(Skipped::Fragment, incomplete);
        }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// As for [`Self::step`].
    pub fn read_all(&mut self, mut sink: impl FnMut(CaptureEvent<'_>)) -> Result<(), CaptureError> {
        while self.step(&mut sink)? {}
        Ok(())
    }

    /// Ends before the end of the file: reports what was waiting for more.
    pub fn stop(&mut self, mut sink: impl FnMut(CaptureEvent<'_>)) {
        if !self.ended {
            self.finish(&mut sink);
        }
    }

    /// What was met so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tracker.tally
    }

    /// Octets of the file read so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        match &self.content {
            Content::Packets(reader) => reader.position(),
            Content::Records(mrt) => mrt.position(),
        }
    }
}
