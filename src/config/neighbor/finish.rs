//! From what a `neighbor` section says to the neighbor: defaults, and what cannot stand together.

use std::net::IpAddr;
use std::time::Duration;

use crate::bgp::family::{Families, Family};
use crate::bgp::iana::Afi;
use crate::bgp::text::{TextError, Word};
use crate::speaker::neighbor::{
    AddPath, Address, AsNumber, CapabilitySettings, Neighbor, md5_from_base64,
};

use super::super::capability::CapabilitySection;
use super::super::family;
use super::NeighborDraft;

/// ExaBGP's hold time where none is configured, in seconds.
const HOLD_TIME: u16 = 180;

/// The most octets of a TCP MD5 password (Linux `TCP_MD5SIG_MAXKEYLEN`).
const MD5_PASSWORD: usize = 80;

/// A peer's address and how many of its bits count.
type Peer = (IpAddr, u8);

impl NeighborDraft {
    /// What every neighbor needs: the peer's address and prefix length, our AS number and the peer's.
    fn essentials(&self, at: &Word) -> Result<(Peer, (AsNumber, AsNumber)), TextError> {
        let wrong =
            |message: &str, help: &str| Err(TextError::new(at.span.clone(), message).help(help));
        let Some((peer, prefix_length)) = self.peer else {
            return wrong(
                "the neighbor has no peer-address",
                "write neighbor 192.0.2.1 { … }",
            );
        };
        let numbers = match (self.local_as, self.peer_as) {
            (Some(local), Some(remote)) => (local, remote),
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
        match self.local_address.unwrap_or(Address::Auto) {
            Address::Auto if self.listen.is_some_and(|port| port != 0) => {
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
            Address::Ip(local) if local.is_ipv4() != peer.is_ipv4() => {
                return wrong(
                    "local-address and peer-address are not of the same family",
                    "give both as IPv4 or both as IPv6 addresses",
                );
            }
            _ => {}
        }
        if peer.is_ipv6() && self.router_id.is_none() {
            return wrong(
                "a neighbor over IPv6 needs a router-id",
                "add for example router-id 192.0.2.1;",
            );
        }
        let whole = if peer.is_ipv4() { 32 } else { 128 };
        if prefix_length < whole && !self.passive.unwrap_or(false) {
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
        if let (Some(password), Some(Some(true))) = (&self.md5_password, self.md5_base64)
            && md5_from_base64(&password.text).is_none()
        {
            return Err(
                TextError::new(password.span.clone(), "the MD5 password is not base64")
                    .help("leave md5-base64 out where it is the password itself"),
            );
        }
        Ok(((peer, prefix_length), numbers))
    }

    /// The neighbor; its API sections are resolved elsewhere. `at` is where the section begins.
    ///
    /// # Errors
    /// Where something needed is missing, or two values cannot stand together.
    pub fn finish(self, at: &Word) -> Result<Neighbor, TextError> {
        let ((peer_address, peer_prefix_length), (local_as, peer_as)) = self.essentials(at)?;
        let families = if self.family.named.is_empty() {
            family::offered_by_default()
        } else {
            family::sorted(self.family.named.iter().copied())
        };
        let hold_time = self.hold_time.unwrap_or(HOLD_TIME);
        let nexthops = nexthops(&self.nexthop, self.capability.nexthop, &families);
        let mut capability = capability(
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
        if add_paths.is_empty() && !self.add_path.named.is_empty() {
            // None of the families named is offered, so there is nothing to offer several paths for.
            capability.add_path = AddPath::Disabled;
        }
        let adj_rib_out = self.adj_rib_out.unwrap_or(true) || capability.route_refresh;

        let mut routes = self.routes;
        routes.append(self.late_routes);
        let routes = routes.of(&families)?;

        Ok(Neighbor {
            description: self.description,
            peer_address,
            peer_prefix_length,
            local_address: self.local_address.unwrap_or(Address::Auto),
            local_link_local: self.local_link_local,
            local_as,
            peer_as,
            router_id: self.router_id,
            hold_time,
            host_name: self.host_name,
            domain_name: self.domain_name,
            passive: self.passive.unwrap_or(false),
            listen: self.listen.filter(|port| *port != 0),
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
            verbatim: None,
        })
    }
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
            })
            // Parity: of no time, as from a hold time of 0, no restart is offered.
            .filter(|seconds| *seconds > 0),
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
