//! Random configurations (`qa/differential/configurations.py`): what the real ExaBGP 5.0.15 tells each neighbor as its session
//! begins, beside what Lockstep tells it. What ExaBGP refuses, Lockstep refuses too.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::capability::{Capability, FourOctetAs};
use lockstep::bgp::message::open::{AS_TRANS, Parameter};
use lockstep::bgp::message::{Header, Message, Open};
use lockstep::bgp::nlri::qualifier::hex_lower;
use lockstep::config;
use lockstep::speaker::neighbor::{Address, AsNumber, Neighbor};
use lockstep::speaker::peer::Peer;
use lockstep::speaker::session::{Direction, Ends, Session, SessionEvent};
use lockstep::speaker::settings::Settings;
use serde_json::Value;

use crate::differential::{Differences, rows, text};

/// What Lockstep refuses and ExaBGP passes over, see `speaker::parity`.
const PASSED_OVER: [&str; 7] = [
    "is not expected here",
    "is missing before `}`",
    "closes no section",
    "is not known as a template",
    "`-1` is not a number",
    "is expected here, not `",
    "has no value",
];

/// What Lockstep takes and ExaBGP refuses, see there: empty statements, and a family that ExaBGP's `family` lacks.
fn is_taken(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|pair| {
        matches!(pair, [before, ";"] if before.ends_with([';', '{', '}']))
            || pair == ["ipv6", "multicast;"]
    })
}

/// `open` as the other side sends it.
fn mirrored(mut open: Open, neighbor: &Neighbor) -> Open {
    let AsNumber::Number(peer_as) = neighbor.peer_as else {
        panic!("the corpus has no automatic AS numbers");
    };
    open.identifier = Ipv4Addr::from(u32::from(open.identifier) + 1);
    open.my_as = u16::try_from(peer_as).unwrap_or(AS_TRANS);
    for parameter in &mut open.parameters {
        let Parameter::Capabilities(capabilities) = parameter else {
            continue;
        };
        for capability in capabilities {
            if let Capability::FourOctetAs(own) = capability {
                *own = FourOctetAs { asn: peer_as };
            }
        }
    }
    open
}

/// Messages sent, by what they are for.
#[derive(Debug, Default)]
struct Told {
    open: String,
    operational: Vec<String>,
    routes: Vec<String>,
    refused: Vec<String>,
}

fn drain(told: &mut Told, peer: &mut Peer, session: &mut Session) {
    let mut out = Vec::new();
    while let Some(event) = session.poll_event() {
        peer.handle_event(Duration::ZERO, &event);
        if let SessionEvent::Sent { raw } = event {
            let digits = hex_lower(&raw).to_string();
            match Header::decode(&raw).unwrap().kind.0 {
                1 => told.open = digits,
                2 if Message::decode(&WireContext::default(), &raw).is_ok_and(|message| {
                    matches!(message, Message::Update(update) if update.end_of_rib().is_some())
                }) => {}
                2 => told.routes.push(digits),
                4 => {}
                _ => told.operational.push(digits),
            }
        }
    }
    while let Some(octets) = session.poll_transmit() {
        out.extend_from_slice(octets);
        let count = octets.len();
        session.transmitted(count, Duration::ZERO);
    }
}

/// What `neighbor` is told as a session begins with a peer that mirrors our OPEN.
fn told(neighbor: Neighbor) -> Told {
    let Address::Ip(local) = neighbor.local_address else {
        panic!("the corpus has no automatic addresses");
    };
    let ends = Ends {
        local: SocketAddr::new(local, 40000),
        peer: SocketAddr::new(local, 179),
        direction: Direction::Outgoing,
    };
    let neighbor = Arc::new(neighbor);
    let mut told = Told::default();
    let (mut peer, refused) = Peer::new(Arc::clone(&neighbor));
    told.refused
        .extend(refused.iter().map(|(_, why)| why.to_string()));
    let mut session = peer.open(ends, &Settings::default(), Duration::ZERO);
    drain(&mut told, &mut peer, &mut session);
    let sent = lockstep::bgp::hex::parse(&told.open).unwrap();
    let Ok(Message::Open(open)) = Message::decode(&WireContext::default(), &sent) else {
        panic!("{}", told.open);
    };
    let mut answer = Vec::new();
    for message in [Message::Open(mirrored(open, &neighbor)), Message::Keepalive] {
        message
            .encode(&WireContext::default(), &mut answer)
            .unwrap();
    }
    session.handle_bytes(Duration::ZERO, &answer);
    let mut now = Duration::ZERO;
    for _ in 0..200 {
        drain(&mut told, &mut peer, &mut session);
        let filled = peer.fill(now, &mut session, 25);
        told.refused
            .extend(filled.refused.iter().map(ToString::to_string));
        now = filled.wait_until.unwrap_or(now);
    }
    drain(&mut told, &mut peer, &mut session);
    told
}

fn list(value: &Value) -> String {
    let lines: Vec<&str> = value.as_array().unwrap().iter().map(text).collect();
    lines.join("\n         ")
}

#[test]
fn neighbors_are_told_the_same() {
    let mut differences = Differences::default();
    let mut count = 0;
    for row in rows("configurations") {
        count += 1;
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
            let ours = told(neighbor);
            differences.compare("OPEN", &row["text"], &ours.open, text(&theirs["open"]));
            let what = "OPERATIONAL";
            let operational = ours.operational.join("\n         ");
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
