//! The `neighbor` section: what it says, what it inherits, and the neighbor that comes of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::bgp::family::{Families, Family};
use crate::bgp::iana::Afi;
use crate::bgp::message::Operational;
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::neighbor::{Address, AsNumber, CapabilitySettings, Neighbor};
use crate::speaker::route::ConfiguredRoute;

use super::api::ApiDraft;
use super::capability::CapabilitySection;
use super::family::{self, FamilySection};
use super::{suggest, value};

/// The words of the section.
pub const KEYWORDS: &[&str] = &[
    "inherit",
    "description",
    "host-name",
    "domain-name",
    "router-id",
    "hold-time",
    "rate-limit",
    "local-address",
    "local-link-local",
    "source-interface",
    "peer-address",
    "local-as",
    "peer-as",
    "passive",
    "listen",
    "connect",
    "outgoing-ttl",
    "incoming-ttl",
    "md5-password",
    "md5-base64",
    "md5-ip",
    "group-updates",
    "auto-flush",
    "adj-rib-out",
    "adj-rib-in",
    "manual-eor",
];

/// The sections in it.
pub const SECTIONS: &[&str] = &[
    "family",
    "capability",
    "add-path",
    "nexthop",
    "api",
    "static",
    "flow",
    "l2vpn",
    "operational",
    "announce",
];

/// ExaBGP's hold time where none is configured, in seconds.
const HOLD_TIME: u16 = 180;

/// The most octets of a TCP MD5 password (Linux `TCP_MD5SIG_MAXKEYLEN`).
const MD5_PASSWORD: usize = 80;

/// What a `neighbor` section or a template says; `None` is nothing.
#[derive(Debug, Clone, Default)]
pub struct NeighborDraft {
    /// Templates, with their places.
    pub inherit: Vec<Word>,
    /// The peer: address and prefix length.
    pub peer: Option<(IpAddr, u8)>,
    description: Option<String>,
    host_name: Option<String>,
    domain_name: Option<String>,
    router_id: Option<Ipv4Addr>,
    hold_time: Option<u16>,
    rate_limit: Option<Option<u32>>,
    local_address: Option<Address>,
    local_link_local: Option<Ipv6Addr>,
    source_interface: Option<String>,
    local_as: Option<AsNumber>,
    peer_as: Option<AsNumber>,
    passive: Option<bool>,
    listen: Option<u16>,
    connect: Option<u16>,
    outgoing_ttl: Option<Option<u8>>,
    incoming_ttl: Option<Option<u8>>,
    md5_password: Option<Word>,
    md5_base64: Option<Option<bool>>,
    md5_ip: Option<IpAddr>,
    group_updates: Option<bool>,
    auto_flush: Option<bool>,
    adj_rib_in: Option<bool>,
    adj_rib_out: Option<bool>,
    manual_eor: Option<bool>,
    /// `family`
    pub family: FamilySection,
    /// `add-path`
    pub add_path: FamilySection,
    /// `nexthop`
    pub nexthop: Vec<(Family, Afi)>,
    /// `capability`
    pub capability: CapabilitySection,
    /// `api` sections.
    pub api: Vec<ApiDraft>,
    /// `operational` messages.
    pub operational: Vec<Operational>,
    /// Routes in the order of the text, and where each stands.
    pub routes: Vec<(ConfiguredRoute, usize)>,
    /// Routes that come after [`NeighborDraft::routes`]: those up to the end of an `l2vpn` section, and those of templates.
    pub late_routes: Vec<(ConfiguredRoute, usize)>,
}

