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
    /// The next hop.
    pub next_hop: NextHop,
    number: u64,
    octets: u32,
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
    /// The set given out last: announcements come in runs of the same attributes.
    last: Option<Arc<AttributeSet>>,
    sweep_at: usize,
    next_number: u64,
}

const SWEEP_LEAST: usize = 64;

fn hash(attributes: &Attributes, next_hop: &NextHop) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    attributes.hash(&mut hasher);
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
        let hashed = hash(attributes, next_hop);
        let found = self.table.find(hashed, |set| {
            set.next_hop == *next_hop
                && (Arc::ptr_eq(&set.attributes, attributes) || set.attributes == *attributes)
        });
        let set = match found {
            Some(set) => Arc::clone(set),
            None => self.add(hashed, attributes, next_hop)?,
        };
        self.last = Some(Arc::clone(&set));
        Ok(set)
    }

    fn add(
        &mut self,
        hashed: u64,
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
            self.table.retain(|set| Arc::strong_count(set) > 1);
            self.sweep_at = self.table.len() * 2;
        }
        let set = Arc::new(AttributeSet {
            attributes: Arc::clone(attributes),
            next_hop: next_hop.clone(),
            number: self.next_number,
            octets: encoded.len() as u32,
        });
        self.next_number += 1;
        self.table.insert_unique(hashed, Arc::clone(&set), |set| {
            hash(&set.attributes, &set.next_hop)
        });
        Ok(set)
    }
}
