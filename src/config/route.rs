//! Routes as people write them, in configuration and API alike: `10.0.0.0/24 next-hop self med 100`.
//!
//! A [`RouteDraft`] takes keywords in any order, one statement or one line at a time, and becomes routes at the end.

use std::net::IpAddr;

use crate::bgp::attribute::{Attributes, NextHop};
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::inet::{Inet, Prefix};
use crate::bgp::nlri::labelled::Labelled;
use crate::bgp::nlri::qualifier::{Labels, RouteDistinguisher};
use crate::bgp::nlri::vpn::Vpn;
use crate::bgp::nlri::{Nlri, NlriValue, PathId};
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::route::{ConfiguredRoute, Route};

use super::attribute;
use super::intern::Interner;
use super::{split, suggest, value};

/// Keywords of a route that are not attributes.
const KEYWORDS: &[&str] = &[
    "next-hop",
    "path-information",
    "rd",
    "route-distinguisher",
    "label",
    "name",
    "split",
    "watchdog",
    "withdraw",
];

/// Whether a route is announced or withdrawn: a withdraw needs no next hop and no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// The route is announced.
    #[default]
    Announce,
    /// The route is withdrawn.
    Withdraw,
}

/// What a route is for, as far as its keywords do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `static`: unicast, or multicast for an IPv4 group address; labelled with `label`, VPN with `rd`.
    Static,
    /// One family of an `announce` section.
    Family(Family),
}

/// A next hop as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextHopText {
    /// An address.
    Address(IpAddr),
    /// `self`.
    Myself,
}

/// The part of a route that does not say what is reachable.
#[derive(Debug, Clone, Default)]
pub struct RouteDraft {
    /// `next-hop`: the first and the last that was said.
    pub next_hop: Option<(NextHopText, NextHopText)>,
    /// `rd`
    pub rd: Option<RouteDistinguisher>,
    /// Path attributes, by type code.
    pub attributes: Attributes,
    path_id: Option<PathId>,
    labels: Option<Labels>,
    split: Option<u8>,
    watchdog: Option<String>,
    withdrawn: bool,
}

impl RouteDraft {
    /// Takes `keyword` and the words that belong to it; others are left.
    ///
    /// # Errors
    /// Where the keyword is unknown or its words are wrong.
    pub fn set(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        match keyword.text.as_str() {
            "next-hop" => {
                let next_hop = next_hop(words)?;
                self.next_hop =
                    Some((self.next_hop.map_or(next_hop, |(first, _)| first), next_hop));
            }
            "path-information" => self.path_id = path_information(words)?,
            "rd" | "route-distinguisher" => self.rd = Some(RouteDistinguisher::parse(words)?),
            "label" => self.labels = Some(Labels::parse(words)?),
            // A name is for the reader of the configuration alone.
            "name" => drop(words.word("a name")?),
            "split" => self.split = Some(split::parse(words)?),
            "watchdog" => self.watchdog = Some(watchdog(words)?),
            "withdraw" => self.withdrawn = true,
            _ => match attribute::parse(keyword, words) {
                Some(attribute) => attribute::add(&mut self.attributes, attribute?, keyword)?,
                None => return Err(unknown(keyword)),
            },
        }
        Ok(())
    }

    /// Takes every word of a line.
    ///
    /// # Errors
    /// As for [`RouteDraft::set`].
    pub fn set_all(&mut self, words: &mut Words<'_>) -> Result<(), TextError> {
        while let Some(keyword) = words.take() {
            self.set(keyword, words)?;
        }
        Ok(())
    }

    /// The routes to `prefix`: one, or those that `split` makes of it. `at` is the word of the prefix.
    ///
    /// # Errors
    /// Where something is missing, or `split` makes too many.
    pub fn routes(
        &self,
        kind: Kind,
        prefix: Prefix,
        purpose: Purpose,
        at: &Word,
        interner: &mut Interner,
    ) -> Result<Vec<ConfiguredRoute>, TextError> {
        let family = self.family(kind, prefix);
        self.check(family, purpose, at)?;
        self.fits(family, at)?;
        let attributes = interner.intern(&self.attributes);
        let (next_hop, next_hop_self) = self.next_hop(family);
        let make = |prefix: Prefix| ConfiguredRoute {
            route: Route {
                nlri: self.nlri(family, prefix),
                next_hop: next_hop.clone(),
                attributes: std::sync::Arc::clone(&attributes),
            },
            next_hop_self,
            watchdog: self.watchdog.clone(),
            withdrawn: self.withdrawn,
        };
        match self.split {
            Some(length) if length > prefix.length => {
                Ok(split::prefixes(prefix, length, at)?.map(make).collect())
            }
            _ => Ok(vec![make(prefix)]),
        }
    }

