//! The pcapng format (draft-ietf-opsawg-pcapng).
//!
//! ```text
//! block: type(4) total length(4) body total length(4)
//! ```
//!
//! A section header sets the byte order of what follows and forgets the interfaces before it.

use std::io::Read;

use super::error::{CaptureError, CaptureErrorKind};
use super::link_type::LinkType;
use super::packet::{Record, record_limit};
use super::source::Source;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 0x0000_0001;
const OBSOLETE_PACKET: u32 = 0x0000_0002;
const SIMPLE_PACKET: u32 = 0x0000_0003;
const ENHANCED_PACKET: u32 = 0x0000_0006;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

const OPTION_TSRESOL: u16 = 9;
const OPTION_TSOFFSET: u16 = 14;

/// Octets of a block around its body.
const FRAME: usize = 12;
/// More than any capture has; a bound on what a hostile file can make us hold.
const MAX_INTERFACES: usize = 65_536;
/// Packet octets, options and fixed fields of one block.
const MAX_OPTIONS: usize = 1024 * 1024;

/// One interface of the present section.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    snap_length: u32,
    /// Ticks of a timestamp in one second.
    ticks: u64,
    /// Seconds to add to every timestamp.
    offset: i64,
}

/// A pcapng file.
#[derive(Debug)]
pub(super) struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
    last_time: u64,
}

impl Pcapng {
    /// Whether a file that begins with `magic` is pcapng.
    pub(super) const fn recognises(magic: [u8; 4]) -> bool {
        u32::from_be_bytes(magic) == SECTION_HEADER
    }

    pub(super) const fn new() -> Self {
        Self {
            big_endian: false,
            interfaces: Vec::new(),
            last_time: 0,
        }
    }

    pub(super) fn advance<R: Read>(
        &mut self,
        source: &mut Source<R>,
    ) -> Result<Option<Record>, CaptureError> {
        loop {
            if source.fill(8)? == 0 {
                return Ok(None);
            }
            source.need(8, "pcapng block header")?;
            // The type of a section header reads the same in both byte orders, so that the order need not be known.
            if u32::from_be_bytes(source.array(0)) == SECTION_HEADER {
                self.section(source)?;
                continue;
            }
            let kind = self.word(source.array(0));
            let total = self.word(source.array(4));
            if total < FRAME as u32 || !total.is_multiple_of(4) {
                return Err(block(
                    source,
                    name(kind),
                    format!(
                        "its length is {total}, which must be a multiple of 4 and at least {FRAME}"
                    ),
                ));
            }
            match kind {
                INTERFACE_DESCRIPTION => self.interface(source, total)?,
                ENHANCED_PACKET | SIMPLE_PACKET | OBSOLETE_PACKET => {
                    if let Some(record) = self.packet(source, kind, total as usize)? {
                        return Ok(Some(record));
                    }
                }
                _ => {
                    source.skip(u64::from(total) - 4, "pcapng block")?;
                    source.need(4, "pcapng block")?;
                    self.trailer(source, 0, name(kind), total)?;
                    source.consume(4);
                }
            }
        }
    }

