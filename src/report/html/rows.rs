//! Lanes aligned: equal messages of a connection share a row, and rows are in order of time.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::column::{Column, Item, What};
use crate::compare;
use crate::net::ConnectionName;

/// By lane, the index of its item, if it has one in this row.
pub(super) struct Row {
    pub items: Vec<Option<usize>>,
    pub differs: bool,
}

/// The lanes that must agree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// All lanes.
    All,
    /// All but the first, which is only a reference.
    Others,
}

/// A unit of alignment: the messages of one end on one connection, or the marks.
type Stream = Option<(ConnectionName, bool)>;

/// A row for each item of `lanes`, which have nothing in common but the clock, in the order of time.
pub(super) fn by_time(lanes: &[Column]) -> Vec<Row> {
    let numbered = lanes.iter().enumerate().flat_map(|(lane, column)| {
        let items = column.items.iter().enumerate();
        items.map(move |(number, item)| (item.at, lane, number))
    });
    let mut all: Vec<_> = numbered.collect();
    // Stable: a lane's items of one instant keep their order.
    all.sort_by_key(|(at, ..)| *at);
    let row = |(_, lane, number)| {
        let mut items = vec![None; lanes.len()];
        items[lane] = Some(number);
        Row {
            items,
            differs: false,
        }
    };
    all.into_iter().map(row).collect()
}

/// The rows of one stream, each with its position in every lane.
struct Aligned {
    rows: Vec<Vec<Option<usize>>>,
    places: Vec<Vec<Option<i64>>>,
    next: usize,
}

/// The rows of `lanes`.
pub(super) fn align(lanes: &[Column], rule: Rule) -> Vec<Row> {
    let mut streams: BTreeMap<Stream, Vec<Vec<usize>>> = BTreeMap::new();
    for (at, lane) in lanes.iter().enumerate() {
        for (number, item) in lane.items.iter().enumerate() {
            let stream = item
                .message()
                .map(|message| (message.connection, !message.from_speaker));
            let numbers = streams
                .entry(stream)
                .or_insert_with(|| vec![Vec::new(); lanes.len()]);
            numbers[at].push(number);
        }
    }
    let streams = streams
        .into_values()
        .map(|numbers| {
            let rows = aligned(lanes, &numbers);
            Aligned {
                places: places(&rows, lanes.len()),
                rows,
                next: 0,
            }
        })
        .collect();
    let rows = merged(streams, lanes).into_iter();
    rows.map(|items| Row {
        differs: differs(lanes, &items, rule),
        items,
    })
    .collect()
}

/// The rows of one stream: lane by lane, each is aligned with those before it.
fn aligned(lanes: &[Column], numbers: &[Vec<usize>]) -> Vec<Vec<Option<usize>>> {
    let mut rows: Vec<Vec<Option<usize>>> = Vec::new();
    for (lane, own) in numbers.iter().enumerate() {
        let before: Vec<&Item> = rows.iter().filter_map(|row| first(lanes, row)).collect();
        let own_items: Vec<&Item> = own.iter().map(|at| &lanes[lane].items[*at]).collect();
        rows = side_by_side(&before, &own_items)
            .into_iter()
            .map(|[a, b]| {
                let mut row = a.map_or_else(|| vec![None; lanes.len()], |a| rows[a].clone());
                row[lane] = b.map(|b| own[b]);
                row
            })
            .collect();
    }
    rows
}

/// The item that represents a row when the next lane is aligned with it.
fn first<'l>(lanes: &'l [Column], row: &[Option<usize>]) -> Option<&'l Item> {
    row.iter()
        .zip(lanes)
        .find_map(|(number, lane)| Some(&lane.items[(*number)?]))
}

fn side_by_side(left: &[&Item], right: &[&Item]) -> Vec<[Option<usize>; 2]> {
    let context = |side: &[&Item]| {
        side.iter()
            .find_map(|item| Some(item.message()?.context.clone()))
    };
    match (context(left), context(right)) {
        (None, None) => marks_side_by_side(left, right),
        (one, other) => {
            let contexts = [&one, &other].map(|own| {
                let known = own.as_ref().or(one.as_ref()).or(other.as_ref());
                known.map(|context| (**context).clone()).unwrap_or_default()
            });
            compare::rows(&contexts, &octets(left), &octets(right))
        }
    }
}

fn octets<'l>(side: &[&'l Item]) -> Vec<&'l [u8]> {
    let messages = side.iter().filter_map(|item| item.message());
    messages.map(|message| &message.octets[..]).collect()
}

/// Marks are equal if their texts are.
fn marks_side_by_side(left: &[&Item], right: &[&Item]) -> Vec<[Option<usize>; 2]> {
    fn texts<'l>(side: &[&'l Item]) -> Vec<&'l str> {
        let marks = side.iter().filter_map(|item| match &item.what {
            What::Mark(_, text) => Some(&text[..]),
            What::Message(_) => None,
        });
        marks.collect()
    }
    let mut rows = Vec::new();
    for operation in capture_diff_slices(Algorithm::Patience, &texts(left), &texts(right)) {
        let (old, new) = (operation.old_range(), operation.new_range());
        if operation.tag() == DiffTag::Equal {
            rows.extend(old.zip(new).map(|(a, b)| [Some(a), Some(b)]));
        } else {
            rows.extend(old.map(|a| [Some(a), None]));
            rows.extend(new.map(|b| [None, Some(b)]));
        }
    }
    rows
}

