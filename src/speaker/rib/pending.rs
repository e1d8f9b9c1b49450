//! What is queued for sending: changes, in buckets of one attribute set and family, as the reference keeps them.
//!
//! A bucket's place is that of the first change to its attribute set; a change that replaces another of
//! the same route in the same bucket takes its place; a change in another bucket leaves the earlier one where it is.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use hashbrown::HashTable;

use super::set::{AttributeSet, Grouped};
use super::table::{NONE, SlotId, Table};
use crate::bgp::collections::{FixedState, Map};
use crate::bgp::family::Family;
use crate::bgp::nlri::Nlri;

/// Room for so many changes is kept.
const KEPT: usize = 4096;

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Announce,
    Withdraw,
    /// Cancelled before it was sent.
    Nothing,
}

/// One change.
#[derive(Debug)]
pub(super) struct PendingChange {
    pub slot: SlotId,
    pub bucket: u32,
    /// An earlier change of the same route, in another bucket.
    older: u32,
    pub action: Action,
}

/// What a change has that its slot and bucket do not say.
#[derive(Debug, Default)]
struct Own {
    /// The NLRI where it is not that of the slot (another label).
    nlri: Option<Nlri>,
    /// The attribute set where it is not that of the bucket (a next hop that is no attribute).
    set: Option<Arc<AttributeSet>>,
}

/// Changes of one attribute set and family.
#[derive(Debug)]
pub(super) struct Bucket {
    pub set: Arc<AttributeSet>,
    pub family: Family,
    /// The place of the attribute set among those queued.
    pub rank: u32,
}

/// Everything queued.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub entries: Vec<PendingChange>,
    /// What entries have of their own, by their place.
    own: Map<u32, Own>,
    pub buckets: Vec<Bucket>,
    /// The buckets, found by set and family.
    by_key: HashTable<u32>,
    /// Of each set its first bucket, found by the set: all of its buckets have one rank.
    by_set: HashTable<u32>,
    last: u32,
}

fn hash(key: impl Hash) -> u64 {
    FixedState::default().hash_one(key)
}

impl Pending {
    /// Whether nothing was queued; a cancelled change counts as queued, as in the reference.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets everything; room that many changes took is given back, that of few is kept for the next.
    pub fn clear(&mut self) {
        if self.entries.capacity() > KEPT {
            *self = Self::default();
            return;
        }
        self.entries.clear();
        self.own.clear();
        self.buckets.clear();
        self.by_key.clear();
        self.by_set.clear();
        self.last = 0;
    }

    fn bucket(&mut self, set: &Arc<AttributeSet>, family: Family) -> u32 {
        if let Some(bucket) = self.buckets.get(self.last as usize)
            && Arc::ptr_eq(&bucket.set, set)
            && bucket.family == family
        {
            return self.last;
        }
        let number = set.number();
        let hashed = hash((number, family));
        let held = &self.buckets;
        let found = self.by_key.find(hashed, |&at| {
            let bucket = &held[at as usize];
            bucket.set.number() == number && bucket.family == family
        });
        self.last = match found {
            Some(&bucket) => bucket,
            None => self.add_bucket(set, family),
        };
        self.last
    }

    fn add_bucket(&mut self, set: &Arc<AttributeSet>, family: Family) -> u32 {
        let number = set.number();
        let next = self.buckets.len() as u32;
        let held = &self.buckets;
        let first = self
            .by_set
            .find(hash(number), |&at| held[at as usize].set.number() == number);
        let rank = match first {
            Some(&at) => held[at as usize].rank,
            None => self.by_set.len() as u32,
        };
        let is_first = first.is_none();
        self.buckets.push(Bucket {
            set: Arc::clone(set),
            family,
            rank,
        });
        let held = &self.buckets;
        if is_first {
            self.by_set.insert_unique(hash(number), next, |&at| {
                hash(held[at as usize].set.number())
            });
        }
        self.by_key
            .insert_unique(hash((number, family)), next, |&at| {
                let bucket = &held[at as usize];
                hash((bucket.set.number(), bucket.family))
            });
        next
    }

    /// Queues a change of `slot` (the route `nlri`) to `grouped.set`, in the bucket of `grouped.group`.
    pub fn push(
        &mut self,
        table: &mut Table,
        slot: SlotId,
        nlri: &Nlri,
        grouped: &Grouped,
        action: Action,
    ) {
        let bucket = self.bucket(&grouped.group, nlri.family);
        let own = Own {
            nlri: self.own_nlri(table, slot, nlri, action),
            set: (!Arc::ptr_eq(&grouped.set, &grouped.group)).then(|| Arc::clone(&grouped.set)),
        };
        let own = (own.nlri.is_some() || own.set.is_some()).then_some(own);
        self.cancel_later(table, slot, bucket);
        if let Some(at) = self.unlink(table, slot, |entry| entry.bucket == bucket) {
            let latest = table.slot(slot).latest;
            self.keep(at, own);
            let entry = &mut self.entries[at as usize];
            entry.action = action;
            entry.older = latest;
            table.slot_mut(slot).latest = at;
            return;
        }
        let at = self.entries.len() as u32;
        self.keep(at, own);
        self.entries.push(PendingChange {
            slot,
            bucket,
            older: table.slot(slot).latest,
            action,
        });
        table.slot_mut(slot).latest = at;
    }

