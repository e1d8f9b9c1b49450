//! What waits on both sides is aligned, classified and told.

use super::align::{Read, align};
use super::classify::{Found, classify};
use super::comparison::{Comparison, WINDOW};
use super::difference::{Class, Difference};
use super::item::ComparedItem;
use super::side::Side;
use super::stream::CONTEXT;

impl Comparison {
    pub(super) fn resolve_if_ready(&mut self, index: usize) {
        let stream = &self.streams[index];
        let waiting = |side: Side| stream.pending[side.index()].len();
        // Ended sides bring nothing more; a window is then as full as it gets.
        let full = |side: Side| waiting(side) >= WINDOW || self.ended[side.index()];
        if full(Side::Left) && full(Side::Right) {
            self.resolve(index, false);
        }
    }

    /// Aligns and classifies what waits in a stream. Unless it is the `last` of it, the end is left for later.
    pub(super) fn resolve(&mut self, index: usize, last: bool) {
        let contexts = Side::BOTH.map(|side| self.context(index, side));
        let [left, right] = Side::BOTH.map(|side| {
            let opened = self.streams[index].opened[side.index()];
            let entries = self.streams[index].pending[side.index()].entries(WINDOW * 2, opened);
            let context = &contexts[side.index()];
            entries
                .into_iter()
                .map(|entry| Read::of(entry, context))
                .collect::<Vec<_>>()
        });
        let whole = Side::BOTH.map(|side| {
            let pending = &self.streams[index].pending[side.index()];
            pending.len() <= WINDOW * 2 && (last || self.ended[side.index()])
        });
        let alignment = align(&left, &right, self.options.canonical, whole == [true, true]);
        let lone = Side::BOTH.map(|side| self.streams[index].connections[side.index()].is_none());
        if lone == [false, false] {
            let (found, equivalent) = classify(&left, &right, &alignment, self.options.canonical);
            let findings = &mut self.streams[index].found;
            findings.equivalent += equivalent;
            findings.matched += alignment.same.len() as u64;
            self.tell(index, &left, &right, &alignment.same, found);
        } else {
            self.tell_lone(index, left, right);
        }
        let decided = [alignment.decided.0, alignment.decided.1];
        let stream = &mut self.streams[index];
        for side in Side::BOTH {
            for _ in 0..decided[side.index()] {
                self.held[side.index()] -= stream.pending[side.index()].pop();
            }
        }
        self.rejoin(index);
    }

    /// Passes what the two sides have in common again after a difference.
    fn rejoin(&mut self, index: usize) {
        let opened = Side::BOTH.map(|side| self.streams[index].opened[side.index()]);
        loop {
            let stream = &mut self.streams[index];
            let heads = [0, 1].map(|side| stream.pending[side].entries(1, opened[side]).pop());
            let [Some(left), Some(right)] = heads else {
                stream.parted = false;
                return;
            };
            if !left.is_same(&right) {
                stream.parted = true;
                return;
            }
            for side in [0, 1] {
                self.held[side] -= stream.pending[side].pop();
            }
            stream.found.matched += 1;
            self.agree(index, &left, &right);
        }
    }

    /// Tells what differs and, where asked, what merely came at another time, in order.
    fn tell(
        &mut self,
        index: usize,
        left: &[Read],
        right: &[Read],
        same: &[(usize, usize)],
        found: Vec<Found>,
    ) {
        let mut same = same.iter().copied().peekable();
        for one in found {
            let (until_left, until_right) = (one.left.first(), one.right.first());
            let before = |&(a, b): &(usize, usize)| {
                until_left.is_some_and(|until| a < *until)
                    || until_right.is_some_and(|until| b < *until)
            };
            while let Some((a, b)) = same.next_if(before) {
                self.agree(index, &left[a].entry, &right[b].entry);
            }
            let entries = |indices: &[usize], reads: &[Read]| -> Vec<ComparedItem> {
                indices
                    .iter()
                    .map(|index| reads[*index].entry.clone())
                    .collect()
            };
            self.add(
                index,
                one.class,
                entries(&one.left, left),
                entries(&one.right, right),
            );
        }
        for (a, b) in same {
            self.agree(index, &left[a].entry, &right[b].entry);
        }
    }

    fn agree(&mut self, index: usize, left: &ComparedItem, right: &ComparedItem) {
        if !left.is_same(right) {
            self.streams[index].found.equivalent += 1;
        }
        if self.is_late(left.since_open, right.since_open) {
            self.add(
                index,
                Class::Timing,
                vec![left.clone()],
                vec![right.clone()],
            );
        }
        let recent = &mut self.streams[index].recent;
        if recent.len() == CONTEXT {
            recent.pop_front();
        }
        recent.push_back(left.clone());
    }

    /// Only one side has the connection: one difference for each stream of it, however long.
    fn tell_lone(&mut self, index: usize, left: Vec<Read>, right: Vec<Read>) {
        let (class, reads) = if right.is_empty() {
            (Class::ConnectionMissing, left)
        } else {
            (Class::ConnectionExtra, right)
        };
        let count = reads.len() as u64;
        if let Some(known) = self.streams[index].found.differences.first_mut() {
            known.messages += count;
            return;
        }
        let entries: Vec<ComparedItem> = reads
            .into_iter()
            .take(CONTEXT)
            .map(|read| read.entry)
            .collect();
        let (left, right) = if class == Class::ConnectionMissing {
            (entries, vec![])
        } else {
            (vec![], entries)
        };
        self.add(index, class, left, right);
        if let Some(added) = self.streams[index].found.differences.first_mut() {
            added.messages = count;
        }
    }

    pub(super) fn add(
        &mut self,
        index: usize,
        class: Class,
        left: Vec<ComparedItem>,
        right: Vec<ComparedItem>,
    ) {
        let findings = &mut self.streams[index].found;
        *findings.counts.entry(class).or_insert(0) += 1;
        if findings.differences.len() >= self.options.keep.max(1) {
            return;
        }
        let contexts = Side::BOTH.map(|side| self.context(index, side));
        let opened = self.opened_on_left(index);
        let stream = &mut self.streams[index];
        let before = left.first().or_else(|| stream.recent.back());
        let last = stream.found.differences.last().map_or(0, |last| last.at);
        stream.found.differences.push(Difference {
            stream: stream.id,
            at: before.map_or(opened, |entry| entry.time).max(last),
            class,
            messages: (left.len().max(right.len())) as u64,
            left,
            right,
            context: stream.recent.iter().cloned().collect(),
            contexts,
        });
    }
}
