//! The `neighbor` section: what it says, what it inherits, and the neighbor that comes of it.

mod finish;
mod routes;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bgp::family::Family;
use crate::bgp::iana::Afi;
use crate::bgp::message::Operational;
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::neighbor::{Address, AsNumber};

use super::api::ApiDraft;
use super::capability::CapabilitySection;
use super::family::FamilySection;
use super::{suggest, value};
use routes::SectionRoutes;

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
    pub routes: SectionRoutes,
    /// Routes that come after [`NeighborDraft::routes`]: those up to the end of an `l2vpn` section, and those of templates.
    pub late_routes: SectionRoutes,
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
        Ok(())
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
        self.late_routes.append(template.late_routes.clone());
        self.late_routes.append(template.routes.clone());
    }

    /// The routes so far come after those that follow, as ExaBGP has it at the end of an `l2vpn` section.
    pub fn put_routes_late(&mut self) {
        self.late_routes.append(std::mem::take(&mut self.routes));
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
