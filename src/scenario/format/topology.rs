//! Hosts, their addresses, the links between them, and when links fail.
//!
//! A scenario that declares no host has two kinds all the same: `speaker`, and one for each peer. Only their names are
//! then left out of the names of connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::time::Duration;

use crate::net::HostName;
use crate::scenario::format::host_fault::Partition;
use crate::sim::{Link, TcpChange};
use crate::subject::symbols::Symbols;

/// The hosts of a scenario and how they are connected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// The hosts, in the order of the file.
    pub hosts: Vec<ScenarioHost>,
    /// The links; where there is none, every host reaches every other.
    pub links: Vec<HostLink>,
    /// Links that fail for a while, whatever the plan.
    pub partitions: Vec<Partition>,
    /// Settings of the hosts' TCP that are not as Linux has them.
    pub tcp: Vec<TcpChange>,
    /// Whether the file declares the hosts.
    pub is_declared: bool,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioHost {
    /// Its name.
    pub name: HostName,
    /// Its addresses, the first of which its name stands for.
    pub addresses: Vec<IpAddr>,
    /// Byte range of its name in the file; empty where the file does not declare it.
    pub span: Range<usize>,
}

/// A link between two hosts, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLink {
    /// The two hosts, in the order in which the scenario names them.
    pub ends: [HostName; 2],
    /// What it does to segments, as far as the file says it.
    pub settings: LinkSettings,
}

/// What a file says of a link; the rest is that of any other path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkSettings {
    /// From one end to the other.
    pub latency: Option<Duration>,
    /// At most this much is added to the latency.
    pub jitter: Option<Duration>,
    /// Octets per second, headers included.
    pub bandwidth: Option<u64>,
    /// How many of a million segments are lost.
    pub loss: Option<u32>,
}

impl LinkSettings {
    /// The link, where `usual` is any other.
    #[must_use]
    pub fn over(&self, usual: Link) -> Link {
        Link {
            latency: self.latency.unwrap_or(usual.latency),
            jitter: self.jitter.unwrap_or(usual.jitter),
            bandwidth: self.bandwidth.or(usual.bandwidth),
            loss: self.loss.unwrap_or(usual.loss),
        }
    }
}

impl Topology {
    /// The host `name`.
    #[must_use]
    pub fn host(&self, name: HostName) -> Option<&ScenarioHost> {
        self.hosts.iter().find(|host| host.name == name)
    }

    /// The host that has `address`.
    #[must_use]
    pub fn owner(&self, address: IpAddr) -> Option<&ScenarioHost> {
        let mut hosts = self.hosts.iter();
        hosts.find(|host| host.addresses.contains(&address))
    }

    /// The link between two hosts, in either order.
    #[must_use]
    pub fn link(&self, one: HostName, other: HostName) -> Option<&HostLink> {
        let mut links = self.links.iter();
        links.find(|link| link.ends == [one, other] || link.ends == [other, one])
    }

    /// Whether segments go from one host to the other: over a link, or since no links are declared at all.
    #[must_use]
    pub fn connects(&self, one: HostName, other: HostName) -> bool {
        self.links.is_empty() || self.link(one, other).is_some()
    }

    /// What `$HOST` stands for in configuration files.
    #[must_use]
    pub fn symbols(&self) -> Symbols {
        let hosts = self.hosts.iter();
        Symbols::new(hosts.map(|host| (host.name, host.addresses.clone())))
    }
}

/// The address of the host numbered `number`, from 0, of a scenario whose own addresses a speaker refuses: of the
/// version of `instead_of`.
#[must_use]
pub fn routed_address(instead_of: IpAddr, number: u8) -> IpAddr {
    let host = number.saturating_add(1);
    match instead_of {
        IpAddr::V4(_) => Ipv4Addr::new(10, 0, 0, host).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host.into()).into(),
    }
}

/// What to write instead of a partition of two hosts that have no link.
#[must_use]
pub fn linked(topology: &Topology, one: HostName, other: HostName) -> String {
    let links = topology.links.iter();
    let known: Vec<String> = links
        .map(|link| format!("{} and {}", link.ends[0], link.ends[1]))
        .collect();
    let declare = format!("declare it in the scenario with `link {one} {other}`");
    if known.is_empty() {
        return declare;
    }
    format!("{declare}; these have a link: {}", known.join(", "))
}
