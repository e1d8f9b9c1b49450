//! Which connection of the left is compared with which of the right: addresses and ports are names, not identity.

use std::collections::{BTreeMap, BTreeSet};

use super::ignore::Ignored;
use super::side::Side;
use super::signature::{Common, Said, Signature};
use crate::bgp::message::Open;
use crate::capture::{ConnectionId, Peer, StreamDirection};

/// Pairs that are tried out; beyond, connections are paired by their names alone.
const TRIED: usize = 1_000_000;
/// What a pair whose addresses differ has to come to.
const ENOUGH: f64 = 1.5;

/// Two connections that are compared with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    /// The left's.
    pub left: ConnectionId,
    /// The right's.
    pub right: ConnectionId,
    /// The end that opened the one accepted the other.
    pub swapped: bool,
    /// Why they belong together.
    pub reasons: Vec<String>,
    /// Messages of either side, by the left's direction, that are from before the other side's capture begins.
    pub skipped: [[u64; 2]; 2],
    /// Which side's capture begins mid-session.
    pub(super) late: [bool; 2],
}

impl Pairing {
    /// Whether it goes without saying: both have the same name, and begin at the same place.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.left == self.right && !self.swapped && self.skipped == [[0; 2]; 2]
    }

    /// The left's name for a direction of the right.
    pub(super) const fn direction(&self, direction: StreamDirection) -> StreamDirection {
        if self.swapped {
            direction.opposite()
        } else {
            direction
        }
    }

    /// Messages that the capture of `side` does not have because it begins mid-session.
    #[must_use]
    pub fn before(&self, side: Side) -> u64 {
        self.skipped[side.opposite().index()].iter().sum()
    }
}

/// How well two connections go together.
#[derive(Debug, Clone)]
struct Candidate {
    score: f64,
    /// How far apart they are in the order of their captures.
    distance: usize,
    left: usize,
    right: usize,
    swapped: bool,
}

/// Pairs the connections of both sides.
pub(super) fn pair(left: &[Signature], right: &[Signature], ignored: &Ignored) -> Vec<Pairing> {
    let mut pairings = Vec::new();
    let mut free = [
        (0..left.len()).collect::<BTreeSet<_>>(),
        (0..right.len()).collect::<BTreeSet<_>>(),
    ];
    let mut join = |free: &mut [BTreeSet<usize>; 2], candidate: &Candidate| {
        let (a, b) = (candidate.left, candidate.right);
        if free[0].contains(&a) && free[1].contains(&b) {
            free[0].remove(&a);
            free[1].remove(&b);
            let pairing = pairing(&left[a], &right[b], candidate.swapped, ignored);
            pairings.push((a, pairing));
        }
    };
    // Where both have as many connections between two addresses and their OPENs agree, the names are enough.
    let attempts = |connections: &[Signature], side| {
        let mut counts: BTreeMap<Peer, u32> = BTreeMap::new();
        for connection in connections {
            *counts.entry(peer(connection, side, ignored)).or_insert(0) += 1;
        }
        counts
    };
    let counts = [attempts(left, Side::Left), attempts(right, Side::Right)];
    let named = |connection: &Signature, side| {
        let mut id = connection.id;
        id.peer = peer(connection, side, ignored);
        id
    };
    let by_name: BTreeMap<ConnectionId, usize> = right
        .iter()
        .enumerate()
        .map(|(at, one)| (named(one, Side::Right), at))
        .collect();
    let too_many = left.len().saturating_mul(right.len()) > TRIED;
    for (at, one) in left.iter().enumerate() {
        let Some(&other) = by_name.get(&named(one, Side::Left)) else {
            continue;
        };
        let peer = peer(one, Side::Left, ignored);
        let alike =
            counts[0].get(&peer) == counts[1].get(&peer) && opens(one, &right[other], false) >= 0.0;
        if alike || too_many {
            join(
                &mut free,
                &candidate((at, one), (other, &right[other]), false, ignored),
            );
        }
    }
    let mut candidates = Vec::new();
    if !too_many {
        for &a in &free[0] {
            for &b in &free[1] {
                for swapped in [false, true] {
                    candidates.push(candidate((a, &left[a]), (b, &right[b]), swapped, ignored));
                }
            }
        }
    }
    candidates.retain(|candidate| candidate.score >= ENOUGH);
    candidates.sort_by(|one, other| {
        let order = other.score.total_cmp(&one.score);
        order.then((one.distance, one.left, one.swapped).cmp(&(
            other.distance,
            other.left,
            other.swapped,
        )))
    });
    for candidate in &candidates {
        join(&mut free, candidate);
    }
    // Nothing else is left to compare them with.
    if let ([a], [b]) = (
        &left.iter().collect::<Vec<_>>()[..],
        &right.iter().collect::<Vec<_>>()[..],
    ) && !free[0].is_empty()
    {
        let both = [false, true].map(|swapped| candidate((0, a), (0, b), swapped, ignored));
        let [straight, swapped] = &both;
        join(
            &mut free,
            if swapped.score > straight.score {
                swapped
            } else {
                straight
            },
        );
    }
    pairings.sort_by_key(|(at, _)| *at);
    pairings.into_iter().map(|(_, pairing)| pairing).collect()
}

