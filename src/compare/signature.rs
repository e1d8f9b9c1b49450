//! What tells one connection of a capture from the others, whatever its addresses: its OPENs, and a sample of what was said.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use super::context::Contexts;
use super::meaning::Meaning;
use super::options::Options;
use super::side::Side;
use crate::bgp::iana::MessageType;
use crate::bgp::message::Open;
use crate::capture::{CaptureEvent, ConnectionId, EventKind, StreamDirection};

/// Hashes that a sample holds.
const SAMPLED: usize = 256;
/// Messages at the start of a direction by which its place in another is found.
const HEAD: usize = 64;
/// UPDATEs of a direction whose routes are sampled.
const DECODED: u64 = 4_096;

/// The least hashes of a set: the same elements are sampled of every set that has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample(BTreeSet<u64>);

impl Sample {
    fn add(&mut self, hash: u64) {
        if self.0.len() == SAMPLED {
            if self.0.last().is_some_and(|last| *last <= hash) {
                return;
            }
            if self.0.insert(hash) {
                self.0.pop_last();
            }
        } else {
            self.0.insert(hash);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of how many hashes, up to where both samples reach, are in both; and how many the smaller has of them.
    pub(super) fn common(&self, other: &Self) -> Common {
        let reach = |sample: &Self| match sample.0.last() {
            Some(last) if sample.0.len() == SAMPLED => *last,
            _ => u64::MAX,
        };
        let reach = reach(self).min(reach(other));
        let within = |sample: &Self| sample.0.range(..=reach).count();
        let (own, others) = (within(self), within(other));
        let both = self.0.range(..=reach).filter(|hash| other.0.contains(hash));
        let both = both.count();
        Common {
            both,
            either: own + others - both,
            smaller: own.min(others),
        }
    }
}

/// What two samples have in common.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Common {
    pub(super) both: usize,
    pub(super) either: usize,
    pub(super) smaller: usize,
}

/// One direction of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) open: Option<Open>,
    /// Messages that are compared.
    pub(super) messages: u64,
    /// Of the octets of all of them but OPENs.
    pub(super) octets: Sample,
    /// Of their routes.
    pub(super) routes: Sample,
    /// The first of them.
    pub(super) head: Vec<u64>,
}

/// One connection.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) id: ConnectionId,
    pub(super) handshake: bool,
    pub(super) said: [Said; 2],
}

impl Signature {
    pub(super) const fn said(&self, direction: StreamDirection) -> &Said {
        &self.said[direction as usize]
    }
}

/// The connections of a capture, in its order, and how they are to be read.
#[derive(Debug)]
pub(super) struct Signatures<'o> {
    side: Side,
    options: &'o Options,
    connections: BTreeMap<usize, Signature>,
    contexts: Contexts,
    /// Addresses that the user maps and that were neither at an end of a session nor in a message so far.
    unseen: Vec<IpAddr>,
}

impl<'o> Signatures<'o> {
    pub(super) fn new(side: Side, options: &'o Options) -> Self {
        Self {
            side,
            options,
            connections: BTreeMap::new(),
            contexts: Contexts::new(options.declared.clone()),
            unseen: options.ignored.mapped(side).collect(),
        }
    }

    /// All connections by number, how they are to be read, and the mapped addresses that this capture does not have.
    pub(super) fn finish(self) -> (Vec<Signature>, Contexts, Vec<IpAddr>) {
        let connections = self.connections.into_values().collect();
        (connections, self.contexts, self.unseen)
    }

    /// Takes what happened next.
    pub(super) fn take(&mut self, event: &CaptureEvent<'_>) {
        self.contexts.note(event);
        let number = event.connection.number;
        let octets = match event.kind {
            EventKind::Opened => {
                let signature = Signature {
                    id: event.connection.id,
                    handshake: event.connection.handshake,
                    said: Default::default(),
                };
                let peer = signature.id.peer;
                self.unseen
                    .retain(|address| ![peer.client, peer.server].contains(address));
                self.connections.entry(number).or_insert(signature);
                return;
            }
            EventKind::Message { octets, .. } if is_compared(octets, self.options) => {
                self.unseen.retain(|address| !holds(octets, *address));
                octets
            }
            _ => return,
        };
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let said = &mut connection.said[event.direction as usize];
        let rewritten = self.options.ignored.rewrite(self.side, event.time, octets);
        let compared = rewritten.as_deref().unwrap_or(octets);
        let hash = hash(compared);
        said.messages += 1;
        if said.head.len() < HEAD {
            said.head.push(hash);
        }
        match MessageType(octets[18]) {
            MessageType::OPEN => {
                let open = self.contexts.open(number, event.direction);
                said.open = said.open.take().or_else(|| open.cloned());
                return;
            }
            MessageType::UPDATE if said.messages <= DECODED => {
                let context = self.contexts.context(number, event.direction);
                let meaning = Meaning::of(context, octets).unwrap_or_default();
                for routed in meaning.routes {
                    said.routes.add(self::hash(&routed.route));
                }
            }
            _ => {}
        }
        said.octets.add(hash);
    }
}

/// Whether the octets of `address` are somewhere in `message`.
fn holds(message: &[u8], address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => message.windows(4).any(|octets| octets == address.octets()),
        IpAddr::V6(address) => message.windows(16).any(|octets| octets == address.octets()),
    }
}

/// Whether a message has a place in the comparison.
pub(super) fn is_compared(octets: &[u8], options: &Options) -> bool {
    let is_keepalive = MessageType(octets[18]) == MessageType::KEEPALIVE && octets.len() == 19;
    options.keepalives || !is_keepalive
}

/// The same in every run.
pub(super) fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
