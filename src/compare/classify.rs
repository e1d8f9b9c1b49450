//! Hunks to differences: what became of each message.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use super::align::{Alignment, Read};
use super::difference::Class;
use super::item::{ComparedItem, ComparedItemKind};
use super::meaning::Routed;

/// A difference as indices into the two runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) class: Class,
    pub(super) left: Vec<usize>,
    pub(super) right: Vec<usize>,
}

/// What is left of a hunk.
#[derive(Debug)]
struct Open {
    left: Vec<usize>,
    right: Vec<usize>,
}

/// Says in what way the hunks of `alignment` differ, in their order.
///
/// Where meaning is compared, gives also how many messages merely look different.
pub(super) fn classify(
    left: &[Read],
    right: &[Read],
    alignment: &Alignment,
    canonical: bool,
) -> (Vec<Found>, u64) {
    let mut open: Vec<Open> = alignment
        .hunks
        .iter()
        .map(|hunk| Open {
            left: hunk.left.clone().collect(),
            right: hunk.right.clone().collect(),
        })
        .collect();
    let mut found = Vec::new();
    let mut equivalent = 0;
    if canonical {
        let (of_left, of_right) = alignment.decided;
        equivalent = settle(&left[..of_left], &right[..of_right], &mut open);
    }
    reordered(left, right, &mut open, &mut found);
    for open in &mut open {
        same_meaning(left, right, open, &mut found);
        packed(left, right, open, &mut found);
        other_value(left, right, open, &mut found);
        lost(left, right, open, &mut found);
        for index in open.left.drain(..) {
            found.push(Found {
                class: Class::Missing,
                left: vec![index],
                right: vec![],
            });
        }
        for index in open.right.drain(..) {
            found.push(Found {
                class: Class::Extra,
                left: vec![],
                right: vec![index],
            });
        }
    }
    found.sort_by_key(|one| place(one, left.len(), &alignment.same));
    (found, equivalent)
}

/// Where it stands: at its left side, what the right alone has before the next that both have. The clocks of the two
/// sides say nothing of each other.
fn place(found: &Found, end: usize, same: &[(usize, usize)]) -> (usize, bool, usize) {
    let right = found.right.first().copied().unwrap_or_default();
    let left = found.left.first().copied().unwrap_or_else(|| {
        let next = same.partition_point(|(_, b)| *b < right);
        same.get(next).map_or(end, |(a, _)| *a)
    });
    (left, !found.left.is_empty(), right)
}

/// Where the history of every route is the same on both sides, its UPDATEs merely look different: drops them.
fn settle(left: &[Read], right: &[Read], open: &mut [Open]) -> u64 {
    /// What is said of each route in turn, by what both have among the rest.
    fn histories(reads: &[Read]) -> BTreeMap<&str, Vec<&str>> {
        let mut histories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let meanings = reads.iter().filter_map(|read| read.meaning.as_ref());
        for Routed { route, state } in meanings.flat_map(|meaning| &meaning.routes) {
            histories.entry(route).or_default().push(state);
        }
        histories
    }
    let (of_left, of_right) = (histories(left), histories(right));
    let settled = |read: &Read| {
        read.meaning.as_ref().is_some_and(|meaning| {
            meaning
                .routes
                .iter()
                .all(|one| of_left.get(&one.route[..]) == of_right.get(&one.route[..]))
        })
    };
    let mut count = 0;
    for open in open {
        let before = open.left.len();
        open.left.retain(|index| !settled(&left[*index]));
        open.right.retain(|index| !settled(&right[*index]));
        count += (before - open.left.len()) as u64;
    }
    count
}

