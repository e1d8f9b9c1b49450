//! Events as JSON, byte for byte as ExaBGP 5.0.15 writes them: odd spaces included.

use std::fmt::Write as _;

use super::Host;
use super::content::{self, octets};
use super::message;
use crate::api::event::{ApiEvent, PeerIdentity, direction_name};
use crate::bgp::family::Family;
use crate::bgp::iana::MessageType;
use crate::bgp::json::quoted;
use crate::bgp::message::{Header, Message};
use crate::speaker::session::{Negotiated, Refresh};

/// The line of `event`, newline included.
pub fn event(
    host: &Host,
    time: f64,
    counter: u64,
    peer: &PeerIdentity,
    event: &ApiEvent<'_>,
) -> String {
    let (kind, direction, raw, content) = match event {
        ApiEvent::Connected => ("state", None, None, members(&[("state", "\"connected\"")])),
        ApiEvent::Up => ("state", None, None, members(&[("state", "\"up\"")])),
        ApiEvent::Down { reason } => {
            let reason = quoted(reason);
            (
                "state",
                None,
                None,
                members(&[("state", "\"down\""), ("reason", &reason)]),
            )
        }
        ApiEvent::Negotiated(agreed) => ("negotiated", None, None, negotiated(agreed)),
        ApiEvent::Fsm(state) => {
            let name = quoted(&state.to_string());
            ("fsm", None, None, members(&[("state", &name)]))
        }
        ApiEvent::Signal(number) => {
            let (code, name) = (
                quoted(&number.to_string()),
                quoted(content::signal(*number)),
            );
            (
                "signal",
                None,
                None,
                members(&[("code", &code), ("name", &name)]),
            )
        }
        ApiEvent::Message {
            direction,
            message,
            negotiated,
            raw,
        } => {
            let mut content = message::content(host, Some(*direction), message);
            if let (Message::Update(_), Some(agreed)) = (message, negotiated) {
                content.push_str(", ");
                content.push_str(&self::negotiated(agreed));
            }
            let kind = short_name(message.kind());
            (kind, Some(direction_name(*direction)), *raw, content)
        }
        ApiEvent::Decoded(message) => {
            let content = message::content(host, None, message);
            (short_name(message.kind()), Some("in"), None, content)
        }
        ApiEvent::Packet {
            direction,
            negotiated,
            raw,
        } => {
            let kind = raw.get(Header::SIZE - 1).copied().unwrap_or(0);
            let content = packet(kind, raw, *negotiated);
            (
                long_name(MessageType(kind)),
                Some(direction_name(*direction)),
                None,
                content,
            )
        }
    };
    let mut out = String::with_capacity(512);
    open(&mut out, host, time);
    let _ = write!(out, "\"counter\": {counter}, \"type\": \"{kind}\", ");
    if let Some(raw) = raw {
        let (header, body) = raw.split_at(Header::SIZE.min(raw.len()));
        for (key, bytes) in [("header", header), ("body", body)] {
            if !bytes.is_empty() {
                let _ = write!(out, "\"{key}\": \"{}\", ", octets(bytes));
            }
        }
    }
    neighbor(&mut out, peer, direction, &content);
    out.push_str(" }\n");
    out
}

/// The line that reports that the speaker ends.
pub fn shutdown(host: &Host, time: f64) -> String {
    let mut out = String::new();
    open(&mut out, host, time);
    out.push_str("\"type\": \"notification\", \"notification\": \"shutdown\" }\n");
    out
}

fn open(out: &mut String, host: &Host, time: f64) {
    let Host {
        version,
        name,
        pid,
        ppid,
        ..
    } = host;
    let _ = write!(
        out,
        "{{ \"exabgp\": \"{version}\", \"time\": {time:?}, \"host\" : \"{name}\", \"pid\" : {pid}, \"ppid\" : {ppid}, "
    );
}

fn neighbor(out: &mut String, peer: &PeerIdentity, direction: Option<&str>, content: &str) {
    let none = || "None".to_owned();
    let local = peer.local.map_or_else(none, |address| address.to_string());
    let local_as = peer.local_as.map_or_else(none, |number| number.to_string());
    let peer_as = peer.peer_as.map_or_else(none, |number| number.to_string());
    let _ = write!(
        out,
        "\"neighbor\": {{ \"address\": {{ \"local\": \"{local}\", \"peer\": \"{}\" }}, \
         \"asn\": {{ \"local\": {local_as}, \"peer\": {peer_as} }}",
        peer.peer
    );
    if let Some(id) = peer.router_id {
        let _ = write!(out, ", \"router-id\": \"{id}\"");
    }
    out.push(' ');
    if let Some(direction) = direction {
        let _ = write!(out, ", \"direction\": \"{direction}\"");
    }
    out.push_str(if content.is_empty() { " " } else { ", " });
    out.push_str(content);
    out.push_str(" }");
}

fn packet(kind: u8, raw: &[u8], agreed: Option<&Negotiated>) -> String {
    let (header, body) = raw.split_at(Header::SIZE.min(raw.len()));
    let mut out = format!(
        "\"message\": {{ \"category\": {kind}, \"header\": \"{}\", \"body\": \"{}\" }} ",
        octets(header),
        octets(body)
    );
    if let Some(agreed) = agreed {
        out.push_str(", ");
        out.push_str(&negotiated(agreed));
    }
    out
}

fn negotiated(agreed: &Negotiated) -> String {
    let refresh = match agreed.refresh {
        Refresh::Absent => "absent",
        Refresh::Normal => "normal",
        Refresh::Enhanced => "enhanced",
    };
    let names = |families: &mut dyn Iterator<Item = Family>| {
        let names: Vec<String> = families.map(|family| format!("\"{family}\"")).collect();
        names.join(", ")
    };
    let nexthops: Vec<String> = agreed
        .nexthops
        .iter()
        .map(|(family, next)| format!("\"{family} {next}\""))
        .collect();
    let paths = |families: &crate::bgp::family::Families| {
        names(
            &mut agreed
                .families
                .iter()
                .filter(|family| families.contains(*family)),
        )
    };
    format!(
        "\"negotiated\": {{ \"message_size\": {}, \"hold_time\": {}, \"asn4\": {}, \"multisession\": {}, \
         \"operational\": {}, \"refresh\": \"{refresh}\", \"families\": [{}], \"nexthop\": [{}], \
         \"add_path\": {{\"send\": [{}], \"receive\": [{}]}} }} ",
        agreed.message_size(),
        agreed.hold_time,
        agreed.send.four_octet_as,
        agreed.multi_session,
        agreed.operational,
        names(&mut agreed.families.iter()),
        nexthops.join(", "),
        paths(&agreed.send.add_path),
        paths(&agreed.receive.add_path),
    )
}

/// `"key": value, …`
fn members(members: &[(&str, &str)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    members.join(", ")
}

/// The type of a message that is understood.
const fn short_name(kind: MessageType) -> &'static str {
    match kind {
        MessageType::OPEN => "open",
        MessageType::UPDATE => "update",
        MessageType::NOTIFICATION => "notification",
        MessageType::KEEPALIVE => "keepalive",
        MessageType::ROUTE_REFRESH => "refresh",
        MessageType::OPERATIONAL => "operational",
        _ => "unknown",
    }
}

/// The type of a message whose octets are shown.
const fn long_name(kind: MessageType) -> &'static str {
    match kind {
        MessageType::ROUTE_REFRESH => "route-refresh",
        _ => short_name(kind),
    }
}
