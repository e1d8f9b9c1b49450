//! Adj-RIB-In: what a neighbor announced.

use std::sync::Arc;

use crate::bgp::attribute::{Attributes, MpReach, MpUnreach, NextHop};
use crate::bgp::collections::Map;
use crate::bgp::family::Family;
use crate::bgp::message::Update;
use crate::bgp::nlri::Nlri;
use crate::speaker::route::Route;

/// The routes received in one session, family by family, in the order in which each first came.
#[derive(Debug, Default)]
pub struct AdjRibIn {
    keeps: bool,
    routes: Map<Family, Map<Vec<u8>, Route>>,
}

impl AdjRibIn {
    /// An empty Adj-RIB-In; `keeps` is the neighbor's `adj-rib-in`: without it nothing is kept.
    #[must_use]
    pub fn new(keeps: bool) -> Self {
        Self {
            keeps,
            routes: Map::default(),
        }
    }

    /// Takes over a changed configuration.
    pub fn reconfigure(&mut self, keeps: bool) {
        self.keeps = keeps;
        if !keeps {
            self.clear();
        }
    }

    /// Applies a received UPDATE: withdrawn routes first, then announced ones (RFC 4271 section 3.1).
    pub fn apply(&mut self, update: &Update) {
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
        let attributes = Arc::new(own_attributes(&update.attributes));
        for (nlri, next_hop) in announced {
            self.insert(nlri, next_hop, &attributes);
        }
    }

    fn remove(&mut self, nlri: &Nlri) {
        if let (Some(routes), Ok(index)) = (self.routes.get_mut(&nlri.family), nlri.index()) {
            routes.shift_remove(&index);
        }
    }

    fn insert(&mut self, nlri: &Nlri, next_hop: NextHop, attributes: &Arc<Attributes>) {
        if let Ok(index) = nlri.index() {
            let route = Route {
                nlri: nlri.clone(),
                next_hop,
                attributes: Arc::clone(attributes),
            };
            self.routes
                .entry(nlri.family)
                .or_default()
                .insert(index, route);
        }
    }

    /// `clear adj-rib in`, or a new session: forgets everything.
    pub fn clear(&mut self) {
        self.routes.clear();
    }

    /// The routes.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.values().flat_map(Map::values)
    }

    /// How many routes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.routes.values().map(Map::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The attributes of the routes themselves.
fn own_attributes(attributes: &Attributes) -> Attributes {
    attributes
        .iter()
        .filter(|attribute| {
            !matches!(
                attribute.value.code(),
                NEXT_HOP | MpReach::CODE | MpUnreach::CODE
            )
        })
        .cloned()
        .collect()
}

const NEXT_HOP: u8 = 0x03;