/// Between whom, as the left names them.
fn peer(connection: &Signature, side: Side, ignored: &Ignored) -> Peer {
    let Peer { client, server } = connection.id.peer;
    Peer {
        client: ignored.name(side, client),
        server: ignored.name(side, server),
    }
}

fn candidate(
    (a, left): (usize, &Signature),
    (b, right): (usize, &Signature),
    swapped: bool,
    ignored: &Ignored,
) -> Candidate {
    let mut score = opens(left, right, swapped);
    let (octets, routes, directions) = content(left, right, swapped);
    let share = |part: usize, whole: usize| {
        if whole == 0 {
            0.0
        } else {
            part as f64 / whole as f64
        }
    };
    if directions > 0 {
        score += 2.0 * share(octets.both, octets.either) + share(octets.both, octets.smaller);
        score += share(routes.both, routes.either);
    }
    let names = [
        peer(left, Side::Left, ignored),
        peer(right, Side::Right, ignored),
    ];
    let [own, mut other] = names;
    if swapped {
        std::mem::swap(&mut other.client, &mut other.server);
    }
    score += match (own.client == other.client, own.server == other.server) {
        (true, true) => 1.6,
        (true, false) | (false, true) => 0.4,
        (false, false) => 0.0,
    };
    if own == other && !swapped && left.id.attempt == right.id.attempt {
        score += 0.2;
    }
    Candidate {
        score,
        distance: a.abs_diff(b),
        left: a,
        right: b,
        swapped,
    }
}

/// How well their OPENs agree: below 0 where they contradict each other.
fn opens(left: &Signature, right: &Signature, swapped: bool) -> f64 {
    StreamDirection::BOTH
        .iter()
        .map(|direction| {
            let pair = [left.said(*direction), right.said(flip(*direction, swapped))];
            let [Some(one), Some(other)] = pair.map(|said| said.open.as_ref()) else {
                return 0.0;
            };
            match (one.asn() == other.asn(), one.identifier == other.identifier) {
                (true, true) => 2.0,
                (true, false) => 0.75,
                (false, true) => 1.0,
                (false, false) => -1.0,
            }
        })
        .sum()
}

/// What they have in common of messages and of routes, and in how many directions anything can be compared.
fn content(left: &Signature, right: &Signature, swapped: bool) -> (Common, Common, usize) {
    let (mut octets, mut routes, mut directions) = (Common::default(), Common::default(), 0);
    let add = |sum: &mut Common, more: Common| {
        sum.both += more.both;
        sum.either += more.either;
        sum.smaller += more.smaller;
    };
    for direction in StreamDirection::BOTH {
        let (one, other) = (left.said(direction), right.said(flip(direction, swapped)));
        let is_empty = |said: &Said| said.octets.is_empty();
        if !is_empty(one) || !is_empty(other) {
            directions += 1;
        }
        add(&mut octets, one.octets.common(&other.octets));
        add(&mut routes, one.routes.common(&other.routes));
    }
    (octets, routes, directions)
}

const fn flip(direction: StreamDirection, swapped: bool) -> StreamDirection {
    if swapped {
        direction.opposite()
    } else {
        direction
    }
}

fn pairing(left: &Signature, right: &Signature, swapped: bool, ignored: &Ignored) -> Pairing {
    let mut reasons = Vec::new();
    let names = [
        peer(left, Side::Left, ignored),
        peer(right, Side::Right, ignored),
    ];
    if names[0] == names[1] && !swapped {
        reasons.push("the same addresses".to_owned());
    }
    let said = |one: Option<&Open>, other: Option<&Open>| match (one, other) {
        (Some(one), Some(other)) if one.asn() == other.asn() => {
            Some(one.identifier == other.identifier)
        }
        _ => None,
    };
    let agree = StreamDirection::BOTH.map(|direction| {
        let other = right.said(flip(direction, swapped));
        said(left.said(direction).open.as_ref(), other.open.as_ref())
    });
    match agree {
        [Some(true), Some(true)] => reasons.push("the same AS numbers and identifiers".to_owned()),
        [Some(_), Some(_)] => reasons.push("the same AS numbers".to_owned()),
        [Some(true), None] | [None, Some(true)] => {
            reasons.push("the same AS number and identifier of one end".to_owned());
        }
        _ => {}
    }
    let (octets, routes, _) = content(left, right, swapped);
    if octets.both > 0 {
        reasons.push(format!(
            "{} of {} messages sampled",
            octets.both, octets.either
        ));
    } else if routes.both > 0 {
        reasons.push(format!(
            "{} of {} routes sampled",
            routes.both, routes.either
        ));
    }
    if reasons.is_empty() {
        reasons.push("the only connection of each".to_owned());
    }
    Pairing {
        left: left.id,
        right: right.id,
        swapped,
        reasons,
        skipped: [[0; 2]; 2],
        late: [!left.handshake, !right.handshake],
    }
}