impl NeighborDraft {
    /// Takes one statement. A switch without a value means what ExaBGP makes of it: on for the first three, off for the others.
    ///
    /// # Errors
    /// Where the keyword is unknown or its value is wrong.
    pub fn set(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        match keyword.text.as_str() {
            "inherit" => self
                .inherit
                .extend(words.list("the name of a template")?.into_iter().cloned()),
            "description" => self.description = Some(words.word("a description")?.text.clone()),
            "host-name" => self.host_name = Some(value::host_name(words, "a host name")?),
            "domain-name" => self.domain_name = Some(value::host_name(words, "a domain name")?),
            "router-id" => self.router_id = Some(value::router_id(words)?),
            "hold-time" => self.hold_time = Some(hold_time(words)?),
            "rate-limit" => self.rate_limit = Some(rate_limit(words)?),
            "local-address" => self.local_address = Some(value::auto_address(words)?),
            "local-link-local" => self.local_link_local = Some(link_local(words)?),
            "source-interface" => {
                self.source_interface = Some(words.word("an interface")?.text.clone())
            }
            "peer-address" => self.peer = Some(peer(words.word("an IP address")?)?),
            "local-as" => self.local_as = Some(value::auto_as_number(words)?),
            "peer-as" => self.peer_as = Some(value::auto_as_number(words)?),
            "passive" => self.passive = Some(value::boolean(words, true)?),
            "group-updates" => self.group_updates = Some(value::boolean(words, true)?),
            "auto-flush" => self.auto_flush = Some(value::boolean(words, true)?),
            "adj-rib-in" => self.adj_rib_in = Some(value::boolean(words, false)?),
            "adj-rib-out" => self.adj_rib_out = Some(value::boolean(words, false)?),
            "manual-eor" => self.manual_eor = Some(value::boolean(words, false)?),
            "listen" => self.listen = Some(value::port_sized(words, "a port")?),
            "connect" => self.connect = Some(value::port_sized(words, "a port")?),
            "outgoing-ttl" => self.outgoing_ttl = Some(ttl(words)?),
            "incoming-ttl" => self.incoming_ttl = Some(ttl(words)?),
            "md5-password" => self.md5_password = Some(words.word("a password")?.clone()),
            "md5-base64" => self.md5_base64 = Some(value::auto_boolean(words, false)?),
            "md5-ip" => self.md5_ip = Some(value::address(words)?),
            _ => return Err(unknown(keyword)),
        }
        words.finish()
    }

    /// Takes over what `template` says. As in ExaBGP, lists are joined, and a single value of the template
    /// stands even where the neighbor has one of its own.
    pub fn inherit(&mut self, template: &Self) {
        macro_rules! take {
            ($($field:ident),*) => { $(if template.$field.is_some() { self.$field.clone_from(&template.$field); })* };
        }
        take!(
            peer,
            description,
            host_name,
            domain_name,
            router_id,
            hold_time,
            rate_limit,
            local_address,
            local_link_local,
            source_interface,
            local_as,
            peer_as,
            passive,
            listen,
            connect,
            outgoing_ttl,
            incoming_ttl,
            md5_password,
            md5_base64,
            md5_ip,
            group_updates,
            auto_flush,
            adj_rib_in,
            adj_rib_out,
            manual_eor
        );
        self.family.named.extend(&template.family.named);
        self.add_path.named.extend(&template.add_path.named);
        self.nexthop.extend(&template.nexthop);
        self.capability.inherit(&template.capability);
        self.operational
            .extend(template.operational.iter().cloned());
        for theirs in &template.api {
            let same = self
                .api
                .iter_mut()
                .find(|mine| mine.name.is_some() && mine.name == theirs.name);
            match same {
                Some(mine) => mine.inherit(theirs),
                None => self.api.push(theirs.clone()),
            }
        }
        self.late_routes
            .extend(template.late_routes.iter().cloned());
        self.late_routes.extend(template.routes.iter().cloned());
    }

    /// The routes so far come after those that follow, as ExaBGP has it at the end of an `l2vpn` section.
    pub fn put_routes_late(&mut self) {
        self.late_routes.append(&mut self.routes);
    }

