//! Random configurations (`qa/differential/configurations.py`): what the real ExaBGP 5.0.15 tells each neighbor as its session
//! begins, beside what Lockstep tells it. What ExaBGP refuses, Lockstep refuses too.

use lockstep::config;
use serde_json::Value;

use crate::differential::{Differences, rows, text};
use crate::differential_session::Conversation;

/// What Lockstep refuses and ExaBGP passes over, see `speaker::parity`.
pub const PASSED_OVER: [&str; 7] = [
    // in commands alone
    "is missing before `}`",
    "closes no section",
    "is said already",
    "cannot be said in octets",
    "`-1` is not a number",
    "is expected here, not `",
    "has no value",
];

/// What Lockstep takes and ExaBGP refuses, see there: empty statements, and a family that ExaBGP's `family` lacks.
pub fn is_taken(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|pair| {
        matches!(pair, [before, ";"] if before.ends_with([';', '{', '}']))
            || pair == ["ipv6", "multicast;"]
    })
}

/// Whether a route has next hops of both versions of IP: ExaBGP sends the first in NEXT_HOP and the last in MP_REACH.
fn mixes_next_hops(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut first = None;
    words.windows(2).any(|pair| match pair {
        ["route", _] => {
            first = None;
            false
        }
        ["next-hop", hop] => {
            let six = hop.contains(':');
            *first.get_or_insert(six) != six
        }
        _ => false,
    })
}

/// The lines of `value`, one below the other.
pub fn list(value: &Value) -> String {
    let lines: Vec<&str> = value.as_array().unwrap().iter().map(text).collect();
    lines.join("\n         ")
}

#[test]
fn neighbors_are_told_the_same() {
    compare("configurations");
}

#[test]
fn neighbors_are_told_the_same_whatever_is_repeated_and_in_any_order() {
    compare("varied");
}

fn compare(corpus: &str) {
    let mut differences = Differences::default();
    let mut count = 0;
    for row in rows(corpus) {
        count += 1;
        if mixes_next_hops(text(&row["text"])) {
            continue;
        }
        let theirs = &row["answer"];
        let ours = config::parse("row", text(&row["text"]));
        let (ours, theirs) = match (ours, theirs.as_array()) {
            (Err(_), None) => continue,
            (Ok(ours), Some(theirs)) => (ours, theirs),
            // it reads these and falls over later
            (Ok(_), None) if theirs.is_object() => continue,
            (Ok(_), None) if is_taken(text(&row["text"])) => continue,
            (Ok(_), None) => {
                differences.compare("acceptance", &row["text"], "accepted", "refused");
                continue;
            }
            (Err(mistake), Some(_)) => {
                let why = format!("{mistake:?}");
                if PASSED_OVER.iter().any(|words| why.contains(words)) {
                    continue;
                }
                differences.compare("acceptance", &row["text"], &why, "accepted");
                continue;
            }
        };
        let found = ours.neighbors.len().to_string();
        let expected = theirs.len().to_string();
        differences.compare("neighbors", &row["text"], &found, &expected);
        for (neighbor, theirs) in ours.neighbors.into_iter().zip(theirs) {
            let mut conversation = Conversation::new(neighbor);
            conversation.establish();
            let ours = conversation.told;
            differences.compare("OPEN", &row["text"], &ours.open, text(&theirs["open"]));
            let what = "OPERATIONAL";
            let operational = ours.others.join("\n         ");
            differences.compare(
                what,
                &row["text"],
                &operational,
                &list(&theirs["operational"]),
            );
            let what = format!("UPDATEs ({})", ours.refused.join("; "));
            let routes = ours.routes.join("\n         ");
            differences.compare(&what, &row["text"], &routes, &list(&theirs["routes"]));
        }
    }
    differences.finish(count);
}
