//! `show neighbor summary`, `extensive` and `json`.

use crate::bgp::family::Family;
use crate::speaker::neighbor::{AddPath, Address, AsNumber};

use super::NeighborStatus;
use super::python::{duration, json as truth};

/// The line above the summaries.
pub const SUMMARY: &str = "Peer            AS        up/down state       |     #sent     #recvd";

/// One line of the summary.
pub fn summary(status: &NeighborStatus<'_>) -> String {
    let up = status.up.map_or_else(|| "down".to_owned(), duration);
    let (sent, received) = status.statistics.update;
    format!(
        "{:<15} {:<7} {up:>9} {:<12} {sent:>10} {received:>10}",
        status.neighbor.peer(),
        number(status.neighbor.peer_as),
        status.state.to_string().to_lowercase()
    )
}

/// Every line of `show neighbor extensive`.
pub fn extensive(status: &NeighborStatus<'_>) -> Vec<String> {
    let neighbor = status.neighbor;
    let row = |label: &str, local: &str, remote: &str| {
        format!("   {label:<20} {local:>15} {remote:>15} {:<15}", "")
    };
    let mut lines = vec![
        format!("Neighbor {}", neighbor.peer()),
        String::new(),
        "    Session                       Local".to_owned(),
        row("local", &local_address(status), ""),
        row("state", &status.state.to_string(), ""),
        match status.up {
            Some(up) => row("up for", &duration(up), ""),
            None => row("down for", &duration(status.down), ""),
        },
        String::new(),
        "    Setup                         Local          Remote".to_owned(),
        row("AS", &number(neighbor.local_as), &number(neighbor.peer_as)),
        row(
            "ID",
            &local_id(status),
            &peer_id(status).unwrap_or_else(none),
        ),
        row(
            "hold-time",
            &neighbor.hold_time.to_string(),
            &peer_hold(status).unwrap_or_else(none),
        ),
        String::new(),
        "    Capability                    Local          Remote".to_owned(),
    ];
    for (name, local, remote) in capabilities(status) {
        lines.push(row(
            &format!("{name}:"),
            enabled(Some(local)),
            enabled(remote),
        ));
    }
    lines.extend([
        String::new(),
        "    Families                      Local          Remote        Add-Path".to_owned(),
    ]);
    for family in families(status) {
        // ExaBGP shows here what is received as sent, and what is sent as received.
        let paths = paths(family.receive, family.send);
        lines.push(format!(
            "   {:<20} {:>15} {:>15} {paths:<15}",
            format!("{}:", family.family),
            "enabled",
            enabled(family.common)
        ));
    }
    lines.extend([
        String::new(),
        "    Message Statistic              Sent        Received".to_owned(),
    ]);
    for (name, (sent, received)) in messages(status) {
        lines.push(row(
            &format!("{name}:"),
            &sent.to_string(),
            &received.to_string(),
        ));
    }
    lines.push(String::new());
    lines
}

/// The object of `show neighbor json`.
pub fn json(status: &NeighborStatus<'_>) -> String {
    let neighbor = status.neighbor;
    let capabilities = capabilities(status);
    let families = families(status);
    let messages = messages(status);
    let (state, time) = match status.up {
        Some(up) => ("up", up),
        None => ("down", status.down),
    };
    let local = format!(
        "{{\"capabilities\": {{{}}}, \"families\": {{{}}}, \"add-path\": {{{}}}, \"address\": \"{}\", \"as\": {}, \"id\": \"{}\", \"hold\": {}}}",
        list(&capabilities, |(name, local, _)| format!(
            "\"{name}\": {local}"
        )),
        list(&families, |family| format!("\"{}\": true", family.family)),
        list(&families, |family| format!(
            "\"{}\": {}",
            family.family,
            truth(family.send)
        )),
        local_address(status),
        number(neighbor.local_as),
        local_id(status),
        neighbor.hold_time,
    );
    let peer = format!(
        "{{\"capabilities\": {{{}}}, \"families\": {{{}}}, \"add-path\": {{{}}}, \"address\": \"{}\", \"as\": {}, \"id\": {}, \"hold\": {}}}",
        list(&capabilities, |(name, _, remote)| format!(
            "\"{name}\": {}",
            truth(*remote)
        )),
        list(&families, |family| format!(
            "\"{}\": {}",
            family.family,
            truth(family.common)
        )),
        list(&families, |family| format!(
            "\"{}\": {}",
            family.family,
            truth(family.receive)
        )),
        neighbor.peer(),
        number(neighbor.peer_as),
        peer_id(status).map_or_else(|| "null".to_owned(), |id| format!("\"{id}\"")),
        peer_hold(status).unwrap_or_else(|| "null".to_owned()),
    );
    let agreed: Vec<_> = capabilities
        .iter()
        .filter(|(_, _, remote)| *remote == Some(true))
        .collect();
    let common: Vec<_> = families
        .iter()
        .filter(|family| family.common == Some(true))
        .collect();
    format!(
        "{{\"state\": \"{state}\", \"duration\": {}, \"fsm\": \"{}\", \"local\": {local}, \"peer\": {peer}, \
         \"messages\": {{\"sent\": {{{}}}, \"received\": {{{}}}}}, \"capabilities\": [{}], \"families\": [{}], \
         \"add-path\": {{{}}}}}",
        time.as_secs(),
        status.state,
        list(&messages, |(name, (sent, _))| format!("\"{name}\": {sent}")),
        list(&messages, |(name, (_, received))| format!(
            "\"{name}\": {received}"
        )),
        list(&agreed, |(name, _, _)| format!("\"{name}\"")),
        list(&common, |family| format!("\"{}\"", family.family)),
        list(&families, |family| format!(
            "\"{}\": \"{}\"",
            family.family,
            paths(family.send, family.receive)
        )),
    )
}