    /// The neighbor; its API sections are resolved elsewhere. `at` is where the section begins.
    ///
    /// # Errors
    /// Where something needed is missing, or two values cannot stand together.
    pub fn finish(self, at: &Word) -> Result<Neighbor, TextError> {
        let wrong =
            |message: &str, help: &str| Err(TextError::new(at.span.clone(), message).help(help));
        let Some((peer_address, peer_prefix_length)) = self.peer else {
            return wrong(
                "the neighbor has no peer-address",
                "write neighbor 192.0.2.1 { … }",
            );
        };
        let (local_as, peer_as) = match (self.local_as, self.peer_as) {
            (Some(local), Some(peer)) => (local, peer),
            (None, Some(_)) => {
                return wrong(
                    "the neighbor has no local-as",
                    "add for example local-as 65000;",
                );
            }
            (Some(_), None) => {
                return wrong(
                    "the neighbor has no peer-as",
                    "add for example peer-as 65000;",
                );
            }
            (None, None) => {
                return wrong(
                    "the neighbor has neither local-as nor peer-as",
                    "add for example local-as 65000; peer-as 65000;",
                );
            }
        };
        let local_address = self.local_address.unwrap_or(Address::Auto);
        let listen = self.listen.filter(|port| *port != 0);
        let passive = self.passive.unwrap_or(false);
        match local_address {
            Address::Auto if listen.is_some() => {
                return wrong(
                    "a neighbor with `listen` needs a local-address",
                    "say on which address to listen",
                );
            }
            Address::Auto if self.router_id.is_none() => {
                return wrong(
                    "the neighbor has no router-id, and no local-address that could serve as one",
                    "add for example router-id 192.0.2.1;",
                );
            }
            Address::Ip(local) if local.is_ipv4() != peer_address.is_ipv4() => {
                return wrong(
                    "local-address and peer-address are not of the same family",
                    "give both as IPv4 or both as IPv6 addresses",
                );
            }
            _ => {}
        }
        if peer_address.is_ipv6() && self.router_id.is_none() {
            return wrong(
                "a neighbor over IPv6 needs a router-id",
                "add for example router-id 192.0.2.1;",
            );
        }
        let whole = if peer_address.is_ipv4() { 32 } else { 128 };
        if peer_prefix_length < whole && !passive {
            return wrong(
                "only a passive neighbor can be a range of addresses",
                "add passive; or give one address",
            );
        }
        if let Some(password) = &self.md5_password
            && password.text.len() > MD5_PASSWORD
        {
            return Err(TextError::new(
                password.span.clone(),
                format!("the MD5 password has {} octets", password.text.len()),
            )
            .help(format!("at most {MD5_PASSWORD} fit")));
        }

        let families = if self.family.named.is_empty() {
            family::offered_by_default()
        } else {
            family::sorted(self.family.named.iter().copied())
        };
        let hold_time = self.hold_time.unwrap_or(HOLD_TIME);
        let nexthops = nexthops(&self.nexthop, self.capability.nexthop, &families);
        let capability = capability(
            &self.capability,
            hold_time,
            !self.nexthop.is_empty(),
            &families,
        );
        let add_paths = self
            .add_path
            .named
            .iter()
            .copied()
            .filter(|family| families.contains(*family));
        let add_paths = family::sorted(add_paths);
        let adj_rib_out = self.adj_rib_out.unwrap_or(true) || capability.route_refresh;

        let mut routes = Vec::with_capacity(self.routes.len() + self.late_routes.len());
        for (route, at) in self.routes.into_iter().chain(self.late_routes) {
            let family = route.route.nlri.family;
            if !families.contains(family) && family != Family::IPV4_UNICAST {
                return Err(TextError::new(
                    at..at,
                    format!("this route is of {family}, which the neighbor does not have"),
                )
                .help(format!(
                    "add `{family};` to the family section of the neighbor"
                )));
            }
            routes.push(route);
        }

        Ok(Neighbor {
            description: self.description,
            peer_address,
            peer_prefix_length,
            local_address,
            local_link_local: self.local_link_local,
            local_as,
            peer_as,
            router_id: self.router_id,
            hold_time,
            host_name: self.host_name,
            domain_name: self.domain_name,
            passive,
            listen,
            connect: self.connect.filter(|port| *port != 0),
            outgoing_ttl: self.outgoing_ttl.flatten(),
            incoming_ttl: self.incoming_ttl.flatten(),
            source_interface: self.source_interface,
            md5_password: self.md5_password.map(|word| word.text),
            md5_base64: self.md5_base64.unwrap_or(Some(false)),
            md5_ip: self.md5_ip,
            group_updates: self.group_updates.unwrap_or(true),
            auto_flush: self.auto_flush.unwrap_or(true),
            adj_rib_in: self.adj_rib_in.unwrap_or(true),
            adj_rib_out,
            manual_eor: self.manual_eor.unwrap_or(false),
            rate_limit: self.rate_limit.flatten(),
            families,
            nexthops,
            add_paths,
            capability,
            api: Vec::new(),
            operational: self.operational,
            routes,
            reconnect: Duration::ZERO,
        })
    }
}

/// A keyword or section that a neighbor does not have.
pub fn unknown(word: &Word) -> TextError {
    if matches!(word.text.as_str(), "neighbor" | "process" | "template") {
        return TextError::new(
            word.span.clone(),
            format!("`{}` cannot stand in a neighbor", word.text),
        )
        .help("a section before it may lack its `}`");
    }
    let valid: Vec<&str> = KEYWORDS.iter().chain(SECTIONS).copied().collect();
    suggest::unknown(word, "in a neighbor", &valid)
}

