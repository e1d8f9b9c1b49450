//! Why sessions ended, for a person and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::ladder::date;
use super::style::style;
use super::tally;
use crate::capture::{Connection, StreamDirection};
use crate::field::why::{EndEvidence, Explanation, SessionEnd, Why, duration};

/// Columns of a paragraph.
const WIDTH: usize = 100;
const INDENT: &str = "          ";

/// The answers for the capture that commands call `file`.
#[must_use]
pub fn text(why: &Why, shown: &[&Explanation], file: &str, colours: bool) -> String {
    let mut out = String::new();
    for explanation in shown {
        one(&mut out, explanation, file, colours);
        out.push('\n');
    }
    if !why.has_end() {
        let _ = writeln!(out, "no session of this capture ended in it");
    }
    if let Some(cut_short) = &why.cut_short {
        let _ = writeln!(out, "cut short: {}", printable(cut_short));
    }
    out.push_str(&tally::text(&why.tally, why.messages));
    out
}

fn one(out: &mut String, explanation: &Explanation, file: &str, colours: bool) {
    let Connection {
        id,
        client,
        server,
        opened,
        ..
    } = explanation.connection;
    let bold = |text: String| style(text).bold().force_styling(colours).to_string();
    let number = match explanation.session {
        Some(session) => format!("session {session}  {id}"),
        None => format!("attempt  {}", id.peer),
    };
    let title = format!(
        "{number}  ports {} → {}, opened {}",
        client.port,
        server.port,
        date(opened)
    );
    let _ = writeln!(out, "{}", bold(title));
    field(out, "ended", &ended(explanation));
    if !explanation.is_ended() {
        return;
    }
    let cause = format!("{} ({})", explanation.cause, explanation.certainty);
    field(out, "cause", &cause);
    if let Some(behind) = explanation.behind {
        field(out, "behind it", behind.title());
    }
    field(out, "", &explanation.story.join(" "));
    if let Some(pattern) = &explanation.pattern {
        field(out, "repeats", pattern);
    }
    for (number, evidence) in explanation.evidence.iter().enumerate() {
        let label = if number == 0 { "evidence" } else { "" };
        field(out, label, &seen(explanation, evidence));
    }
    for (number, (cause, reason)) in explanation.instead.iter().enumerate() {
        let label = if number == 0 { "or" } else { "" };
        field(out, label, &format!("{cause}: {reason}"));
    }
    for (number, what) in explanation.confirm.iter().enumerate() {
        let label = if number == 0 { "confirm" } else { "" };
        field(out, label, what);
    }
    if let Some(command) = replay(explanation, file) {
        field(out, "replay", &command);
    }
}

/// A label and a paragraph, wrapped.
pub(super) fn field(out: &mut String, label: &str, text: &str) {
    let text = printable(text);
    let mut line = format!("  {label:<10}");
    let mut column = 12;
    let mut is_first = true;
    for word in text.split(' ') {
        let length = word.chars().count();
        if !is_first && column + 1 + length > WIDTH {
            let _ = writeln!(out, "{}", line.trim_end());
            line = format!("  {INDENT}");
            column = 12;
        } else if !is_first {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += length;
        is_first = false;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

/// Without what a terminal would act on.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => shown.push(character),
            _ if character.is_ascii_control() => shown.extend(character.escape_default()),
            // Direction overrides and the like are escaped, letters of every script stay.
            _ => match character.escape_debug() {
                escaped if escaped.len() > 1 => shown.extend(character.escape_unicode()),
                _ => shown.push(character),
            },
        }
    }
    shown
}

fn sender(explanation: &Explanation, by: StreamDirection) -> String {
    explanation.connection.id.peer.sender(by).to_string()
}

fn since(explanation: &Explanation, time: u64) -> String {
    let opened = explanation.connection.opened;
    let sign = if time < opened { '-' } else { '+' };
    format!("{sign}{}", duration(time.abs_diff(opened)))
}

/// How it ended, in a line.
fn ended(explanation: &Explanation) -> String {
    let how = match &explanation.ending {
        SessionEnd::Notification {
            by,
            codes: (code, subcode),
            text,
            then,
            ..
        } => {
            let then = then.map_or_else(String::new, |then| format!(", then {then}"));
            format!(
                "by {}: NOTIFICATION {code}/{subcode} ({text}){then}",
                sender(explanation, *by)
            )
        }
        SessionEnd::Fin { by, .. } => format!("by {}: FIN", sender(explanation, *by)),
        SessionEnd::Rst { by, .. } => format!("by {}: RST", sender(explanation, *by)),
        SessionEnd::Silence { .. } => "by silence: no packet any more".to_owned(),
        SessionEnd::Attempt { count: 1, .. } => "it came to nothing".to_owned(),
        SessionEnd::Attempt { count, .. } => {
            format!("{count} attempts came to nothing, the first of them here")
        }
        SessionEnd::Told { text, .. } => text.clone(),
        SessionEnd::Open => return "it has not ended in this capture".to_owned(),
    };
    match explanation.ending.at() {
        Some(at) => format!("{how}, at {}", since(explanation, at)),
        None => how,
    }
}

