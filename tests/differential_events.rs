//! What the real ExaBGP 5.0.15 tells API programs of random messages, and what its `decode` prints (`qa/differential/events.py`),
//! beside what Lockstep does.

use std::net::{IpAddr, Ipv4Addr};

use lockstep::api::{ApiEvent, Events, Host, PeerIdentity};
use lockstep::bgp::attribute::{Malformed, WireContext};
use lockstep::bgp::hex;
use lockstep::bgp::message::Message;
use lockstep::bgp::message::error::UpdateErrorKind;
use lockstep::config::Encoder;
use lockstep::net::Direction;

use crate::differential::{Differences, family_parity, parity, rows, text};

/// ExaBGP's text for routes with the words that it has not: of some families it shows no more than their name.
fn words_parity(ours: &str, theirs: &str) -> String {
    let line = |(ours, theirs): (&str, &str)| {
        let named = ["announced afi ", "withdrawn afi "]
            .iter()
            .any(|words| theirs.contains(words));
        let Some((before, after)) = theirs.split_once("afi ").filter(|_| named) else {
            return theirs.to_owned();
        };
        // The family is two words with `safi` between them.
        let rest: String = after.split_inclusive(' ').skip(3).collect();
        let rest = if rest.is_empty() {
            rest
        } else {
            format!(" {rest}")
        };
        let route = ours
            .strip_prefix(before)
            .and_then(|ours| ours.strip_suffix(&rest));
        route.map_or_else(
            || theirs.to_owned(),
            |route| format!("{before}{route}{rest}"),
        )
    };
    let lines: Vec<String> = ours.lines().zip(theirs.lines()).map(line).collect();
    lines.join("\n") + "\n"
}

/// The neighbor that `qa/differential` tells of.
fn neighbor() -> PeerIdentity {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    PeerIdentity {
        name: String::new(),
        peer: local.to_string(),
        local: Some(local),
        local_as: Some(65533),
        peer_as: Some(65533),
        router_id: Some(Ipv4Addr::new(1, 2, 3, 4)),
    }
}

/// The JSON of `message`, from its type on, and its text.
pub fn told(direction: &str, message: &Message) -> (String, Option<String>) {
    let session = |direction| ApiEvent::Message {
        direction,
        message,
        negotiated: None,
        raw: None,
    };
    let event = match direction {
        "receive" => session(Direction::Received),
        "send" => session(Direction::Sent),
        _ => ApiEvent::Decoded(message),
    };
    let mut events = Events::new(Host::default());
    let mut shown = |encoder| events.encode(encoder, 0.0, &neighbor(), &event);
    let json = shown(Encoder::Json).unwrap();
    let text = shown(Encoder::Text);
    (json[json.find("\"type\"").unwrap()..].to_owned(), text)
}

fn lacks_attribute(message: &Message) -> bool {
    let missing = |one: &Malformed| one.kind == UpdateErrorKind::MissingWellKnown;
    matches!(message, Message::Update(update) if update.malformed.iter().any(missing))
}

#[test]
fn events_are_told_alike() {
    let context = WireContext {
        four_octet_as: true,
        ..WireContext::default()
    };
    let mut differences = Differences::default();
    let mut count = 0;
    for row in rows("events").filter(|row| !row["shown"].is_null()) {
        count += 1;
        let octets = hex::octets(text(&row["octets"])).unwrap();
        let direction = text(&row["direction"]);
        let read = match direction {
            "in" => Message::read(&context, &octets),
            _ => Message::decode(&context, &octets),
        };
        let Ok(message) = read else {
            differences.compare("acceptance", &row, &format!("{read:?}"), "accepted");
            continue;
        };
        // ExaBGP announces the routes of an UPDATE that lacks an attribute (RFC 7606 section 3 (d)).
        if direction == "receive" && lacks_attribute(&message) {
            continue;
        }
        let theirs = &row["shown"];
        let (json, words) = told(direction, &message);
        let expected = parity(text(&theirs["json"]), &json);
        differences.compare(
            "json",
            &row,
            json.trim_end(),
            &family_parity(&json, &expected),
        );
        if let Some(words) = words {
            let expected = words_parity(&words, &format!("{}\n", text(&theirs["text"])));
            differences.compare("text", &row, &words, &expected);
        }
    }
    differences.finish(count);
}
