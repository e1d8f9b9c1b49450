//! What one side has of a stream and the other not yet.

use std::collections::VecDeque;

use super::item::{ComparedItem, ComparedItemKind};

/// Octets at the front of the arena that are worth moving the rest for.
const SLACK: usize = 256 * 1024;
/// What an entry costs beside its octets.
const OVERHEAD: usize = size_of::<Waiting>();

#[derive(Debug, Clone, Copy)]
struct Waiting {
    kind: ComparedItemKind,
    offset: u64,
    time: u64,
    length: usize,
}

/// A queue of entries whose octets lie in one arena.
#[derive(Debug, Default)]
pub(super) struct PendingItems {
    waiting: VecDeque<Waiting>,
    arena: Vec<u8>,
    head: usize,
    /// Entries that have left.
    passed: u64,
}

impl PendingItems {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Octets held.
    pub(super) fn size(&self) -> usize {
        self.arena.len() - self.head + self.waiting.len() * OVERHEAD
    }

    /// Adds an entry and gives what it costs.
    #[inline]
    pub(super) fn push(
        &mut self,
        kind: ComparedItemKind,
        offset: u64,
        time: u64,
        octets: &[u8],
    ) -> usize {
        self.waiting.push_back(Waiting {
            kind,
            offset,
            time,
            length: octets.len(),
        });
        self.arena.extend_from_slice(octets);
        octets.len() + OVERHEAD
    }

    /// Time of the first entry, if it is this one.
    #[inline]
    pub(super) fn first_if(&self, kind: ComparedItemKind, octets: &[u8]) -> Option<u64> {
        let first = self.waiting.front()?;
        let same = first.length == octets.len()
            && first.kind == kind
            && self.arena[self.head..self.head + first.length] == *octets;
        same.then_some(first.time)
    }

    /// Drops the first entry and gives what it cost.
    #[inline]
    pub(super) fn pop(&mut self) -> usize {
        let Some(first) = self.waiting.pop_front() else {
            return 0;
        };
        self.passed += 1;
        self.head += first.length;
        if self.waiting.is_empty() {
            self.arena.clear();
            self.head = 0;
        } else if self.head > SLACK && self.head > self.arena.len() / 2 {
            self.arena.drain(..self.head);
            self.head = 0;
        }
        first.length + OVERHEAD
    }

    /// An entry passed without ever waiting.
    #[inline]
    pub(super) const fn pass(&mut self) {
        self.passed += 1;
    }

    /// Number of the next entry to leave.
    pub(super) const fn next_index(&self) -> u64 {
        self.passed
    }

    /// The first `count` entries, which stay. `opened` is when the connection was opened.
    pub(super) fn entries(&self, count: usize, opened: u64) -> Vec<ComparedItem> {
        let mut at = self.head;
        self.waiting
            .iter()
            .take(count)
            .zip(self.passed..)
            .map(|(waiting, index)| {
                let octets = self.arena[at..at + waiting.length].to_vec();
                at += waiting.length;
                ComparedItem {
                    index,
                    offset: waiting.offset,
                    time: waiting.time,
                    since_open: waiting.time.saturating_sub(opened),
                    kind: waiting.kind,
                    octets,
                }
            })
            .collect()
    }

    /// Forgets all and begins anew.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