    /// Whether a route of `family` can have what was said; `at` is the word that begins it.
    ///
    /// # Errors
    /// Labels or a route distinguisher that its NLRI has no place for.
    pub fn fits(&self, family: Family, at: &Word) -> Result<(), TextError> {
        let vpn = matches!(family.safi, Safi::MPLS_VPN | Safi::MCAST_MPLS_VPN);
        let (keyword, families) =
            if self.labels.is_some() && !(vpn || family.safi == Safi::NLRI_MPLS) {
                ("label", "nlri-mpls and mpls-vpn")
            } else if self.rd.is_some() && !vpn {
                ("rd", "mpls-vpn")
            } else {
                return Ok(());
            };
        let message = format!("a route of {family} has no `{keyword}`");
        Err(TextError::new(at.span.clone(), message).help(format!("those of {families} have one")))
    }

    /// The route to an NLRI that its family has read itself.
    #[must_use]
    pub fn route(&self, mut nlri: Nlri, interner: &mut Interner) -> ConfiguredRoute {
        if nlri.path_id.is_none() {
            nlri.path_id = self.path_id;
        }
        let (next_hop, next_hop_self) = self.next_hop(nlri.family);
        ConfiguredRoute {
            route: Route {
                nlri,
                next_hop,
                attributes: interner.intern(&self.attributes),
            },
            next_hop_self,
            watchdog: self.watchdog.clone(),
            withdrawn: self.withdrawn,
        }
    }

    fn family(&self, kind: Kind, prefix: Prefix) -> Family {
        let plain = plain_family(prefix);
        match kind {
            Kind::Family(family) => family,
            Kind::Static if self.rd.is_some() => Family::new(plain.afi, Safi::MPLS_VPN),
            Kind::Static if self.labels.is_some() => Family::new(plain.afi, Safi::NLRI_MPLS),
            Kind::Static => plain,
        }
    }

    fn check(&self, family: Family, purpose: Purpose, at: &Word) -> Result<(), TextError> {
        if purpose == Purpose::Withdraw {
            return Ok(());
        }
        let missing = |what: &str, help: &str| {
            Err(TextError::new(at.span.clone(), format!("the route has no {what}")).help(help))
        };
        let plain = matches!(family.safi, Safi::UNICAST | Safi::MULTICAST);
        if plain && self.next_hop.is_none() {
            return missing(
                "next-hop",
                "add for example next-hop 192.0.2.1, or next-hop self",
            );
        }
        let vpn = matches!(family.safi, Safi::MPLS_VPN | Safi::MCAST_MPLS_VPN);
        if vpn && self.rd.is_none() {
            return missing("route distinguisher", "add for example rd 65000:1");
        }
        if (vpn || family.safi == Safi::NLRI_MPLS) && self.labels.is_none() {
            return missing("label", "add for example label 100");
        }
        Ok(())
    }

    /// The next hop that counts where several are said. Parity: as the attribute NEXT_HOP the first, in MP_REACH_NLRI
    /// the last, and `self` as either is `self` as both.
    fn chosen_next_hop(&self, family: Family) -> Option<NextHopText> {
        let (first, last) = self.next_hop?;
        let attribute = matches!(family, Family::IPV4_UNICAST | Family::IPV4_MULTICAST);
        Some(match (first, last) {
            (_, NextHopText::Myself) => last,
            (NextHopText::Myself | NextHopText::Address(IpAddr::V4(_)), _) if attribute => first,
            _ => last,
        })
    }

    fn next_hop(&self, family: Family) -> (NextHop, bool) {
        match self.chosen_next_hop(family) {
            None => (NextHop::None, false),
            Some(NextHopText::Myself) => (NextHop::None, true),
            // IPv6 mobile user plane over IPv4 has its next hop mapped, as ExaBGP writes it.
            Some(NextHopText::Address(IpAddr::V4(v4)))
                if family == Family::new(Afi::IPV6, Safi::MUP) =>
            {
                (NextHop::Address(v4.to_ipv6_mapped().into()), false)
            }
            Some(NextHopText::Address(address)) => (NextHop::Address(address), false),
        }
    }

    fn nlri(&self, family: Family, prefix: Prefix) -> Nlri {
        let labels = || self.labels.clone().unwrap_or_default();
        let value = match family.safi {
            Safi::MPLS_VPN | Safi::MCAST_MPLS_VPN => {
                let vpn = Vpn::new(self.rd.unwrap_or_default(), prefix).with_labels(labels());
                NlriValue::Vpn(Box::new(vpn))
            }
            Safi::NLRI_MPLS => {
                NlriValue::Labelled(Box::new(Labelled::new(prefix).with_labels(labels())))
            }
            _ => NlriValue::Inet(Inet { prefix }),
        };
        Nlri {
            family,
            path_id: self.path_id,
            value,
        }
    }
}

