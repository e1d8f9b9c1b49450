//! Adj-RIB-In: what a neighbor announced.

use std::borrow::Cow;
use std::sync::Arc;

use super::set::{AttributeSet, Sets};
use super::table::{SlotId, Table};
use crate::bgp::attribute::{Attributes, MpReach, MpUnreach, NextHop};
use crate::bgp::error::EncodeError;
use crate::bgp::family::Family;
use crate::bgp::message::Update;
use crate::bgp::nlri::Nlri;
use crate::speaker::session::Negotiated;

/// The routes received in one session, family by family, in the order in which each first came.
#[derive(Debug, Default)]
pub struct AdjRibIn {
    keeps: bool,
    table: Table,
    sets: Sets,
}

impl AdjRibIn {
    /// An empty Adj-RIB-In; `keeps` is the neighbor's `adj-rib-in`: without it nothing is kept.
    #[must_use]
    pub fn new(keeps: bool) -> Self {
        Self {
            keeps,
            ..Self::default()
        }
    }

    /// Takes over a changed configuration.
    pub fn reconfigure(&mut self, keeps: bool) {
        self.keeps = keeps;
        if !keeps {
            self.clear();
        }
    }

    /// Applies an UPDATE received in a session with `negotiated`: withdrawn routes first, then announced ones (RFC 4271
    /// section 3.1). Attributes that such a peer may not send are left out (RFC 7311 section 3.2, RFC 7606 section 7).
    pub fn apply(&mut self, update: &Update, negotiated: &Negotiated) {
        if !self.keeps {
            return;
        }
        for nlri in update.withdrawn() {
            self.remove(nlri);
        }
        let mut announced = update.announced().peekable();
        if announced.peek().is_none() {
            return;
        }
        let attributes = Arc::new(own_attributes(&update.attributes, negotiated));
        for (nlri, next_hop) in announced {
            // What was decoded can be encoded again.
            let _ = self.insert(nlri, &next_hop, &attributes);
        }
    }

    fn remove(&mut self, nlri: &Nlri) {
        if let Ok(Some(slot)) = self.table.find(nlri) {
            self.table.forget(slot);
            self.table.release(slot);
        }
    }

    fn insert(
        &mut self,
        nlri: &Nlri,
        next_hop: &NextHop,
        attributes: &Arc<Attributes>,
    ) -> Result<(), EncodeError> {
        let set = self.sets.intern(attributes, next_hop)?;
        let slot = self.table.find_or_add(nlri)?;
        self.table.set_nlri(slot, nlri);
        self.table.see(slot, set);
        Ok(())
    }

    /// `clear adj-rib in`, or a new session: forgets everything.
    pub fn clear(&mut self) {
        self.table = Table::default();
        self.sets = Sets::default();
    }

    /// The routes: family by family, in order.
    pub fn routes(&self) -> impl Iterator<Item = (Cow<'_, Nlri>, &AttributeSet)> {
        self.table
            .seen_families()
            .flat_map(|family| self.of_family(family))
    }

    /// The routes of `family`, in order.
    pub fn of_family(
        &self,
        family: Family,
    ) -> impl Iterator<Item = (Cow<'_, Nlri>, &AttributeSet)> {
        self.table.seen(family).filter_map(|id: SlotId| {
            let set = self.table.slot(id).seen.as_deref()?;
            Some((self.table.nlri(id), set))
        })
    }

    /// How many routes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.seen_count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The attributes of the routes themselves.
fn own_attributes(attributes: &Attributes, negotiated: &Negotiated) -> Attributes {
    attributes
        .iter()
        .filter(|attribute| match attribute.value.code() {
            NEXT_HOP | MpReach::CODE | MpUnreach::CODE => false,
            LOCAL_PREF | ORIGINATOR_ID | CLUSTER_LIST => negotiated.is_ibgp(),
            AIGP => negotiated.is_ibgp() || negotiated.aigp,
            _ => true,
        })
        .cloned()
        .collect()
}

const NEXT_HOP: u8 = 0x03;
const LOCAL_PREF: u8 = 0x05;
const ORIGINATOR_ID: u8 = 0x09;
const CLUSTER_LIST: u8 = 0x0a;
const AIGP: u8 = 0x1a;
