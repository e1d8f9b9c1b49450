//! The peers that a command is for, and what it does to them.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use crate::api::command::{Command, Show};
use crate::api::health::{self, Health};
use crate::api::show::{self, AdjRib};
use crate::api::tally::Snapshot;
use crate::bgp::attribute::Attributes;
use crate::bgp::family::Family;
use crate::bgp::message::Operational;
use crate::bgp::nlri::Nlri;
use crate::config::is_client;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;
use crate::speaker::rib::{AttributeSet, Refused};
use crate::speaker::route::ConfiguredRoute;

use super::{Answer, Applied, Effect, Identity, Peers, Subject};

/// The peers that a command is for.
pub(super) struct Chosen<'a> {
    pub choice: Choice<'a>,
    pub peers: &'a mut dyn Peers,
}

/// By what they are chosen.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    pub command: &'a Command,
    pub program: &'a str,
}

impl Choice<'_> {
    fn selects(self, name: &str) -> bool {
        let selectors = &self.command.selectors;
        selectors.is_empty() || selectors.iter().any(|selector| selector.matches_name(name))
    }

    /// Whether the program is among those that may command `neighbor`.
    fn binds(self, neighbor: &Neighbor) -> bool {
        let mut names = neighbor.api.iter().flat_map(|section| &section.processes);
        is_client(self.program) || names.any(|name| name == self.program)
    }
}

