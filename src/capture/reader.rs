//! Packets of a capture file, whichever its format.

use std::io::Read;

use super::error::{CaptureError, CaptureErrorKind};
use super::mrt::{self, Mrt};
use super::packet::Packet;
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::source::Source;

#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// Reads packets from a pcap or pcapng file in bounded memory.
#[derive(Debug)]
pub struct Reader<R: Read> {
    source: Source<R>,
    format: Format,
}

/// Layers of compression that are taken off.
const MAX_COMPRESSED: usize = 2;

/// A file of which it is known what it is.
#[derive(Debug)]
pub(super) enum Opened<R: Read> {
    /// pcap or pcapng: packets in time order of the file.
    Packets(Reader<R>),
    /// Records of MRT.
    Records(Mrt<R>),
}

/// Whether a file that begins with `octets` is one that [`Capture`](super::Capture) reads, or a compressed file.
#[must_use]
pub fn is_capture(octets: &[u8]) -> bool {
    let Some(magic) = octets.first_chunk::<4>() else {
        return false;
    };
    let is_compressed = octets.starts_with(&[0x1f, 0x8b]) || *magic == [0x28, 0xb5, 0x2f, 0xfd];
    Pcap::recognises(*magic)
        || Pcapng::recognises(*magic)
        || is_compressed
        || matches!(unrecognised(*magic), CaptureErrorKind::Compressed { .. })
        || mrt::recognises(octets)
}

impl<R: Read> Opened<R> {
    /// Finds out what `inner`, which errors call `name`, is.
    pub(super) fn new(name: impl Into<String>, inner: R) -> Result<Self, CaptureError> {
        let mut source = Source::new(name, inner);
        let mut available = source.fill(4)?;
        for _ in 0..MAX_COMPRESSED {
            if !source.decompress() {
                break;
            }
            available = source.fill(4)?;
        }
        if available < 4 {
            let octets = source.peek(available).to_vec();
            return Err(source.error(0, CaptureErrorKind::NotACapture(octets)));
        }
        let magic = source.array(0);
        let format = if Pcapng::recognises(magic) {
            Format::Pcapng(Pcapng::new())
        } else if Pcap::recognises(magic) {
            Format::Pcap(Pcap::open(&mut source)?)
        } else {
            let available = source.fill(12)?;
            if mrt::recognises(source.peek(available.min(12))) {
                return Ok(Self::Records(Mrt::new(source)));
            }
            return Err(source.error(0, unrecognised(magic)));
        };
        Ok(Self::Packets(Reader { source, format }))
    }
}

impl<R: Read> Reader<R> {
    /// Reads the packets of the capture `inner`, which errors call `name`.
    ///
    /// # Errors
    /// It is no pcap or pcapng file.
    pub fn new(name: impl Into<String>, inner: R) -> Result<Self, CaptureError> {
        match Opened::new(name, inner)? {
            Opened::Packets(reader) => Ok(reader),
            Opened::Records(mrt) => Err(mrt.no_packets()),
        }
    }

    /// The next packet, `None` at the end of the file.
    ///
    /// # Errors
    /// The file is malformed or cut short here; what was read before it stands.
    #[inline]
    pub fn packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let record = match &mut self.format {
            Format::Pcap(pcap) => pcap.advance(&mut self.source)?,
            Format::Pcapng(pcapng) => pcapng.advance(&mut self.source)?,
        };
        Ok(record.map(|record| Packet {
            time: record.time,
            link: record.link,
            octets: self.source.behind(record.trailer, record.captured),
            original: record.original,
            offset: record.offset,
        }))
    }

    /// Octets of the file read so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.source.offset()
    }
}

fn unrecognised(magic: [u8; 4]) -> CaptureErrorKind {
    let program = match magic {
        [0xfd, b'7', b'z', b'X'] => "xz",
        [b'B', b'Z', b'h', _] => "bzip2",
        _ => return CaptureErrorKind::NotACapture(magic.to_vec()),
    };
    CaptureErrorKind::Compressed { program }
}
