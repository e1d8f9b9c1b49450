//! A message in one line.

use std::fmt::Write as _;

use crate::bgp::attribute::{AttributeValue, NextHop, WireContext};
use crate::bgp::message::{Message, Open, Update};
use crate::bgp::nlri::Nlri;

/// Routes named in one line before the rest are only counted.
const NAMED: usize = 4;

/// Summary of `octets`, a whole message, or why they do not decode.
#[must_use]
pub fn summary(context: &WireContext, octets: &[u8]) -> String {
    match Message::decode(context, octets) {
        Ok(Message::Open(message)) => open(&message),
        Ok(Message::Update(message)) => update(&message),
        Ok(Message::Notification(message)) => format!("NOTIFICATION {message}"),
        Ok(Message::Keepalive) => "KEEPALIVE".to_owned(),
        Ok(Message::RouteRefresh(message)) => {
            format!("ROUTE-REFRESH {}", message.family)
        }
        Ok(other) => format!("{} of {} octets", other.kind(), octets.len()),
        Err(error) => format!("malformed message of {} octets: {error}", octets.len()),
    }
}

fn open(open: &Open) -> String {
    let mut capabilities: Vec<String> = Vec::new();
    for capability in open.capabilities() {
        let name = crate::bgp::capability::title(capability.code());
        if !capabilities.contains(&name) {
            capabilities.push(name);
        }
    }
    format!(
        "OPEN AS {} identifier {} hold time {} s capabilities [{}]",
        open.asn(),
        open.identifier,
        open.hold_time,
        capabilities.join(", ")
    )
}

fn update(update: &Update) -> String {
    if let Some(family) = update.end_of_rib() {
        return format!("UPDATE End-of-RIB {family}");
    }
    let mut text = "UPDATE".to_owned();
    let announced: Vec<(&Nlri, NextHop)> = update.announced().collect();
    if let Some((_, next_hop)) = announced.first() {
        let routes = named(announced.iter().map(|(nlri, _)| *nlri));
        let _ = write!(text, " announces {routes}");
        match next_hop {
            NextHop::None => {}
            NextHop::Address(address) => {
                let _ = write!(text, " next-hop {address}");
            }
            NextHop::WithLinkLocal(global, link_local) => {
                let _ = write!(text, " next-hop {global} {link_local}");
            }
            NextHop::Other(octets) => {
                let _ = write!(text, " next-hop of {} octets", octets.len());
            }
        }
    }
    let mut withdrawn = update.withdrawn().peekable();
    if withdrawn.peek().is_some() {
        let _ = write!(text, " withdraws {}", named(withdrawn));
    }
    for attribute in update.attributes.iter() {
        let value = match &attribute.value {
            AttributeValue::MpReach(_)
            | AttributeValue::MpUnreach(_)
            | AttributeValue::NextHop(_) => {
                continue;
            }
            _ => attribute.text(),
        };
        match attribute.name() {
            // An empty AS_PATH is still printed; any other attribute without a value is a flag.
            Some(name @ "as-path") if value.is_empty() => _ = write!(text, " {name} [ ]"),
            Some(name) if value.is_empty() => _ = write!(text, " {name}"),
            Some(name) => _ = write!(text, " {name} {value}"),
            None => _ = write!(text, " {value}"),
        }
    }
    for malformed in &update.malformed {
        match malformed.code {
            Some(code) => _ = write!(text, " malformed attribute {code}"),
            None => text.push_str(" malformed attributes"),
        }
    }
    text
}

fn named<'n>(routes: impl Iterator<Item = &'n Nlri>) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut more = 0;
    for nlri in routes {
        if texts.len() < NAMED {
            texts.push(nlri.text());
        } else {
            more += 1;
        }
    }
    let mut text = texts.join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}
