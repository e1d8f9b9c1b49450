//! IP fragments, put together in bounded memory (RFC 791 section 3.2, RFC 8200 section 4.5).

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use etherparse::defrag::IpDefragBuf;
use etherparse::{IpFragOffset, IpNumber};

use super::tally::Skipped;

/// Packets in pieces that are remembered at once, of at most 64 KiB each.
const MAX_PACKETS: usize = 256;
/// Fragments of one packet: one that is in more pieces was made to keep us busy.
const MAX_FRAGMENTS: u32 = 1_024;
/// Nanoseconds after which the rest of a packet is not expected any more (Linux: 30 s).
const TIMEOUT: u64 = 30_000_000_000;

/// Which packet a fragment is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PacketId {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) identification: u32,
    pub(super) protocol: u8,
}

/// A fragment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub(super) of: PacketId,
    /// In units of eight octets.
    pub(super) offset: u16,
    pub(super) more: bool,
    pub(super) payload: &'a [u8],
}

#[derive(Debug)]
struct Pieces {
    buffer: IpDefragBuf,
    fragments: u32,
    begun: u64,
}

/// Packets of which some fragments are still to come.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    waiting: BTreeMap<PacketId, Pieces>,
    /// In the order in which they were begun.
    order: VecDeque<PacketId>,
    /// Fragments of packets that were given up.
    pub(super) incomplete: u64,
    /// Fragments of packets that were put together.
    pub(super) complete: u64,
}

impl Fragments {
    /// Takes a fragment, and gives the payload of its packet where that is whole now.
    pub(super) fn take(
        &mut self,
        time: u64,
        fragment: &Fragment<'_>,
    ) -> Result<Option<Vec<u8>>, Skipped> {
        self.expire(time);
        let offset = IpFragOffset::try_new(fragment.offset).map_err(|_| Skipped::Malformed)?;
        if !self.waiting.contains_key(&fragment.of) {
            while self.waiting.len() >= MAX_PACKETS {
                self.give_up_oldest();
            }
            self.order.push_back(fragment.of);
        }
        let pieces = self.waiting.entry(fragment.of).or_insert_with(|| Pieces {
            buffer: IpDefragBuf::new(IpNumber(fragment.of.protocol), Vec::new(), Vec::new()),
            fragments: 0,
            begun: time,
        });
        pieces.fragments += 1;
        let added = pieces.buffer.add(offset, fragment.more, fragment.payload);
        if added.is_err() || pieces.fragments > MAX_FRAGMENTS {
            self.forget(&fragment.of);
            return Err(Skipped::Malformed);
        }
        if !pieces.buffer.is_complete() {
            return Ok(None);
        }
        let Some(pieces) = self.waiting.remove(&fragment.of) else {
            return Ok(None);
        };
        self.order.retain(|of| *of != fragment.of);
        self.complete += u64::from(pieces.fragments);
        Ok(Some(pieces.buffer.take_bufs().0))
    }

    fn expire(&mut self, time: u64) {
        while let Some(pieces) = self.order.front().and_then(|of| self.waiting.get(of))
            && time.saturating_sub(pieces.begun) > TIMEOUT
        {
            self.give_up_oldest();
        }
    }

    fn give_up_oldest(&mut self) {
        if let Some(oldest) = self.order.front().copied() {
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, of: &PacketId) {
        self.order.retain(|waiting| waiting != of);
        if let Some(pieces) = self.waiting.remove(of) {
            self.incomplete += u64::from(pieces.fragments);
        }
    }

    /// No more fragments come.
    pub(super) fn finish(&mut self) {
        while !self.order.is_empty() {
            self.give_up_oldest();
        }
    }
}
