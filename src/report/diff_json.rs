//! What a comparison found, for programs.

use serde_json::{Value, json};

use super::summary::summary;
use crate::bgp::attribute::WireContext;
use crate::bgp::hex;
use crate::bgp::iana::MessageType;
use crate::capture::{ConnectionId, StreamDirection, Tally};
use crate::compare::{
    ComparedItem, ComparedItemKind, Difference, FieldDifference, Pairing, Report, Side,
};

/// The outcome of comparing the captures that the user calls `names`.
#[must_use]
pub fn json(report: &Report, names: [&str; 2]) -> Value {
    let counts: serde_json::Map<String, Value> = report
        .counts
        .iter()
        .map(|(class, count)| (class.name().to_owned(), json!(count)))
        .collect();
    json!({
        "left": capture(names[0], &report.tallies[0]),
        "right": capture(names[1], &report.tallies[1]),
        "same": report.is_same() && report.is_complete(),
        "complete": report.is_complete(),
        "unread": report.unread,
        "pairings": report.pairings.iter().map(pairing).collect::<Vec<_>>(),
        "ignored": report.ignored,
        "connections": report.connections,
        "matched": report.matched,
        "equivalent": report.equivalent,
        "counts": counts,
        "differences": report.differences.iter().map(difference).collect::<Vec<_>>(),
        "problems": report.problems,
    })
}

fn capture(name: &str, tally: &Tally) -> Value {
    let mut object = json!({ "name": name });
    if let (Some(object), Value::Object(told)) = (object.as_object_mut(), super::tally::json(tally))
    {
        object.extend(told);
    }
    object
}

fn pairing(pairing: &Pairing) -> Value {
    let id = |id: ConnectionId| {
        json!({
            "client": id.peer.client.to_string(),
            "server": id.peer.server.to_string(),
            "attempt": id.attempt,
        })
    };
    json!({
        "left": id(pairing.left),
        "right": id(pairing.right),
        "other_end_opened": pairing.swapped,
        "reasons": pairing.reasons,
        "before_left_begins": pairing.before(Side::Left),
        "before_right_begins": pairing.before(Side::Right),
    })
}

fn difference(difference: &Difference) -> Value {
    let id = difference.stream.connection;
    let side = |entries: &[ComparedItem], context: &WireContext| -> Vec<Value> {
        entries.iter().map(|one| entry(one, context)).collect()
    };
    let fields = difference.fields();
    json!({
        "class": difference.class.name(),
        "client": id.peer.client.to_string(),
        "server": id.peer.server.to_string(),
        "attempt": id.attempt,
        "from": match difference.stream.direction {
            StreamDirection::FromClient => "client",
            StreamDirection::FromServer => "server",
        },
        "messages": difference.messages,
        "left": side(&difference.left, &difference.contexts[0]),
        "right": side(&difference.right, &difference.contexts[1]),
        "before": side(&difference.context, &difference.contexts[0]),
        "fields": fields.iter().map(field).collect::<Vec<_>>(),
    })
}

fn entry(entry: &ComparedItem, context: &WireContext) -> Value {
    let mut object = json!({
        "number": entry.index + 1,
        "offset": entry.offset,
        "time_ns": entry.time,
        "since_open_ns": entry.since_open,
    });
    let told = match entry.kind {
        ComparedItemKind::Message => json!({
            "kind": "message",
            "type": entry.message_type().map(|kind| MessageType(kind).to_string()),
            "octets": hex::text(&entry.octets),
            "summary": summary(context, &entry.octets),
        }),
        ComparedItemKind::Junk(reason) => json!({
            "kind": "junk",
            "reason": reason.to_string(),
            "octets": hex::text(&entry.octets),
        }),
        ComparedItemKind::Gap(lost) => json!({ "kind": "gap", "lost_octets": lost }),
        ComparedItemKind::Finished => json!({ "kind": "fin" }),
        ComparedItemKind::Reset => json!({ "kind": "rst" }),
    };
    if let (Some(object), Value::Object(told)) = (object.as_object_mut(), told) {
        object.extend(told);
    }
    object
}

fn field(difference: &FieldDifference) -> Value {
    let side = |field: &Option<crate::compare::Field>| {
        field.as_ref().map(|field| {
            json!({
                "offset": field.range.start,
                "length": field.range.len(),
                "value": field.value,
            })
        })
    };
    json!({
        "id": difference.id,
        "name": difference.name,
        "rfc": difference.source,
        "left": side(&difference.left),
        "right": side(&difference.right),
    })
}