    fn keep(&mut self, at: u32, own: Option<Own>) {
        match own {
            Some(own) => drop(self.own.insert(at, own)),
            None if self.own.is_empty() => {}
            None => drop(self.own.swap_remove(&at)),
        }
    }

    /// Cancels changes of `slot` that are older than one to `bucket` and would leave after it. The reference sends
    /// them, and the peer is left with the older state (see [`crate::speaker::parity`]).
    fn cancel_later(&mut self, table: &Table, slot: SlotId, bucket: u32) {
        let rank = self.buckets[bucket as usize].rank;
        let mut at = table.slot(slot).latest;
        while at != NONE {
            let entry = &mut self.entries[at as usize];
            if self.buckets[entry.bucket as usize].rank > rank {
                entry.action = Action::Nothing;
            }
            at = entry.older;
        }
    }

    /// Cancels the announcements of routes whose last change is a withdraw: where that is left out, the announcements must be too.
    pub fn cancel_withdrawn(&mut self, table: &Table) {
        for at in 0..self.entries.len() {
            let entry = &self.entries[at];
            let is_last = table.slot(entry.slot).latest == at as u32;
            if is_last && entry.action == Action::Withdraw {
                let slot = entry.slot;
                self.cancel_announcements(table, slot);
            }
        }
    }

    /// The NLRI that a change must carry itself. An announcement with another label becomes
    /// the slot's, and what was queued before keeps the old one.
    fn own_nlri(
        &mut self,
        table: &mut Table,
        slot: SlotId,
        nlri: &Nlri,
        action: Action,
    ) -> Option<Nlri> {
        let known = table.nlri(slot);
        if *known == *nlri {
            return None;
        }
        if action == Action::Withdraw {
            return Some(nlri.clone());
        }
        let old = known.into_owned();
        table.set_nlri(slot, nlri);
        let mut at = table.slot(slot).latest;
        while at != NONE {
            let own = self.own.entry(at).or_default();
            own.nlri.get_or_insert_with(|| old.clone());
            at = self.entries[at as usize].older;
        }
        None
    }

    /// Takes the first change of `slot` that `wanted` accepts, latest first, out of the slot's chain.
    fn unlink(
        &mut self,
        table: &mut Table,
        slot: SlotId,
        wanted: impl Fn(&PendingChange) -> bool,
    ) -> Option<u32> {
        let mut newer = NONE;
        let mut at = table.slot(slot).latest;
        while at != NONE {
            let entry = &self.entries[at as usize];
            let older = entry.older;
            if wanted(entry) {
                if newer == NONE {
                    table.slot_mut(slot).latest = older;
                } else {
                    self.entries[newer as usize].older = older;
                }
                return Some(at);
            }
            newer = at;
            at = older;
        }
        None
    }

    /// Cancels the latest change of `slot`.
    pub fn cancel_latest(&mut self, table: &mut Table, slot: SlotId) {
        if let Some(at) = self.unlink(table, slot, |_| true) {
            self.entries[at as usize].action = Action::Nothing;
        }
    }

    /// The place of the latest change of `slot`.
    pub fn latest(&self, table: &Table, slot: SlotId) -> Option<u32> {
        let at = table.slot(slot).latest;
        (at != NONE).then_some(at)
    }

    /// Whether any queued change of `slot` withdraws it.
    pub fn withdraws(&self, table: &Table, slot: SlotId) -> bool {
        let mut at = table.slot(slot).latest;
        while at != NONE {
            let entry = &self.entries[at as usize];
            if entry.action == Action::Withdraw {
                return true;
            }
            at = entry.older;
        }
        false
    }

    /// Cancels every queued announcement of `slot`.
    pub fn cancel_announcements(&mut self, table: &Table, slot: SlotId) {
        let mut at = table.slot(slot).latest;
        while at != NONE {
            let entry = &mut self.entries[at as usize];
            if entry.action == Action::Announce {
                entry.action = Action::Nothing;
            }
            at = entry.older;
        }
    }

    /// The NLRI of the entry at `at`.
    pub fn nlri<'a>(&'a self, table: &'a Table, at: u32) -> Cow<'a, Nlri> {
        let own = self.own.get(&at).and_then(|own| own.nlri.as_ref());
        match own {
            Some(nlri) => Cow::Borrowed(nlri),
            None => table.nlri(self.entries[at as usize].slot),
        }
    }

    /// The attribute set of the entry at `at`.
    pub fn set(&self, at: u32) -> &Arc<AttributeSet> {
        let own = self.own.get(&at).and_then(|own| own.set.as_ref());
        own.unwrap_or_else(|| &self.buckets[self.entries[at as usize].bucket as usize].set)
    }
}