/// The pairs of the `nexthop` section of which both families are offered.
fn nexthops(
    pairs: &[(Family, Afi)],
    enabled: Option<bool>,
    families: &Families,
) -> Vec<(Family, Afi)> {
    if enabled == Some(false) {
        return Vec::new();
    }
    let mut kept: Vec<(Family, Afi)> = Vec::new();
    // ExaBGP takes the pairs of the AFI that was named first, then those of the other.
    let first = pairs.first().map(|(family, _)| family.afi);
    let ordered = pairs
        .iter()
        .filter(|(family, _)| Some(family.afi) == first)
        .chain(pairs.iter().filter(|(family, _)| Some(family.afi) != first));
    for &(family, next) in ordered {
        let offered =
            families.contains(family) && families.contains(Family::new(next, family.safi));
        if offered && !kept.contains(&(family, next)) {
            kept.push((family, next));
        }
    }
    kept
}

fn capability(
    section: &CapabilitySection,
    hold_time: u16,
    has_nexthops: bool,
    families: &Families,
) -> CapabilitySettings {
    let defaults = CapabilitySettings::default();
    let paths_limit = section.paths_limit.map_or_else(Vec::new, |limit| {
        families.iter().map(|family| (family, limit)).collect()
    });
    CapabilitySettings {
        asn4: section.asn4.unwrap_or(defaults.asn4),
        extended_message: section
            .extended_message
            .unwrap_or(defaults.extended_message),
        graceful_restart: section
            .graceful_restart
            .flatten()
            .map(|seconds| match seconds {
                0 => hold_time.min(0x0fff),
                _ => seconds,
            }),
        route_refresh: section.route_refresh.unwrap_or(defaults.route_refresh),
        add_path: section.add_path.unwrap_or(defaults.add_path),
        multi_session: section.multi_session.unwrap_or(defaults.multi_session),
        operational: section.operational.unwrap_or(defaults.operational),
        aigp: section.aigp.unwrap_or(defaults.aigp),
        nexthop: section.nexthop.unwrap_or(has_nexthops),
        software_version: section
            .software_version
            .unwrap_or(defaults.software_version),
        link_local_nexthop: section.link_local_nexthop,
        paths_limit,
        role: section.role,
    }
}

/// An address, or a range of them.
pub fn peer(word: &Word) -> Result<(IpAddr, u8), TextError> {
    let wrong = || {
        value::wrong(word, "the address of a peer")
            .help("write for example 192.0.2.1 or 2001:db8::1")
    };
    let (address, length) = match word.text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (word.text.as_str(), None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        Some(length) => value::digits(length)
            .filter(|length| *length <= whole)
            .ok_or_else(wrong)?,
        None => whole,
    };
    Ok((address, length))
}

fn hold_time(words: &mut Words<'_>) -> Result<u16, TextError> {
    let word = words.word("a hold time")?;
    value::digits::<u16>(&word.text)
        .filter(|seconds| *seconds == 0 || *seconds >= 3)
        .ok_or_else(|| {
            value::wrong(word, "a hold time")
                .help("write seconds: 0, or from 3 to 65535 (RFC 4271 section 4.2)")
        })
}

fn rate_limit(words: &mut Words<'_>) -> Result<Option<u32>, TextError> {
    let word = words.word("a rate limit")?;
    match word.text.to_ascii_lowercase().as_str() {
        "disable" | "disabled" => Ok(None),
        text => value::digits::<u32>(text)
            .filter(|rate| *rate > 0)
            .map(Some)
            .ok_or_else(|| {
                value::wrong(word, "a rate limit")
                    .help("write UPDATEs per second from 1, or disable")
            }),
    }
}

fn ttl(words: &mut Words<'_>) -> Result<Option<u8>, TextError> {
    let word = words.word("a TTL")?;
    match word.text.as_str() {
        "false" | "disable" | "disabled" => Ok(None),
        text => value::digits::<u8>(text).map(Some).ok_or_else(|| {
            value::wrong(word, "a TTL").help("write a number from 0 to 255, or disable")
        }),
    }
}

fn link_local(words: &mut Words<'_>) -> Result<Ipv6Addr, TextError> {
    let word = words.word("a link-local address")?;
    word.text
        .parse::<Ipv6Addr>()
        .ok()
        .filter(Ipv6Addr::is_unicast_link_local)
        .ok_or_else(|| {
            value::wrong(word, "an IPv6 link-local address").help("write for example fe80::1")
        })
}
