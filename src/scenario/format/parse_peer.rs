//! The steps of a `peer` section.

use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::text::{TextError, Words};
use crate::scenario::format::lines::Line;
use crate::scenario::format::message;
use crate::scenario::format::parse_topology::{address, condition};
use crate::scenario::format::script::{ConnectTarget, PeerAction, PeerScript, Signal, Step};
use crate::scenario::format::topology::Topology;
use crate::scenario::format::values::{code, duration, family, refresh_subtype, sight, unknown};
use crate::scenario::scripted::sight::Sight;

const KNOWN: &str = "open, connect, wait, connection, at, send, expect, replay, relay, signal, sleep, stall or close";

/// Reads the step that begins with `keyword` into `peer`, under the `connection` in force.
///
/// # Errors
/// Where the line is no step of a peer.
pub fn step(
    peer: &mut PeerScript,
    connection: &mut Option<usize>,
    keyword: &str,
    line: &Line,
    words: &mut Words<'_>,
    topology: &Topology,
) -> Result<(), TextError> {
    let mut repeat = 1;
    let action = match keyword {
        "open" => return open(peer, words),
        "connect" => {
            peer.open.connect = Some(ConnectTarget {
                address: address(topology, words, "the address at which the speaker listens")?,
                port: None,
            });
            return Ok(());
        }
        "connection" => {
            let number: usize = words.parse("the number of a connection, from 1")?;
            *connection = Some(number);
            peer.connections.push((number, Vec::new()));
            return Ok(());
        }
        "wait" => {
            let condition = condition(topology, words)?;
            let first = peer.steps.is_empty() && peer.connections.is_empty();
            if first && matches!(condition.what, Sight::Program(_)) {
                peer.open.after = Some(condition);
                return Ok(());
            }
            PeerAction::Wait(condition)
        }
        "send" => PeerAction::Send(send(words)?),
        "expect" if words.accept("close") => {
            let or_reset = words.accept("or");
            if or_reset {
                words.expect("reset")?;
            }
            PeerAction::ExpectClose { or_reset }
        }
        "expect" => {
            let sight = sight(words)?;
            if let Some(count) = words.peek().and_then(|word| word.parse().ok()) {
                words.take();
                repeat = count;
            }
            PeerAction::Expect(sight)
        }
        "replay" => PeerAction::Replay,
        "relay" => PeerAction::Relay(address(topology, words, "the address of a peer")?),
        "stall" if words.accept("until") => PeerAction::StallUntil(condition(topology, words)?),
        "stall" => PeerAction::Stall(duration(words)?),
        "signal" => {
            let word = words.word("`reload`, `restart` or `terminate`")?;
            PeerAction::Signal(match word.text.as_str() {
                "reload" => Signal::Reload,
                "restart" => Signal::Restart,
                "terminate" => Signal::Terminate,
                other => return Err(unknown(&word.span, other, "reload, restart or terminate")),
            })
        }
        "sleep" => PeerAction::Sleep(duration(words)?),
        "at" => PeerAction::At(duration(words)?),
        "close" => PeerAction::Close,
        other => return Err(unknown(&line.words[0].span, other, KNOWN)),
    };
    let steps = match connection {
        None => &mut peer.steps,
        Some(_) => peer
            .connections
            .last_mut()
            .map_or(&mut peer.steps, |(_, steps)| steps),
    };
    for _ in 0..repeat {
        steps.push(Step {
            action: action.clone(),
            span: line.span.clone(),
            line: line.number,
        });
    }
    Ok(())
}

fn open(peer: &mut PeerScript, words: &mut Words<'_>) -> Result<(), TextError> {
    if words.accept("verbatim") {
        peer.open.verbatim = true;
        return Ok(());
    }
    words.expect("mirror")?;
    while !words.is_empty() {
        if words.accept("asn") {
            peer.open.asn = Some(words.parse("an AS number")?);
        } else {
            words.expect("capability")?;
            peer.open.capability = Some(words.parse("a capability code, 0 to 255")?);
        }
    }
    Ok(())
}

/// The message that follows `send`.
pub(super) fn send(words: &mut Words<'_>) -> Result<Vec<u8>, TextError> {
    let word = words.word("what to send")?;
    Ok(match word.text.as_str() {
        "default-route" => message::default_route(),
        "keepalive" => message::keepalive(),
        "open" => own_open(words)?,
        "notification" => {
            let missing = words.error("a code and a subcode, as in 6/2, are expected here");
            let (code, subcode) = code(words).ok_or(missing)?;
            let text = words.take().map(|word| word.text.clone());
            message::notification(code, subcode, text.unwrap_or_default().as_bytes())
        }
        "message" => {
            let kind = words.parse("a message type, 0 to 255")?;
            message::message(kind, &octets(words)?)
        }
        "update" => message::message(2, &octets(words)?),
        "octets" => octets(words)?,
        "refresh" => {
            let family = family(words)?.unwrap_or(Family::IPV4_UNICAST);
            message::route_refresh(family, refresh_subtype(words))
        }
        other => {
            return Err(unknown(
                &word.span,
                other,
                "default-route, open, keepalive, notification, message, update, octets or refresh",
            ));
        }
    })
}

/// The fields of an OPEN: `asn 65002 identifier 10.0.0.9`, and where they are not the usual ones `hold-time 3`,
/// `version 5`, `capability 64 0078`; capability 65 is there unless `capability 65` says what it has.
fn own_open(words: &mut Words<'_>) -> Result<Vec<u8>, TextError> {
    let (mut version, mut asn, mut hold_time) = (4, None, 180);
    let mut identifier = None;
    let mut capabilities = Vec::new();
    let end = words.error("`asn NUMBER` and `identifier ADDRESS` are needed");
    while let Some(word) = words.take() {
        match word.text.as_str() {
            "asn" => asn = Some(words.parse::<u32>("an AS number")?),
            "identifier" => identifier = Some(words.parse("an IPv4 address")?),
            "hold-time" => hold_time = words.parse("a number of seconds, 0 to 65535")?,
            "version" => version = words.parse("a version, 0 to 255")?,
            "capability" => {
                let code: u8 = words.parse("a capability code, 0 to 255")?;
                let value = match words.peek() {
                    Some(value) if value.chars().all(|c| c.is_ascii_hexdigit()) => octets(words)?,
                    _ => Vec::new(),
                };
                capabilities.push((code, value));
            }
            other => {
                let known = "asn, identifier, hold-time, version or capability";
                return Err(unknown(&word.span, other, known));
            }
        }
    }
    let (Some(asn), Some(identifier)) = (asn, identifier) else {
        return Err(end);
    };
    Ok(message::open(
        version,
        asn,
        hold_time,
        identifier,
        &capabilities,
    ))
}

fn octets(words: &mut Words<'_>) -> Result<Vec<u8>, TextError> {
    let Some(word) = words.take() else {
        return Ok(Vec::new());
    };
    hex::parse(&word.text).map_err(|_| {
        TextError::new(
            word.span.clone(),
            format!("`{}` is not hexadecimal", word.text),
        )
        .help("write an even number of the digits 0-9 and a-f; colons are skipped")
    })
}