/// The same octets in two hunks: a message that moved.
fn reordered(left: &[Read], right: &[Read], open: &mut [Open], found: &mut Vec<Found>) {
    let mut places: BTreeMap<&[u8], VecDeque<usize>> = BTreeMap::new();
    for index in open.iter().flat_map(|open| &open.right) {
        let entry = &right[*index].entry;
        if !entry.octets.is_empty() {
            places.entry(&entry.octets).or_default().push_back(*index);
        }
    }
    let mut moved = Vec::new();
    for open in open.iter_mut() {
        open.left.retain(|index| {
            let entry = &left[*index].entry;
            let place = places
                .get_mut(&entry.octets[..])
                .and_then(VecDeque::pop_front);
            let Some(place) = place else {
                return true;
            };
            moved.push(place);
            found.push(Found {
                class: Class::Reordered,
                left: vec![*index],
                right: vec![place],
            });
            false
        });
    }
    moved.sort_unstable();
    for open in open {
        open.right
            .retain(|index| moved.binary_search(index).is_err());
    }
}

/// Pairs of UPDATEs with the same routes.
fn same_meaning(left: &[Read], right: &[Read], open: &mut Open, found: &mut Vec<Found>) {
    let Open {
        left: lefts,
        right: rights,
    } = open;
    lefts.retain(|index| {
        let Some(meaning) = &left[*index].meaning else {
            return true;
        };
        let pair = rights
            .iter()
            .position(|other| right[*other].meaning.as_ref() == Some(meaning));
        let Some(pair) = pair else {
            return true;
        };
        found.push(Found {
            class: Class::SameMeaning,
            left: vec![*index],
            right: vec![rights.remove(pair)],
        });
        false
    });
}

/// Groups of UPDATEs with the same routes between them.
fn packed(left: &[Read], right: &[Read], open: &mut Open, found: &mut Vec<Found>) {
    if open.left.is_empty() || open.right.is_empty() {
        return;
    }
    let routes = |reads: &[Read], indices: &[usize]| -> Option<Vec<Routed>> {
        let mut routes = Vec::new();
        for index in indices {
            routes.extend(reads[*index].meaning.as_ref()?.routes.iter().cloned());
        }
        routes.sort_unstable();
        Some(routes)
    };
    let same = match (routes(left, &open.left), routes(right, &open.right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    };
    if same {
        found.push(Found {
            class: Class::Packed,
            left: std::mem::take(&mut open.left),
            right: std::mem::take(&mut open.right),
        });
    }
}

/// Pairs of the same message type: UPDATEs of a common route first, then whatever stands in the same place.
fn other_value(left: &[Read], right: &[Read], open: &mut Open, found: &mut Vec<Found>) {
    let Open {
        left: lefts,
        right: rights,
    } = open;
    let mut pair_by = |fits: &dyn Fn(&Read, &Read) -> bool| {
        lefts.retain(|index| {
            let Some(pair) = rights
                .iter()
                .position(|other| fits(&left[*index], &right[*other]))
            else {
                return true;
            };
            found.push(Found {
                class: Class::Value,
                left: vec![*index],
                right: vec![rights.remove(pair)],
            });
            false
        });
    };
    pair_by(&|one, other| match (&one.meaning, &other.meaning) {
        (Some(one), Some(other)) => one.shares_route(other),
        _ => false,
    });
    pair_by(&|one, other| is_alike(&one.entry, &other.entry));
}

/// What the one has where the capture of the other has a hole.
fn lost(left: &[Read], right: &[Read], open: &mut Open, found: &mut Vec<Found>) {
    let is_hole = |reads: &[Read], indices: &[usize]| {
        let mut kinds = indices.iter().map(|index| reads[*index].entry.kind);
        kinds.any(|kind| matches!(kind, ComparedItemKind::Gap(_)))
    };
    let class = match (is_hole(left, &open.left), is_hole(right, &open.right)) {
        (false, true) if !open.left.is_empty() => Class::Missing,
        (true, false) if !open.right.is_empty() => Class::Extra,
        _ => return,
    };
    found.push(Found {
        class,
        left: std::mem::take(&mut open.left),
        right: std::mem::take(&mut open.right),
    });
}

fn is_alike(one: &ComparedItem, other: &ComparedItem) -> bool {
    use super::item::ComparedItemKind::{Finished, Junk, Reset};
    match (one.message_type(), other.message_type()) {
        (Some(one), Some(other)) => one == other,
        (None, None) => matches!(
            (one.kind, other.kind),
            (Junk(_), Junk(_)) | (Finished | Reset, Finished | Reset)
        ),
        _ => false,
    }
}
