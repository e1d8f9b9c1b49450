//! `lockstep encode`: a route in ExaBGP's syntax to the bytes that announce it.

use std::io::{BufRead, Write};
use std::net::IpAddr;
use std::sync::Arc;

use clap::Args;
use miette::{IntoDiagnostic, LabeledSpan, WrapErr, miette};

use super::Status;
use super::output::output;
use crate::api::command::{self, Action};
use crate::bgp::attribute::{NextHop, WireContext};
use crate::bgp::dissect;
use crate::bgp::family::Families;
use crate::bgp::hex;
use crate::bgp::message::{
    Message, Notification, NotificationCode, RefreshSubtype, RouteRefresh, Update,
};
use crate::bgp::nlri::KNOWN_FAMILIES;
use crate::bgp::text::TextError;
use crate::speaker::rib::{AdjRibOut, Refused};
use crate::speaker::route::{ConfiguredRoute, Route};
use crate::speaker::session::Negotiated;

/// What to encode, and for which session.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "options of the command line")]
pub struct Arguments {
    /// A route in ExaBGP's syntax, as in `route 10.0.0.0/24 next-hop 192.0.2.1 med 100`, after `announce` or `withdraw`
    /// (optional); also `announce eor`, `announce route-refresh`, `announce operational`, `teardown`. `-` reads lines
    /// from standard input.
    #[arg(required = true, trailing_var_arg = true, value_name = "WORDS")]
    words: Vec<String>,
    /// Our AS number.
    #[arg(long, default_value_t = 65533, value_name = "AS")]
    local_as: u32,
    /// The peer's AS number; if it differs from ours, the session is external.
    #[arg(long, default_value_t = 65533, value_name = "AS")]
    peer_as: u32,
    /// Our address, for `next-hop self`.
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    local_address: IpAddr,
    /// NLRI carry path identifiers (RFC 7911).
    #[arg(short = 'i', long)]
    path_information: bool,
    /// The session has no four-octet AS capability (RFC 6793).
    #[arg(long)]
    two_octet_as: bool,
    /// Messages may be up to 65,535 octets long (RFC 8654).
    #[arg(long)]
    extended_message: bool,
    /// One NLRI in each UPDATE, as with `group-updates false`.
    #[arg(long)]
    no_group_updates: bool,
    /// Also show a table of fields.
    #[arg(short, long)]
    table: bool,
}

/// Encodes each line; a message is a line of hexadecimal digits.
///
/// # Errors
/// Invalid syntax, or a route that cannot be sent.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let mut out = output();
    let lines: Vec<String> = if arguments.words == ["-"] {
        let lines = std::io::stdin().lock().lines().collect::<Result<_, _>>();
        lines
            .into_diagnostic()
            .wrap_err("cannot read standard input")?
    } else {
        vec![arguments.words.join(" ")]
    };
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        for message in encode(&arguments, line)? {
            writeln!(out, "{}", hex::upper(&message)).into_diagnostic()?;
            if arguments.table {
                let tree = dissect::message(&session(&arguments).send, &message);
                writeln!(out, "{}", tree.table()).into_diagnostic()?;
            }
        }
    }
    Ok(Status::Passed)
}

fn session(arguments: &Arguments) -> Negotiated {
    let send = WireContext {
        four_octet_as: !arguments.two_octet_as,
        add_path: if arguments.path_information {
            KNOWN_FAMILIES.iter().copied().collect()
        } else {
            Families::new()
        },
        extended_message: arguments.extended_message,
        bgpsec: false,
    };
    Negotiated {
        local_as: arguments.local_as,
        peer_as: arguments.peer_as,
        families: KNOWN_FAMILIES.iter().copied().collect(),
        receive: send.clone(),
        send,
        aigp: true,
        ..Negotiated::default()
    }
}

/// The messages that `line` results in.
fn encode(arguments: &Arguments, line: &str) -> miette::Result<Vec<Vec<u8>>> {
    let session = session(arguments);
    let message = match understand(line)? {
        Action::Announce(routes) => return updates(arguments, &session, line, &routes, false),
        Action::Withdraw(routes) => return updates(arguments, &session, line, &routes, true),
        Action::AnnounceEor(family) => Message::Update(Update::of_end_of_rib(family)),
        Action::RouteRefresh(family) => {
            Message::RouteRefresh(RouteRefresh::new(family, RefreshSubtype::REQUEST))
        }
        Action::Operational(operational) => Message::Operational(operational),
        Action::Teardown(subcode) => Message::Notification(Notification::new(
            NotificationCode::CEASE,
            subcode,
            Vec::new(),
        )),
        _ => {
            let help = "routes, `announce eor`, `announce route-refresh`, `announce operational` and `teardown` have one";
            return Err(miette!(help = help, "`{line}` has no message of its own"));
        }
    };
    let mut out = Vec::new();
    message
        .encode(&session.send, &mut out)
        .map_err(|error| miette!("{error}"))?;
    Ok(vec![out])
}

