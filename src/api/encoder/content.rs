//! The parts of a message that API programs receive, as JSON and as text alike. A direction of `None` is that of
//! ExaBGP's `decode`, which has no session.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::bgp::attribute::as4_aggregator::As4Aggregator;
use crate::bgp::attribute::next_hop::NextHopAddress;
use crate::bgp::attribute::pmsi_tunnel::PmsiTunnel;
use crate::bgp::attribute::{
    self, Attributes, Flags, Malformed, MpReach, MpUnreach, NextHop, PathAttribute as _,
};
use crate::bgp::error::ErrorAction;
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::message::error::UpdateErrorKind;
use crate::bgp::message::{Notification, Open, RouteRefresh, Update};
use crate::bgp::nlri::Nlri;
use crate::bgp::nlri::qualifier::address;
use crate::net::Direction;

/// The longest shutdown communication that ExaBGP reads (draft-ietf-idr-shutdown before RFC 9003).
const COMMUNICATION: usize = 128;

/// An UPDATE as ExaBGP holds it.
#[derive(Debug)]
pub enum Content<'a> {
    /// End-of-RIB (RFC 4724 section 2) of a family.
    EndOfRib(Family),
    /// Routes and their attributes.
    Routes {
        /// The attributes; `None` where there are none but the multiprotocol ones. NEXT_HOP counts, but is written with
        /// the routes.
        attributes: Option<Attributes>,
        /// Errors of malformed attributes; ExaBGP writes each under the name `error`.
        errors: Vec<String>,
        /// Routes in the order of the message.
        routes: Vec<Route<'a>>,
    },
}

/// A route of an UPDATE.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// The route's NLRI, of any family.
    pub nlri: &'a Nlri,
    /// The next hop; `None` if withdrawn, or if the NLRI has none.
    pub next_hop: Option<IpAddr>,
    /// Whether it is announced, not withdrawn.
    pub announced: bool,
}

impl<'a> Content<'a> {
    /// What programs receive of `message`.
    pub fn of(message: &'a Update, direction: Option<Direction>) -> Self {
        let attributes = message.attributes.received();
        let own = |code| !matches!(code, MpReach::CODE | MpUnreach::CODE);
        let attributes = attributes
            .iter()
            .any(|held| own(held.value.code()))
            .then_some(attributes);
        // Without a session the message is shown as written.
        let withdrawn = direction == Some(Direction::Received) && message.is_treated_as_withdraw();
        let errors = errors(message, withdrawn);
        let routes = routes(message, withdrawn);
        if attributes.is_none() && errors.is_empty() && routes.is_empty() {
            let unreach = message.mp_unreach().map(|unreach| unreach.family);
            let reach = || message.mp_reach().map(|reach| reach.family);
            let family = unreach.or_else(reach).unwrap_or(Family::IPV4_UNICAST);
            return Self::EndOfRib(family);
        }
        Self::Routes {
            attributes,
            errors,
            routes,
        }
    }
}

/// The routes in the order of the message: Withdrawn Routes, NLRI, MP_UNREACH_NLRI, MP_REACH_NLRI. One with a global
/// and a link-local next hop is listed with the one and then with the other. None is announced if all are `withdrawn`.
fn routes(message: &Update, withdrawn: bool) -> Vec<Route<'_>> {
    let mut routes = Vec::new();
    let mut add = |nlri, next_hop, announced| {
        routes.push(Route {
            nlri,
            next_hop,
            announced,
        });
    };
    for nlri in &message.withdrawn_routes {
        add(nlri, None, false);
    }
    let next_hop = message.attributes.find::<NextHopAddress>();
    for nlri in &message.nlri {
        add(nlri, next_hop.map(|hop| hop.0.into()), !withdrawn);
    }
    if let Some(unreach) = message.mp_unreach() {
        for nlri in &unreach.nlri {
            add(nlri, None, false);
        }
    }
    if let Some(reach) = message.mp_reach() {
        for nlri in &reach.nlri {
            add(nlri, reach.next_hop.address(), !withdrawn);
            if let NextHop::WithLinkLocal(_, link_local) = reach.next_hop {
                add(nlri, Some(link_local.into()), !withdrawn);
            }
        }
    }
    routes
}

