//! What each message says, as JSON: the members that stand beside the neighbor in its event. Here alone is it known how
//! a message becomes JSON; API processes and `lockstep decode` get the same.

use super::Host;
use super::content::{self, Content, Route};
use crate::bgp::capability;
use crate::bgp::family::Family;
use crate::bgp::json::quoted;
use crate::bgp::message::operational::OperationalValue;
use crate::bgp::message::{
    Message, Notification, Open, Operational, RouteRefresh, UnknownMessage, Update,
};
use crate::net::Direction;

/// What is said of `message`; nothing of a KEEPALIVE. A direction of `None` is that of ExaBGP's `decode`.
pub fn content(host: &Host, direction: Option<Direction>, message: &Message) -> String {
    match message {
        Message::Open(message) => open(message, direction),
        Message::Update(message) => update(host, message, direction),
        Message::Notification(message) => notification(message, direction),
        Message::Keepalive => String::new(),
        Message::RouteRefresh(message) => refresh(message),
        Message::Operational(message) => operational(message),
        Message::Unknown(message) => unknown(message),
    }
}

fn open(open: &Open, direction: Option<Direction>) -> String {
    let capabilities: Vec<String> =
        content::capabilities(capability::json(open.capabilities()), direction)
            .into_iter()
            .map(|(code, json)| match direction {
                Some(Direction::Sent) => format!("\"{}\": {json}", capability::name(code)),
                Some(Direction::Received) | None => format!("\"{code}\": {json}"),
            })
            .collect();
    format!(
        "\"open\": {{ \"version\": 4, \"asn\": {}, \"hold_time\": {}, \"router_id\": \"{}\", \"capabilities\": {{ {} }} }}",
        content::asn(open, direction),
        open.hold_time,
        open.identifier,
        capabilities.join(", ")
    )
}

fn update(host: &Host, message: &Update, direction: Option<Direction>) -> String {
    let (attributes, errors, routes) = match Content::of(message, direction) {
        Content::EndOfRib(Family { afi, safi }) => {
            return format!(
                "\"message\": {{ \"eor\": {{ \"afi\" : \"{afi}\", \"safi\" : \"{safi}\" }} }}"
            );
        }
        Content::Routes {
            attributes,
            errors,
            routes,
        } => (attributes, errors, routes),
    };
    let mut parts = Vec::new();
    if attributes.is_some() || !errors.is_empty() {
        let held = attributes.map(|attributes| attributes.json());
        let held = held.filter(|members| !members.is_empty());
        let errors = errors
            .iter()
            .map(|error| format!("\"error\": {}", quoted(error)));
        let members: Vec<String> = held.into_iter().chain(errors).collect();
        parts.push(format!("\"attribute\": {{ {} }}", members.join(", ")));
    }
    parts.extend(announced(host, &routes));
    parts.extend(withdrawn(host, &routes));
    format!("\"message\": {{ \"update\": {{ {} }} }}", parts.join(", "))
}

/// The JSON of routes by the name of their next hop.
type ByNextHop = Vec<(String, Vec<String>)>;

/// `"announce": { "ipv4 unicast": { "192.0.2.1": [ … ] } }`, families and next hops in order of first appearance.
fn announced(host: &Host, routes: &[Route<'_>]) -> Option<String> {
    let mut families: Vec<(Family, ByNextHop)> = Vec::new();
    for route in routes.iter().filter(|route| route.announced) {
        let hops = entry(&mut families, route.nlri.family);
        entry(hops, content::next_hop(route.next_hop)).push(json(host, route));
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
    (!families.is_empty()).then(|| format!("\"announce\": {{ {} }}", families.join(", ")))
}

/// `"withdraw": { "ipv4 unicast": [ … ] }`, families in order of first appearance.
fn withdrawn(host: &Host, routes: &[Route<'_>]) -> Option<String> {
    let mut families: Vec<(Family, Vec<String>)> = Vec::new();
    for route in routes.iter().filter(|route| !route.announced) {
        entry(&mut families, route.nlri.family).push(json(host, route));
    }
    let families: Vec<String> = families
        .iter()
        .map(|(family, routes)| format!("\"{family}\": [ {} ]", routes.join(", ")))
        .collect();
    (!families.is_empty()).then(|| format!("\"withdraw\": {{ {} }}", families.join(", ")))
}

fn json(host: &Host, route: &Route<'_>) -> String {
    route.nlri.json_with(route.next_hop, host.compact)
}

/// The value beside `key`, which is added at the end where it is not there.
fn entry<K: PartialEq, V: Default>(list: &mut Vec<(K, V)>, key: K) -> &mut V {
    let at = list.iter().position(|(known, _)| *known == key);
    let at = at.unwrap_or_else(|| {
        list.push((key, V::default()));
        list.len() - 1
    });
    &mut list[at].1
}

fn notification(message: &Notification, direction: Option<Direction>) -> String {
    let data = content::notification_data(message, direction);
    format!(
        "\"notification\": {{ \"code\": {}, \"subcode\": {}, \"data\": \"{}\", \"message\": {} }} ",
        message.code.0,
        message.subcode,
        content::octets(&data),
        quoted(&String::from_utf8_lossy(&data))
    )
}

fn refresh(message: &RouteRefresh) -> String {
    let Family { afi, safi } = message.family;
    let subtype = content::subtype(message);
    format!(
        "\"route-refresh\": {{ \"afi\": \"{afi}\", \"safi\": \"{safi}\", \"subtype\": \"{subtype}\" }}"
    )
}

/// ExaBGP passes over a type that it does not know; its number and octets are of more use.
fn operational(message: &Operational) -> String {
    let name = message.kind;
    let rest = match &message.value {
        OperationalValue::Advisory { text, .. } => {
            let text = quoted(&String::from_utf8_lossy(text));
            format!(", \"advisory\": {text}")
        }
        OperationalValue::Query { .. } => String::new(),
        OperationalValue::Counter {
            router_id,
            sequence,
            counter,
            ..
        } => format!(
            ", \"router-id\": \"{router_id}\", \"sequence\": {}, \"counter\": {counter}",
            match content::sequence(*sequence) {
                Some(sequence) => sequence.to_string(),
                None => quoted("None"),
            },
        ),
        OperationalValue::Other(bytes) => format!(", \"raw\": \"{}\"", content::octets(bytes)),
    };
    let family = message.family().map_or_else(String::new, |family| {
        format!(
            ", \"afi\": \"{}\", \"safi\": \"{}\"",
            family.afi, family.safi
        )
    });
    format!("\"operational\": {{ \"name\": \"{name}\"{family}{rest} }}")
}

/// What is of no type known: ExaBGP ends the session, and its `decode` has but the number. The octets are of more use.
fn unknown(message: &UnknownMessage) -> String {
    format!(
        "\"message\": {{ \"category\": {}, \"body\": \"{}\" }}",
        message.kind.0,
        content::octets(&message.body)
    )
}
