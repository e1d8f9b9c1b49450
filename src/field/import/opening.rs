//! OPENs in place of those that the capture does not have: what the messages that follow ask for, and no more.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::bgp::attribute::{AttributeValue, WireContext};
use crate::bgp::capability::Capability;
use crate::bgp::capability::add_path::{AddPath, SendReceive};
use crate::bgp::capability::extended_message::ExtendedMessage;
use crate::bgp::capability::four_octet_as::FourOctetAs;
use crate::bgp::capability::multiprotocol::Multiprotocol;
use crate::bgp::capability::route_refresh::RouteRefresh;
use crate::bgp::family::Family;
use crate::bgp::iana::MessageType;
use crate::bgp::message::{Message, Open, Update};
use crate::bgp::wire::Writer;
use crate::capture::StreamDirection;
use crate::compare::Contexts;
use crate::field::import::configuration;
use crate::field::import::trace::{Conversation, Said};

/// What the opening takes before the first message of the capture.
pub const TAKES: Duration = Duration::from_millis(1);
/// AS numbers of private use (RFC 6996), of an end whose own is not known.
const PRIVATE_AS: [u32; 2] = [65_001, 65_002];
/// The hold time that is proposed where nothing tells of another, in seconds.
const HOLD_TIME: u16 = 180;
/// UPDATEs of each end that are asked.
const ASKED: usize = 512;
/// What RFC 4271 section 4.1 allows.
const LONGEST: usize = 4_096;
/// The code of the NOTIFICATION that a hold timer sends.
const HOLD_TIMER: u8 = 4;

/// An OPEN of an end whose own is not in the capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitute {
    /// The end that would have sent it.
    pub by: StreamDirection,
    /// The message.
    pub octets: Vec<u8>,
    /// What it says, in words.
    pub text: String,
}

/// What the messages of one end tell.
#[derive(Debug, Default)]
struct Told {
    families: BTreeSet<Family>,
    /// The first AS number of its paths.
    first: BTreeSet<u32>,
    has_local_preference: bool,
    asks_for_routes: bool,
    is_long: bool,
}

/// OPENs for the ends of `conversation` that `missing` says of.
pub fn substitutes(
    conversation: &Conversation,
    contexts: &Contexts,
    missing: impl Fn(StreamDirection) -> bool,
) -> Vec<Substitute> {
    let number = conversation.connection.number;
    let mut contexts = contexts.clone();
    let contexts = StreamDirection::BOTH.map(|by| contexts.context(number, by).clone());
    let told =
        StreamDirection::BOTH.map(|by| Told::by(by, &conversation.said, &contexts[by as usize]));
    let opens =
        StreamDirection::BOTH.map(|by| conversation.opening(by).and_then(configuration::read));
    let numbers = as_numbers(&told, &opens);
    let families: BTreeSet<Family> = told.iter().flat_map(|one| &one.families).copied().collect();
    let one = |by: StreamDirection| {
        let open = Open::new(
            numbers[by as usize],
            hold_time(conversation),
            identifier(conversation.id().peer.sender(by), by),
            capabilities(numbers[by as usize], by, &families, &told, &contexts),
        );
        let mut octets = Writer::new();
        let text = described(&open, told[by as usize].first.contains(&open.asn()));
        Message::Open(open)
            .encode(&WireContext::default(), &mut octets)
            .ok()?;
        Some(Substitute { by, octets, text })
    };
    let wanted = StreamDirection::BOTH.into_iter().filter(|by| missing(*by));
    wanted.filter_map(one).collect()
}

impl Told {
    fn by(by: StreamDirection, said: &[Said], context: &WireContext) -> Self {
        let mut told = Self::default();
        let mut updates = 0;
        for said in said.iter().filter(|said| said.by == by && !said.cut) {
            told.is_long |= said.octets.len() > LONGEST;
            match said.octets.get(18).map(|kind| MessageType(*kind)) {
                Some(MessageType::UPDATE) if updates < ASKED => {
                    updates += 1;
                    if let Ok(Message::Update(update)) = Message::read(context, &said.octets) {
                        told.hear(&update);
                    }
                }
                Some(MessageType::ROUTE_REFRESH) => told.asks_for_routes = true,
                _ => {}
            }
        }
        told
    }

