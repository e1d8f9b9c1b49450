//! A scenario of loopback addresses, played at addresses that are routed: many speakers refuse a neighbor at 127.0.0.1.

use std::net::IpAddr;

use crate::scenario::format::script::{Condition, PeerAction, ProgramAction, Scenario, Step};
use crate::scenario::format::topology::routed_address;

/// Which address is played at which.
type AddressMap = Vec<(IpAddr, IpAddr)>;

impl Scenario {
    /// The same scenario at routed addresses: the speaker at 10.0.0.1 (and fd00::1), the peers at those that follow.
    ///
    /// `$speaker` and `$peer` (`$peer2`, …) stand for them in a configuration. A scenario that declares its hosts says
    /// itself where they are, and stays as it is.
    #[must_use]
    pub fn routed(&self) -> Self {
        let mut scenario = self.clone();
        if self.topology.is_declared {
            return scenario;
        }
        let (mut of_speaker, mut of_peers) = (AddressMap::new(), AddressMap::new());
        for (number, host) in (0_u8..=250).zip(&mut scenario.topology.hosts) {
            let is_speaker = self.speaker(host.name).is_some();
            let map = if is_speaker {
                &mut of_speaker
            } else {
                &mut of_peers
            };
            for address in &mut host.addresses {
                let routed = routed_address(*address, number);
                map.push((*address, routed));
                *address = routed;
            }
        }
        for peer in &mut scenario.peers {
            replace(&of_peers, &mut peer.address);
            if let Some(target) = &mut peer.open.connect {
                replace(&of_speaker, &mut target.address);
            }
            let after = peer.open.after.iter_mut();
            after.for_each(|condition| replace_in(&of_peers, condition));
            let connections = peer.connections.iter_mut().flat_map(|(_, steps)| steps);
            for step in peer.steps.iter_mut().chain(connections) {
                match &mut step.action {
                    PeerAction::Wait(condition) | PeerAction::StallUntil(condition) => {
                        replace_in(&of_peers, condition)
                    }
                    PeerAction::Relay(peer) => replace(&of_peers, peer),
                    _ => {}
                }
            }
        }
        let programs = scenario.programs.iter_mut();
        for Step { action, .. } in programs.flat_map(|program| &mut program.steps) {
            match action {
                ProgramAction::Wait(condition) => replace_in(&of_peers, condition),
                ProgramAction::At(_, peer) => replace(&of_peers, peer),
                _ => {}
            }
        }
        for (peer, _) in &mut scenario.verbatims {
            replace(&of_peers, peer);
        }
        scenario
    }
}

fn replace(map: &AddressMap, address: &mut IpAddr) {
    if let Some((_, routed)) = map.iter().find(|(from, _)| from == address) {
        *address = *routed;
    }
}

fn replace_in(map: &AddressMap, condition: &mut Condition) {
    if let Some(peer) = &mut condition.from {
        replace(map, peer);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::scenario::format::parse::parse;

    #[test]
    fn every_address_of_a_scenario_is_routed() {
        let text = "about x\nprocess p\n  wait up from 127.0.0.1\n  at 1s of ::1\npeer 127.0.0.1\n  \
                    connect 127.0.0.1\n  expect eor\n  wait up from ::1\npeer ::1\n  expect eor\n";
        let routed = parse(Path::new("x"), text).unwrap().routed();
        let text = format!("{routed:?}");
        assert!(
            !text.contains("127.0.0.1") && !text.contains("::1,"),
            "{text}"
        );
        let symbols = routed.topology.symbols();
        assert_eq!(
            symbols.substitute("$speaker $speaker:2 $peer $peer2"),
            "10.0.0.1 fd00::1 10.0.0.2 fd00::3"
        );
        assert_eq!(
            routed.peers[0].open.connect.unwrap().address.to_string(),
            "10.0.0.1"
        );
        assert_eq!(routed.routed(), routed.routed());
    }
}
