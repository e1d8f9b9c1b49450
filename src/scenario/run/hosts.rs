//! The hosts of a scenario in a simulated world.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::rc::Rc;

use crate::net::clock::Clock;
use crate::net::link_local::{hardware_address, link_local};
use crate::net::timer::sleep_until;
use crate::net::{Attempts, HostName};
use crate::scenario::format::host_fault::Partition;
use crate::scenario::format::script::{PeerScript, Scenario, SpeakerScript};
use crate::scenario::format::topology::{ScenarioHost, Topology};
use crate::sim::{Link, Paths, SimHost, SimNetwork, TcpChange, TcpSettings, World};

/// The hosts of a scenario and the paths between them.
#[derive(Debug, Clone)]
pub struct SimHosts {
    scenario: Rc<Scenario>,
    hosts: BTreeMap<HostName, SimHost>,
    paths: Paths,
    /// How many partitions cut each pair at the moment.
    cuts: Rc<RefCell<BTreeMap<[HostName; 2], usize>>>,
}

impl SimHosts {
    /// Puts the hosts of `scenario` into `world`; `usual` is a link as far as the scenario does not say how it is, and
    /// `tcp` what a plan says of the hosts' TCP, after the scenario.
    #[must_use]
    pub fn new(world: &World, scenario: &Rc<Scenario>, usual: Link, tcp: &[TcpChange]) -> Self {
        let topology = &scenario.topology;
        let routed = |addresses: &[IpAddr]| -> Vec<IpAddr> {
            let given = addresses.iter().copied();
            let mut routed: Vec<IpAddr> = given.filter(|it| !it.is_loopback()).collect();
            if topology.is_declared && !routed.is_empty() {
                routed.push(link_local(hardware_address(&routed)).into());
            }
            routed
        };
        let put = |host: &ScenarioHost| {
            let put = world.host(&routed(&host.addresses));
            let changes = topology.tcp.iter().chain(tcp);
            put.set_tcp(TcpSettings::of_host(Some(host.name), changes));
            (host.name, put)
        };
        let hosts: BTreeMap<HostName, SimHost> = topology.hosts.iter().map(put).collect();
        let paths = world.paths();
        set_links(topology, &paths, usual);
        for (one, host) in &hosts {
            for (other, another) in hosts.range(..one) {
                if !topology.connects(*one, *other) {
                    world.disconnect(host, another);
                }
            }
        }
        let speaker = scenario.speakers.first().map(|it| &hosts[&it.host]);
        if let Some(speaker) = speaker.filter(|_| !topology.is_declared) {
            // At loopback addresses, speaker and peers are hosts of their own all the same.
            for peer in scenario.peers.iter().filter(|it| it.address.is_loopback()) {
                world.share_loopback(speaker, Some(peer.address), &hosts[&peer.host]);
                world.share_loopback(&hosts[&peer.host], None, speaker);
            }
        }
        Self {
            scenario: scenario.clone(),
            hosts,
            paths,
            cuts: Rc::default(),
        }
    }

    /// The network of a speaker's host; it names the host in the names of connections where others are under test too.
    #[must_use]
    pub fn of_speaker(&self, speaker: &SpeakerScript) -> SimNetwork {
        let names = self.scenario.label(speaker);
        let names = names.map_or_else(Attempts::default, Attempts::of);
        self.hosts[&speaker.host].network_named_by(names)
    }

    /// The network of a peer's host.
    #[must_use]
    pub fn of_peer(&self, peer: &PeerScript) -> SimNetwork {
        self.hosts[&peer.host].network()
    }

    /// The networks of all peers, in the order of the scenario.
    #[must_use]
    pub fn of_peers(&self) -> Vec<SimNetwork> {
        let peers = self.scenario.peers.iter();
        peers.map(|peer| self.of_peer(peer)).collect()
    }

    /// Cuts the paths between two hosts when it is time, and restores them when the time is over.
    pub fn partition(
        &self,
        partition: Partition,
        clock: Clock,
    ) -> impl Future<Output = ()> + use<> {
        let hosts = self.clone();
        async move {
            sleep_until(clock.at(partition.at)).await;
            hosts.change(partition.ends, true);
            sleep_until(clock.at(partition.at + partition.time)).await;
            hosts.change(partition.ends, false);
        }
    }

    fn change(&self, mut ends: [HostName; 2], cut: bool) {
        ends.sort();
        let mut cuts = self.cuts.borrow_mut();
        let count = cuts.entry(ends).or_default();
        let before = *count;
        *count = if cut {
            before + 1
        } else {
            before.saturating_sub(1)
        };
        let is_cut = *count > 0;
        if (before > 0) == is_cut {
            return;
        }
        for [source, target] in pairs(&self.scenario.topology, ends) {
            for (source, target) in [(source, target), (target, source)] {
                if is_cut {
                    self.paths.cut(source, target);
                } else {
                    self.paths.restore(source, target);
                }
            }
        }
    }
}

fn set_links(topology: &Topology, paths: &Paths, usual: Link) {
    for link in &topology.links {
        let settings = link.settings.over(usual);
        for [one, other] in pairs(topology, link.ends) {
            paths.set(one, other, settings);
            paths.set(other, one, settings);
        }
    }
}

/// Every address of one host with every address of the other.
fn pairs(topology: &Topology, ends: [HostName; 2]) -> Vec<[IpAddr; 2]> {
    let [one, other] = ends.map(|end| topology.host(end).map_or(&[][..], |host| &host.addresses));
    let pairs = one
        .iter()
        .flat_map(|one| other.iter().map(|other| [*one, *other]));
    pairs.collect()
}
