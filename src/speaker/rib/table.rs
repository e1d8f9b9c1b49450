//! Every route that an Adj-RIB knows of, each in a slot: what was announced, and what is still to be sent of it.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use hashbrown::HashTable;

use super::held::Held;
use super::set::AttributeSet;
use crate::bgp::collections::{FixedState, Map};
use crate::bgp::error::EncodeError;
use crate::bgp::family::Family;
use crate::bgp::nlri::{Nlri, NlriValue};

/// Index of a slot.
pub(super) type SlotId = u32;

/// No slot, or no entry.
pub(super) const NONE: u32 = u32::MAX;

/// One route's identity and its state.
#[derive(Debug)]
pub(super) struct Slot {
    /// The NLRI as last announced.
    held: Held,
    /// With what it was announced last, unless it was withdrawn since.
    pub seen: Option<Arc<AttributeSet>>,
    /// The latest entry of [`super::pending::Pending`] for this route.
    pub latest: u32,
    previous: SlotId,
    next: SlotId,
}

/// Announced routes of one family in the order in which they were first announced, linked through their slots.
#[derive(Debug, Clone, Copy)]
struct Chain {
    first: SlotId,
    last: SlotId,
    length: usize,
}

/// The slots, found by route identity.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Slots,
    free: Vec<SlotId>,
    index: HashTable<SlotId>,
    /// NLRI that slots do not hold themselves.
    elsewhere: Map<SlotId, Nlri>,
    seen: Map<Family, Chain>,
}

/// Slots in chunks, so that a growing table neither moves them nor holds twice their memory.
#[derive(Debug, Default)]
struct Slots(Vec<Vec<Slot>>);

const CHUNK_BITS: u32 = 10;
const CHUNK: usize = 1 << CHUNK_BITS;

impl Slots {
    fn push(&mut self, slot: Slot) -> SlotId {
        match self.0.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(slot),
            _ => {
                let mut chunk = Vec::new();
                // The first chunk grows, since most neighbors have few routes.
                if !self.0.is_empty() {
                    chunk.reserve_exact(CHUNK);
                }
                chunk.push(slot);
                self.0.push(chunk);
            }
        }
        let (chunks, last) = (self.0.len(), self.0.last().map_or(0, Vec::len));
        ((chunks - 1) * CHUNK + last - 1) as SlotId
    }
}

impl std::ops::Index<SlotId> for Slots {
    type Output = Slot;

    #[inline]
    fn index(&self, id: SlotId) -> &Slot {
        &self.0[(id >> CHUNK_BITS) as usize][id as usize % CHUNK]
    }
}

impl std::ops::IndexMut<SlotId> for Slots {
    #[inline]
    fn index_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.0[(id >> CHUNK_BITS) as usize][id as usize % CHUNK]
    }
}

fn nlri_of<'t>(slots: &Slots, elsewhere: &'t Map<SlotId, Nlri>, id: SlotId) -> Cow<'t, Nlri> {
    match slots[id].held.nlri() {
        Some(nlri) => Cow::Owned(nlri),
        None => Cow::Borrowed(&elsewhere[&id]),
    }
}

/// Whether two NLRI are the same route, labels apart.
fn same(left: &Nlri, right: &Nlri) -> bool {
    left == right
        || (left.family == right.family
            && left.path_id == right.path_id
            && !matches!(left.value, NlriValue::Inet(_))
            && left.index() == right.index())
}

fn hash(nlri: &Nlri) -> Result<u64, EncodeError> {
    let mut hasher = FixedState::default().build_hasher();
    if let NlriValue::Inet(_) = nlri.value {
        nlri.hash(&mut hasher);
    } else {
        hasher.write(&nlri.index()?);
    }
    Ok(hasher.finish())
}

impl Table {
    /// The slot of `nlri`, if it has one.
    ///
    /// # Errors
    /// Where `nlri` cannot be encoded.
    pub fn find(&self, nlri: &Nlri) -> Result<Option<SlotId>, EncodeError> {
        let wanted = Held::new(nlri);
        let found = self
            .index
            .find(hash(nlri)?, |&slot| self.holds(slot, wanted, nlri));
        Ok(found.copied())
    }

    /// The slot of `nlri`, made if need be.
    ///
    /// # Errors
    /// Where `nlri` cannot be encoded.
    pub fn find_or_add(&mut self, nlri: &Nlri) -> Result<SlotId, EncodeError> {
        let hashed = hash(nlri)?;
        let held = Held::new(nlri);
        let found = self
            .index
            .find(hashed, |&slot| self.holds(slot, held, nlri));
        if let Some(&slot) = found {
            return Ok(slot);
        }
        let slot = Slot {
            held,
            seen: None,
            latest: NONE,
            previous: NONE,
            next: NONE,
        };
        let id = if let Some(id) = self.free.pop() {
            self.slots[id] = slot;
            id
        } else {
            self.slots.push(slot)
        };
        if held == Held::Elsewhere {
            self.elsewhere.insert(id, nlri.clone());
        }
        let (slots, elsewhere) = (&self.slots, &self.elsewhere);
        self.index.insert_unique(hashed, id, |&slot| {
            // It was hashed when it was added.
            hash(&nlri_of(slots, elsewhere, slot)).unwrap_or_default()
        });
        Ok(id)
    }