    fn section<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), CaptureError> {
        const NAME: &str = "section header block";
        source.need(28, NAME)?;
        let magic = source.array(8);
        self.big_endian = match (u32::from_be_bytes(magic), u32::from_le_bytes(magic)) {
            (BYTE_ORDER_MAGIC, _) => true,
            (_, BYTE_ORDER_MAGIC) => false,
            (other, _) => {
                return Err(block(
                    source,
                    NAME,
                    format!(
                        "its byte-order magic is {other:08x}, which must be 1a2b3c4d or 4d3c2b1a"
                    ),
                ));
            }
        };
        let total = self.word(source.array(4));
        if total < 28 || !total.is_multiple_of(4) {
            return Err(block(
                source,
                NAME,
                format!("its length is {total}, which must be a multiple of 4 and at least 28"),
            ));
        }
        let major = self.half(source.array(12));
        if major != 1 {
            return Err(block(
                source,
                NAME,
                format!("its version is {major}, which must be 1"),
            ));
        }
        self.interfaces.clear();
        source.skip(u64::from(total) - 4, NAME)?;
        source.need(4, NAME)?;
        self.trailer(source, 0, NAME, total)?;
        source.consume(4);
        Ok(())
    }

    fn interface<R: Read>(
        &mut self,
        source: &mut Source<R>,
        total: u32,
    ) -> Result<(), CaptureError> {
        const NAME: &str = "interface description block";
        let length = total as usize;
        if !(20..=MAX_OPTIONS).contains(&length) {
            return Err(block(
                source,
                NAME,
                format!("its length is {total}, which must be from 20 to {MAX_OPTIONS}"),
            ));
        }
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(block(
                source,
                NAME,
                format!("more than {MAX_INTERFACES} interfaces"),
            ));
        }
        source.need(length, NAME)?;
        self.trailer(source, length - 4, NAME, total)?;
        let mut interface = Interface {
            link: LinkType(self.half(source.array(8))),
            snap_length: self.word(source.array(12)),
            ticks: 1_000_000,
            offset: 0,
        };
        let mut options = &source.peek(length - 4)[16..];
        while let Some((code, value, rest)) = self.option(options) {
            match (code, value) {
                (OPTION_TSRESOL, [resolution, ..]) => {
                    let Some(ticks) = ticks_per_second(*resolution) else {
                        let wrong =
                            format!("if_tsresol {resolution:#04x} is finer than 64 bits can count");
                        return Err(block(source, NAME, wrong));
                    };
                    interface.ticks = ticks;
                }
                (OPTION_TSOFFSET, value) => {
                    if let Some(value) = value.first_chunk::<8>() {
                        interface.offset = if self.big_endian {
                            i64::from_be_bytes(*value)
                        } else {
                            i64::from_le_bytes(*value)
                        };
                    }
                }
                _ => {}
            }
            options = rest;
        }
        self.interfaces.push(interface);
        source.consume(length);
        Ok(())
    }

    /// The code, value and remainder of the first of `options`; `None` at their end, or where they are cut short.
    fn option<'a>(&self, options: &'a [u8]) -> Option<(u16, &'a [u8], &'a [u8])> {
        let (header, rest) = options.split_first_chunk::<4>()?;
        let code = self.half([header[0], header[1]]);
        let length = usize::from(self.half([header[2], header[3]]));
        if code == 0 {
            return None;
        }
        let value = rest.get(..length)?;
        let rest = rest.get(length.next_multiple_of(4)..)?;
        Some((code, value, rest))
    }

    fn packet<R: Read>(
        &mut self,
        source: &mut Source<R>,
        kind: u32,
        length: usize,
    ) -> Result<Option<Record>, CaptureError> {
        let what = name(kind);
        let fixed = if kind == SIMPLE_PACKET { 12 } else { 28 };
        if length < fixed + 4 {
            let wrong = format!(
                "its length is {length}, which must be at least {}",
                fixed + 4
            );
            return Err(block(source, what, wrong));
        }
        source.need(fixed, what)?;
        let index = match kind {
            ENHANCED_PACKET => self.word(source.array(8)) as usize,
            OBSOLETE_PACKET => usize::from(self.half(source.array(8))),
            _ => 0,
        };
        let Some(interface) = self.interfaces.get(index).copied() else {
            let wrong = format!(
                "it is of interface {index}, and the section has described {} so far",
                self.interfaces.len()
            );
            return Err(block(source, what, wrong));
        };
        let limit = record_limit(interface.snap_length);
        let (captured, original) = if kind == SIMPLE_PACKET {
            let original = self.word(source.array(8));
            let snapped = match interface.snap_length {
                0 => original,
                snap_length => original.min(snap_length),
            };
            ((snapped as usize).min(length - fixed - 4), original)
        } else {
            (
                self.word(source.array(20)) as usize,
                self.word(source.array(24)),
            )
        };
        if captured > limit || length > limit + MAX_OPTIONS {
            return Err(source.error(
                0,
                CaptureErrorKind::RecordTooLong {
                    length: captured.max(length) as u64,
                    limit: limit as u64,
                },
            ));
        }
        if fixed + captured.next_multiple_of(4) + 4 > length {
            let wrong = format!("it holds {captured} octets of packet in a block of {length}");
            return Err(block(source, what, wrong));
        }
        source.need(length, what)?;
        self.trailer(source, length - 4, what, length as u32)?;
        if kind != SIMPLE_PACKET {
            let high = u64::from(self.word(source.array(12)));
            let low = u64::from(self.word(source.array(16)));
            self.last_time = nanoseconds(high << 32 | low, &interface);
        }
        let offset = source.offset();
        source.consume(length);
        Ok(Some(Record {
            time: self.last_time,
            link: interface.link,
            captured,
            trailer: length - fixed - captured,
            original,
            offset,
        }))
    }

    /// The length at the end of a block must be that at its start.
    fn trailer<R: Read>(
        &self,
        source: &Source<R>,
        at: usize,
        what: &'static str,
        total: u32,
    ) -> Result<(), CaptureError> {
        let trailer = self.word(source.array(at));
        if trailer == total {
            return Ok(());
        }
        let wrong = format!(
            "its length is {total} at its start and {trailer} at its end; they must be equal"
        );
        Err(block(source, what, wrong))
    }

    #[inline]
    const fn word(&self, bytes: [u8; 4]) -> u32 {
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    #[inline]
    const fn half(&self, bytes: [u8; 2]) -> u16 {
        if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }
}

fn block<R: Read>(source: &Source<R>, block: &'static str, wrong: String) -> CaptureError {
    source.error(0, CaptureErrorKind::Block { block, wrong })
}

const fn name(kind: u32) -> &'static str {
    match kind {
        SECTION_HEADER => "section header block",
        INTERFACE_DESCRIPTION => "interface description block",
        OBSOLETE_PACKET => "packet block",
        SIMPLE_PACKET => "simple packet block",
        ENHANCED_PACKET => "enhanced packet block",
        _ => "pcapng block",
    }
}

/// `if_tsresol`: a power of ten, or of two where the top bit is set.
fn ticks_per_second(resolution: u8) -> Option<u64> {
    let exponent = u32::from(resolution & 0x7f);
    if resolution & 0x80 == 0 {
        10_u64.checked_pow(exponent)
    } else {
        1_u64.checked_shl(exponent)
    }
}

#[inline]
fn nanoseconds(ticks: u64, interface: &Interface) -> u64 {
    let time = match interface.ticks {
        1_000_000 => ticks.saturating_mul(1_000),
        1_000_000_000 => ticks,
        rate => {
            u64::try_from(u128::from(ticks) * 1_000_000_000 / u128::from(rate)).unwrap_or(u64::MAX)
        }
    };
    let offset = interface
        .offset
        .unsigned_abs()
        .saturating_mul(1_000_000_000);
    if interface.offset < 0 {
        time.saturating_sub(offset)
    } else {
        time.saturating_add(offset)
    }
}