fn list<T>(items: &[T], show: impl FnMut(&T) -> String) -> String {
    let items: Vec<String> = items.iter().map(show).collect();
    items.join(", ")
}

/// A family of the neighbor; `None` is not known yet.
struct FamilyStatus {
    family: Family,
    /// The peer has it too.
    common: Option<bool>,
    /// Several paths are sent.
    send: Option<bool>,
    /// Several paths are received.
    receive: Option<bool>,
}

fn families(status: &NeighborStatus<'_>) -> Vec<FamilyStatus> {
    let neighbor = status.neighbor;
    let configured = |family| {
        let named = neighbor.add_paths.is_empty() || neighbor.add_paths.contains(family);
        neighbor.capability.add_path != AddPath::Disabled && named
    };
    neighbor
        .families
        .iter()
        .map(|family| match status.session {
            Some((agreed, _)) => FamilyStatus {
                family,
                common: Some(agreed.families.contains(family)),
                send: Some(agreed.send.add_path.contains(family)),
                receive: Some(agreed.receive.add_path.contains(family)),
            },
            None => {
                let paths = (!configured(family)).then_some(false);
                FamilyStatus {
                    family,
                    common: None,
                    send: paths,
                    receive: paths,
                }
            }
        })
        .collect()
}

/// Capabilities: configured here, and offered by the peer (`None`: not known).
fn capabilities(status: &NeighborStatus<'_>) -> [(&'static str, bool, Option<bool>); 7] {
    let ours = &status.neighbor.capability;
    let offers = |codes: &[u8]| {
        status.session.map(|(_, open)| {
            open.capabilities()
                .any(|capability| codes.contains(&capability.code()))
        })
    };
    let agreed = |is: fn(&crate::speaker::session::Negotiated) -> bool| {
        status.session.map(|(agreed, _)| is(agreed))
    };
    [
        (
            "asn4",
            ours.asn4,
            agreed(|agreed| agreed.send.four_octet_as),
        ),
        ("route-refresh", ours.route_refresh, offers(&[0x02])),
        ("multi-session", ours.multi_session, offers(&[0x44, 0x83])),
        (
            "operational",
            ours.operational,
            agreed(|agreed| agreed.operational),
        ),
        (
            "add-path",
            ours.add_path != AddPath::Disabled,
            offers(&[0x45]),
        ),
        ("extended-message", ours.extended_message, offers(&[0x06])),
        (
            "graceful-restart",
            ours.graceful_restart.is_some_and(|seconds| seconds > 0),
            offers(&[0x40]),
        ),
    ]
}

fn messages(status: &NeighborStatus<'_>) -> [(&'static str, (u64, u64)); 6] {
    let counts = status.statistics;
    let each = [
        counts.open,
        counts.notification,
        counts.keepalive,
        counts.update,
        counts.refresh,
    ];
    let total = each.iter().fold((0, 0), |(sent, received), one| {
        (sent + one.0, received + one.1)
    });
    [
        ("open", counts.open),
        ("notification", counts.notification),
        ("keepalive", counts.keepalive),
        ("update", counts.update),
        ("refresh", counts.refresh),
        ("total", total),
    ]
}

fn local_address(status: &NeighborStatus<'_>) -> String {
    match status.neighbor.local_address {
        Address::Ip(address) => address.to_string(),
        Address::Auto => status
            .local
            .map_or_else(|| "None".to_owned(), |address| address.to_string()),
    }
}

fn local_id(status: &NeighborStatus<'_>) -> String {
    status
        .neighbor
        .effective_router_id()
        .map_or_else(|| "None".to_owned(), |id| id.to_string())
}

fn peer_id(status: &NeighborStatus<'_>) -> Option<String> {
    status.session.map(|(_, open)| open.identifier.to_string())
}

fn peer_hold(status: &NeighborStatus<'_>) -> Option<String> {
    status.session.map(|(_, open)| open.hold_time.to_string())
}

fn number(number: AsNumber) -> String {
    number.to_string()
}

fn none() -> String {
    "n/a".to_owned()
}

const fn enabled(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "enabled",
        Some(false) => "disabled",
        None => "n/a",
    }
}

const fn paths(send: Option<bool>, receive: Option<bool>) -> &'static str {
    match (send, receive) {
        (Some(true), Some(true)) => "send/receive",
        (Some(true), _) => "send",
        (_, Some(true)) => "receive",
        _ => "disabled",
    }
}