/// ExaBGP's words for what the malformed attributes make of an UPDATE, weakest first. It ignores an attribute that
/// is there twice, and lets a missing one pass, which is reported if a session has `withdrawn` the routes for it.
fn errors(message: &Update, withdrawn: bool) -> Vec<String> {
    let first = |action| {
        message.malformed.iter().find(|one| {
            one.action == action
                && match one.kind {
                    UpdateErrorKind::MissingWellKnown => withdrawn,
                    UpdateErrorKind::MalformedAttributeList => one.code.is_none(),
                    _ => true,
                }
        })
    };
    let discarded = first(ErrorAction::AttributeDiscard).map(|_| "discard".to_owned());
    let treated = first(ErrorAction::TreatAsWithdraw).map(|one| match without_value(one) {
        None => "treat-as-withdraw".to_owned(),
        Some(code) => format!("treat-as-withdraw due to {}", attribute_name(code)),
    });
    discarded.into_iter().chain(treated).collect()
}

/// The code of an attribute that has no value, or not even the whole of its length: those are what ExaBGP names.
fn without_value(malformed: &Malformed) -> Option<u8> {
    let [flags, code, rest @ ..] = malformed.bytes.as_slice() else {
        return None;
    };
    let length = if Flags(*flags).contains(Flags::EXTENDED_LENGTH) {
        2
    } else {
        1
    };
    let empty = malformed.code.is_some()
        && malformed.kind != UpdateErrorKind::AttributeFlags
        && rest.len() == length;
    (empty || rest.len() < length).then_some(*code)
}

fn attribute_name(code: u8) -> String {
    let name = match code {
        As4Aggregator::CODE => "as4-aggregator",
        PmsiTunnel::CODE => "pmsi-tunnel",
        _ => match attribute::rules(code) {
            Some(rules) => rules.name,
            None => return format!("unknown-attribute-{code:#x}"),
        },
    };
    name.to_owned()
}

/// The next hop's name.
pub fn next_hop(next_hop: Option<IpAddr>) -> String {
    next_hop.map_or_else(|| "no-nexthop".to_owned(), |hop| address(hop).to_string())
}

/// The data of a NOTIFICATION: a shutdown communication (RFC 9003) is put in words, save in what we send.
pub fn notification_data(message: &Notification, direction: Option<Direction>) -> Cow<'_, [u8]> {
    match message.data.split_first() {
        Some((length, rest)) if message.may_communicate() && direction != Some(Direction::Sent) => {
            Cow::Owned(communication(usize::from(*length), rest).into_bytes())
        }
        _ => Cow::Borrowed(&message.data),
    }
}

fn communication(length: usize, data: &[u8]) -> String {
    let invalid = |why: &str| {
        let octets = octets(data);
        format!("invalid Shutdown Communication ({why}) length : {length} [{octets}]")
    };
    if length == 0 {
        return "empty Shutdown Communication.".to_owned();
    }
    let Some((text, trailer)) = data.split_at_checked(length) else {
        return invalid("buffer underrun");
    };
    if length > COMMUNICATION {
        return invalid("too large");
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return invalid("invalid UTF-8");
    };
    let mut text = format!(
        "Shutdown Communication: \"{}\"",
        text.replace(['\r', '\n'], " ")
    );
    if !trailer.is_empty() {
        text.push_str(&format!(", trailing data: {}", octets(trailer)));
    }
    text
}

/// ExaBGP's form of the capabilities of an OPEN, by code. Of its own OPEN it shows the Session Id of multisession,
/// which it does not understand in that of a peer.
pub fn capabilities(
    mut written: Vec<(u8, String)>,
    direction: Option<Direction>,
) -> Vec<(u8, String)> {
    if direction == Some(Direction::Sent) {
        for (_, form) in written.iter_mut().filter(|(code, _)| *code == 0x44) {
            *form = form
                .replace(
                    "\"capabilities\": [ ]",
                    "\"capabilities\": [ \"multiprotocol\" ]",
                )
                .replace("Multisession (RFC) ", "Multisession (RFC) multiprotocol");
        }
    }
    written
}

/// The AS number of an OPEN: ExaBGP shows its own in full, and of a peer's OPEN the two-octet field.
pub fn asn(open: &Open, direction: Option<Direction>) -> u32 {
    match direction {
        Some(Direction::Sent) => open.asn(),
        Some(Direction::Received) | None => u32::from(open.my_as),
    }
}

/// Octets as ExaBGP shows them: `0x` and upper-case digits.
pub fn octets(octets: &[u8]) -> String {
    format!("0x{}", hex::upper(octets))
}

/// The sequence number of a counter; ExaBGP takes 0 for none.
pub fn sequence(number: u32) -> Option<u32> {
    (number != 0).then_some(number)
}

/// ExaBGP's name of the subtype of a ROUTE-REFRESH.
pub fn subtype(message: &RouteRefresh) -> &'static str {
    message.subtype.name().unwrap_or("invalid")
}

/// The name of a signal, as Linux numbers them.
pub const fn signal(number: u8) -> &'static str {
    match number {
        0 => "none",
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => "UNKNOWN",
    }
}
