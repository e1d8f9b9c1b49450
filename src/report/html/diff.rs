//! Two captures on the page: a scenario per connection, a lane per capture.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::data::Bodies;
use crate::bgp::iana::MessageType;
use crate::capture::{Canonical, ConnectionId, Direction, Item, StreamId};
use crate::compare::{Difference, Report, agreed, differences, telling};
use crate::report::diff_text;
use crate::report::summary::summary;
use crate::scenario::message::{KEEPALIVE, OPEN};

/// A message: nanoseconds since its connection was opened, and its octets.
type Message<'c> = (u64, &'c [u8]);

/// A row: which message of this direction the left and the right have.
struct Row {
    direction: Direction,
    numbers: [Option<usize>; 2],
    time: u64,
    differs: bool,
}

/// The data of `captures`, which the user calls `names`, and of what comparing them found.
pub(super) fn of_comparison(
    names: [&str; 2],
    captures: [&Canonical; 2],
    report: &Report,
    keepalives: bool,
) -> Value {
    let mut bodies = Bodies::default();
    let connections: BTreeSet<ConnectionId> = captures
        .iter()
        .flat_map(|capture| capture.streams.keys().map(|id| id.connection))
        .collect();
    let mut scenarios: Vec<Value> = connections
        .into_iter()
        .map(|id| connection(id, names, captures, report, keepalives, &mut bodies))
        .collect();
    if scenarios.is_empty() {
        scenarios.push(json!({ "name": "no BGP", "lanes": [], "rows": [], "notes": [] }));
    }
    json!({
        "made": concat!("lockstep ", env!("CARGO_PKG_VERSION")),
        "of": "Connection",
        "summary": diff_text::headline(report),
        "scenarios": scenarios,
        "bodies": bodies.bodies,
    })
}

fn connection(
    id: ConnectionId,
    names: [&str; 2],
    captures: [&Canonical; 2],
    report: &Report,
    keepalives: bool,
    bodies: &mut Bodies,
) -> Value {
    let messages = Direction::BOTH
        .map(|direction| captures.map(|capture| messages(capture, id, direction, keepalives)));
    let of = |direction: Direction, side: usize| -> &[Message<'_>] {
        let at = Direction::BOTH.iter().position(|one| *one == direction);
        &messages[at.unwrap_or_default()][side]
    };
    let rows = rows(&of);
    let mut lanes = [Vec::new(), Vec::new()];
    let mut drawn = Vec::new();
    for row in &rows {
        let numbers = [0, 1].map(|side| {
            row.numbers[side].map_or(-1, |number| {
                let open = |direction| {
                    let first = of(direction, side).first().map(|(_, octets)| *octets);
                    first.filter(|octets| octets.get(18) == Some(&OPEN))
                };
                let context = agreed(open(row.direction), open(row.direction.opposite()));
                let (time, octets) = of(row.direction, side)[number];
                let kind = MessageType(octets.get(18).copied().unwrap_or_default());
                lanes[side].push(json!({
                    "t": time / 1_000,
                    "c": id.to_string(),
                    "d": u8::from(row.direction == Direction::FromServer),
                    "k": kind.to_string().to_uppercase(),
                    "s": summary(&context, octets),
                    "b": bodies.number(&context, octets),
                }));
                lanes[side].len() as i64 - 1
            })
        });
        drawn.push(json!({ "m": numbers, "x": row.differs }));
    }
    let found = report
        .differences
        .iter()
        .filter(|difference| difference.stream.connection == id);
    let notes: Vec<Value> = found.map(|difference| note(difference, &rows)).collect();
    let verdict = if notes.is_empty() {
        "same"
    } else {
        "different"
    };
    let lanes: Vec<Value> = lanes
        .into_iter()
        .enumerate()
        .map(|(side, messages)| {
            json!({
                "label": names[side],
                "caption": "client → server, time since the connection was opened",
                "verdict": (side == 1).then_some(verdict),
                "facts": format!("{} message(s)", messages.len()),
                "messages": messages,
            })
        })
        .collect();
    json!({ "name": id.to_string(), "lanes": lanes, "rows": drawn, "notes": notes })
}

/// What a side sent in one direction, as far as it is compared.
fn messages(
    capture: &Canonical,
    connection: ConnectionId,
    direction: Direction,
    keepalives: bool,
) -> Vec<Message<'_>> {
    let opened = capture.opened.get(&connection).copied().unwrap_or_default();
    let stream = capture.streams.get(&StreamId {
        connection,
        direction,
    });
    let items = stream.into_iter().flat_map(|stream| &stream.items);
    items
        .filter_map(|(time, item)| match item {
            Item::Message(octets) if keepalives || octets.get(18) != Some(&KEEPALIVE) => {
                Some((time.saturating_sub(opened), octets.as_slice()))
            }
            _ => None,
        })
        .collect()
}

/// Both directions aligned, and laid between each other by time.
fn rows<'c>(of: &impl Fn(Direction, usize) -> &'c [Message<'c>]) -> Vec<Row> {
    let [client, server] = Direction::BOTH.map(|direction| {
        let [left, right] = [0, 1].map(|side| of(direction, side));
        aligned(direction, left, right)
    });
    let (mut client, mut server) = (client.into_iter().peekable(), server.into_iter().peekable());
    let mut rows = Vec::new();
    loop {
        let next = match (client.peek(), server.peek()) {
            (Some(one), Some(other)) if other.time < one.time => server.next(),
            (Some(_), _) => client.next(),
            (None, _) => server.next(),
        };
        match next {
            Some(row) => rows.push(row),
            None => return rows,
        }
    }
}

fn aligned(direction: Direction, left: &[Message<'_>], right: &[Message<'_>]) -> Vec<Row> {
    let [lefts, rights] =
        [left, right].map(|side| side.iter().map(|(_, octets)| *octets).collect::<Vec<_>>());
    let row = |numbers: [Option<usize>; 2], differs| Row {
        direction,
        time: match numbers {
            [Some(number), _] => left[number].0,
            [None, Some(number)] => right[number].0,
            [None, None] => 0,
        },
        numbers,
        differs,
    };
    let mut rows = Vec::new();
    for operation in capture_diff_slices(Algorithm::Patience, &lefts, &rights) {
        let same = matches!(operation, DiffOp::Equal { .. });
        let (old, new) = (operation.old_range(), operation.new_range());
        for at in 0..old.len().max(new.len()) {
            let numbers = [&old, &new].map(|range| range.clone().nth(at));
            rows.push(row(numbers, !same));
        }
    }
    rows
}

fn note(difference: &Difference, rows: &[Row]) -> Value {
    let line = diff_text::line(difference);
    let mut text = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if let ([left], [right]) = (&difference.left[..], &difference.right[..]) {
        let fields = differences(&difference.contexts, &left.octets, &right.octets);
        if let Some(field) = telling(&fields) {
            text.push('\n');
            text.push_str(&diff_text::in_words(field));
        }
    }
    let sides = [&difference.left, &difference.right];
    let place = sides.iter().enumerate().find_map(|(side, entries)| {
        let number = usize::try_from(entries.first()?.index).ok()?;
        let row = rows.iter().position(|row| {
            row.direction == difference.stream.direction && row.numbers[side] == Some(number)
        })?;
        Some((row, side))
    });
    let (row, lane) = place.map_or((-1, 0), |(row, side)| (row as i64, side));
    json!({ "text": text, "row": row, "lane": lane })
}
