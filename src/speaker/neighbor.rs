//! What the configuration says of one neighbor, as the speaker needs it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::bgp::family::{Families, Family};

use super::routes::ConfiguredRoutes;
use super::session::Verbatim;

/// A direction of add-path (RFC 7911 section 4), or of anything that two ends agree on one way at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddPath {
    /// Neither receive nor send; the capability is not offered.
    #[default]
    Disabled,
    /// We receive several paths.
    Receive,
    /// We send several paths.
    Send,
    /// Receive and send.
    Both,
}

/// An AS number, or `auto`: that of the peer's OPEN (ExaBGP's word for it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsNumber {
    /// As configured.
    Number(u32),
    /// Taken from the peer.
    Auto,
}

/// An IP address, or `auto`: that of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// As configured.
    Ip(IpAddr),
    /// That of the socket.
    Auto,
}

/// The `capability` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilitySettings {
    /// Four-octet AS numbers (RFC 6793); on unless disabled.
    pub asn4: bool,
    /// Extended messages (RFC 8654); on unless disabled.
    pub extended_message: bool,
    /// Graceful restart (RFC 4724): the restart time in seconds; `None` where it is not offered.
    pub graceful_restart: Option<u16>,
    /// Route refresh (RFC 2918, 7313).
    pub route_refresh: bool,
    /// Add-path for every family of the `add-path` section, or for all families where it is absent.
    pub add_path: AddPath,
    /// Multisession (draft-ietf-idr-bgp-multisession).
    pub multi_session: bool,
    /// OPERATIONAL messages.
    pub operational: bool,
    /// AIGP is accepted and sent (RFC 7311).
    pub aigp: bool,
    /// Extended next hop (RFC 8950).
    pub nexthop: bool,
    /// Software version (draft-abraitis-bgp-version-capability).
    pub software_version: bool,
    /// Link-local next hop (draft-ietf-idr-linklocal-capability); `None` where nothing was said.
    pub link_local_nexthop: Option<bool>,
    /// Paths limit per family (draft-abraitis-idr-addpath-paths-limit).
    pub paths_limit: Vec<(Family, u16)>,
    /// Role (RFC 9234), if one is configured.
    pub role: Option<u8>,
}

impl Default for CapabilitySettings {
    /// ExaBGP's defaults.
    fn default() -> Self {
        Self {
            asn4: true,
            extended_message: true,
            graceful_restart: None,
            route_refresh: false,
            add_path: AddPath::Disabled,
            multi_session: false,
            operational: false,
            aigp: false,
            nexthop: false,
            software_version: false,
            link_local_nexthop: None,
            paths_limit: Vec::new(),
            role: None,
        }
    }
}

/// Which messages an `api` section wants to see, in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "the words of the section")]
pub struct MessageSelection {
    /// Messages in ExaBGP's parsed form.
    pub parsed: bool,
    /// `packets`: the octets of the message.
    pub packets: bool,
    /// Both in one line.
    pub consolidate: bool,
    /// OPEN.
    pub open: bool,
    /// UPDATE.
    pub update: bool,
    /// NOTIFICATION.
    pub notification: bool,
    /// KEEPALIVE.
    pub keepalive: bool,
    /// ROUTE-REFRESH.
    pub refresh: bool,
    /// OPERATIONAL.
    pub operational: bool,
}

/// One `api` section: the processes that may command this neighbor, and the events they receive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiSection {
    /// Names of the processes.
    pub processes: Vec<String>,
    /// The processes are those that `processes-match` found: they may command the neighbor but receive no events of it,
    /// as in ExaBGP.
    pub by_pattern: bool,
    /// State changes: connected, up, down.
    pub neighbor_changes: bool,
    /// `negotiated`: what the OPENs agreed on.
    pub negotiated: bool,
    /// `fsm`: state changes of the session.
    pub fsm: bool,
    /// Signals that the speaker received.
    pub signal: bool,
    /// Received messages.
    pub receive: MessageSelection,
    /// Sent messages.
    pub send: MessageSelection,
}

