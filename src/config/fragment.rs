//! Parts of a configuration on their own, as API commands have them: routes, operational messages, a neighbor.

use std::net::IpAddr;
use std::sync::Arc;

use crate::bgp::attribute::{Attributes, NextHop};
use crate::bgp::collections::Map;
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::message::Operational;
use crate::bgp::nlri::inet::{Inet, Prefix};
use crate::bgp::nlri::{Nlri, NlriValue, PathId};
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::neighbor::{ApiSection, Neighbor};
use crate::speaker::route::{ConfiguredRoute, Route};

use super::intern::Interner;
use super::lexer::Lexer;
use super::neighbor::{self, NeighborDraft};
use super::operational;
use super::parser::Parser;
pub use super::route::Purpose;

/// The section in which routes would stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `static`: `route …`, `attributes … nlri …`.
    Static,
    /// `announce { ipv4 { … } }` and its kin: `unicast …`.
    Announce(Afi),
    /// `flow`: `route …`.
    Flow,
    /// `l2vpn`: `vpls …`.
    L2vpn,
}

/// The most ends of route lines that are remembered: more than a full table has distinct ones, for below it each line
/// is understood anew.
const CAPACITY: usize = 1 << 18;

/// What stands behind the prefix of a route of one NLRI without labels, understood.
#[derive(Debug, Clone)]
struct Tail {
    attributes: Arc<Attributes>,
    next_hop: Option<IpAddr>,
    next_hop_self: bool,
    path_id: Option<PathId>,
    watchdog: Option<Box<str>>,
    withdrawn: bool,
    purpose: Purpose,
}

/// Reads parts of a configuration, and remembers what it read: lines that differ in their prefix alone are understood
/// once.
#[derive(Debug, Clone, Default)]
pub struct Fragments {
    interner: Interner,
    tails: Map<Box<str>, Tail>,
}

impl Fragments {
    /// The routes of `line` from octet `at` on, which would stand in `place`; at least one.
    ///
    /// # Errors
    /// The first error, with its position.
    pub fn routes(
        &mut self,
        line: &str,
        at: usize,
        place: Place,
        purpose: Purpose,
    ) -> Result<Vec<ConfiguredRoute>, TextError> {
        let mut lexer = Lexer::command(line, at);
        let mut parser = Parser::new(&mut lexer, &mut self.interner, purpose);
        let mut routes = Vec::new();
        match place {
            Place::Static => parser.static_routes(&mut routes),
            Place::Announce(afi) => parser.announce_family(afi, &mut routes),
            Place::Flow => parser.flow(&mut routes),
            Place::L2vpn => parser.l2vpn(&mut routes),
        }
        if let Some(mistake) = parser.mistakes.into_iter().next() {
            return Err(mistake);
        }
        if routes.is_empty() {
            return Err(TextError::new(at..line.len(), "there is no route here"));
        }
        Ok(routes.into_iter().map(|(route, _)| route).collect())
    }

    /// The route of `prefix` and `tail` (its keywords), if it is of the plain kind and `tail` was seen before; else
    /// nothing.
    #[must_use]
    pub fn known_route(
        &self,
        prefix: &str,
        tail: &str,
        purpose: Purpose,
    ) -> Option<ConfiguredRoute> {
        let known = self.tails.get(tail)?;
        if known.purpose != purpose {
            return None;
        }
        let prefix = plain_prefix(prefix)?;
        let family = match prefix.address {
            IpAddr::V4(group) if group.is_multicast() => Family::IPV4_MULTICAST,
            IpAddr::V4(_) => Family::IPV4_UNICAST,
            IpAddr::V6(_) => Family::IPV6_UNICAST,
        };
        Some(ConfiguredRoute {
            route: Route {
                nlri: Nlri {
                    family,
                    path_id: known.path_id,
                    value: NlriValue::Inet(Inet { prefix }),
                },
                next_hop: known.next_hop.map_or(NextHop::None, NextHop::Address),
                attributes: Arc::clone(&known.attributes),
            },
            next_hop_self: known.next_hop_self,
            watchdog: known.watchdog.as_deref().map(str::to_owned),
            withdrawn: known.withdrawn,
        })
    }

