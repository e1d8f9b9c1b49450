//! The HTML page of two captures: a sheet per connection, a lane per capture.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Side;
use super::column::{Column, Item as LaneItem, Message, What, micros};
use super::data::{Note, Sheet};
use super::rows::{self, Rule};
use crate::bgp::hex;
use crate::capture::{ConnectionId, Item, Stream, StreamDirection, StreamId};
use crate::compare::{Difference, Options, Report, agreed, telling};
use crate::net::{ConnectionName, Opener};
use crate::report::diff_text;
use crate::scenario::format::message::{KEEPALIVE, OPEN};

/// Number of octets shown of data that is not a message.
const SHOWN: usize = 24;
/// Microseconds before and after a connection in which a run's marks are shown.
const AROUND: i64 = 100_000;

/// A capture's lane, and which item each entry of the comparison is.
struct CaptureLane {
    lane: Column,
    entries: BTreeMap<(StreamDirection, u64), usize>,
}

/// A sheet for each connection of either side.
pub(super) fn sheets(sides: &[Side<'_>; 2], report: &Report, options: &Options) -> Vec<Sheet> {
    let connections: BTreeSet<ConnectionId> = sides
        .iter()
        .flat_map(|side| side.capture.streams.keys().map(|id| id.connection))
        .collect();
    connections
        .into_iter()
        .map(|id| sheet(id, sides, report, options))
        .collect()
}

fn sheet(id: ConnectionId, sides: &[Side<'_>; 2], report: &Report, options: &Options) -> Sheet {
    let found: Vec<&Difference> = report
        .differences
        .iter()
        .filter(|difference| difference.stream.connection == id)
        .collect();
    let [left, mut right] = [0, 1].map(|side| capture_lane(id, &sides[side], options));
    let verdict = if found.is_empty() {
        "same"
    } else {
        "different"
    };
    right.lane.verdict = Some(verdict);
    let entries = [left.entries, right.entries];
    let lanes = vec![left.lane, right.lane];
    Sheet {
        name: id.to_string(),
        about: String::new(),
        why: String::new(),
        rows: rows::align(&lanes, Rule::All),
        lanes,
        notes: found.into_iter().map(|one| note(one, &entries)).collect(),
    }
}

/// The lane of `side` for a connection: messages and other events, by time since it was opened.
fn capture_lane(id: ConnectionId, side: &Side<'_>, options: &Options) -> CaptureLane {
    let opened = side.capture.opened.get(&id).copied();
    let start = opened.unwrap_or_default();
    let stream = |direction| {
        let id = StreamId {
            connection: id,
            direction,
        };
        side.capture.streams.get(&id)
    };
    let open = |direction| {
        let stream: Option<&Stream> = stream(direction);
        let first = stream.and_then(|stream| stream.messages().next());
        first.filter(|octets| octets.get(18) == Some(&OPEN))
    };
    let name = ConnectionName::new(id.peer.server, Opener::Us, id.attempt);
    let mut items: Vec<(LaneItem, Option<(StreamDirection, u64)>)> = Vec::new();
    for direction in StreamDirection::BOTH {
        let context = Rc::new(agreed(open(direction), open(direction.opposite())));
        let sender = match direction {
            StreamDirection::FromClient => "client",
            StreamDirection::FromServer => "server",
        };
        let mut entry = 0;
        for (time, item) in stream(direction)
            .into_iter()
            .flat_map(|stream| &stream.items)
        {
            let is_keepalive =
                matches!(item, Item::Message(octets) if octets.get(18) == Some(&KEEPALIVE));
            let is_end = matches!(item, Item::Finished | Item::Reset);
            let compared = if is_end {
                options.endings
            } else {
                options.keepalives || !is_keepalive
            };
            let what = match item {
                Item::Message(octets) => What::Message(Message {
                    connection: name,
                    from_speaker: direction == StreamDirection::FromClient,
                    octets: octets.clone(),
                    context: context.clone(),
                    compared,
                }),
                Item::Junk(reason, octets) => {
                    let shown = hex::text(&octets[..octets.len().min(SHOWN)]);
                    let more = if octets.len() > SHOWN { "…" } else { "" };
                    let count = octets.len();
                    let text = format!(
                        "{sender}: {count} octets that are not a BGP message ({reason}): {shown}{more}"
                    );
                    What::Mark("fault", text)
                }
                Item::Gap(lost) => {
                    let text = format!("{sender}: {lost} octets are not in the capture");
                    What::Mark("fault", text)
                }
                Item::Finished => What::Mark("connection", format!("{sender} closed (FIN)")),
                Item::Reset => What::Mark("fault", format!("{sender} reset the connection (RST)")),
            };
            let at = Some(since(*time, start));
            items.push((
                LaneItem { at, what },
                compared.then_some((direction, entry)),
            ));
            entry += u64::from(compared);
        }
    }
    let messages = items
        .iter()
        .filter(|(item, _)| item.message().is_some())
        .count();
    let last = items
        .iter()
        .filter_map(|(item, _)| item.at)
        .max()
        .unwrap_or_default();
    let marks = side.marks.iter().map(|mark| {
        let at = micros(mark.at).saturating_sub(i64::try_from(start / 1_000).unwrap_or(i64::MAX));
        LaneItem::mark(at, mark)
    });
    let near = marks.filter(|mark| {
        opened.is_some()
            && mark
                .at
                .is_some_and(|at| at >= -AROUND && at <= last + AROUND)
    });
    items.extend(near.map(|mark| (mark, None)));
    if opened.is_some() && side.marks.is_empty() {
        let what = What::Mark("connection", "opened".into());
        items.push((LaneItem { at: Some(0), what }, None));
    }
    // Marks first: they are the causes of messages of the same instant.
    items.sort_by_key(|(item, _)| (item.at, item.message().is_some()));
    let mut entries = BTreeMap::new();
    for (number, (_, entry)) in items.iter().enumerate() {
        entries.extend(entry.map(|entry| (entry, number)));
    }
    CaptureLane {
        lane: Column {
            label: side.name.to_owned(),
            caption: "client → server, time since the connection was opened",
            verdict: None,
            facts: format!("{messages} messages"),
            items: items.into_iter().map(|(item, _)| item).collect(),
        },
        entries,
    }
}

/// Microseconds from `start` to `time`, both in nanoseconds.
fn since(time: u64, start: u64) -> i64 {
    i64::try_from(time.saturating_sub(start) / 1_000).unwrap_or(i64::MAX)
}

fn note(difference: &Difference, entries: &[BTreeMap<(StreamDirection, u64), usize>; 2]) -> Note {
    let mut lines = Vec::new();
    if let Some(field) = telling(&difference.fields()) {
        lines.push(("field".into(), diff_text::in_words(field)));
    }
    let sides = [("A", &difference.left), ("B", &difference.right)];
    for (at, (sign, side)) in sides.into_iter().enumerate() {
        let text = side.first().map_or_else(
            || "nothing".into(),
            |entry| diff_text::message_text(entry, &difference.contexts[at]),
        );
        lines.push((sign.into(), text.trim_start().to_owned()));
    }
    let direction = difference.stream.direction;
    let place = [1, 0].into_iter().find_map(|side| {
        let entry = [&difference.left, &difference.right][side].first()?;
        Some((side, *entries[side].get(&(direction, entry.index))?))
    });
    Note {
        title: diff_text::short_title(difference),
        lines,
        again: String::new(),
        place,
    }
}
