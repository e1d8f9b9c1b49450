//! `show neighbor configuration`.

use crate::speaker::neighbor::{AddPath, Address, ApiSection, MessageSelection, Neighbor};

use crate::net::Direction;

/// The lines that describe `neighbor` in the words of a configuration.
#[must_use]
pub fn configuration(neighbor: &Neighbor) -> Vec<String> {
    let none = || "None".to_owned();
    let local = match neighbor.local_address {
        Address::Ip(address) => address.to_string(),
        Address::Auto => "auto".to_owned(),
    };
    let router_id = neighbor
        .effective_router_id()
        .map_or_else(none, |id| id.to_string());
    let rate = neighbor
        .rate_limit
        .map_or_else(|| "disable".to_owned(), |rate| rate.to_string());
    let mut lines = vec![
        format!("neighbor {} {{", neighbor.peer()),
        format!(
            "  description \"{}\";",
            neighbor.description.as_deref().unwrap_or_default()
        ),
        format!("  router-id {router_id};"),
        format!(
            "  host-name {};",
            neighbor.host_name.as_deref().unwrap_or("None")
        ),
        format!(
            "  domain-name {};",
            neighbor.domain_name.as_deref().unwrap_or("None")
        ),
        format!("  local-address {local};"),
        format!(
            "  source-interface {};",
            neighbor.source_interface.as_deref().unwrap_or("None")
        ),
        format!("  local-as {};", neighbor.local_as),
        format!("  peer-as {};", neighbor.peer_as),
        format!("  hold-time {};", neighbor.hold_time),
        format!("  rate-limit {rate};"),
        format!("  manual-eor {};", neighbor.manual_eor),
        String::new(),
        format!("  passive {};", neighbor.passive),
    ];
    for (name, port) in [("listen", neighbor.listen), ("connect", neighbor.connect)] {
        if let Some(port) = port {
            lines.extend([String::new(), format!("  {name} {port};")]);
        }
    }
    lines.extend([
        format!("  group-updates {};", neighbor.group_updates),
        format!("  auto-flush {};", neighbor.auto_flush),
        format!("  adj-rib-in {};", neighbor.adj_rib_in),
        format!("  adj-rib-out {};", neighbor.adj_rib_out),
    ]);
    lines.extend(security(neighbor, &local));
    lines.extend(capability(neighbor));
    lines.extend(families(neighbor));
    lines.extend(api(neighbor));
    lines.push("}".to_owned());
    lines
}

fn security(neighbor: &Neighbor, local: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(password) = &neighbor.md5_password {
        lines.push(format!("  md5-password \"{password}\";"));
    }
    let base64 = neighbor
        .md5_base64
        .map_or_else(|| "auto".to_owned(), |switch| switch.to_string());
    lines.push(format!("  md5-base64 {base64};"));
    if neighbor.local_address != Address::Auto {
        let address = neighbor
            .md5_ip
            .map_or_else(|| local.to_owned(), |address| address.to_string());
        lines.push(format!("  md5-ip \"{address}\";"));
    }
    let limits = [
        ("outgoing-ttl", neighbor.outgoing_ttl),
        ("incoming-ttl", neighbor.incoming_ttl),
    ];
    for (name, ttl) in limits {
        if let Some(ttl) = ttl.filter(|ttl| *ttl > 0) {
            lines.push(format!("  {name} {ttl};"));
        }
    }
    lines
}

fn capability(neighbor: &Neighbor) -> Vec<String> {
    let settings = &neighbor.capability;
    let switch =
        |name: &str, on: bool| format!("    {name} {};", if on { "enable" } else { "disable" });
    let restart = match settings.graceful_restart {
        Some(seconds) if seconds > 0 => seconds.to_string(),
        _ => "disable".to_owned(),
    };
    let add_path = match settings.add_path {
        AddPath::Disabled => "disable",
        AddPath::Receive => "receive",
        AddPath::Send => "send",
        AddPath::Both => "send/receive",
    };
    vec![
        "  capability {".to_owned(),
        switch("asn4", settings.asn4),
        switch("route-refresh", settings.route_refresh),
        format!("    graceful-restart {restart};"),
        switch("software-version", settings.software_version),
        switch("nexthop", settings.nexthop),
        format!("    add-path {add_path};"),
        switch("multi-session", settings.multi_session),
        switch("operational", settings.operational),
        switch("aigp", settings.aigp),
        "  }".to_owned(),
    ]
}

fn families(neighbor: &Neighbor) -> Vec<String> {
    let block = |name: &str, lines: Vec<String>| {
        let mut block = vec![format!("  {name} {{")];
        block.extend(lines.into_iter().map(|line| format!("    {line};")));
        block.push("  }".to_owned());
        block
    };
    let named = neighbor
        .families
        .iter()
        .map(|family| family.to_string())
        .collect();
    let nexthops = neighbor
        .nexthops
        .iter()
        .map(|(family, next)| format!("{family} {next}"))
        .collect();
    // Add-path without a section of its own is for every family.
    let offered = neighbor.capability.add_path != AddPath::Disabled;
    let paths = match (offered, neighbor.add_paths.is_empty()) {
        (false, _) => Vec::new(),
        (true, true) => neighbor
            .families
            .iter()
            .map(|family| family.to_string())
            .collect(),
        (true, false) => neighbor
            .add_paths
            .iter()
            .map(|family| family.to_string())
            .collect(),
    };
    let mut lines = block("family", named);
    lines.extend(block("nexthop", nexthops));
    lines.extend(block("add-path", paths));
    lines
}

/// A section for each process, as ExaBGP writes them.
fn api(neighbor: &Neighbor) -> Vec<String> {
    let mut lines = Vec::new();
    for section in neighbor.api.iter().filter(|section| !section.by_pattern) {
        for process in &section.processes {
            lines.push("  api {".to_owned());
            lines.push(format!("    processes [ {process} ];"));
            lines.extend(happenings(section));
            for (name, direction) in [("receive", Direction::Received), ("send", Direction::Sent)] {
                let words = messages(match direction {
                    Direction::Received => section.receive,
                    Direction::Sent => section.send,
                });
                if !words.is_empty() {
                    lines.push(format!("    {name} {{"));
                    lines.extend(words.iter().map(|word| format!("      {word};")));
                    lines.push("    }".to_owned());
                }
            }
            lines.push("  }".to_owned());
        }
    }
    lines
}

fn happenings(section: &ApiSection) -> Vec<String> {
    [
        ("neighbor-changes", section.neighbor_changes),
        ("negotiated", section.negotiated),
        ("fsm", section.fsm),
        ("signal", section.signal),
    ]
    .into_iter()
    .filter(|(_, on)| *on)
    .map(|(word, _)| format!("    {word};"))
    .collect()
}

/// The words of `receive` or `send`, in ExaBGP's order.
fn messages(selection: MessageSelection) -> Vec<&'static str> {
    [
        ("packets", selection.packets),
        ("parsed", selection.parsed),
        ("consolidate", selection.consolidate),
        ("notification", selection.notification),
        ("open", selection.open),
        ("keepalive", selection.keepalive),
        ("update", selection.update),
        ("refresh", selection.refresh),
        ("operational", selection.operational),
    ]
    .into_iter()
    .filter(|(_, on)| *on)
    .map(|(word, _)| word)
    .collect()
}