/// The family of a route of `static` that has neither label nor route distinguisher.
pub fn plain_family(prefix: Prefix) -> Family {
    match prefix.address {
        IpAddr::V4(group) if group.is_multicast() => Family::IPV4_MULTICAST,
        IpAddr::V4(_) => Family::IPV4_UNICAST,
        IpAddr::V6(_) => Family::IPV6_UNICAST,
    }
}

/// Reads `PREFIX KEYWORD …`, the whole line.
///
/// # Errors
/// Where it is no route of that kind.
pub fn line(
    kind: Kind,
    words: &mut Words<'_>,
    purpose: Purpose,
    interner: &mut Interner,
) -> Result<Vec<ConfiguredRoute>, TextError> {
    let at = words.word("a prefix")?;
    let prefix = prefix(kind, at)?;
    let mut draft = RouteDraft::default();
    draft.set_all(words)?;
    draft.routes(kind, prefix, purpose, at, interner)
}

/// Reads `KEYWORD … nlri PREFIX PREFIX …`, the whole line.
///
/// # Errors
/// Where it is no list of routes.
pub fn attributes(
    words: &mut Words<'_>,
    purpose: Purpose,
    interner: &mut Interner,
) -> Result<Vec<ConfiguredRoute>, TextError> {
    let mut draft = RouteDraft::default();
    loop {
        let keyword = words.word("`nlri` and the prefixes")?;
        if keyword.text == "nlri" {
            break;
        }
        draft.set(keyword, words)?;
    }
    let mut routes = Vec::new();
    if words.is_empty() {
        return Err(words.error("a prefix is missing"));
    }
    while let Some(at) = words.take() {
        let prefix = prefix(Kind::Static, at)?;
        routes.append(&mut draft.routes(Kind::Static, prefix, purpose, at, interner)?);
    }
    Ok(routes)
}

/// Reads a prefix, which must be one of the family and have no bits beyond its length.
///
/// # Errors
/// Where it is not.
pub fn prefix(kind: Kind, word: &Word) -> Result<Prefix, TextError> {
    let wrong =
        || value::wrong(word, "a prefix").help("write for example 192.0.2.0/24 or 2001:db8::/32");
    let (parsed, is_whole) = Prefix::read(&word.text).map_err(|_| wrong())?;
    if !is_whole {
        return Err(TextError::new(
            word.span.clone(),
            format!("`{}` has bits beyond its length", word.text),
        )
        .help(format!("the network is {parsed}")));
    }
    if let Kind::Family(family) = kind {
        let afi = if parsed.address.is_ipv4() {
            Afi::IPV4
        } else {
            Afi::IPV6
        };
        if afi != family.afi {
            return Err(TextError::new(
                word.span.clone(),
                format!("`{parsed}` is not of {}", family.afi),
            ));
        }
    }
    Ok(parsed)
}

/// Reads an address, or `self`.
///
/// # Errors
/// Where the word is neither.
pub fn next_hop(words: &mut Words<'_>) -> Result<NextHopText, TextError> {
    let word = words.word("a next hop")?;
    if word.text.eq_ignore_ascii_case("self") {
        return Ok(NextHopText::Myself);
    }
    word.text
        .parse()
        .map(NextHopText::Address)
        .map_err(|_| value::wrong(word, "a next hop").help("write an IP address, or self"))
}

/// Reads a path identifier: a number, or four octets in the form of an IPv4 address. Parity: the number 0 is none.
fn path_information(words: &mut Words<'_>) -> Result<Option<PathId>, TextError> {
    let word = words.word("a path identifier")?;
    let number = value::digits::<u32>(&word.text);
    let dotted = || word.text.parse::<std::net::Ipv4Addr>().ok().map(u32::from);
    if number == Some(0) {
        return Ok(None);
    }
    number.or_else(dotted).map(PathId).map(Some).ok_or_else(|| {
        value::wrong(word, "a path identifier")
            .help("write a number from 0 to 4294967295, or as in 0.0.0.1")
    })
}

fn watchdog(words: &mut Words<'_>) -> Result<String, TextError> {
    let word = words.word("the name of a watchdog")?;
    match word.text.to_ascii_lowercase().as_str() {
        "announce" | "withdraw" => Err(value::wrong(word, "a name for a watchdog")),
        _ => Ok(word.text.clone()),
    }
}

fn unknown(keyword: &Word) -> TextError {
    let mut valid: Vec<&str> = KEYWORDS.to_vec();
    for name in attribute::keywords() {
        if !valid.contains(&name) {
            valid.push(name);
        }
    }
    suggest::unknown(keyword, "in a route", &valid)
}
