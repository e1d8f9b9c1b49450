//! Events as text, byte for byte as ExaBGP 5.0.15 writes them: most are followed by an empty line.

use std::fmt::Write as _;

use super::Host;
use super::content::{self, Content};
use crate::api::event::{ApiEvent, PeerIdentity, direction_name};
use crate::bgp::capability;
use crate::bgp::family::Family;
use crate::bgp::message::operational::OperationalValue;
use crate::bgp::message::{Header, Message, Notification, Open, Operational, RouteRefresh, Update};
use crate::net::Direction;

/// The lines of `event`, the last newline included; nothing where the form has no word for it.
pub fn event(peer: &PeerIdentity, event: &ApiEvent<'_>) -> Option<String> {
    let neighbor = format!("neighbor {}", peer.peer);
    let text = match event {
        ApiEvent::Connected => format!("{neighbor} connected\n"),
        ApiEvent::Up => format!("{neighbor} up\n"),
        ApiEvent::Down { reason } => format!("{neighbor} down - {}\n", one_line(reason)),
        ApiEvent::Negotiated(_) | ApiEvent::Fsm(_) | ApiEvent::Signal(_) | ApiEvent::Decoded(_) => {
            return None;
        }
        ApiEvent::Message {
            direction,
            message,
            raw,
            ..
        } => {
            let prefix = format!("{neighbor} {}", direction_name(*direction));
            content(&prefix, *direction, message, &octets(*raw))
        }
        ApiEvent::Packet { direction, raw, .. } => {
            let kind = raw.get(Header::SIZE - 1).copied().unwrap_or(0);
            format!(
                "{neighbor} {} {kind}{}\n",
                direction_name(*direction),
                octets(Some(raw))
            )
        }
    };
    Some(text + "\n")
}

/// The line that reports that the speaker ends.
pub fn shutdown(host: &Host) -> String {
    format!("shutdown {} {}\n\n", host.pid, host.ppid)
}

fn content(prefix: &str, direction: Direction, message: &Message, octets: &str) -> String {
    match message {
        Message::Keepalive => format!("{prefix} keepalive{octets}\n"),
        Message::Open(open) => {
            format!("{prefix} {}{octets}\n", open_message(open, Some(direction)))
        }
        Message::Update(message) => update(prefix, message, direction, octets),
        Message::Notification(message) => {
            format!("{prefix} {}{octets}\n", notification(message, direction))
        }
        Message::RouteRefresh(message) => format!("{prefix} {}{octets}\n", refresh(message)),
        Message::Operational(message) => format!("{prefix} {}{octets}", operational(message)),
        Message::Unknown(message) => format!("{prefix} {}{octets}\n", message.kind.0),
    }
}

fn open_message(open: &Open, direction: Option<Direction>) -> String {
    let mut capabilities = content::capabilities(capability::text(open.capabilities()), direction);
    capabilities.sort_by_key(|(code, _)| *code);
    let capabilities: Vec<String> = capabilities.into_iter().map(|(_, text)| text).collect();
    format!(
        "open version 4 asn {} hold_time {} router_id {} capabilities [{}]",
        content::asn(open, direction),
        open.hold_time,
        open.identifier,
        one_line(&capabilities.join(", ")).to_lowercase()
    )
}

fn update(prefix: &str, message: &Update, direction: Direction, octets: &str) -> String {
    let mut out = format!("{prefix} update start\n");
    match Content::of(message, Some(direction)) {
        Content::EndOfRib(Family { afi, safi }) => {
            let (number, sub_number) = (afi.0, safi.0);
            let _ = writeln!(
                out,
                "{prefix} update route eor {number}/{sub_number} ({afi} {safi})"
            );
        }
        Content::Routes {
            attributes,
            errors,
            routes,
        } => {
            let mut attributes = attributes.map_or_else(String::new, |held| held.text());
            for error in errors {
                let _ = write!(attributes, " error {error}");
            }
            for route in routes {
                let shown = route.nlri.extensive(route.next_hop);
                let _ = match route.announced {
                    true => writeln!(out, "{prefix} update announced {shown}{attributes}"),
                    false => writeln!(out, "{prefix} update withdrawn {shown}"),
                };
            }
        }
    }
    if !octets.is_empty() {
        out.push_str(octets);
        out.push('\n');
    }
    let _ = writeln!(out, "{prefix} update end");
    out
}

fn notification(message: &Notification, direction: Direction) -> String {
    format!(
        "notification code {} subcode {} data {}",
        message.code.0,
        message.subcode,
        content::octets(&content::notification_data(message, Some(direction)))
    )
}

fn refresh(message: &RouteRefresh) -> String {
    format!(
        "route-refresh afi {} safi {} {}",
        message.family.afi,
        message.family.safi,
        content::subtype(message)
    )
}

fn operational(message: &Operational) -> String {
    let name = message.kind;
    match &message.value {
        OperationalValue::Advisory { family, text } => format!(
            "operational {name} afi {} safi {} advisory \"{}\"",
            family.afi,
            family.safi,
            python_bytes(text)
        ),
        OperationalValue::Query { family, .. } => {
            format!("operational {name} afi {} safi {}", family.afi, family.safi)
        }
        OperationalValue::Counter {
            family,
            router_id,
            sequence,
            counter,
        } => format!(
            "operational {name} afi {} safi {} router-id {router_id} sequence {} counter {counter}",
            family.afi,
            family.safi,
            content::sequence(*sequence)
                .map_or_else(|| "None".to_owned(), |number| number.to_string())
        ),
        OperationalValue::Other(bytes) => {
            format!("operational {name} {}", content::octets(bytes))
        }
    }
}

/// ` header 0xFF… body 0x00…`, each only where there are octets.
fn octets(raw: Option<&[u8]>) -> String {
    let mut out = String::new();
    let raw = raw.unwrap_or_default();
    let (header, body) = raw.split_at(Header::SIZE.min(raw.len()));
    for (name, bytes) in [("header", header), ("body", body)] {
        if !bytes.is_empty() {
            let _ = write!(out, " {name} {}", content::octets(bytes));
        }
    }
    out
}

/// Octets as Python shows them: `b'text'`. ExaBGP writes an advisory so.
fn python_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    let mut out = format!("b{quote}");
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            byte if char::from(*byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(quote);
    out
}

/// `text` with what cannot be shown escaped, so that no peer can forge a line of its own.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            let _ = write!(out, "\\x{:02x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}
