//! A pcap file, packet by packet.

use std::io::{self, Write};
use std::time::Duration;

use super::link_type::LinkType;

/// The unit of the timestamps of a pcap file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// What every tool reads.
    Microseconds,
    /// What virtual time needs.
    Nanoseconds,
}

/// The snap length that tcpdump states.
const SNAP_LENGTH: u32 = 262_144;

/// Writes packets as pcap, in little-endian order.
#[derive(Debug)]
pub struct Writer<W> {
    inner: W,
    resolution: Resolution,
}

impl<W: Write> Writer<W> {
    /// Begins a file of packets that start as `link` says.
    ///
    /// # Errors
    /// Errors of `inner`.
    pub fn new(mut inner: W, link: LinkType, resolution: Resolution) -> io::Result<Self> {
        let magic: u32 = match resolution {
            Resolution::Microseconds => 0xa1b2_c3d4,
            Resolution::Nanoseconds => 0xa1b2_3c4d,
        };
        inner.write_all(&magic.to_le_bytes())?;
        inner.write_all(&2_u16.to_le_bytes())?;
        inner.write_all(&4_u16.to_le_bytes())?;
        inner.write_all(&[0; 8])?;
        inner.write_all(&SNAP_LENGTH.to_le_bytes())?;
        inner.write_all(&u32::from(link.0).to_le_bytes())?;
        Ok(Self { inner, resolution })
    }

    /// Writes a packet seen at `time` since 1970.
    ///
    /// # Errors
    /// What the file says; a time after the year 2106 or a packet longer than the snap length does not fit.
    pub fn packet(&mut self, time: Duration, octets: &[u8]) -> io::Result<()> {
        let length = u32::try_from(octets.len()).map_err(|_| unfit("length"))?;
        self.cut_packet(time, octets, length)
    }

    /// The same, of a packet of which the file holds the beginning: it had `original` octets.
    ///
    /// # Errors
    /// As for [`Self::packet`].
    pub fn cut_packet(&mut self, time: Duration, octets: &[u8], original: u32) -> io::Result<()> {
        let fraction = match self.resolution {
            Resolution::Microseconds => time.subsec_micros(),
            Resolution::Nanoseconds => time.subsec_nanos(),
        };
        let seconds = u32::try_from(time.as_secs()).map_err(|_| unfit("time"))?;
        let length = u32::try_from(octets.len())
            .ok()
            .filter(|length| *length <= SNAP_LENGTH)
            .ok_or_else(|| unfit("length"))?;
        for field in [seconds, fraction, length, original] {
            self.inner.write_all(&field.to_le_bytes())?;
        }
        self.inner.write_all(octets)
    }

    /// Writes out what is buffered and gives back what was written to.
    ///
    /// # Errors
    /// What the file says.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.flush()?;
        Ok(self.inner)
    }
}

fn unfit(field: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("the packet's {field} does not fit a pcap record"),
    )
}
