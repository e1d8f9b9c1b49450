//! Events as JSON, byte for byte as ExaBGP 5.0.15 writes them: odd spaces included.

use std::fmt::Write as _;

use super::Host;
use super::told::{self, Route};
use crate::api::event::{ApiEvent, Direction, PeerIdentity};
use crate::bgp::capability;
use crate::bgp::family::Family;
use crate::bgp::iana::MessageType;
use crate::bgp::json::string;
use crate::bgp::message::operational::OperationalValue;
use crate::bgp::message::{Header, Message, Notification, Open, Operational, RouteRefresh, Update};
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
            let (code, name) = (quoted(&number.to_string()), quoted(told::signal(*number)));
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
            let content = content(host, *direction, message, *negotiated);
            (short_name(message.kind()), Some(*direction), *raw, content)
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
                Some(*direction),
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
        octets(&mut out, "header", header);
        octets(&mut out, "body", body);
    }
    neighbor(&mut out, peer, direction, &content);
    out.push_str(" }\n");
    out
}

/// The line that tells that the speaker ends.
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

/// `"header": "0xFF…", `; nothing where there are no octets.
fn octets(out: &mut String, key: &str, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let _ = write!(out, "\"{key}\": \"");
    super::hex(bytes, out);
    out.push_str("\", ");
}

fn neighbor(out: &mut String, peer: &PeerIdentity, direction: Option<Direction>, content: &str) {
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
        let _ = write!(out, ", \"direction\": \"{}\"", direction.name());
    }
    out.push_str(if content.is_empty() { " " } else { ", " });
    out.push_str(content);
    out.push_str(" }");
}

/// What is said of a message beside the neighbor.
fn content(
    host: &Host,
    direction: Direction,
    message: &Message,
    agreed: Option<&Negotiated>,
) -> String {
    match message {
        Message::Open(open) => open_message(open, direction),
        Message::Update(message) => {
            let mut content = update(host, message);
            if let Some(agreed) = agreed {
                content.push_str(", ");
                content.push_str(&negotiated(agreed));
            }
            content
        }
        Message::Notification(message) => notification(message, direction),
        Message::RouteRefresh(message) => refresh(message),
        Message::Operational(message) => operational(message),
        Message::Keepalive | Message::Unknown(_) => String::new(),
    }
}

fn open_message(open: &Open, direction: Direction) -> String {
    let capabilities: Vec<String> =
        told::capabilities(capability::json(open.capabilities()), direction)
            .into_iter()
            .map(|(code, json)| match direction {
                Direction::Send => format!("\"{}\": {json}", capability::name(code)),
                Direction::Receive => format!("\"{code}\": {json}"),
            })
            .collect();
    format!(
        "\"open\": {{ \"version\": 4, \"asn\": {}, \"hold_time\": {}, \"router_id\": \"{}\", \"capabilities\": {{ {} }} }}",
        told::asn(open, direction),
        open.hold_time,
        open.identifier,
        capabilities.join(", ")
    )
}

fn update(host: &Host, message: &Update) -> String {
    if let Some(family) = message.end_of_rib() {
        return format!(
            "\"message\": {{ \"eor\": {{ \"afi\" : \"{}\", \"safi\" : \"{}\" }} }}",
            family.afi, family.safi
        );
    }
    let mut parts = Vec::new();
    if told::has_attributes(message) {
        parts.push(format!(
            "\"attribute\": {{ {} }}",
            message.attributes.received().json()
        ));
    }
    parts.extend(announced(host, message));
    parts.extend(withdrawn(host, message));
    format!("\"message\": {{ \"update\": {{ {} }} }}", parts.join(", "))
}

/// The JSON of routes by the name of their next hop.
type ByNextHop = Vec<(String, Vec<String>)>;

