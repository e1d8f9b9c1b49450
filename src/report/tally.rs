//! What a capture held other than messages, and what was not read.

use serde_json::{Value, json};

use crate::capture::{Skipped, Tally, counted};

/// The closing lines of a capture with `messages` messages.
#[must_use]
pub fn text(tally: &Tally, messages: u64) -> String {
    if tally.connections == 0 {
        return format!("no BGP in {}\n", tally.without_bgp());
    }
    let mut text = format!(
        "{}: {}, {}",
        counted(tally.packets, "packet"),
        counted(tally.connections, "connection"),
        counted(messages, "message")
    );
    if tally.attempts > 0 {
        text.push_str(&format!(
            ", {} that came to nothing",
            counted(tally.attempts, "connection attempt")
        ));
    }
    text.push('\n');
    let mut noticed = Vec::new();
    for (count, what) in [
        (tally.retransmitted, "retransmitted segment"),
        (tally.reordered, "segment out of order"),
        (tally.probes, "TCP keep-alive"),
        (tally.reassembled, "reassembled IP fragment"),
    ] {
        if count > 0 {
            noticed.push(match (count, what) {
                (1, _) => format!("1 {what}"),
                (_, "segment out of order") => format!("{count} segments out of order"),
                _ => format!("{count} {what}s"),
            });
        }
    }
    if tally.backwards > 0 {
        noticed.push(format!(
            "the clock was set back {}",
            counted(tally.backwards, "time")
        ));
    }
    for (label, parts) in [
        ("noticed", noticed),
        ("passed over", tally.passed_over()),
        ("NOT READ", tally.unread()),
    ] {
        if !parts.is_empty() {
            text.push_str(&format!("{label}: {}\n", parts.join(", ")));
        }
    }
    text
}

/// The closing lines as JSON.
#[must_use]
pub fn json(tally: &Tally) -> Value {
    let skipped: Vec<Value> = tally
        .skipped
        .iter()
        .map(|(reason, count)| {
            let mut object = json!({ "reason": reason.name(), "packets": count });
            match reason {
                Skipped::UnsupportedLink(number) => object["link_type"] = json!(number),
                Skipped::Record(kind, subtype) => object["mrt_type"] = json!([kind, subtype]),
                _ => {}
            }
            object
        })
        .collect();
    let markers: serde_json::Map<String, Value> = tally
        .stray_markers
        .iter()
        .map(|(port, count)| (port.to_string(), json!(count)))
        .collect();
    json!({
        "packets": tally.packets,
        "segments": tally.segments,
        "on_port_179": tally.on_bgp_port,
        "connections": tally.connections,
        "attempts": tally.attempts,
        "retransmitted": tally.retransmitted,
        "reordered": tally.reordered,
        "keep_alive_probes": tally.probes,
        "reassembled_fragments": tally.reassembled,
        "clock_set_back": tally.backwards,
        "gaps": tally.gaps,
        "lost_octets": tally.lost,
        "cut_octets": tally.cut,
        "stray_markers": markers,
        "skipped": skipped,
        "complete": tally.is_complete(),
    })
}
