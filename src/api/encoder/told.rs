//! What of a message is told, in either form.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::api::event::Direction;
use crate::bgp::attribute::{AttributeValue, NextHop};
use crate::bgp::message::notification::cease;
use crate::bgp::message::{
    Notification, NotificationCode, Open, RefreshSubtype, RouteRefresh, Update,
};
use crate::bgp::nlri::Nlri;
use crate::bgp::nlri::qualifier::address;

/// The longest shutdown communication that ExaBGP reads (draft-ietf-idr-shutdown before RFC 9003).
const COMMUNICATION: usize = 128;

/// A route of an UPDATE.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// What is reachable.
    pub nlri: &'a Nlri,
    /// By which next hop.
    pub next_hop: Option<IpAddr>,
}

/// The routes announced; with a global and a link-local next hop, each is told with one and then with the other.
pub fn announced(message: &Update) -> Vec<Route<'_>> {
    let mut routes = Vec::new();
    for (nlri, next_hop) in message.announced() {
        let first = next_hop.address();
        routes.push(Route {
            nlri,
            next_hop: first,
        });
        if let NextHop::WithLinkLocal(_, link_local) = next_hop {
            routes.push(Route {
                nlri,
                next_hop: Some(link_local.into()),
            });
        }
    }
    routes
}

/// The next hop's name.
pub fn next_hop(next_hop: Option<IpAddr>) -> String {
    next_hop.map_or_else(|| "no-nexthop".to_owned(), |hop| address(hop).to_string())
}

/// Whether there are attributes beside the multiprotocol ones, be they told or not (NEXT_HOP is told with the routes).
pub fn has_attributes(message: &Update) -> bool {
    message.attributes.iter().any(|attribute| {
        !matches!(
            attribute.value,
            AttributeValue::MpReach(_) | AttributeValue::MpUnreach(_)
        )
    })
}

/// The data of a NOTIFICATION: a received shutdown communication (RFC 9003) is put in words.
pub fn notification_data(message: &Notification, direction: Direction) -> Cow<'_, [u8]> {
    let data = &message.data;
    let shutdown = message.code == NotificationCode::CEASE
        && matches!(
            message.subcode,
            cease::ADMINISTRATIVE_SHUTDOWN | cease::ADMINISTRATIVE_RESET
        );
    let Some((length, rest)) = data.split_first() else {
        return Cow::Borrowed(data);
    };
    if !shutdown || direction == Direction::Send {
        return Cow::Borrowed(data);
    }
    Cow::Owned(communication(usize::from(*length), rest).into_bytes())
}

fn communication(length: usize, data: &[u8]) -> String {
    let invalid = |why: &str| {
        let mut text = format!("invalid Shutdown Communication ({why}) length : {length} [");
        super::hex(data, &mut text);
        text.push(']');
        text
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
    let mut told = format!(
        "Shutdown Communication: \"{}\"",
        text.replace(['\r', '\n'], " ")
    );
    if !trailer.is_empty() {
        told.push_str(", trailing data: ");
        super::hex(trailer, &mut told);
    }
    told
}

/// ExaBGP's form of the capabilities of an OPEN, by code. Of its own it tells the Session Id of multisession,
/// which it does not understand in that of a peer.
pub fn capabilities(mut written: Vec<(u8, String)>, direction: Direction) -> Vec<(u8, String)> {
    if direction == Direction::Send {
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

/// The AS number of an OPEN: ExaBGP tells its own in full, and of a peer's OPEN the field of two octets.
pub fn asn(open: &Open, direction: Direction) -> u32 {
    match direction {
        Direction::Send => open.asn(),
        Direction::Receive => u32::from(open.my_as),
    }
}

/// The subtype's name.
pub const fn subtype(message: &RouteRefresh) -> &'static str {
    match message.subtype {
        RefreshSubtype::REQUEST => "query",
        RefreshSubtype::BEGIN => "begin",
        RefreshSubtype::END => "end",
        _ => "invalid",
    }
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