/// `"announce": { "ipv4 unicast": { "192.0.2.1": [ … ] } }`
fn announced(host: &Host, message: &Update) -> Option<String> {
    let mut families: Vec<(Family, ByNextHop)> = Vec::new();
    for Route { nlri, next_hop } in told::announced(message) {
        let position = match families
            .iter()
            .position(|(family, _)| *family == nlri.family)
        {
            Some(at) => at,
            None => {
                families.push((nlri.family, Vec::new()));
                families.len() - 1
            }
        };
        let hops = &mut families[position].1;
        let name = told::next_hop(next_hop);
        let json = nlri.json_with(next_hop, host.compact);
        match hops.iter_mut().find(|(known, _)| *known == name) {
            Some((_, routes)) => routes.push(json),
            None => hops.push((name, vec![json])),
        }
    }
    if families.is_empty() {
        return None;
    }
    let families: Vec<String> = families
        .iter()
        .map(|(family, hops)| {
            let hops: Vec<String> = hops
                .iter()
                .map(|(hop, routes)| format!("\"{hop}\": [ {} ]", routes.join(", ")))
                .collect();
            format!("\"{family}\": {{ {} }}", hops.join(", "))
        })
        .collect();
    Some(format!("\"announce\": {{ {} }}", families.join(", ")))
}

/// `"withdraw": { "ipv4 unicast": [ … ] }`
fn withdrawn(host: &Host, message: &Update) -> Option<String> {
    let mut families: Vec<(Family, Vec<String>)> = Vec::new();
    for nlri in message.withdrawn() {
        let json = nlri.json_with(None, host.compact);
        match families
            .iter_mut()
            .find(|(family, _)| *family == nlri.family)
        {
            Some((_, routes)) => routes.push(json),
            None => families.push((nlri.family, vec![json])),
        }
    }
    if families.is_empty() {
        return None;
    }
    let families: Vec<String> = families
        .iter()
        .map(|(family, routes)| format!("\"{family}\": [ {} ]", routes.join(", ")))
        .collect();
    Some(format!("\"withdraw\": {{ {} }}", families.join(", ")))
}

fn notification(message: &Notification, direction: Direction) -> String {
    let data = told::notification_data(message, direction);
    let mut shown = String::new();
    super::hex(&data, &mut shown);
    format!(
        "\"notification\": {{ \"code\": {}, \"subcode\": {}, \"data\": \"{shown}\", \"message\": {} }} ",
        message.code.0,
        message.subcode,
        quoted(&String::from_utf8_lossy(&data))
    )
}

fn refresh(message: &RouteRefresh) -> String {
    format!(
        "\"route-refresh\": {{ \"afi\": \"{}\", \"safi\": \"{}\", \"subtype\": \"{}\" }}",
        message.family.afi,
        message.family.safi,
        told::subtype(message)
    )
}

fn operational(message: &Operational) -> String {
    let name = message.kind;
    let of = |family: &Family| {
        format!(
            "\"operational\": {{ \"name\": \"{name}\", \"afi\": \"{}\", \"safi\": \"{}\"",
            family.afi, family.safi
        )
    };
    match &message.value {
        OperationalValue::Advisory { family, text } => {
            let text = quoted(&String::from_utf8_lossy(text));
            format!("{}, \"advisory\": {text} }}", of(family))
        }
        OperationalValue::Query { family, .. } => format!("{} }}", of(family)),
        OperationalValue::Counter {
            family,
            router_id,
            sequence,
            counter,
        } => format!(
            "{}, \"router-id\": \"{router_id}\", \"sequence\": {sequence}, \"counter\": {counter} }}",
            of(family)
        ),
        // ExaBGP passes over what it does not know; its number and octets are of more use.
        OperationalValue::Other(bytes) => {
            let mut shown = String::new();
            super::hex(bytes, &mut shown);
            format!("\"operational\": {{ \"name\": \"{name}\", \"raw\": \"{shown}\" }}")
        }
    }
}

fn packet(kind: u8, raw: &[u8], agreed: Option<&Negotiated>) -> String {
    let (header, body) = raw.split_at(Header::SIZE.min(raw.len()));
    let mut out = format!("\"message\": {{ \"category\": {kind}, \"header\": \"");
    super::hex(header, &mut out);
    out.push_str("\", \"body\": \"");
    super::hex(body, &mut out);
    out.push_str("\" } ");
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

fn quoted(text: &str) -> String {
    let mut out = String::new();
    string(text, &mut out);
    out
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

/// The type of a message of which the octets are told.
const fn long_name(kind: MessageType) -> &'static str {
    match kind {
        MessageType::ROUTE_REFRESH => "route-refresh",
        _ => short_name(kind),
    }
}
