//! A capture as a ladder of messages, a line each.

use std::fmt::Write as _;

use super::style::style;
use serde_json::{Value, json};

use super::diff_text::seconds;
use super::summary::summary;
use crate::bgp::attribute::WireContext;
use crate::bgp::hex;
use crate::bgp::iana::MessageType;
use crate::capture::{Attempt, CaptureEvent, Connection, EventKind, Note, StreamDirection, Via};

/// Octets of what is no message that are shown.
const SHOWN: usize = 24;

/// The line that announces a connection.
#[must_use]
pub fn opening(connection: &Connection, colours: bool) -> String {
    let how = if connection.handshake {
        ""
    } else {
        " (its beginning is not in the capture)"
    };
    let ports = format!(
        "ports {} → {}",
        connection.client.port, connection.server.port
    );
    let opened = date(connection.opened);
    let about = match connection.via {
        Via::Tcp => format!("{ports}, opened {opened}{how}"),
        Via::Bmp(router) if connection.handshake => {
            format!("{ports}, up {opened}, as BMP from {router} tells")
        }
        Via::Bmp(router) => format!("from {opened}, as BMP from {router} tells{how}"),
        Via::MrtMessages => format!("from {opened}, as an MRT file tells"),
        Via::MrtTable => format!("{opened}, routes of an MRT table, an UPDATE for each"),
    };
    let title = format!("{}  {about}", connection.id);
    style(title).bold().force_styling(colours).to_string()
}

/// Appends the line of one event; `number` counts messages.
pub fn write_rung(
    out: &mut String,
    event: &CaptureEvent<'_>,
    number: u64,
    context: &WireContext,
    colours: bool,
) {
    let _ = match event.kind {
        EventKind::Message { .. } | EventKind::Junk { .. } => write!(out, "{number:>6}"),
        _ => write!(out, "{:>6}", ""),
    };
    let _ = write!(out, "  {:>15}", since_open(event));
    let arrow = match event.direction {
        StreamDirection::FromClient => "──▶",
        StreamDirection::FromServer => "◀──",
    };
    let (text, is_wrong) = event_text(event, context);
    let text = if is_wrong {
        style(text).red().force_styling(colours).to_string()
    } else {
        text
    };
    let _ = writeln!(out, "  {arrow}  {text}");
}

/// How long after the opening, or before it where the clock was set back.
fn since_open(event: &CaptureEvent<'_>) -> String {
    let opened = event.connection.opened;
    let sign = if event.time < opened { '-' } else { '+' };
    format!("{sign}{}", seconds(event.time.abs_diff(opened)))
}

/// The line of a connection to port 179 that came to nothing.
#[must_use]
pub fn attempt(event: &CaptureEvent<'_>, attempt: Attempt) -> String {
    let Connection {
        id,
        client,
        server,
        opened,
        ..
    } = event.connection;
    let after = seconds(event.time.abs_diff(*opened));
    let how = match attempt {
        Attempt::Refused => format!("refused (RST) after {after}"),
        Attempt::Unanswered(1) => format!("no answer to its SYN within {after}"),
        Attempt::Unanswered(syns) => format!("no answer to {syns} SYNs within {after}"),
        Attempt::Silent => format!("connected, nothing said within {after}"),
    };
    format!(
        "{}  ports {} → {}, {}: {how}",
        id.peer,
        client.port,
        server.port,
        date(*opened)
    )
}

/// What is known beside the octets.
fn noted(note: Note) -> String {
    match note {
        Note::Attempt(_) => String::new(),
        Note::PeerDown { reason, event } => match reason {
            1 => "down: the router sent a NOTIFICATION".to_owned(),
            2 => format!("down: closed by the router without NOTIFICATION, FSM event {event}"),
            3 => "down: the peer sent a NOTIFICATION".to_owned(),
            4 => "down: closed by the peer without NOTIFICATION".to_owned(),
            5 => "down: the router does not monitor this peer any more".to_owned(),
            6 => "down: Loc-RIB instance".to_owned(),
            _ => format!("down, reason {reason}"),
        },
        Note::State { from, to } => format!("state {} to {}", state(from), state(to)),
    }
}