impl Chosen<'_> {
    /// Does `act` to every selected peer for which `wanted` holds; says whether there was one.
    fn visit(
        &mut self,
        wanted: impl Fn(Choice<'_>, &Peer) -> bool,
        mut act: impl FnMut(Subject<'_>),
    ) -> bool {
        let choice = self.choice;
        let mut found = false;
        self.peers.for_each(&mut |subject| {
            if wanted(choice, subject.peer) && choice.selects(subject.name) {
                found = true;
                act(subject);
            }
        });
        found
    }

    fn outcome(found: bool) -> Applied {
        if found {
            Applied::changed()
        } else {
            Applied::refused("no neighbor matching the command")
        }
    }

    pub fn any(&mut self, act: impl FnMut(Subject<'_>)) -> Applied {
        Self::outcome(self.visit(|_, _| true, act))
    }

    pub fn established(&mut self, act: impl FnMut(Subject<'_>)) -> Applied {
        Self::outcome(self.visit(|_, peer| peer.is_established(), act))
    }

    /// Routes go to the peers that are bound to the program. A peer that has not configured the family is passed over,
    /// as in ExaBGP; a route that cannot be sent at all is an error.
    pub fn routes(
        &mut self,
        routes: &[ConfiguredRoute],
        act: impl Fn(&mut Peer, &ConfiguredRoute) -> Result<(), Refused>,
    ) -> Applied {
        let mut refusals = Vec::new();
        let mut failed = false;
        let bound = |choice: Choice<'_>, peer: &Peer| choice.binds(peer.neighbor());
        if routes.iter().any(|route| route.next_hop_self) {
            // Parity: if one peer cannot send it, no peer does.
            self.visit(bound, |subject| {
                let cannot = routes
                    .iter()
                    .find_map(|route| subject.peer.can_be_next_hop(route).err());
                refusals.extend(cannot.map(|refused| format!("{}: {refused}", subject.name)));
            });
            if !refusals.is_empty() {
                return Applied {
                    refusals,
                    ..Applied::answered(Answer::Error)
                };
            }
        }
        let found = self.visit(bound, |subject| {
            for route in routes {
                if let Err(refused) = act(subject.peer, route) {
                    failed |= !matches!(refused, Refused::Family(_));
                    refusals.push(format!("{}: {refused}", subject.name));
                }
            }
        });
        let mut applied = Self::outcome(found);
        if failed {
            applied.answer = Some(Answer::Error);
        }
        applied.refusals.extend(refusals);
        applied
    }

    pub fn operational(&mut self, message: &Operational) -> Applied {
        let mut refusals = Vec::new();
        let found = self.visit(
            |choice, peer| choice.binds(peer.neighbor()),
            |subject| {
                if let Err(refused) = subject.peer.queue_operational(message.clone()) {
                    refusals.push(format!("{}: {refused}", subject.name));
                }
            },
        );
        let mut applied = Self::outcome(found);
        applied.refusals.extend(refusals);
        applied
    }

    pub fn refresh(&mut self, family: Family) -> Applied {
        let mut refusals = Vec::new();
        let mut applied = self.established(|subject| {
            if subject.peer.neighbor().families.contains(family) {
                subject.peer.queue_refresh(family);
            } else {
                refusals.push(format!("{}: {}", subject.name, Refused::Family(family)));
            }
        });
        applied.refusals.extend(refusals);
        applied
    }

    /// A watchdog is every neighbor's, whoever names it and whatever the selectors say.
    pub fn watchdog(
        &mut self,
        name: Option<&str>,
        act: impl Fn(&mut Peer, &str) -> Result<(), Refused>,
    ) -> Applied {
        let name = name.unwrap_or(self.choice.program);
        let mut applied = Applied::changed();
        self.peers.for_each(&mut |subject| {
            if let Err(refused) = act(subject.peer, name) {
                applied
                    .refusals
                    .push(format!("{}: {refused}", subject.name));
            }
        });
        applied
    }

    /// As in ExaBGP a teardown without a selector, or of a peer that is not established, is done at once: there is
    /// nothing to do.
    pub fn teardown(&mut self, subcode: u8) -> Applied {
        if !self.choice.command.selectors.is_empty() {
            self.visit(
                |_, peer| peer.is_established(),
                |subject| *subject.teardown = Some(subcode),
            );
        }
        Applied::changed()
    }

    pub fn create(&mut self, neighbor: &Neighbor) -> Applied {
        let name = neighbor.name();
        let mut known = false;
        self.peers
            .for_each(&mut |subject| known |= subject.name == name);
        if known {
            return Applied::refused(format!("there is already a {name}"));
        }
        Applied {
            effect: Some(Effect::Create(Box::new(neighbor.clone()))),
            ..Applied::answered(Answer::Done)
        }
    }

    pub fn status(&mut self, identity: &Identity, now: Duration) -> Applied {
        let (mut neighbors, mut established) = (0, 0);
        self.peers.for_each(&mut |subject| {
            neighbors += 1;
            established += usize::from(subject.peer.is_established());
        });
        let health = Health {
            identity: identity.run,
            pid: identity.host.pid,
            version: &identity.release,
            uptime: now,
            neighbors,
            established,
        };
        Applied {
            lines: health::status(&health),
            ..Applied::answered(Answer::Done)
        }
    }

    /// The lines of `show …`, of the selected neighbors: each may be shown to any program.
    pub fn show(&mut self, show: &Show, now: Duration) -> Vec<String> {
        let choice = self.choice;
        match show {
            Show::Neighbor {
                limit,
                detail,
                json,
            } => {
                let mut snapshots: Vec<Snapshot> = Vec::new();
                self.peers.for_each(&mut |subject| {
                    if choice.selects(subject.name) {
                        snapshots.push(subject.tally.snapshot(subject.peer, now));
                    }
                });
                let statuses: Vec<_> = snapshots.iter().map(Snapshot::status).collect();
                show::neighbors(limit.as_deref(), *detail, *json, &statuses)
            }
            Show::AdjRib {
                incoming,
                limit,
                kind,
                extensive,
                json,
            } => {
                let wanted = AdjRib {
                    limit: limit.as_deref(),
                    kind: *kind,
                    extensive: *extensive,
                    json: *json,
                };
                let mut lines = Vec::new();
                self.peers.for_each(&mut |subject| {
                    if choice.selects(subject.name) && wanted.wants(subject.peer.neighbor()) {
                        let snapshot = subject.tally.snapshot(subject.peer, now);
                        lines.extend(adj_rib(wanted, subject.peer, &snapshot, *incoming));
                    }
                });
                lines
            }
        }
    }
}

fn adj_rib(wanted: AdjRib<'_>, peer: &Peer, snapshot: &Snapshot, incoming: bool) -> Vec<String> {
    let status = snapshot.status();
    if incoming {
        show::adj_rib(wanted, &status, peer.rib_in().routes().map(shown))
    } else {
        show::adj_rib(wanted, &status, peer.rib_out().announced().map(shown))
    }
}

fn shown<'a>(
    (nlri, set): (Cow<'a, Nlri>, &'a AttributeSet),
) -> (Cow<'a, Nlri>, Option<IpAddr>, &'a Attributes) {
    (nlri, set.next_hop.address(), &set.attributes)
}
