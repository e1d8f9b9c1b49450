//! The data for the page's script: sheets, their lanes and rows, and message bodies, shared by equal messages.

use std::rc::Rc;

use serde_json::{Value, json};

use super::column::{Column, Item, Message, What};
use super::rows::Row;
use crate::bgp::attribute::WireContext;
use crate::bgp::collections::Map;
use crate::bgp::dissect;
use crate::bgp::hex;
use crate::bgp::iana::MessageType;
use crate::report::summary::summary;

/// One ladder with its title and notes: a scenario, a connection or a finding.
pub(super) struct Sheet {
    pub name: String,
    pub about: String,
    /// Explanation; may be empty.
    pub why: String,
    pub lanes: Vec<Column>,
    pub rows: Vec<Row>,
    pub notes: Vec<Note>,
}

/// An error, and where it shows.
#[derive(Default)]
pub(super) struct Note {
    pub title: String,
    /// Label and text of each line.
    pub lines: Vec<(String, String)>,
    /// The command that reproduces it; may be empty.
    pub again: String,
    /// Index of the column, and of the item in it.
    pub place: Option<(usize, usize)>,
}

/// The whole page: `of` is what its sheets are, `headline` what is said of all of them.
pub(super) fn page(of: &str, headline: Option<&str>, sheets: &[Sheet]) -> Value {
    let mut bodies = Bodies::default();
    let sheets: Vec<Value> = sheets.iter().map(|one| sheet(one, &mut bodies)).collect();
    json!({
        "made": concat!("lockstep ", env!("CARGO_PKG_VERSION")),
        "of": of,
        "headline": headline,
        "sheets": sheets,
        "bodies": bodies.bodies,
    })
}

fn sheet(sheet: &Sheet, bodies: &mut Bodies) -> Value {
    let mut connections: Vec<_> = sheet
        .lanes
        .iter()
        .flat_map(|lane| lane.items.iter().filter_map(Item::message))
        .map(|message| message.connection)
        .collect();
    connections.sort_unstable();
    connections.dedup();
    let lanes: Vec<Value> = sheet
        .lanes
        .iter()
        .map(|lane| {
            let items = lane.items.iter().map(|one| item(one, bodies));
            json!({
                "label": lane.label,
                "caption": lane.caption,
                "verdict": lane.verdict,
                "facts": lane.facts,
                "items": items.collect::<Vec<_>>(),
            })
        })
        .collect();
    let rows = sheet.rows.iter().map(|row| {
        let items = row.items.iter();
        let items = items.map(|item| item.map_or(-1, |item| item as i64));
        json!({ "i": items.collect::<Vec<_>>(), "x": row.differs })
    });
    let notes = sheet.notes.iter().map(|note| {
        let found = note.place.and_then(|(lane, item)| {
            let row = sheet
                .rows
                .iter()
                .position(|row| row.items[lane] == Some(item))?;
            Some((row, lane))
        });
        let lines = note.lines.iter().map(|(label, text)| json!([label, text]));
        json!({
            "title": note.title,
            "lines": lines.collect::<Vec<_>>(),
            "again": note.again,
            "row": found.map_or(-1, |(row, _)| row as i64),
            "lane": found.map_or(0, |(_, lane)| lane),
        })
    });
    json!({
        "name": sheet.name,
        "about": sheet.about,
        "why": sheet.why,
        "connections": connections.len(),
        "rows": rows.collect::<Vec<_>>(),
        "notes": notes.collect::<Vec<_>>(),
        "lanes": lanes,
    })
}

fn item(item: &Item, bodies: &mut Bodies) -> Value {
    match &item.what {
        What::Mark(kind, text) => json!({ "t": item.at, "e": kind, "s": text }),
        What::Message(message) => {
            json!({
                "t": item.at,
                "c": message.connection.to_string(),
                "d": u8::from(!message.from_speaker),
                "k": kind(&message.octets),
                "b": bodies.number(message),
            })
        }
    }
}

/// The type of a message as RFCs write it.
fn kind(octets: &[u8]) -> String {
    match MessageType(octets.get(18).copied().unwrap_or_default()) {
        MessageType::ROUTE_REFRESH => "ROUTE-REFRESH".into(),
        kind => kind.to_string().to_uppercase(),
    }
}

/// Equal messages share one body: octets, fields and summary.
#[derive(Default)]
struct Bodies {
    /// By octets and encoding.
    numbers: Map<Vec<u8>, Vec<(Rc<WireContext>, usize)>>,
    bodies: Vec<Value>,
}

impl Bodies {
    fn number(&mut self, message: &Message) -> usize {
        let known = self.numbers.entry(message.octets.clone()).or_default();
        let same = known.iter().find(|(context, _)| {
            Rc::ptr_eq(context, &message.context) || **context == *message.context
        });
        if let Some((_, number)) = same {
            return *number;
        }
        let number = self.bodies.len();
        known.push((message.context.clone(), number));
        let tree = dissect::message(&message.context, &message.octets);
        let mut fields = Vec::new();
        flatten(&tree, 0, &mut fields);
        self.bodies.push(json!({
            "x": hex::text(&message.octets),
            "s": summary(&message.context, &message.octets),
            "f": fields,
        }));
        number
    }
}

fn flatten(node: &dissect::Node, depth: usize, fields: &mut Vec<Value>) {
    let (start, end) = (node.range.start, node.range.end);
    fields.push(json!([
        depth,
        start,
        end,
        node.name,
        node.source,
        node.value
    ]));
    for child in &node.children {
        flatten(child, depth + 1, fields);
    }
}
