//! Two short runs of entries, aligned: what both have, and the hunks between.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::item::{ComparedItem, ComparedItemKind};
use super::meaning::Meaning;
use crate::bgp::attribute::WireContext;
use crate::bgp::iana::MessageType;

/// What makes an entry the same as another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key<'e> {
    /// Equal only octet by octet.
    Exact(ComparedItemKind, &'e [u8]),
    /// Equal where the same routes are announced or withdrawn.
    Routes(&'e Meaning),
}

/// An entry with what it means, where that is known.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) entry: ComparedItem,
    pub(super) meaning: Option<Meaning>,
}

impl Read {
    /// Reads `entry`: an UPDATE means its routes.
    pub(super) fn of(entry: ComparedItem, context: &WireContext) -> Self {
        let is_update = entry.message_type() == Some(MessageType::UPDATE.0);
        let meaning = is_update
            .then(|| Meaning::of(context, &entry.octets))
            .flatten();
        Self { entry, meaning }
    }

    fn key(&self, canonical: bool) -> Key<'_> {
        match &self.meaning {
            Some(meaning) if canonical => Key::Routes(meaning),
            _ => Key::Exact(self.entry.kind, &self.entry.octets),
        }
    }
}

/// A stretch in which the two sides differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) left: Range<usize>,
    pub(super) right: Range<usize>,
}

/// The alignment of two runs.
#[derive(Debug, Default)]
pub(super) struct Alignment {
    /// Indices of what is the same, left and right.
    pub(super) same: Vec<(usize, usize)>,
    /// What is not, in order.
    pub(super) hunks: Vec<Hunk>,
    /// How much of either run is decided.
    pub(super) decided: (usize, usize),
}

/// Aligns two runs. Unless they are the `last`, what comes after the last agreement is left undecided.
pub(super) fn align(left: &[Read], right: &[Read], canonical: bool, last: bool) -> Alignment {
    let keys = |side: &[Read]| -> Vec<u64> {
        // Hashes stand for the keys in the search; an agreement is checked below.
        side.iter().map(|read| hash(&read.key(canonical))).collect()
    };
    let operations = capture_diff_slices(Algorithm::Myers, &keys(left), &keys(right));
    let mut alignment = Alignment::default();
    let mut agreed = None;
    for operation in operations {
        match operation {
            DiffOp::Equal {
                old_index,
                new_index,
                len,
            } => {
                for step in 0..len {
                    let (a, b) = (old_index + step, new_index + step);
                    if left[a].key(canonical) == right[b].key(canonical) {
                        alignment.same.push((a, b));
                        agreed = Some((a + 1, b + 1, alignment.hunks.len()));
                    } else {
                        push(&mut alignment.hunks, a..a + 1, b..b + 1);
                    }
                }
            }
            DiffOp::Delete {
                old_index,
                old_len,
                new_index,
            } => {
                push(
                    &mut alignment.hunks,
                    old_index..old_index + old_len,
                    new_index..new_index,
                );
            }
            DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            } => {
                push(
                    &mut alignment.hunks,
                    old_index..old_index,
                    new_index..new_index + new_len,
                );
            }
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => push(
                &mut alignment.hunks,
                old_index..old_index + old_len,
                new_index..new_index + new_len,
            ),
        }
    }
    alignment.decided = (left.len(), right.len());
    if !last && let Some((a, b, hunks)) = agreed {
        alignment.hunks.truncate(hunks);
        alignment.decided = (a, b);
    }
    alignment
}

/// Adds a hunk, to the one before where they touch.
fn push(hunks: &mut Vec<Hunk>, left: Range<usize>, right: Range<usize>) {
    if let Some(before) = hunks.last_mut()
        && before.left.end == left.start
        && before.right.end == right.start
    {
        before.left.end = left.end;
        before.right.end = right.end;
        return;
    }
    hunks.push(Hunk { left, right });
}

fn hash(key: &Key<'_>) -> u64 {
    use std::hash::BuildHasher;
    crate::bgp::collections::FixedState::default().hash_one(key)
}