    /// Remembers that `tail` made `route`, if that is of the plain kind.
    pub fn remember(&mut self, tail: &str, route: &ConfiguredRoute, purpose: Purpose) {
        let nlri = &route.route.nlri;
        let next_hop = match route.route.next_hop {
            NextHop::None => None,
            NextHop::Address(address) => Some(address),
            _ => return,
        };
        let plain = matches!(nlri.family.safi, Safi::UNICAST | Safi::MULTICAST);
        // The next word of a longer line could be one that makes several routes of one.
        if !plain || tail.contains("split") || tail.contains(['{', '}', ';', '#', '\\']) {
            return;
        }
        if self.tails.len() >= CAPACITY {
            self.tails.clear();
        }
        self.tails.insert(
            tail.into(),
            Tail {
                attributes: Arc::clone(&route.route.attributes),
                next_hop,
                next_hop_self: route.next_hop_self,
                path_id: nlri.path_id,
                watchdog: route.watchdog.as_deref().map(Box::from),
                withdrawn: route.withdrawn,
                purpose,
            },
        );
    }
}

/// A prefix without bits beyond its length.
fn plain_prefix(text: &str) -> Option<Prefix> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let length = match length {
        Some(length) => super::value::digits::<u8>(length)?,
        None if address.is_ipv4() => 32,
        None => 128,
    };
    let prefix = Prefix::new(address, length)?;
    (prefix.address == address).then_some(prefix)
}

/// Reads an operational message: `asm afi ipv4 …`.
///
/// # Errors
/// Where it is none.
pub fn operational_message(
    keyword: &Word,
    words: &mut Words<'_>,
) -> Result<Operational, TextError> {
    operational::parse(keyword, words)
}

/// Whether `keyword` is a kind of operational message that can be sent.
#[must_use]
pub fn is_operational(keyword: &str) -> bool {
    operational::KINDS
        .iter()
        .any(|kind| kind.eq_ignore_ascii_case(keyword))
}

/// Reads a neighbor on one line: its address, then keywords of the `neighbor` section with their values,
/// `family-allowed ipv4-unicast/ipv6-unicast` and `api NAME`. Without families it has IPv4 unicast.
///
/// # Errors
/// Where it is none.
pub fn neighbor_line(words: &mut Words<'_>) -> Result<Neighbor, TextError> {
    let at = words.word("the peer's address")?;
    let mut draft = NeighborDraft::default();
    draft.peer = Some(neighbor::peer(at)?);
    let mut api = Vec::new();
    while let Some(keyword) = words.take() {
        match keyword.text.as_str() {
            "api" => {
                let processes = words.list("the name of a process")?;
                api.extend(processes.into_iter().map(|name| ApiSection {
                    processes: vec![name.text.clone()],
                    ..ApiSection::default()
                }));
            }
            "family-allowed" => draft.family.named.extend(families(words)?),
            "local-ip" => one(&mut draft, "local-address", keyword, words)?,
            name => one(&mut draft, name, keyword, words)?,
        }
    }
    if draft.family.named.is_empty() {
        draft.family.named.push(Family::IPV4_UNICAST);
    }
    let mut neighbor = draft.finish(at)?;
    neighbor.api = api;
    Ok(neighbor)
}

/// Takes the keyword `name` with a value of one word.
fn one(
    draft: &mut NeighborDraft,
    name: &str,
    keyword: &Word,
    words: &mut Words<'_>,
) -> Result<(), TextError> {
    if !neighbor::KEYWORDS.contains(&name) {
        return Err(neighbor::unknown(keyword));
    }
    let value = [words.word("a value")?.clone()];
    let keyword = Word {
        text: name.to_owned(),
        span: keyword.span.clone(),
    };
    draft.set(&keyword, &mut Words::new(&value, value[0].span.end))
}

/// `ipv4-unicast/ipv6-unicast`
fn families(words: &mut Words<'_>) -> Result<Vec<Family>, TextError> {
    let word = words.word("families")?;
    word.text
        .split('/')
        .map(|name| {
            name.parse().map_err(|_| {
                TextError::new(word.span.clone(), format!("`{name}` is not a family"))
                    .help("write for example ipv4-unicast/ipv6-unicast")
            })
        })
        .collect()
}
