//! Where a capture that begins mid-session begins within the other one.

use std::collections::BTreeMap;

use super::options::Options;
use super::pairing::Pairing;
use super::side::Side;
use super::signature::{Signature, hash, is_compared};
use crate::capture::{CaptureEvent, EventKind, StreamDirection};

/// Places that are considered at a time.
const PLACES: usize = 4_096;

/// A place at which the other capture may begin.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Messages of its head that stand where they would have to.
    votes: usize,
    /// What the opposite direction had said by then.
    opposite: u64,
}

/// One direction of a connection in which the other side's beginning is looked for.
#[derive(Debug, Default)]
struct Search {
    /// Where each message of the other side's head is in it.
    head: BTreeMap<u64, Vec<u64>>,
    places: BTreeMap<u64, Place>,
    said: u64,
}

impl Search {
    fn take(&mut self, message: u64, opposite: u64) {
        let at = self.said;
        self.said += 1;
        let Some(places) = self.head.get(&message) else {
            return;
        };
        for before in places {
            let Some(place) = at.checked_sub(*before) else {
                continue;
            };
            if self.places.len() >= PLACES && !self.places.contains_key(&place) {
                continue;
            }
            let new = Place { votes: 0, opposite };
            self.places.entry(place).or_insert(new).votes += 1;
        }
    }

    /// The first place that has enough votes: what differs after it moves the votes of what follows to another place.
    fn best(&self) -> Option<(u64, Place)> {
        let most = self.places.values().map(|place| place.votes).max()?;
        let is_enough = |place: &Place| place.votes >= most.min(2) && place.votes * 16 >= most;
        let mut places = self.places.iter();
        let (at, place) = places.find(|(_, place)| is_enough(place))?;
        Some((*at, *place))
    }
}

/// Looks in one side for where the other side's captures begin.
#[derive(Debug)]
pub(super) struct Beginnings<'o> {
    side: Side,
    options: &'o Options,
    /// By the number of this side's connection.
    searches: BTreeMap<usize, [Search; 2]>,
}

impl<'o> Beginnings<'o> {
    /// In the connections of `side` (`own`) that are paired with one of `others` that begins mid-session.
    pub(super) fn new(
        side: Side,
        options: &'o Options,
        own: &[Signature],
        others: &[Signature],
        pairings: &[Pairing],
    ) -> Self {
        let mut searches = BTreeMap::new();
        for pairing in pairings
            .iter()
            .filter(|one| one.late[side.opposite().index()])
        {
            let ids = [pairing.left, pairing.right];
            let find = |signatures: &[Signature], side: Side| {
                signatures
                    .iter()
                    .position(|one| one.id == ids[side.index()])
            };
            let (Some(number), Some(other)) = (find(own, side), find(others, side.opposite()))
            else {
                continue;
            };
            let search = StreamDirection::BOTH.map(|direction| {
                let mut search = Search::default();
                let head = &others[other].said(pairing.direction(direction)).head;
                for (at, message) in head.iter().enumerate() {
                    search.head.entry(*message).or_default().push(at as u64);
                }
                search
            });
            searches.insert(number, search);
        }
        Self {
            side,
            options,
            searches,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.searches.is_empty()
    }

    /// Takes what happened next on this side.
    pub(super) fn take(&mut self, event: &CaptureEvent<'_>) {
        let EventKind::Message { octets, .. } = event.kind else {
            return;
        };
        let Some(searches) = self.searches.get_mut(&event.connection.number) else {
            return;
        };
        if is_compared(octets, self.options) {
            let rewritten = self.options.ignored.rewrite(self.side, event.time, octets);
            let message = hash(rewritten.as_deref().unwrap_or(octets));
            let opposite = searches[event.direction.opposite() as usize].said;
            searches[event.direction as usize].take(message, opposite);
        }
    }

    /// How many messages of connection `number` come before the other's capture, in each direction, and how sure that is.
    fn skipped(&self, number: usize) -> Option<([u64; 2], usize)> {
        let searches = self.searches.get(&number)?;
        let best = [searches[0].best(), searches[1].best()];
        let votes = best.iter().flatten().map(|(_, place)| place.votes).sum();
        let skipped = match best {
            [Some((client, _)), Some((server, _))] => [client, server],
            // Where the one says nothing that is known, the other tells how far it was.
            [Some((client, place)), None] => [client, place.opposite],
            [None, Some((server, place))] => [place.opposite, server],
            [None, None] => return None,
        };
        Some((skipped, votes))
    }
}

/// Notes in `pairings` what comes before the other side's beginning.
pub(super) fn note(
    pairings: &mut [Pairing],
    beginnings: [&Beginnings<'_>; 2],
    signatures: [&[Signature]; 2],
) {
    for pairing in pairings {
        let ids = [pairing.left, pairing.right];
        let found = [0, 1].map(|side| {
            let number = signatures[side]
                .iter()
                .position(|one| one.id == ids[side])?;
            beginnings[side].skipped(number)
        });
        // Both begin mid-session: the one that begins first has what the other begins with.
        let side = match found {
            [None, None] => continue,
            [Some(_), None] => 0,
            [None, Some(_)] => 1,
            [Some((left, votes)), Some((right, others))] => {
                let key = |votes: usize, skipped: [u64; 2]| {
                    (votes, std::cmp::Reverse(skipped.iter().sum::<u64>()))
                };
                usize::from(key(others, right) > key(votes, left))
            }
        };
        let Some((skipped, _)) = found[side] else {
            continue;
        };
        // The right's directions have the left's names.
        pairing.skipped[side] = if side == 1 && pairing.swapped {
            [skipped[1], skipped[0]]
        } else {
            skipped
        };
    }
}