    fn hear(&mut self, update: &Update) {
        if !update.nlri.is_empty() || !update.withdrawn_routes.is_empty() {
            self.families.insert(Family::IPV4_UNICAST);
        }
        self.families.extend(update.end_of_rib());
        self.families
            .extend(update.mp_reach().map(|reach| reach.family));
        self.families
            .extend(update.mp_unreach().map(|unreach| unreach.family));
        for attribute in update.attributes.iter() {
            match &attribute.value {
                AttributeValue::AsPath(path) => {
                    let first = path.segments.first();
                    self.first
                        .extend(first.and_then(|segment| segment.asns.first()));
                }
                AttributeValue::LocalPref(_) => self.has_local_preference = true,
                _ => {}
            }
        }
    }
}

/// The AS number of each end: its OPEN's, else that which all its paths begin with, else one of private use.
fn as_numbers(told: &[Told; 2], opens: &[Option<Open>; 2]) -> [u32; 2] {
    let known = |end: usize| opens[end].as_ref().map(Open::asn);
    // LOCAL_PREF is sent to peers of the same AS only (RFC 4271 section 5.1.5).
    if told.iter().any(|one| one.has_local_preference) {
        let of_both = known(0).or(known(1)).unwrap_or(PRIVATE_AS[0]);
        return [0, 1].map(|end| known(end).unwrap_or(of_both));
    }
    let paths = |end: usize| {
        let mut first = told[end].first.iter().copied();
        first.next().filter(|_| first.next().is_none())
    };
    let mut numbers = [0, 1].map(|end| known(end).or(paths(end)).unwrap_or(PRIVATE_AS[end]));
    if numbers[0] == numbers[1] {
        let end = usize::from(opens[1].is_none());
        numbers[end] = PRIVATE_AS[end];
    }
    numbers
}

/// A hold time under which the silences of the capture do not end the session, but the one that did end it does.
fn hold_time(conversation: &Conversation) -> u16 {
    let seconds = |time: Duration| time.as_secs_f64().round() as u16;
    let mut last = [None; 2];
    let mut longest = Duration::ZERO;
    for said in &conversation.said {
        if let Some(before) = last[said.by as usize].replace(said.at) {
            longest = longest.max(said.at.saturating_sub(before));
        }
    }
    if let Some((by, at, HOLD_TIMER)) = conversation.notified() {
        let heard = last[by.opposite() as usize].unwrap_or_default();
        return seconds(at.saturating_sub(heard)).max(3);
    }
    HOLD_TIME.max(seconds(longest).saturating_mul(3))
}

fn identifier(address: IpAddr, by: StreamDirection) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        // For documentation (RFC 5737).
        IpAddr::V6(_) => Ipv4Addr::new(192, 0, 2, 1 + by as u8),
    }
}

fn capabilities(
    asn: u32,
    by: StreamDirection,
    families: &BTreeSet<Family>,
    told: &[Told; 2],
    contexts: &[WireContext; 2],
) -> Vec<Capability> {
    let offer = |family: Family| Capability::from(Multiprotocol { family });
    let mut out: Vec<Capability> = match families.is_empty() {
        true => vec![offer(Family::IPV4_UNICAST)],
        false => families.iter().copied().map(offer).collect(),
    };
    if told.iter().any(|one| one.asks_for_routes) {
        out.push(RouteRefresh::Rfc.into());
    }
    if told.iter().any(|one| one.is_long) {
        out.push(ExtendedMessage.into());
    }
    if contexts[0].four_octet_as {
        out.push(FourOctetAs { asn }.into());
    }
    let [sends, receives] = [by, by.opposite()].map(|by| &contexts[by as usize].add_path);
    let entries: Vec<_> = families
        .iter()
        .filter_map(|family| {
            let way = u8::from(receives.contains(*family)) | u8::from(sends.contains(*family)) << 1;
            (way != 0).then_some((*family, SendReceive(way)))
        })
        .collect();
    if !entries.is_empty() {
        out.push(AddPath { entries }.into());
    }
    out
}

/// An OPEN in words, and where its AS number is from.
fn described(open: &Open, is_from_path: bool) -> String {
    let families: Vec<String> = open
        .capabilities()
        .filter_map(|capability| match capability {
            Capability::Multiprotocol(offer) => Some(offer.family.to_string()),
            _ => None,
        })
        .collect();
    let mut text = format!(
        "AS {}{}, identifier {}, hold time {} s, {}",
        open.asn(),
        if is_from_path {
            " (from its AS_PATHs)"
        } else {
            ""
        },
        open.identifier,
        open.hold_time,
        families.join(", ")
    );
    for capability in open.capabilities() {
        text.push_str(match capability {
            Capability::FourOctetAs(_) => ", four-octet AS numbers",
            Capability::AddPath(_) => ", add-path",
            Capability::RouteRefresh(_) => ", route refresh",
            Capability::ExtendedMessage(_) => ", extended messages",
            _ => continue,
        });
    }
    text
}