/// One `neighbor` section, inheritance resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "the words of the section")]
pub struct Neighbor {
    /// `description`.
    pub description: Option<String>,
    /// `neighbor ADDRESS`: the peer's address.
    pub peer_address: IpAddr,
    /// Bits of [`Neighbor::peer_address`] that count: fewer than the address has where the neighbor is a range of
    /// passive peers.
    pub peer_prefix_length: u8,
    /// `local-address`.
    pub local_address: Address,
    /// `local-link-local`: sent beside the global next hop.
    pub local_link_local: Option<Ipv6Addr>,
    /// `local-as`.
    pub local_as: AsNumber,
    /// `peer-as`.
    pub peer_as: AsNumber,
    /// `router-id`; the local address where it is absent and IPv4.
    pub router_id: Option<Ipv4Addr>,
    /// `hold-time` in seconds; 0 means no keepalives (RFC 4271 section 4.2).
    pub hold_time: u16,
    /// `host-name`.
    pub host_name: Option<String>,
    /// `domain-name`.
    pub domain_name: Option<String>,
    /// `passive`: wait for the peer to connect.
    pub passive: bool,
    /// `listen`: the port to accept on, beside connecting.
    pub listen: Option<u16>,
    /// `connect`: the port to connect to; the speaker's own default where it is absent.
    pub connect: Option<u16>,
    /// `outgoing-ttl`.
    pub outgoing_ttl: Option<u8>,
    /// `incoming-ttl`.
    pub incoming_ttl: Option<u8>,
    /// `source-interface`: the interface that connections are bound to.
    pub source_interface: Option<String>,
    /// `md5-password` (RFC 2385).
    pub md5_password: Option<String>,
    /// `md5-base64`: the password is written in base64; `None` is `auto`.
    pub md5_base64: Option<bool>,
    /// `md5-ip`: the address that the password is tied to; the local address where it is absent.
    pub md5_ip: Option<IpAddr>,
    /// `group-updates`.
    pub group_updates: bool,
    /// `auto-flush`: routes are sent as they come.
    pub auto_flush: bool,
    /// `adj-rib-in`: received routes are kept.
    pub adj_rib_in: bool,
    /// `adj-rib-out`: announced routes are kept.
    pub adj_rib_out: bool,
    /// `manual-eor`: End-of-RIB is sent by the API alone.
    pub manual_eor: bool,
    /// `rate-limit`: UPDATEs per second; `None` is without limit.
    pub rate_limit: Option<u32>,
    /// The `family` section, in ExaBGP's order; all known families where it is absent.
    pub families: Families,
    /// The `nexthop` section: (family, AFI of the next hop).
    pub nexthops: Vec<(Family, crate::bgp::iana::Afi)>,
    /// The `add-path` section; empty means every family.
    pub add_paths: Families,
    /// The `capability` section.
    pub capability: CapabilitySettings,
    /// The `api` sections.
    pub api: Vec<ApiSection>,
    /// Messages of the `operational` section.
    pub operational: Vec<crate::bgp::message::Operational>,
    /// Routes of the `static`, `announce`, `flow` and `l2vpn` sections, in order.
    pub routes: ConfiguredRoutes,
    /// How long to wait between connection attempts at first (ExaBGP doubles it).
    pub reconnect: Duration,
    /// What its sessions say in the place of their own words; no configuration says it, a scenario may.
    pub verbatim: Option<Arc<Verbatim>>,
}

impl Neighbor {
    /// A neighbor with ExaBGP's defaults for all that is not said here; its only family is IPv4 unicast.
    #[must_use]
    pub fn new(peer_address: IpAddr, local_address: IpAddr, local_as: u32, peer_as: u32) -> Self {
        Self {
            description: None,
            peer_address,
            peer_prefix_length: if peer_address.is_ipv4() { 32 } else { 128 },
            local_address: Address::Ip(local_address),
            local_link_local: None,
            local_as: AsNumber::Number(local_as),
            peer_as: AsNumber::Number(peer_as),
            router_id: None,
            hold_time: 180,
            host_name: None,
            domain_name: None,
            passive: false,
            listen: None,
            connect: None,
            outgoing_ttl: None,
            incoming_ttl: None,
            source_interface: None,
            md5_password: None,
            md5_base64: None,
            md5_ip: None,
            group_updates: true,
            auto_flush: true,
            adj_rib_in: true,
            adj_rib_out: true,
            manual_eor: false,
            rate_limit: None,
            families: Families::from_iter([Family::IPV4_UNICAST]),
            nexthops: Vec::new(),
            add_paths: Families::new(),
            capability: CapabilitySettings::default(),
            api: Vec::new(),
            routes: ConfiguredRoutes::new(),
            operational: Vec::new(),
            reconnect: Duration::ZERO,
            verbatim: None,
        }
    }

    /// ExaBGP's name for it, which the selectors of API commands are held against.
    #[must_use]
    pub fn name(&self) -> String {
        let local = match self.local_address {
            Address::Ip(address) => address.to_string(),
            Address::Auto => "None".to_owned(),
        };
        let router = self
            .effective_router_id()
            .map_or_else(|| "None".to_owned(), |id| id.to_string());
        let families = if self.capability.multi_session {
            let names: Vec<String> = self
                .families
                .iter()
                .map(|family| format!("{}-{}", family.afi, family.safi))
                .collect();
            names.join("/")
        } else {
            "in-open".to_owned()
        };
        format!(
            "neighbor {} local-ip {local} local-as {} peer-as {} router-id {router} family-allowed {families}",
            self.peer(),
            self.local_as,
            self.peer_as,
        )
    }

    /// The octets of the MD5 key: the password, or what its base64 stands for.
    ///
    /// With `md5-base64 auto` a password of hexadecimal digits is base64, its padding left out, as ExaBGP reads it.
    #[must_use]
    pub fn md5_key(&self) -> Option<Vec<u8>> {
        let password = self.md5_password.as_ref()?;
        let hexadecimal = |octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
        let encoded = self
            .md5_base64
            .unwrap_or_else(|| password.bytes().all(hexadecimal));
        let decoded = encoded.then(|| md5_from_base64(password)).flatten();
        Some(decoded.unwrap_or_else(|| password.clone().into_bytes()))
    }

    /// The peer's address, with its prefix length where it is a range.
    #[must_use]
    pub fn peer(&self) -> String {
        let whole = if self.peer_address.is_ipv4() { 32 } else { 128 };
        if self.peer_prefix_length == whole {
            self.peer_address.to_string()
        } else {
            format!("{}/{}", self.peer_address, self.peer_prefix_length)
        }
    }

    /// `router-id`, or the local address where that serves as one: an IPv4 session with a configured local address.
    #[must_use]
    pub const fn effective_router_id(&self) -> Option<Ipv4Addr> {
        match (self.router_id, self.local_address, self.peer_address) {
            (Some(id), _, _) => Some(id),
            (None, Address::Ip(IpAddr::V4(local)), IpAddr::V4(_)) => Some(local),
            _ => None,
        }
    }
}

/// What a password in base64 stands for, with or without its padding; `None` where it is no base64.
#[must_use]
pub fn md5_from_base64(password: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, lenient)
        .decode(password)
        .ok()
}

impl std::fmt::Display for AsNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Auto => f.write_str("auto"),
        }
    }
}