/// The command of `line`, in which `announce` is optional.
fn understand(line: &str) -> miette::Result<Action> {
    let bare = match command::parse(line) {
        Ok(command) => return Ok(command.action),
        Err(error) => error,
    };
    let first = line.split_whitespace().next().unwrap_or_default();
    let means_a_verb = |error: &TextError| {
        let help = error.help.as_deref().unwrap_or_default();
        error.span.end <= first.len() && help.starts_with("did you mean")
    };
    if matches!(first, "announce" | "withdraw" | "teardown" | "neighbor") || means_a_verb(&bare) {
        return Err(mistake(&bare, line));
    }
    let whole = format!("announce {line}");
    command::parse(&whole)
        .map(|command| command.action)
        .map_err(|error| mistake(&error, &whole))
}

fn mistake(error: &TextError, line: &str) -> miette::Report {
    let label = LabeledSpan::at(error.span.clone(), "here");
    match &error.help {
        Some(help) => miette!(
            labels = vec![label],
            help = help.clone(),
            "{}",
            error.message
        ),
        None => miette!(labels = vec![label], "{}", error.message),
    }
    .with_source_code(line.to_owned())
}

fn updates(
    arguments: &Arguments,
    session: &Negotiated,
    line: &str,
    routes: &[ConfiguredRoute],
    withdraw: bool,
) -> miette::Result<Vec<Vec<u8>>> {
    let families = session.families.clone();
    let mut rib = AdjRibOut::new(families, true, Arc::new(session.clone()));
    let refused = |why: Refused| miette!("`{line}` cannot be sent: {why}");
    for configured in routes {
        let route = resolve(arguments, configured);
        if withdraw {
            rib.withdraw(&route).map_err(refused)?;
        } else {
            rib.announce(&route).map_err(refused)?;
        }
    }
    let mut batch = rib.take(!arguments.no_group_updates, true);
    let mut messages = Vec::new();
    loop {
        let mut out = Vec::new();
        match batch.next(session, &mut out) {
            None => return Ok(messages),
            Some(sent) => sent.map_err(refused)?,
        };
        messages.push(out);
    }
}

/// The route with `self` replaced by our address.
fn resolve(arguments: &Arguments, configured: &ConfiguredRoute) -> Route {
    let mut route = configured.route.clone();
    if configured.next_hop_self {
        route.next_hop = NextHop::Address(arguments.local_address);
    }
    route
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn encoded(words: &[&str]) -> Vec<String> {
        let line = Line::parse_from(std::iter::once(&"encode").chain(words));
        encode(&line.arguments, &line.arguments.words.join(" "))
            .unwrap()
            .iter()
            .map(|message| hex::upper(&message[16..]).to_string())
            .collect()
    }

    #[test]
    fn a_route_is_an_update() {
        assert_eq!(
            encoded(&["route", "10.0.0.0/8", "next-hop", "1.2.3.4"]),
            ["002E0200000015400101004002004003040102030440050400000064080A"]
        );
        assert_eq!(
            encoded(&[
                "--peer-as",
                "1",
                "--two-octet-as",
                "route 10.0.0.0/8 next-hop self"
            ]),
            ["002B020000001240010100400204020 1FFFD4003047F000001080A".replace(' ', "")]
        );
    }

    #[test]
    fn a_misspelt_verb_is_told_from_a_missing_one() {
        let error_of = |line: &str| format!("{:?}", understand(line).unwrap_err());
        assert!(error_of("anounce route 10.0.0.0/8").contains("did you mean `announce`?"));
        assert!(error_of("rout 10.0.0.0/8").contains("did you mean `route`?"));
    }

    #[test]
    fn other_messages_have_their_octets_too() {
        assert_eq!(
            encoded(&["announce", "eor", "ipv6", "unicast"]),
            ["001E0200000007900F0003000201"]
        );
        assert_eq!(
            encoded(&["announce route-refresh ipv4 unicast"]),
            ["00170500010001"]
        );
        assert_eq!(
            encoded(&["withdraw", "route", "10.0.0.0/8"]),
            ["0019020002080A0000"]
        );
    }
}