/// RFC 6396 section 4.4.1.
fn state(number: u16) -> String {
    let names = [
        "Idle",
        "Connect",
        "Active",
        "OpenSent",
        "OpenConfirm",
        "Established",
    ];
    let name = usize::from(number)
        .checked_sub(1)
        .and_then(|at| names.get(at));
    name.map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

fn event_text(event: &CaptureEvent<'_>, context: &WireContext) -> (String, bool) {
    match event.kind {
        EventKind::Opened => ("opened".to_owned(), false),
        EventKind::Message { octets, .. } => {
            let text = summary(context, octets);
            let is_wrong = text.starts_with("malformed");
            (text, is_wrong)
        }
        EventKind::Junk {
            offset,
            reason,
            octets,
        } => {
            let shown = hex::text(&octets[..octets.len().min(SHOWN)]);
            let more = if octets.len() > SHOWN { "…" } else { "" };
            let text = format!(
                "{} octets at {offset} that are no message ({reason}): {shown}{more}",
                octets.len()
            );
            (text, true)
        }
        EventKind::Gap { offset, lost } => (
            format!("{lost} octets at {offset} are not in the capture"),
            true,
        ),
        EventKind::Finished => ("FIN".to_owned(), false),
        EventKind::Reset => ("RST".to_owned(), false),
        EventKind::Noted(note) => (noted(note), false),
    }
}

/// One event for programs.
#[must_use]
pub fn json(event: &CaptureEvent<'_>, number: u64, context: &WireContext) -> Value {
    let id = event.connection.id;
    let mut object = json!({
        "client": id.peer.client.to_string(),
        "server": id.peer.server.to_string(),
        "attempt": id.attempt,
        "from": match event.direction {
            StreamDirection::FromClient => "client",
            StreamDirection::FromServer => "server",
        },
        "time_ns": event.time,
        "since_open_ns": i128::from(event.time) - i128::from(event.connection.opened),
    });
    let told = match event.kind {
        EventKind::Opened => opened(event.connection),
        EventKind::Message { offset, octets } => json!({
            "kind": "message",
            "number": number,
            "offset": offset,
            "type": MessageType(octets[18]).to_string(),
            "octets": hex::text(octets),
            "summary": summary(context, octets),
        }),
        EventKind::Junk {
            offset,
            reason,
            octets,
        } => json!({
            "kind": "junk",
            "number": number,
            "offset": offset,
            "reason": reason.to_string(),
            "octets": hex::text(octets),
        }),
        EventKind::Gap { offset, lost } => {
            json!({ "kind": "gap", "offset": offset, "lost_octets": lost })
        }
        EventKind::Finished => json!({ "kind": "fin" }),
        EventKind::Reset => json!({ "kind": "rst" }),
        EventKind::Noted(Note::Attempt(attempt)) => match attempt {
            Attempt::Refused => json!({ "kind": "attempt", "end": "refused" }),
            Attempt::Unanswered(syns) => {
                json!({ "kind": "attempt", "end": "unanswered", "syns": syns })
            }
            Attempt::Silent => json!({ "kind": "attempt", "end": "silent" }),
        },
        EventKind::Noted(Note::PeerDown { reason, event }) => {
            json!({ "kind": "peer-down", "reason": reason, "fsm_event": event })
        }
        EventKind::Noted(Note::State { from, to }) => {
            json!({ "kind": "state", "old": from, "new": to })
        }
    };
    if let (Some(object), Value::Object(told)) = (object.as_object_mut(), told) {
        object.extend(told);
    }
    object
}

/// How the messages of a connection are read, where its OPENs do not say it.
#[must_use]
pub fn encoding_json(event: &CaptureEvent<'_>, told: &str) -> Value {
    let id = event.connection.id;
    json!({
        "client": id.peer.client.to_string(),
        "server": id.peer.server.to_string(),
        "attempt": id.attempt,
        "kind": "encoding",
        "read_with": told,
    })
}

fn opened(connection: &Connection) -> Value {
    let via = match connection.via {
        Via::Tcp => "tcp".to_owned(),
        Via::Bmp(router) => format!("bmp {router}"),
        Via::MrtMessages => "mrt".to_owned(),
        Via::MrtTable => "mrt-table".to_owned(),
    };
    json!({ "kind": "opened", "handshake": connection.handshake, "via": via })
}

/// Nanoseconds since 1970 as `2023-11-14T22:13:20.000000000Z` (RFC 3339).
#[must_use]
pub fn date(nanoseconds: u64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01 in eras of 400 years, so that leap days come last.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:09}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60,
        nanoseconds % 1_000_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(
            date(951_782_400_000_000_001),
            "2000-02-29T00:00:00.000000001Z"
        );
        assert_eq!(
            date(1_700_000_000_000_000_000),
            "2023-11-14T22:13:20.000000000Z"
        );
        assert_eq!(
            date(4_107_542_399_000_000_000),
            "2100-02-28T23:59:59.000000000Z"
        );
    }
}
