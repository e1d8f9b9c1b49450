//! The configuration of a speaker whose OPEN was captured.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::bgp::attribute::WireContext;
use crate::bgp::capability::Capability;
use crate::bgp::capability::add_path::SendReceive;
use crate::bgp::family::{Families, Family};
use crate::bgp::message::{Message, Open};
use crate::bgp::nlri::KNOWN_FAMILIES;

/// Reads an OPEN.
#[must_use]
pub fn read(octets: &[u8]) -> Option<Open> {
    match Message::decode(&WireContext::default(), octets) {
        Ok(Message::Open(open)) => Some(open),
        _ => None,
    }
}

/// The configuration of the speaker that sent `open` to a peer that answered `answer`, both at `address`.
///
/// `process` is the API program that sends the commands, if there is one.
#[must_use]
pub fn text(open: &Open, answer: Option<&Open>, address: IpAddr, process: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(process) = process {
        let _ = writeln!(
            out,
            "process {process} {{\n    run ./{process};\n    encoder text;\n}}\n"
        );
    }
    let peer_as = answer.map_or_else(|| open.asn(), Open::asn);
    let _ = write!(
        out,
        "neighbor {address} {{\n    local-address {address};\n    router-id {};\n    local-as {};\n    peer-as {peer_as};\n    hold-time {};\n",
        open.identifier,
        open.asn(),
        open.hold_time
    );
    for capability in open.capabilities() {
        if let Capability::Hostname(name) = capability {
            for (keyword, value) in [("host-name", &name.host), ("domain-name", &name.domain)] {
                if let Some(value) = value.as_deref().filter(|value| is_word(value)) {
                    let _ = writeln!(out, "    {keyword} {value};");
                }
            }
        }
    }
    // What it sends, End-of-RIB included, is in the scenario.
    out.push_str("    manual-eor true;\n");
    block(&mut out, "family", families(open).iter());
    out.push_str(&capabilities(open));
    block(
        &mut out,
        "add-path",
        add_paths(open).iter().map(|(family, _)| *family),
    );
    if let Some(process) = process {
        let _ = writeln!(
            out,
            "    api {{\n        processes [ {process} ];\n        neighbor-changes;\n    }}"
        );
    }
    out.push_str("}\n");
    out
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

fn block(out: &mut String, keyword: &str, families: impl Iterator<Item = Family>) {
    let lines: String = families
        .map(|family| format!("        {family};\n"))
        .collect();
    if !lines.is_empty() {
        let _ = write!(out, "    {keyword} {{\n{lines}    }}\n");
    }
}

/// The families that it offers, if they have names; IPv4 unicast if none is offered (RFC 4760 section 8).
fn families(open: &Open) -> Families {
    let offered = open
        .capabilities()
        .filter_map(|capability| match capability {
            Capability::Multiprotocol(offer) => Some(offer.family),
            _ => None,
        });
    let known: Families = offered
        .filter(|family| KNOWN_FAMILIES.contains(family))
        .collect();
    if known.is_empty() {
        Families::from_iter([Family::IPV4_UNICAST])
    } else {
        known
    }
}

fn add_paths(open: &Open) -> Vec<(Family, SendReceive)> {
    let offered = open
        .capabilities()
        .filter_map(|capability| match capability {
            Capability::AddPath(add_path) => Some(add_path.entries.clone()),
            _ => None,
        });
    offered
        .flatten()
        .filter(|(family, _)| KNOWN_FAMILIES.contains(family))
        .collect()
}

fn capabilities(open: &Open) -> String {
    let has = |what: fn(&Capability) -> bool| open.capabilities().any(what);
    let switch = |on| if on { "enable" } else { "disable" };
    let mut lines = vec![
        format!(
            "asn4 {}",
            switch(has(|it| matches!(it, Capability::FourOctetAs(_))))
        ),
        format!(
            "extended-message {}",
            switch(has(|it| matches!(it, Capability::ExtendedMessage(_))))
        ),
        format!(
            "route-refresh {}",
            switch(has(|it| matches!(it, Capability::RouteRefresh(_))))
        ),
    ];
    for capability in open.capabilities() {
        match capability {
            Capability::GracefulRestart(restart) => {
                lines.push(format!("graceful-restart {}", restart.time));
            }
            Capability::Operational(_) => lines.push(String::from("operational enable")),
            Capability::SoftwareVersion(_) => lines.push(String::from("software-version enable")),
            Capability::LinkLocalNextHop(_) => {
                lines.push(String::from("link-local-nexthop enable"))
            }
            _ => {}
        }
    }
    if let Some((_, way)) = add_paths(open).first() {
        let way = match (way.sends(), way.receives()) {
            (true, true) => "send/receive",
            (true, false) => "send",
            _ => "receive",
        };
        lines.push(format!("add-path {way}"));
    }
    let lines: String = lines
        .iter()
        .map(|line| format!("        {line};\n"))
        .collect();
    format!("    capability {{\n{lines}    }}\n")
}
