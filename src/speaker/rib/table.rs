//! Every route that the Adj-RIB-Out knows of, each in a slot: what was announced, and what is still to be sent of it.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use hashbrown::HashTable;

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
    pub nlri: Nlri,
    /// With what it was announced last, unless it was withdrawn since.
    pub seen: Option<Arc<AttributeSet>>,
    /// The latest entry of [`super::pending::Pending`] for this route.
    pub latest: u32,
    hash: u32,
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
    slots: Vec<Slot>,
    free: Vec<SlotId>,
    index: HashTable<SlotId>,
    seen: Map<Family, Chain>,
}

/// Whether two NLRI are the same route, labels apart.
fn same(left: &Nlri, right: &Nlri) -> bool {
    left == right
        || (left.family == right.family
            && left.path_id == right.path_id
            && !matches!(left.value, NlriValue::Inet(_))
            && left.index() == right.index())
}

fn hash(nlri: &Nlri) -> Result<u32, EncodeError> {
    let mut hasher = FixedState::default().build_hasher();
    if let NlriValue::Inet(_) = nlri.value {
        nlri.hash(&mut hasher);
    } else {
        hasher.write(&nlri.index()?);
    }
    Ok(hasher.finish() as u32)
}

const fn widen(hash: u32) -> u64 {
    (hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Table {
    /// The slot of `nlri`, made if need be.
    ///
    /// # Errors
    /// Where `nlri` cannot be encoded.
    pub fn find_or_add(&mut self, nlri: &Nlri) -> Result<SlotId, EncodeError> {
        let hash = hash(nlri)?;
        let slots = &self.slots;
        let entry = self.index.entry(
            widen(hash),
            |&id| {
                let slot = &slots[id as usize];
                slot.hash == hash && same(&slot.nlri, nlri)
            },
            |&id| widen(slots[id as usize].hash),
        );
        let vacant = match entry {
            hashbrown::hash_table::Entry::Occupied(found) => return Ok(*found.get()),
            hashbrown::hash_table::Entry::Vacant(vacant) => vacant,
        };
        let slot = Slot {
            nlri: nlri.clone(),
            seen: None,
            latest: NONE,
            hash,
            previous: NONE,
            next: NONE,
        };
        let id = if let Some(id) = self.free.pop() {
            vacant.insert(id);
            self.slots[id as usize] = slot;
            id
        } else {
            let id = self.slots.len() as SlotId;
            vacant.insert(id);
            self.slots.push(slot);
            id
        };
        Ok(id)
    }

    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id as usize]
    }

    pub fn slot_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[id as usize]
    }

    /// Remembers `id` as announced with `set`; one that was keeps its place in the order.
    pub fn see(&mut self, id: SlotId, set: Arc<AttributeSet>) {
        let slot = &mut self.slots[id as usize];
        if slot.seen.replace(set).is_some() {
            return;
        }
        let chain = self.seen.entry(slot.nlri.family).or_insert(Chain {
            first: NONE,
            last: NONE,
            length: 0,
        });
        slot.previous = chain.last;
        slot.next = NONE;
        if chain.last == NONE {
            chain.first = id;
        } else {
            self.slots[chain.last as usize].next = id;
        }
        chain.last = id;
        chain.length += 1;
    }

    /// Forgets that `id` was announced.
    pub fn forget(&mut self, id: SlotId) {
        let slot = &mut self.slots[id as usize];
        if slot.seen.take().is_none() {
            return;
        }
        let (previous, next, family) = (slot.previous, slot.next, slot.nlri.family);
        let Some(chain) = self.seen.get_mut(&family) else {
            return;
        };
        chain.length -= 1;
        if previous == NONE {
            chain.first = next;
        } else {
            self.slots[previous as usize].next = next;
        }
        if next == NONE {
            chain.last = previous;
        } else {
            self.slots[next as usize].previous = previous;
        }
    }

    /// Gives the slot back if nothing is known of its route any more.
    pub fn release(&mut self, id: SlotId) {
        let slot = &self.slots[id as usize];
        if slot.seen.is_some() || slot.latest != NONE {
            return;
        }
        if let Ok(found) = self.index.find_entry(widen(slot.hash), |&held| held == id) {
            found.remove();
            self.free.push(id);
        }
    }

    /// Announced routes of `family` in order.
    pub fn seen(&self, family: Family) -> impl Iterator<Item = SlotId> + '_ {
        let there = |id: SlotId| (id != NONE).then_some(id);
        let first = self.seen.get(&family).and_then(|chain| there(chain.first));
        std::iter::successors(first, move |&id| there(self.slots[id as usize].next))
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
