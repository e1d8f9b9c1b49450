//! One direction of one connection, on both sides of a comparison.

use std::collections::{BTreeMap, VecDeque};

use super::difference::{Class, Difference};
use super::item::{ComparedItem, ComparedItemKind};
use super::pending::PendingItems;
use super::side::Side;
use crate::capture::{StreamDirection, StreamId};

/// Equal entries shown before a difference.
pub(super) const CONTEXT: usize = 3;

/// A stream among those of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StreamKey {
    /// The side that alone has it, where its name may be that of another stream of the other side.
    pub(super) lone: Option<Side>,
    /// Its name on the left, if the left has it.
    pub(super) id: StreamId,
}

/// One direction of one connection on both sides.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) key: StreamKey,
    pub(super) id: StreamId,
    /// The right's connection was opened by the other end.
    pub(super) swapped: bool,
    /// Messages of either side still to come that are from before the other's capture.
    pub(super) skip: [u64; 2],
    /// Which side's capture begins mid-session.
    pub(super) late: [bool; 2],
    pub(super) pending: [PendingItems; 2],
    /// Number of its connection on either side, which that side has.
    pub(super) connections: [Option<usize>; 2],
    /// When it was opened on either side, in nanoseconds since 1970.
    pub(super) opened: [u64; 2],
    /// The two have parted and wait for enough to be aligned.
    pub(super) parted: bool,
    /// Put off to another reading.
    pub(super) deferred: bool,
    pub(super) recent: VecDeque<ComparedItem>,
    pub(super) beats: [VecDeque<u64>; 2],
    pub(super) found: Findings,
}

/// What was found in one stream: it goes if the stream has to be read again.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) matched: u64,
    pub(super) equivalent: u64,
    pub(super) counts: BTreeMap<Class, u64>,
    pub(super) differences: Vec<Difference>,
}

/// A connection of one side.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) streams: [Option<usize>; 2],
}

impl Stream {
    pub(super) fn new(key: StreamKey) -> Self {
        Self {
            key,
            id: key.id,
            swapped: false,
            skip: [0; 2],
            late: [false; 2],
            pending: Default::default(),
            connections: [None; 2],
            opened: [0; 2],
            parted: false,
            deferred: false,
            recent: VecDeque::with_capacity(CONTEXT),
            beats: Default::default(),
            found: Findings::default(),
        }
    }

    /// Which direction it is on `side`.
    pub(super) const fn direction(&self, side: Side) -> StreamDirection {
        match side {
            Side::Right if self.swapped => self.id.direction.opposite(),
            _ => self.id.direction,
        }
    }

    /// Whether the side opposite `side` has nothing more to say.
    pub(super) fn is_alone(&self, ended: &[bool; 2], side: Side) -> bool {
        ended[side.opposite().index()]
    }

    /// Keeps the last few entries that both have, as the left has them, in buffers used again and again.
    #[inline]
    pub(super) fn remember(
        &mut self,
        index: u64,
        offset: u64,
        time: u64,
        kind: ComparedItemKind,
        octets: &[u8],
    ) {
        let mut buffer = if self.recent.len() == CONTEXT {
            self.recent
                .pop_front()
                .map(|entry| entry.octets)
                .unwrap_or_default()
        } else {
            Vec::new()
        };
        buffer.clear();
        buffer.extend_from_slice(octets);
        self.recent.push_back(ComparedItem {
            index,
            offset,
            time,
            since_open: time.saturating_sub(self.opened[0]),
            kind,
            octets: buffer,
        });
    }
}
