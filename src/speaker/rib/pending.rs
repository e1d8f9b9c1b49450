//! What is queued for sending: changes, in buckets of one attribute set and family, as the reference keeps them.
//!
//! A bucket's place is that of the first change to its attribute set; a change that replaces another of
//! the same route in the same bucket takes its place; a change in another bucket leaves the earlier one where it is.

use std::sync::Arc;

use super::set::{AttributeSet, Grouped};
use super::table::{NONE, SlotId, Table};
use crate::bgp::collections::Map;
use crate::bgp::family::Family;
use crate::bgp::nlri::Nlri;

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
pub(super) struct Entry {
    own: Option<Box<Own>>,
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
    pub entries: Vec<Entry>,
    pub buckets: Vec<Bucket>,
    by_key: Map<(u64, Family), u32>,
    ranks: Map<u64, u32>,
    last: u32,
}

impl Pending {
    /// Whether nothing was queued; a cancelled change counts as queued, as in the reference.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn bucket(&mut self, set: &Arc<AttributeSet>, family: Family) -> u32 {
        if let Some(bucket) = self.buckets.get(self.last as usize)
            && Arc::ptr_eq(&bucket.set, set)
            && bucket.family == family
        {
            return self.last;
        }
        let rank = self.ranks.len() as u32;
        let rank = *self.ranks.entry(set.number()).or_insert(rank);
        let next = self.buckets.len() as u32;
        let bucket = *self.by_key.entry((set.number(), family)).or_insert(next);
        if bucket == next {
            self.buckets.push(Bucket {
                set: Arc::clone(set),
                family,
                rank,
            });
        }
        self.last = bucket;
        bucket
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
        let own = (own.nlri.is_some() || own.set.is_some()).then(|| Box::new(own));
        self.cancel_later(table, slot, bucket);
        if let Some(at) = self.unlink(table, slot, |entry| entry.bucket == bucket) {
            let latest = table.slot(slot).latest;
            let entry = &mut self.entries[at as usize];
            entry.own = own;
            entry.action = action;
            entry.older = latest;
            table.slot_mut(slot).latest = at;
            return;
        }
        let at = self.entries.len() as u32;
        self.entries.push(Entry {
            own,
            slot,
            bucket,
            older: table.slot(slot).latest,
            action,
        });
        table.slot_mut(slot).latest = at;
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
        if table.slot(slot).nlri == *nlri {
            return None;
        }
        if action == Action::Withdraw {
            return Some(nlri.clone());
        }
        let old = std::mem::replace(&mut table.slot_mut(slot).nlri, nlri.clone());
        let mut at = table.slot(slot).latest;
        while at != NONE {
            let entry = &mut self.entries[at as usize];
            let own = entry.own.get_or_insert_default();
            own.nlri.get_or_insert_with(|| old.clone());
            at = entry.older;
        }
        None
    }

    /// Takes the first change of `slot` that `wanted` accepts, latest first, out of the slot's chain.
    fn unlink(
        &mut self,
        table: &mut Table,
        slot: SlotId,
        wanted: impl Fn(&Entry) -> bool,
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

    /// The latest change of `slot`.
    pub fn latest(&self, table: &Table, slot: SlotId) -> Option<&Entry> {
        self.entries.get(table.slot(slot).latest as usize)
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

    /// The NLRI of `entry`.
    pub fn nlri<'a>(&self, table: &'a Table, entry: &'a Entry) -> &'a Nlri {
        let own = entry.own.as_ref().and_then(|own| own.nlri.as_ref());
        own.unwrap_or_else(|| &table.slot(entry.slot).nlri)
    }

    /// The attribute set of `entry`.
    pub fn set<'a>(&'a self, entry: &'a Entry) -> &'a Arc<AttributeSet> {
        let own = entry.own.as_ref().and_then(|own| own.set.as_ref());
        own.unwrap_or_else(|| &self.buckets[entry.bucket as usize].set)
    }
}
