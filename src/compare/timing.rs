//! Equal messages at other times.

use std::time::Duration;

use super::comparison::Comparison;
use super::difference::Class;
use super::item::{ComparedItem, ComparedItemKind};
use super::side::Side;
use crate::capture::{CaptureEvent, EventKind};

/// KEEPALIVEs whose time waits for the other side's.
const BEATS: usize = 4_096;

impl Comparison {
    /// A KEEPALIVE: only its time matters, against that of the other side's in the same place. One that has
    /// none there is no difference.
    pub(super) fn beat(&mut self, side: Side, event: &CaptureEvent<'_>) {
        let Some(tolerance) = self.options.timing else {
            return;
        };
        let Some(index) = self.stream(side, event.connection, event.direction) else {
            return;
        };
        let stream = &mut self.streams[index];
        let since_open = event.time.saturating_sub(event.connection.opened);
        let Some(other) = stream.beats[side.opposite().index()].pop_front() else {
            let beats = &mut stream.beats[side.index()];
            if beats.len() < BEATS {
                beats.push_back(since_open);
            }
            return;
        };
        if Duration::from_nanos(other.abs_diff(since_open)) <= tolerance {
            return;
        }
        let EventKind::Message { octets, offset } = event.kind else {
            return;
        };
        let entry = |since_open: u64| ComparedItem {
            index: stream.pending[side.index()].next_index(),
            offset,
            time: event.connection.opened + since_open,
            since_open,
            kind: ComparedItemKind::Message,
            octets: octets.to_vec(),
        };
        let (mut left, mut right) = (entry(other), entry(since_open));
        if side == Side::Left {
            std::mem::swap(&mut left, &mut right);
        }
        self.add(index, Class::Timing, vec![left], vec![right]);
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of an entry that was never built"
    )]
    pub(super) fn compare_time(
        &mut self,
        side: Side,
        event: &CaptureEvent<'_>,
        other_time: u64,
        index: u64,
        kind: ComparedItemKind,
        octets: &[u8],
        offset: u64,
    ) {
        let Some(stream) = self.stream(side, event.connection, event.direction) else {
            return;
        };
        let other = side.opposite();
        let entry = |time: u64, opened: u64| ComparedItem {
            index,
            offset,
            time,
            since_open: time.saturating_sub(opened),
            kind,
            octets: octets.to_vec(),
        };
        let other_opened = self.streams[stream].opened[other.index()];
        let since_open = event.time.saturating_sub(event.connection.opened);
        if self.is_late(since_open, other_time.saturating_sub(other_opened)) {
            let own = entry(event.time, event.connection.opened);
            let other = entry(other_time, other_opened);
            let (left, right) = if side == Side::Left {
                (own, other)
            } else {
                (other, own)
            };
            self.add(stream, Class::Timing, vec![left], vec![right]);
        }
    }

    pub(super) fn is_late(&self, one: u64, other: u64) -> bool {
        self.options
            .timing
            .is_some_and(|tolerance| Duration::from_nanos(one.abs_diff(other)) > tolerance)
    }
}