/// By row, its position in every lane: at the item that it has there, else after the one before it, else before
/// the first. Twice the index of the item, to leave room between items.
fn places(rows: &[Vec<Option<usize>>], lanes: usize) -> Vec<Vec<Option<i64>>> {
    let mut places = vec![vec![None; lanes]; rows.len()];
    for lane in 0..lanes {
        let numbers = rows.iter().map(|row| row[lane]);
        let first = numbers.clone().flatten().next();
        let mut last = first.map(|first| 2 * first as i64 - 1);
        for (place, number) in places.iter_mut().zip(numbers) {
            place[lane] = match number {
                Some(number) => Some(2 * number as i64),
                None => last,
            };
            last = number.map_or(last, |number| Some(2 * number as i64 + 1));
        }
    }
    places
}

/// All rows, in the order of the first lane that determines it; lanes with a clock come first.
fn merged(mut streams: Vec<Aligned>, lanes: &[Column]) -> Vec<Vec<Option<usize>>> {
    let mut order: Vec<usize> = (0..lanes.len()).collect();
    order.sort_by_key(|lane| lanes[*lane].items.iter().all(|item| item.at.is_none()));
    // A lane with both rows determines their order; any other only through the rows before them.
    let is_own = |place: &i64| place % 2 == 0;
    let compared = |one: &[Option<i64>], other: &[Option<i64>]| {
        let decided = |lane: &usize, only_own: bool| match (one[*lane], other[*lane]) {
            (Some(one), Some(other)) if one != other => {
                (!only_own || is_own(&one) && is_own(&other)).then(|| one.cmp(&other))
            }
            _ => None,
        };
        let known = order.iter().find_map(|lane| decided(lane, true));
        let order = known.or_else(|| order.iter().find_map(|lane| decided(lane, false)));
        order.unwrap_or(Ordering::Equal)
    };
    let mut rows = Vec::new();
    loop {
        let mut first: Option<usize> = None;
        for (at, stream) in streams.iter().enumerate() {
            let Some(place) = stream.places.get(stream.next) else {
                continue;
            };
            let is_earlier = first.is_none_or(|first| {
                let best = &streams[first];
                compared(place, &best.places[best.next]) == Ordering::Less
            });
            if is_earlier {
                first = Some(at);
            }
        }
        let Some(first) = first else { return rows };
        let stream = &mut streams[first];
        rows.push(std::mem::take(&mut stream.rows[stream.next]));
        stream.next += 1;
    }
}

/// Whether lanes that must agree differ in this row.
fn differs(lanes: &[Column], row: &[Option<usize>], rule: Rule) -> bool {
    let mut lane_octets = row.iter().zip(lanes).map(|(number, lane)| {
        let message = lane.items[(*number)?].message()?;
        Some((message.compared, &message.octets[..]))
    });
    if rule == Rule::Others {
        lane_octets.next();
    }
    let all: Vec<Option<(bool, &[u8])>> = lane_octets.collect();
    let is_compared = all.iter().flatten().any(|(compared, _)| *compared);
    is_compared
        && all
            .windows(2)
            .any(|pair| pair[0].map(|p| p.1) != pair[1].map(|p| p.1))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::column::Message;
    use super::*;
    use crate::net::Opener;

    fn lane(items: Vec<(Option<i64>, What)>) -> Column {
        Column {
            label: String::new(),
            caption: "",
            verdict: None,
            facts: String::new(),
            items: items
                .into_iter()
                .map(|(at, what)| Item { at, what })
                .collect(),
        }
    }

    fn message(attempt: u32, from_speaker: bool, body: u8) -> What {
        let octets = [vec![0xff; 16], vec![0, 20, 3, body]].concat();
        What::Message(Message {
            connection: ConnectionName::new([127, 0, 0, 1].into(), Opener::Us, attempt),
            from_speaker,
            octets,
            context: Rc::default(),
            compared: from_speaker,
        })
    }

    fn rows(lanes: &[Column]) -> Vec<(Vec<Option<usize>>, bool)> {
        let rows = align(lanes, Rule::All).into_iter();
        rows.map(|row| (row.items, row.differs)).collect()
    }

    #[test]
    fn what_is_missing_from_a_run_is_one_row_that_differs() {
        let golden = lane((0..4).map(|body| (None, message(1, true, body))).collect());
        let run = |skipped| {
            let bodies = (0..4).filter(|body| Some(*body) != skipped);
            lane(
                bodies
                    .map(|body| (Some(i64::from(body)), message(1, true, body)))
                    .collect(),
            )
        };
        let rows = rows(&[golden, run(None), run(Some(1))]);
        assert_eq!(
            rows,
            [
                (vec![Some(0), Some(0), Some(0)], false),
                (vec![Some(1), Some(1), None], true),
                (vec![Some(2), Some(2), Some(1)], false),
                (vec![Some(3), Some(3), Some(2)], false),
            ]
        );
    }

    #[test]
    fn marks_and_connections_stand_between_each_other_by_time() {
        let mark = || What::Mark("state", "IDLE".into());
        let run = |offset: i64| {
            lane(vec![
                (Some(1 + offset), message(1, true, 1)),
                (Some(2 + offset), message(2, true, 2)),
                (Some(3 + offset), mark()),
                (Some(4 + offset), message(1, false, 3)),
                (Some(5 + offset), message(1, true, 4)),
            ])
        };
        let golden = lane(vec![
            (None, message(1, true, 1)),
            (None, message(1, true, 4)),
            (None, message(2, true, 2)),
        ]);
        let rows = rows(&[golden, run(0), run(7)]);
        assert_eq!(
            rows.iter().map(|(items, _)| items[1]).collect::<Vec<_>>(),
            (0..5).map(Some).collect::<Vec<_>>()
        );
        assert_eq!(
            rows.iter().map(|(items, _)| items[0]).collect::<Vec<_>>(),
            [Some(0), Some(2), None, None, Some(1)]
        );
        assert!(rows.iter().all(|(_, differs)| !differs));
    }
}
