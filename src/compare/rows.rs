//! Two streams of messages laid side by side: what stands in one row.

use super::align::{Hunk, Read, align};
use super::item::{ComparedItem, ComparedItemKind};
use crate::bgp::attribute::WireContext;

/// Messages of either side that are aligned at a time.
const WINDOW: usize = 512;
/// The longest stretch in which the best pairs are searched for; a longer one is paired in its order.
const SEARCHED: usize = 64;

/// Lays `left` and `right` side by side: the number of the left's message and of the right's in each row, both ascending.
///
/// Equal messages share a row. Between them, UPDATEs with a common route do, then messages of one type;
/// a message that only one side has is a row of its own, and moves nothing after it.
#[must_use]
pub fn rows(
    contexts: &[WireContext; 2],
    left: &[&[u8]],
    right: &[&[u8]],
) -> Vec<[Option<usize>; 2]> {
    let mut rows = Vec::with_capacity(left.len().max(right.len()));
    let (mut from_left, mut from_right) = (0, 0);
    // What is equal from the start needs no search.
    while left.get(from_left).is_some() && left.get(from_left) == right.get(from_right) {
        rows.push([Some(from_left), Some(from_right)]);
        (from_left, from_right) = (from_left + 1, from_right + 1);
    }
    while from_left < left.len() || from_right < right.len() {
        let ends = [
            left.len().min(from_left + WINDOW),
            right.len().min(from_right + WINDOW),
        ];
        let reads = [
            read(&left[from_left..ends[0]], &contexts[0]),
            read(&right[from_right..ends[1]], &contexts[1]),
        ];
        let last = ends == [left.len(), right.len()];
        let alignment = align(&reads[0], &reads[1], false, last);
        let mut same = alignment.same.into_iter().peekable();
        let at = |a: Option<usize>, b: Option<usize>| {
            [a.map(|a| a + from_left), b.map(|b| b + from_right)]
        };
        for hunk in &alignment.hunks {
            while let Some((a, b)) = same.next_if(|(a, _)| *a < hunk.left.start) {
                rows.push(at(Some(a), Some(b)));
            }
            rows.extend(paired(hunk, &reads).into_iter().map(|[a, b]| at(a, b)));
        }
        rows.extend(same.map(|(a, b)| at(Some(a), Some(b))));
        from_left += alignment.decided.0;
        from_right += alignment.decided.1;
    }
    rows
}

fn read(messages: &[&[u8]], context: &WireContext) -> Vec<Read> {
    let entries = messages.iter().map(|octets| ComparedItem {
        index: 0,
        offset: 0,
        time: 0,
        since_open: 0,
        kind: ComparedItemKind::Message,
        octets: octets.to_vec(),
    });
    entries.map(|entry| Read::of(entry, context)).collect()
}

/// How well two messages go together; 0 where they do not.
fn likeness(one: &Read, other: &Read) -> u32 {
    if one.entry.message_type() != other.entry.message_type() {
        return 0;
    }
    match (&one.meaning, &other.meaning) {
        (Some(one), Some(other)) if one == other => 8,
        (Some(one), Some(other)) if one.shares_route(other) => 5,
        (Some(_), Some(_)) => 1,
        _ => 2,
    }
}

/// The pairs of a hunk, in the order of both sides, that go together best.
fn paired(hunk: &Hunk, [left, right]: &[Vec<Read>; 2]) -> Vec<[Option<usize>; 2]> {
    let (lefts, rights) = (hunk.left.len(), hunk.right.len());
    let (a, b) = (hunk.left.start, hunk.right.start);
    if lefts.max(rights) > SEARCHED {
        return (0..lefts.max(rights))
            .map(|at| {
                [
                    (at < lefts).then_some(a + at),
                    (at < rights).then_some(b + at),
                ]
            })
            .collect();
    }
    // best[i][j] is what the rest from i and j on can come to.
    let mut best = vec![vec![0_u32; rights + 1]; lefts + 1];
    for i in (0..lefts).rev() {
        for j in (0..rights).rev() {
            let together = likeness(&left[a + i], &right[b + j]);
            let together = if together > 0 {
                together + best[i + 1][j + 1]
            } else {
                0
            };
            best[i][j] = together.max(best[i + 1][j]).max(best[i][j + 1]);
        }
    }
    let mut rows = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < lefts || j < rights {
        let is_pair = i < lefts && j < rights && {
            let together = likeness(&left[a + i], &right[b + j]);
            together > 0 && together + best[i + 1][j + 1] == best[i][j]
        };
        if is_pair {
            rows.push([Some(a + i), Some(b + j)]);
            (i, j) = (i + 1, j + 1);
        } else if j == rights || (i < lefts && best[i + 1][j] >= best[i][j + 1]) {
            rows.push([Some(a + i), None]);
            i += 1;
        } else {
            rows.push([None, Some(b + j)]);
            j += 1;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An UPDATE that withdraws 10.0.0.`host`/32.
    fn withdrawal(host: u8) -> Vec<u8> {
        let mut message = vec![0xff; 16];
        message.extend([0, 28, 2, 0, 5, 32, 10, 0, 0, host, 0, 0]);
        message
    }

    fn laid(left: &[Vec<u8>], right: &[Vec<u8>]) -> Vec<[Option<usize>; 2]> {
        fn octets(side: &[Vec<u8>]) -> Vec<&[u8]> {
            side.iter().map(Vec::as_slice).collect()
        }
        rows(&Default::default(), &octets(left), &octets(right))
    }

    #[test]
    fn one_that_is_missing_is_one_row() {
        let all: Vec<Vec<u8>> = (0..8).map(withdrawal).collect();
        let mut without = all.clone();
        without.remove(3);
        let rows = laid(&all, &without);
        assert_eq!(rows.len(), 8);
        assert_eq!(rows[3], [Some(3), None]);
        assert_eq!(rows[4], [Some(4), Some(3)]);
        assert_eq!(laid(&without, &all)[3], [None, Some(3)]);
    }

    #[test]
    fn other_values_of_a_type_share_a_row_and_other_types_do_not() {
        let keepalive = [vec![0xff; 16], vec![0, 19, 4]].concat();
        let left = [withdrawal(1), withdrawal(2), withdrawal(9)];
        let right = [keepalive, withdrawal(5), withdrawal(9)];
        assert_eq!(
            laid(&left, &right),
            [
                [Some(0), None],
                [None, Some(0)],
                [Some(1), Some(1)],
                [Some(2), Some(2)]
            ]
        );
    }

    proptest! {
        #[test]
        fn every_message_has_its_row_and_all_are_in_order(
            left in proptest::collection::vec(0_u8..6, 0..700),
            right in proptest::collection::vec(0_u8..6, 0..700),
        ) {
            let [left, right] = [left, right].map(|side| side.into_iter().map(withdrawal).collect::<Vec<_>>());
            let rows = laid(&left, &right);
            for (side, count) in [left.len(), right.len()].into_iter().enumerate() {
                let numbers: Vec<usize> = rows.iter().filter_map(|row| row[side]).collect();
                prop_assert_eq!(numbers, (0..count).collect::<Vec<_>>());
            }
        }
    }
}