    /// Whether `slot` is that of `nlri`, which slots would hold as `held`.
    fn holds(&self, slot: SlotId, held: Held, nlri: &Nlri) -> bool {
        let known = self.slots[slot].held;
        known == held
            && (held != Held::Elsewhere
                || self
                    .elsewhere
                    .get(&slot)
                    .is_some_and(|known| same(known, nlri)))
    }

    /// The NLRI of a slot.
    pub fn nlri(&self, id: SlotId) -> Cow<'_, Nlri> {
        nlri_of(&self.slots, &self.elsewhere, id)
    }

    /// The NLRI of a slot becomes `nlri`, the same route (with another label).
    pub fn set_nlri(&mut self, id: SlotId, nlri: &Nlri) {
        if let Some(known) = self.elsewhere.get_mut(&id) {
            known.clone_from(nlri);
        }
    }

    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id]
    }

    pub fn slot_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[id]
    }

    /// Remembers `id` as announced with `set`; one that was keeps its place in the order.
    pub fn see(&mut self, id: SlotId, set: Arc<AttributeSet>) {
        let slot = &mut self.slots[id];
        if slot.seen.replace(set).is_some() {
            return;
        }
        let family = self.nlri(id).family;
        let slot = &mut self.slots[id];
        let chain = self.seen.entry(family).or_insert(Chain {
            first: NONE,
            last: NONE,
            length: 0,
        });
        slot.previous = chain.last;
        slot.next = NONE;
        if chain.last == NONE {
            chain.first = id;
        } else {
            self.slots[chain.last].next = id;
        }
        chain.last = id;
        chain.length += 1;
    }

    /// Forgets that `id` was announced.
    pub fn forget(&mut self, id: SlotId) {
        let slot = &mut self.slots[id];
        if slot.seen.take().is_none() {
            return;
        }
        let (previous, next) = (slot.previous, slot.next);
        let family = self.nlri(id).family;
        let Some(chain) = self.seen.get_mut(&family) else {
            return;
        };
        chain.length -= 1;
        if previous == NONE {
            chain.first = next;
        } else {
            self.slots[previous].next = next;
        }
        if next == NONE {
            chain.last = previous;
        } else {
            self.slots[next].previous = previous;
        }
    }

    /// Gives the slot back if nothing is known of its route any more.
    pub fn release(&mut self, id: SlotId) {
        let slot = &self.slots[id];
        if slot.seen.is_some() || slot.latest != NONE {
            return;
        }
        // A slot that was given back already is found nowhere.
        let held = slot.held.nlri();
        let Some(nlri) = held.or_else(|| self.elsewhere.swap_remove(&id)) else {
            return;
        };
        // It was hashed when it was added.
        let Ok(hash) = hash(&nlri) else { return };
        if let Ok(found) = self.index.find_entry(hash, |&slot| slot == id) {
            found.remove();
            self.free.push(id);
        }
    }

    /// Announced routes of `family` in order.
    pub fn seen(&self, family: Family) -> impl Iterator<Item = SlotId> + '_ {
        let there = |id: SlotId| (id != NONE).then_some(id);
        let first = self.seen.get(&family).and_then(|chain| there(chain.first));
        std::iter::successors(first, move |&id| there(self.slots[id].next))
    }

    /// Families of which routes are announced, in the order in which they first were.
    pub fn seen_families(&self) -> impl Iterator<Item = Family> + '_ {
        self.seen
            .iter()
            .filter(|(_, chain)| chain.length > 0)
            .map(|(family, _)| *family)
    }

    /// How many routes are announced.
    pub fn seen_count(&self) -> usize {
        self.seen.values().map(|chain| chain.length).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 140 octets per route, all in all: slot, index (at most 16/7 keys and their control octets per route), queue (which
    /// doubles), batch with its octets and the keys that sort it.
    #[test]
    fn a_route_stays_within_its_budget() {
        let index = (size_of::<SlotId>() + 1) * 16 / 7;
        let queue = 2 * size_of::<super::super::pending::PendingChange>();
        let item = size_of::<super::super::batch::Item>();
        let batch = item + 2 * 5 + size_of::<u64>() + item + 4;
        assert!(size_of::<Slot>() <= 40);
        assert!(size_of::<Slot>() + index + queue + batch <= 140);
    }
}
