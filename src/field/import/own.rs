//! Regenerates the speaker's side: API commands that make our speaker send exactly the captured octets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::api::command::{self, Action};
use crate::bgp::attribute::as_path::{Segment, SegmentKind};
use crate::bgp::attribute::{Attribute, AttributeValue};
use crate::bgp::message::{Message, RefreshSubtype, Update};
use crate::config;
use crate::field::import::text::what;
use crate::field::import::timeline::{Ended, Piece, Timeline};
use crate::scenario::format::message::{KEEPALIVE, NOTIFICATION, OPEN};
use crate::sim::Direction as Way;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;
use crate::speaker::session::{Ends, Session};
use crate::speaker::settings::Settings;

/// Lines that a program writes together; they result in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Time since the opening of the connection.
    pub at: Duration,
    /// API commands, one per line.
    pub lines: Vec<String>,
}

/// The commands that make the speaker of `configuration` send what `timeline` has. KEEPALIVEs are left to its timers.
///
/// # Errors
/// Describes the first message that no configuration and no command produces.
pub fn commands(timeline: &Timeline, configuration: &str) -> Result<Vec<Batch>, String> {
    if timeline.rest.iter().any(|piece| piece.way == Way::Sent) {
        return Err(String::from(
            "the reset cut off its last message, and nobody knows the rest",
        ));
    }
    let mut configuration = config::parse("speaker.conf", configuration)
        .map_err(|error| format!("its OPEN asks for what cannot be configured: {error}"))?;
    let neighbor = configuration
        .neighbors
        .pop()
        .ok_or("its OPEN cannot be configured")?;
    let mut offline = OfflineSession::new(neighbor);
    let mut batches = Vec::new();
    let mut number = 0;
    for piece in &timeline.pieces {
        if piece.way == Way::Received {
            offline.receive(&piece.octets);
            continue;
        }
        number += 1;
        let differs = || {
            format!(
                "its message {number}, {}, is not what this speaker makes of the same",
                what(piece)
            )
        };
        match piece.octets.get(18) {
            Some(&OPEN) if number == 1 => {
                if offline.opened != piece.octets {
                    return Err(differs());
                }
            }
            Some(&KEEPALIVE) => {}
            // It has to complain of its own accord.
            Some(&NOTIFICATION) if timeline.ended == Ended::Notified(Way::Sent) => {}
            _ => {
                let lines = offline.lines(piece).ok_or_else(differs)?;
                batches.push(Batch {
                    at: piece.at,
                    lines,
                });
            }
        }
    }
    Ok(batches)
}

/// A speaker with one neighbor and no network: its output is available at once.
struct OfflineSession {
    peer: Peer,
    session: Session,
    opened: Vec<u8>,
}

const NOW: Duration = Duration::ZERO;

impl OfflineSession {
    fn new(neighbor: Neighbor) -> Self {
        let address = |address: IpAddr| SocketAddr::new(address, 179);
        let ends = Ends {
            local: address(neighbor.peer_address),
            peer: address(neighbor.peer_address),
            opener: crate::net::Opener::Us,
        };
        let (mut peer, _) = Peer::new(Arc::new(neighbor));
        let session = peer.open(ends, &Settings::default(), NOW);
        let mut offline = Self {
            peer,
            session,
            opened: Vec::new(),
        };
        offline.opened = offline.take_sent();
        offline
    }

    /// Everything that it sends now.
    fn take_sent(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        loop {
            while let Some(event) = self.session.poll_event() {
                self.peer.handle_event(NOW, &event);
            }
            self.peer.take_changes();
            self.peer.fill(NOW, &mut self.session, usize::MAX);
            let Some(octets) = self.session.poll_transmit().map(<[u8]>::to_vec) else {
                return sent;
            };
            self.session.transmitted(octets.len(), NOW);
            sent.extend(octets);
        }
    }

    fn receive(&mut self, octets: &[u8]) {
        self.session.handle_bytes(NOW, octets);
        self.take_sent();
    }

    /// Commands that make it send `piece` and nothing else.
    fn lines(&mut self, piece: &Piece) -> Option<Vec<String>> {
        let context = self.session.negotiated()?.send.clone();
        let lines = match Message::decode(&context, &piece.octets).ok()? {
            Message::Update(update) => words(&update),
            Message::RouteRefresh(refresh) if refresh.subtype == RefreshSubtype::REQUEST => {
                vec![format!("announce route-refresh {}", refresh.family)]
            }
            _ => return None,
        };
        lines.iter().try_for_each(|line| self.apply(line))?;
        (self.take_sent() == piece.octets).then_some(lines)
    }

    fn apply(&mut self, line: &str) -> Option<()> {
        match command::parse(line).ok()?.action {
            Action::Announce(routes) => routes
                .iter()
                .try_for_each(|route| self.peer.announce(route).ok().map(drop)),
            Action::Withdraw(routes) => routes
                .iter()
                .try_for_each(|route| self.peer.withdraw(route).ok()),
            Action::AnnounceEor(family) => {
                self.peer.queue_end_of_rib(family);
                Some(())
            }
            Action::RouteRefresh(family) => {
                self.peer.queue_refresh(family);
                Some(())
            }
            _ => None,
        }
    }
}

/// The commands that announce and withdraw what `update` does.
fn words(update: &Update) -> Vec<String> {
    if let Some(family) = update.end_of_rib() {
        return vec![format!("announce eor {family}")];
    }
    let attributes: String = update.attributes.iter().map(attribute).collect();
    let withdrawn = update
        .withdrawn()
        .map(|nlri| format!("withdraw route {}", nlri.text()));
    let announced = update.announced().map(|(nlri, next_hop)| {
        let route = nlri.extensive(next_hop.address());
        format!("announce route {route}{attributes}")
    });
    withdrawn.chain(announced).collect()
}

/// An attribute in configuration syntax; next hops are part of the routes.
fn attribute(attribute: &Attribute) -> String {
    let value = match &attribute.value {
        AttributeValue::NextHop(_) | AttributeValue::MpReach(_) | AttributeValue::MpUnreach(_) => {
            return String::new();
        }
        AttributeValue::AsPath(path) if path.segments.is_empty() => return String::new(),
        AttributeValue::AsPath(path) => path.segments.iter().map(segment).collect(),
        _ => attribute.text(),
    };
    let (code, flags) = (attribute.value.code(), attribute.flags.0);
    match attribute.name() {
        Some(name) => format!(" {name} {value}").trim_end().to_owned(),
        None => format!(" attribute [ 0x{code:02X} 0x{flags:02X} {value} ]"),
    }
}

/// Events print an AS_SEQUENCE in the syntax that configurations use for a set, so it is rewritten here.
fn segment(segment: &Segment) -> String {
    let numbers: Vec<String> = segment.asns.iter().map(u32::to_string).collect();
    let numbers = numbers.join(" ");
    match segment.kind {
        SegmentKind::Sequence => format!("[ {numbers} ]"),
        SegmentKind::Set => format!("( {numbers} )"),
        SegmentKind::ConfedSequence => format!("[ {{ {numbers} }} ]"),
        SegmentKind::ConfedSet => format!("( {{ {numbers} }} )"),
    }
}
