//! The classic pcap format (draft-ietf-opsawg-pcap).
//!
//! ```text
//! file:   magic(4) major(2) minor(2) reserved(8) snap length(4) link type(4)
//! record: seconds(4) fraction(4) captured length(4) original length(4) octets
//! ```

use std::io::Read;

use super::error::{CaptureError, CaptureErrorKind};
use super::link_type::LinkType;
use super::packet::{Record, record_limit};
use super::source::Source;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;

/// A pcap file past its header.
#[derive(Debug)]
pub(super) struct Pcap {
    big_endian: bool,
    nanoseconds: bool,
    limit: usize,
    link: LinkType,
}

impl Pcap {
    /// Whether a file that begins with `magic` is pcap.
    pub(super) fn recognises(magic: [u8; 4]) -> bool {
        byte_order(magic).is_some()
    }

    pub(super) fn open<R: Read>(source: &mut Source<R>) -> Result<Self, CaptureError> {
        source.need(FILE_HEADER, "pcap file header")?;
        let magic = source.array(0);
        let Some((big_endian, nanoseconds)) = byte_order(magic) else {
            return Err(source.error(0, CaptureErrorKind::NotACapture(magic.to_vec())));
        };
        let word = |bytes| word(big_endian, bytes);
        let snap_length = word(source.array(16));
        // The upper half holds the length of the frame check sequence.
        let link = (word(source.array(20)) & 0xffff) as u16;
        source.consume(FILE_HEADER);
        Ok(Self {
            big_endian,
            nanoseconds,
            limit: record_limit(snap_length),
            link: LinkType(link),
        })
    }

    #[inline]
    pub(super) fn advance<R: Read>(
        &self,
        source: &mut Source<R>,
    ) -> Result<Option<Record>, CaptureError> {
        if source.fill(RECORD_HEADER)? == 0 {
            return Ok(None);
        }
        source.need(RECORD_HEADER, "pcap record header")?;
        let word = |bytes| word(self.big_endian, bytes);
        let seconds = word(source.array(0));
        let fraction = word(source.array(4));
        let captured = word(source.array(8)) as usize;
        let original = word(source.array(12));
        if captured > self.limit {
            return Err(source.error(
                0,
                CaptureErrorKind::RecordTooLong {
                    length: captured as u64,
                    limit: self.limit as u64,
                },
            ));
        }
        source.need(RECORD_HEADER + captured, "pcap record")?;
        let offset = source.offset();
        source.consume(RECORD_HEADER + captured);
        let scale = if self.nanoseconds { 1 } else { 1_000 };
        Ok(Some(Record {
            time: u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * scale,
            link: self.link,
            captured,
            trailer: 0,
            original,
            offset,
        }))
    }
}

fn byte_order(magic: [u8; 4]) -> Option<(bool, bool)> {
    match (u32::from_be_bytes(magic), u32::from_le_bytes(magic)) {
        (MICROSECONDS, _) => Some((true, false)),
        (NANOSECONDS, _) => Some((true, true)),
        (_, MICROSECONDS) => Some((false, false)),
        (_, NANOSECONDS) => Some((false, true)),
        _ => None,
    }
}

#[inline]
const fn word(big_endian: bool, bytes: [u8; 4]) -> u32 {
    if big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    }
}