fn seen(explanation: &Explanation, evidence: &EndEvidence) -> String {
    let mut parts = Vec::new();
    if let Some(message) = evidence.message {
        parts.push(format!("message {message}"));
    }
    if let Some(time) = evidence.time {
        parts.push(since(explanation, time));
    }
    if let Some(octet) = evidence.octet {
        parts.push(format!("octet {octet}"));
    }
    if parts.is_empty() {
        return evidence.text.clone();
    }
    format!("{}: {}", parts.join(", "), evidence.text)
}

/// The command that replays the session.
#[must_use]
pub fn replay(explanation: &Explanation, file: &str) -> Option<String> {
    let session = explanation.session?;
    explanation
        .is_ended()
        .then(|| format!("lockstep import {} --session {session}", quoted(file)))
}

/// As a shell takes it.
fn quoted(file: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=,@:".contains(c);
    if !file.is_empty() && file.chars().all(is_plain) {
        return file.to_owned();
    }
    format!("'{}'", file.replace('\'', r"'\''"))
}

/// The same for programs.
#[must_use]
pub fn json(why: &Why, shown: &[&Explanation], file: &str) -> Value {
    let sessions: Vec<Value> = shown.iter().map(|one| session(one, file)).collect();
    json!({
        "capture": file,
        "sessions": sessions,
        "cut_short": why.cut_short,
        "tally": tally::json(&why.tally),
    })
}

fn session(explanation: &Explanation, file: &str) -> Value {
    let Connection {
        id,
        client,
        server,
        opened,
        ..
    } = explanation.connection;
    let relative = |time: u64| i128::from(time) - i128::from(opened);
    let (how, by) = match &explanation.ending {
        SessionEnd::Notification { by, .. } => ("notification", Some(*by)),
        SessionEnd::Fin { by, .. } => ("fin", Some(*by)),
        SessionEnd::Rst { by, .. } => ("rst", Some(*by)),
        SessionEnd::Silence { .. } => ("silence", None),
        SessionEnd::Attempt { .. } => ("attempt", None),
        SessionEnd::Told { .. } => ("told", None),
        SessionEnd::Open => ("open", None),
    };
    let mut end = json!({
        "how": how,
        "by": by.map(|by| sender(explanation, by)),
        "time_ns": explanation.ending.at(),
        "since_open_ns": explanation.ending.at().map(relative),
        "text": ended(explanation),
    });
    if let SessionEnd::Notification {
        codes, text, then, ..
    } = &explanation.ending
    {
        end["code"] = json!(codes.0);
        end["subcode"] = json!(codes.1);
        end["notification"] = json!(text);
        end["then"] = json!(then);
    }
    if let SessionEnd::Attempt { count, .. } = explanation.ending {
        end["attempts"] = json!(count);
    }
    let evidence: Vec<Value> = explanation
        .evidence
        .iter()
        .map(|one| {
            json!({
                "message": one.message,
                "time_ns": one.time,
                "since_open_ns": one.time.map(relative),
                "octet": one.octet,
                "text": one.text,
            })
        })
        .collect();
    let instead: Vec<Value> = explanation
        .instead
        .iter()
        .map(|(cause, reason)| json!({ "cause": cause.name(), "title": cause.title(), "reason": reason }))
        .collect();
    json!({
        "session": explanation.session,
        "client": id.peer.client.to_string(),
        "server": id.peer.server.to_string(),
        "client_port": client.port,
        "server_port": server.port,
        "attempt": id.attempt,
        "opened_ns": opened,
        "ended": end,
        "cause": explanation.is_ended().then(|| explanation.cause.name()),
        "title": explanation.is_ended().then(|| explanation.cause.title()),
        "behind": explanation.behind.map(|cause| cause.name()),
        "certainty": explanation.is_ended().then(|| explanation.certainty.to_string()),
        "culprit": explanation.culprit.map(|address| address.to_string()),
        "story": explanation.story,
        "pattern": explanation.pattern,
        "evidence": evidence,
        "instead": instead,
        "confirm": explanation.confirm,
        "replay": replay(explanation, file),
    })
}
