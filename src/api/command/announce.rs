//! `announce …` and `withdraw …`.

use crate::bgp::family::Family;
use crate::bgp::iana::Afi;
use crate::bgp::text::{self, TextError, Words};
use crate::config::fragment::{self, Fragments, Place, Purpose};

use super::Action;
use crate::api::line::Line;

/// What can be announced.
const ANNOUNCE: &[&str] = &[
    "route",
    "attributes",
    "attribute",
    "ipv4",
    "ipv6",
    "l2vpn",
    "flow",
    "vpls",
    "eor",
    "route-refresh",
    "operational",
    "watchdog",
];

/// What can be withdrawn.
const WITHDRAW: &[&str] = &[
    "route",
    "attributes",
    "attribute",
    "ipv4",
    "ipv6",
    "l2vpn",
    "flow",
    "vpls",
    "watchdog",
];

/// `announce route PREFIX …` and `withdraw route PREFIX …` from octet `at` of the line on, understood without cutting
/// it into words where one with the same end was seen before; nothing for any other line.
pub fn plain_route(
    line: &str,
    at: usize,
    fragments: &mut Fragments,
) -> Option<Result<Action, TextError>> {
    let command = &line[at..];
    let (purpose, rest) = match command.strip_prefix("announce route ") {
        Some(rest) => (Purpose::Announce, rest),
        None => (Purpose::Withdraw, command.strip_prefix("withdraw route ")?),
    };
    let (prefix, tail) = rest.split_once(' ').unwrap_or((rest, ""));
    if let Some(route) = fragments.known_route(prefix, tail, purpose) {
        return Some(Ok(action(purpose, vec![route])));
    }
    let at = line.len() - rest.len() - "route ".len();
    let routes = fragments.routes(line, at, Place::Static, purpose);
    if let Ok([route]) = routes.as_deref() {
        fragments.remember(tail, route, purpose);
    }
    Some(routes.map(|routes| action(purpose, routes)))
}

const fn action(purpose: Purpose, routes: Vec<crate::speaker::route::ConfiguredRoute>) -> Action {
    match purpose {
        Purpose::Announce => Action::Announce(routes),
        Purpose::Withdraw => Action::Withdraw(routes),
    }
}

/// Parses the rest of a line after `announce`.
pub fn announce(words: &mut Line<'_>, fragments: &mut Fragments) -> Result<Action, TextError> {
    let at = words.at();
    let what = words.expect("what to announce")?;
    match what.text {
        "eor" => end_of_rib(words).map(Action::AnnounceEor),
        "route-refresh" => family(words).map(Action::RouteRefresh),
        "operational" => operational(words),
        "watchdog" => Ok(Action::AnnounceWatchdog(name(words))),
        _ => match routes(what.text, at, words, fragments, Purpose::Announce) {
            Some(action) => action,
            None => Err(what.unknown("to announce", ANNOUNCE)),
        },
    }
}

/// Parses the rest of a line after `withdraw`.
pub fn withdraw(words: &mut Line<'_>, fragments: &mut Fragments) -> Result<Action, TextError> {
    let at = words.at();
    let what = words.expect("what to withdraw")?;
    if what.text == "watchdog" {
        return Ok(Action::WithdrawWatchdog(name(words)));
    }
    routes(what.text, at, words, fragments, Purpose::Withdraw)
        .unwrap_or_else(|| Err(what.unknown("to withdraw", WITHDRAW)))
}

/// Routes, where `what` begins some; it stands at octet `at`.
fn routes(
    what: &str,
    at: usize,
    words: &mut Line<'_>,
    fragments: &mut Fragments,
    purpose: Purpose,
) -> Option<Result<Action, TextError>> {
    let (at, place) = match what {
        "route" | "attributes" | "attribute" => (at, Place::Static),
        "vpls" => (at, Place::L2vpn),
        "flow" => (words.at(), Place::Flow),
        "ipv4" => (words.at(), Place::Announce(Afi::IPV4)),
        "ipv6" => (words.at(), Place::Announce(Afi::IPV6)),
        "l2vpn" => (words.at(), Place::Announce(Afi::L2VPN)),
        _ => return None,
    };
    let routes = fragments.routes(words.text(), at, place, purpose);
    words.drain();
    Some(routes.map(|routes| action(purpose, routes)))
}

/// The family of an End-of-RIB: IPv4 unicast unless it is said.
fn end_of_rib(words: &mut Line<'_>) -> Result<Family, TextError> {
    if words.peek().is_none() {
        return Ok(Family::IPV4_UNICAST);
    }
    family(words)
}

fn family(words: &mut Line<'_>) -> Result<Family, TextError> {
    let afi = words.expect("an AFI")?;
    let number = afi
        .text
        .parse()
        .map_err(|_| afi.unknown("as an AFI", &["ipv4", "ipv6", "l2vpn", "bgp-ls"]))?;
    let safi = words.expect("a SAFI")?;
    let known: Vec<&str> = crate::bgp::iana::Safi::KNOWN
        .iter()
        .filter_map(|safi| safi.name())
        .collect();
    let second = safi
        .text
        .parse()
        .map_err(|_| safi.unknown("as a SAFI", &known))?;
    Ok(Family::new(number, second))
}

/// An operational message; one of an unknown kind is accepted and without effect, as in ExaBGP.
fn operational(words: &mut Line<'_>) -> Result<Action, TextError> {
    let (line, at) = (words.text(), words.at());
    words.drain();
    let split = text::split_from(line, at)?;
    let Some((kind, rest)) = split.split_first() else {
        return Ok(Action::Nothing);
    };
    if !fragment::is_operational(&kind.text) {
        return Ok(Action::Nothing);
    }
    fragment::operational_message(kind, &mut Words::new(rest, line.len())).map(Action::Operational)
}

fn name(words: &mut Line<'_>) -> Option<String> {
    words.word().map(|word| word.text.to_owned())
}
