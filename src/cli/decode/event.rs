//! A message as a line of ExaBGP's JSON.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::input::Session;
use crate::bgp::hex;
use crate::bgp::message::Message;
use crate::net::clock;
use crate::speaker::neighbor::{Address, AsNumber, Neighbor};

/// The version of ExaBGP's JSON.
const JSON_VERSION: &str = "5.0.0";

/// The two ends that a line tells of.
#[derive(Debug, Clone)]
pub struct Ends {
    local: String,
    peer: String,
    local_as: u32,
    peer_as: u32,
    router_id: Option<Ipv4Addr>,
    /// When the message was captured, since 1970; now where it was not.
    time: Option<Duration>,
}

impl Default for Ends {
    /// Those of ExaBGP's `decode`.
    fn default() -> Self {
        Self {
            local: "127.0.0.1".to_owned(),
            peer: "127.0.0.1".to_owned(),
            local_as: 65533,
            peer_as: 65533,
            router_id: Some(Ipv4Addr::new(10, 0, 0, 2)),
            time: None,
        }
    }
}

impl Ends {
    /// Those of a configuration.
    pub fn of(neighbor: &Neighbor) -> Self {
        let number = |asn: AsNumber| match asn {
            AsNumber::Number(asn) => asn,
            AsNumber::Auto => 0,
        };
        let local = match neighbor.local_address {
            Address::Ip(address) => Some(address),
            Address::Auto => None,
        };
        let own = local.and_then(|address| match address {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        });
        Self {
            local: local.map_or_else(|| "auto".to_owned(), |address| address.to_string()),
            peer: neighbor.peer_address.to_string(),
            local_as: number(neighbor.local_as),
            peer_as: number(neighbor.peer_as),
            router_id: neighbor.router_id.or(own),
            time: None,
        }
    }

    /// Those of a captured session, as the receiver of the message sees them.
    pub fn of_session(session: &Session) -> Self {
        Self {
            local: session.receiver.to_string(),
            peer: session.sender.to_string(),
            local_as: session.receiver_open.as_ref().map_or(0, |open| open.asn()),
            peer_as: session.sender_open.as_ref().map_or(0, |open| open.asn()),
            router_id: session.receiver_open.as_ref().map(|open| open.identifier),
            time: Some(session.time),
        }
    }
}

/// Writes lines and counts them.
pub struct Events {
    host: String,
    counter: u64,
}

impl Events {
    pub fn new() -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            host: host.trim().to_owned(),
            counter: 0,
        }
    }

    /// The line for a received message.
    pub fn line(&mut self, ends: &Ends, message: &Message) -> String {
        self.counter += 1;
        let (kind, content) = content(message);
        let router_id = ends
            .router_id
            .map_or_else(String::new, |id| format!(", \"router-id\": \"{id}\""));
        let separator = if content.is_empty() { " " } else { ", " };
        format!(
            "{{ \"exabgp\": \"{JSON_VERSION}\", \"time\": {}, \"host\" : \"{}\", \"pid\" : {}, \"ppid\" : {}, \
             \"counter\": {}, \"type\": \"{kind}\", \"neighbor\": {{ \"address\": {{ \"local\": \"{}\", \
             \"peer\": \"{}\" }}, \"asn\": {{ \"local\": {}, \"peer\": {} }}{router_id} , \
             \"direction\": \"in\"{separator}{content} }} }}",
            ends.time.unwrap_or_else(clock::since_1970).as_secs_f64(),
            self.host,
            std::process::id(),
            std::os::unix::process::parent_id(),
            self.counter,
            ends.local,
            ends.peer,
            ends.local_as,
            ends.peer_as,
        )
    }
}

fn content(message: &Message) -> (&'static str, String) {
    match message {
        Message::Open(open) => ("open", format!("\"open\": {}", open.json())),
        Message::Update(update) => (
            "update",
            format!("\"message\": {}", update.json_as_written(false)),
        ),
        Message::Notification(notification) => (
            "notification",
            format!("\"notification\": {}", notification.json()),
        ),
        Message::Keepalive => ("keepalive", String::new()),
        Message::RouteRefresh(refresh) => {
            ("refresh", format!("\"route-refresh\": {}", refresh.json()))
        }
        Message::Operational(operational) => (
            "operational",
            operational
                .json()
                .map_or_else(String::new, |json| format!("\"operational\": {json}")),
        ),
        Message::Unknown(unknown) => {
            let raw = hex::upper(&unknown.body);
            let kind = unknown.kind.0;
            (
                "unknown",
                format!("\"message\": {{ \"category\": {kind}, \"body\": \"0x{raw}\" }}"),
            )
        }
    }
}
