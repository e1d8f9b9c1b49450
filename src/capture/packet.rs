//! A packet of a capture file.

use super::link_type::LinkType;

/// One packet as it was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Nanoseconds since 1970.
    pub time: u64,
    /// How its octets begin.
    pub link: LinkType,
    /// What was captured of it.
    pub octets: &'a [u8],
    /// Its length on the wire, which a snap length may have cut.
    pub original: u32,
    /// Offset of its record in the file.
    pub offset: u64,
}

/// Where in the source's buffer a packet lies that was just stepped over.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) time: u64,
    pub(super) link: LinkType,
    pub(super) captured: usize,
    /// Octets of the record after the packet.
    pub(super) trailer: usize,
    pub(super) original: u32,
    pub(super) offset: u64,
}

/// The largest snap length that tcpdump and Wireshark use.
const USUAL_LIMIT: u32 = 262_144;
/// The most that a record may have, whatever the snap length promises.
const HARD_LIMIT: u32 = 16 * 1024 * 1024;

/// The longest record to accept under `snap_length`: some writers state one that is too small, or none.
pub(super) fn record_limit(snap_length: u32) -> usize {
    snap_length.clamp(USUAL_LIMIT, HARD_LIMIT) as usize
}
