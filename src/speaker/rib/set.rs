//! Attribute sets: each distinct pair of attributes and next hop is held once, however many routes have it.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use hashbrown::HashTable;

use super::pack;
use crate::bgp::attribute::{Attributes, NextHop, WireContext};
use crate::bgp::collections::FixedState;
use crate::bgp::error::EncodeError;
use crate::bgp::family::Family;

/// What routes share: attributes and next hop.
#[derive(Debug, PartialEq, Eq)]
pub struct AttributeSet {
    /// The attributes, without NEXT_HOP.
    pub attributes: Arc<Attributes>,
    /// Next hop, with a link-local address if there is one.
    pub next_hop: NextHop,
    number: u64,
    octets: u32,
    hash: u32,
}

impl AttributeSet {
    /// The number of the set, in the order in which sets were first used.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Octets of the attributes with four-octet AS numbers and without what a session adds.
    pub(super) const fn octets(&self) -> usize {
        self.octets as usize
    }
}

/// The set of a change, and that under which it waits: without the next hop where that is no attribute.
#[derive(Debug, Clone)]
pub(super) struct Grouped {
    pub set: Arc<AttributeSet>,
    pub group: Arc<AttributeSet>,
}

/// The sets in use.
#[derive(Debug, Default)]
pub(super) struct Sets {
    table: HashTable<Arc<AttributeSet>>,
    /// The same sets, found by where their attributes are in memory: routes that were read by one reader share these.
    by_place: HashTable<Arc<AttributeSet>>,
    /// The set given out last: announcements come in runs of the same attributes.
    last: Option<Arc<AttributeSet>>,
    sweep_at: usize,
    next_number: u64,
}

const SWEEP_LEAST: usize = 64;

fn hash(attributes: &Attributes, next_hop: &NextHop) -> u32 {
    let mut hasher = FixedState::default().build_hasher();
    attributes.hash(&mut hasher);
    next_hop.hash(&mut hasher);
    hasher.finish() as u32
}

const fn widen(hash: u32) -> u64 {
    (hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Nothing is ever listed in the order of this hash, so that no run depends on addresses.
fn hash_place(attributes: &Arc<Attributes>, next_hop: &NextHop) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    std::ptr::hash(Arc::as_ptr(attributes), &mut hasher);
    next_hop.hash(&mut hasher);
    hasher.finish()
}

impl Sets {
    /// The set under which changes to `set` of `family` wait.
    ///
    /// # Errors
    /// As for [`Sets::intern`].
    pub fn grouped(
        &mut self,
        set: Arc<AttributeSet>,
        family: Family,
    ) -> Result<Grouped, EncodeError> {
        let group = if pack::omits_next_hop(family) && set.next_hop != NextHop::None {
            self.intern(&set.attributes, &NextHop::None)?
        } else {
            Arc::clone(&set)
        };
        Ok(Grouped { set, group })
    }

    /// The set of `attributes` and `next_hop`.
    ///
    /// # Errors
    /// Where an attribute cannot be encoded.
    pub fn intern(
        &mut self,
        attributes: &Arc<Attributes>,
        next_hop: &NextHop,
    ) -> Result<Arc<AttributeSet>, EncodeError> {
        if let Some(last) = &self.last
            && Arc::ptr_eq(&last.attributes, attributes)
            && last.next_hop == *next_hop
        {
            return Ok(Arc::clone(last));
        }
        let place = hash_place(attributes, next_hop);
        let found = self.by_place.find(place, |set| {
            Arc::ptr_eq(&set.attributes, attributes) && set.next_hop == *next_hop
        });
        let set = match found {
            Some(set) => Arc::clone(set),
            None => self.equal(attributes, next_hop)?,
        };
        self.last = Some(Arc::clone(&set));
        Ok(set)
    }

    /// The set that equals those, made if need be.
    fn equal(
        &mut self,
        attributes: &Arc<Attributes>,
        next_hop: &NextHop,
    ) -> Result<Arc<AttributeSet>, EncodeError> {
        let hashed = hash(attributes, next_hop);
        let found = self.table.find(widen(hashed), |set| {
            set.hash == hashed && set.next_hop == *next_hop && set.attributes == *attributes
        });
        match found {
            Some(set) => Ok(Arc::clone(set)),
            None => self.add(hashed, attributes, next_hop),
        }
    }

    fn add(
        &mut self,
        hashed: u32,
        attributes: &Arc<Attributes>,
        next_hop: &NextHop,
    ) -> Result<Arc<AttributeSet>, EncodeError> {
        let context = WireContext {
            four_octet_as: true,
            ..WireContext::default()
        };
        let mut encoded = Vec::new();
        attributes.encode(&context, &mut encoded)?;
        if self.table.len() >= self.sweep_at.max(SWEEP_LEAST) {
            // Both tables hold each.
            self.by_place.retain(|set| Arc::strong_count(set) > 2);
            self.table.retain(|set| Arc::strong_count(set) > 1);
            self.sweep_at = self.table.len() * 2;
        }
        let set = Arc::new(AttributeSet {
            attributes: Arc::clone(attributes),
            next_hop: next_hop.clone(),
            number: self.next_number,
            octets: encoded.len() as u32,
            hash: hashed,
        });
        self.next_number += 1;
        self.table
            .insert_unique(widen(hashed), Arc::clone(&set), |set| widen(set.hash));
        self.by_place
            .insert_unique(hash_place(attributes, next_hop), Arc::clone(&set), |set| {
                hash_place(&set.attributes, &set.next_hop)
            });
        Ok(set)
    }
}
