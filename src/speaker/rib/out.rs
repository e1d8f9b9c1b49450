//! Adj-RIB-Out: what was announced to a neighbor and what is still to be sent, with the reference's operations.
//!
//! What is announced is remembered when it is queued, not when it is sent. A session that is lost drops what is
//! queued and keeps what is remembered, which the next session sends again.

use std::borrow::Cow;
use std::sync::Arc;

use super::batch::Batch;
use super::builder::Builder;
use super::order::FamilySet;
use super::pack;
use super::pending::{Action, Pending};
use super::refuse::Refused;
use super::set::{AttributeSet, Grouped, Sets};
use super::table::{SlotId, Table};
use super::watchdog::Watchdogs;
use crate::bgp::collections::Map;
use crate::bgp::family::{Families, Family};
use crate::bgp::nlri::{Nlri, NlriValue};
use crate::speaker::route::Route;
use crate::speaker::session::Negotiated;

/// The Adj-RIB-Out of one neighbor. It outlives sessions.
#[derive(Debug)]
pub struct AdjRibOut {
    families: Families,
    /// Announced routes are remembered (`adj-rib-out`).
    remembers: bool,
    /// What routes are held against: the session that is up, else what one may come to.
    session: Arc<Negotiated>,
    table: Table,
    sets: Sets,
    pending: Pending,
    refresh: Refresh,
    pub(super) watchdogs: Watchdogs,
}

/// What is to be sent again.
#[derive(Debug, Default)]
struct Refresh {
    /// Families that stand between BoRR and EoRR.
    enhanced: FamilySet,
    /// The routes, with what they were announced with when the refresh was asked for.
    routes: Vec<(SlotId, Arc<AttributeSet>)>,
    /// A route may be in `routes` more than once.
    repeats: bool,
}

impl Refresh {
    /// The routes, each once: where it stood first, with what it was announced with last.
    fn distinct(self) -> Vec<(SlotId, Arc<AttributeSet>)> {
        if !self.repeats {
            return self.routes;
        }
        let mut distinct = Map::default();
        for (slot, set) in self.routes {
            distinct.insert(slot, set);
        }
        distinct.into_iter().collect()
    }
}

impl AdjRibOut {
    /// An empty Adj-RIB-Out for `families`. `remembers` is the neighbor's `adj-rib-out`; routes that `session` could not
    /// carry are refused.
    #[must_use]
    pub fn new(families: Families, remembers: bool, session: Arc<Negotiated>) -> Self {
        Self {
            families,
            remembers,
            session,
            table: Table::default(),
            sets: Sets::default(),
            pending: Pending::default(),
            refresh: Refresh::default(),
            watchdogs: Watchdogs::default(),
        }
    }

    /// Takes over a changed configuration: routes of families that are gone are forgotten.
    pub fn reconfigure(&mut self, families: Families, remembers: bool, session: Arc<Negotiated>) {
        self.families = families;
        self.remembers = remembers;
        self.session = session;
        let gone: Vec<Family> = self
            .table
            .seen_families()
            .filter(|family| !self.families.contains(*family))
            .collect();
        for family in gone {
            self.forget(family);
        }
        if !remembers {
            self.reset();
            let all: Vec<Family> = self.table.seen_families().collect();
            all.into_iter().for_each(|family| self.forget(family));
        }
    }

    /// From now on, routes that `session` could not carry are refused.
    pub fn hold_against(&mut self, session: Arc<Negotiated>) {
        self.session = session;
    }

    fn forget(&mut self, family: Family) {
        let slots: Vec<SlotId> = self.table.seen(family).collect();
        self.refresh
            .routes
            .retain(|(slot, _)| self.table.nlri(*slot).family != family);
        for slot in slots {
            self.table.forget(slot);
            self.table.release(slot);
        }
    }

    /// Queues an announcement. Nothing happens where the same was announced last; says whether something did.
    ///
    /// # Errors
    /// A route that cannot be sent; nothing is changed then.
    pub fn announce(&mut self, route: &Route) -> Result<bool, Refused> {
        self.announce_if(route, false)
    }

    pub(super) fn announce_if(&mut self, route: &Route, force: bool) -> Result<bool, Refused> {
        let set = self.sets.intern(&route.attributes, &route.next_hop)?;
        pack::check(&route.nlri, &set, &self.session)?;
        let grouped = self.sets.grouped(set, route.nlri.family)?;
        let slot = self.table.find_or_add(&route.nlri)?;
        if !force
            && self
                .table
                .slot(slot)
                .seen
                .as_ref()
                .is_some_and(|seen| Arc::ptr_eq(seen, &grouped.set))
        {
            return Ok(false);
        }
        self.queue_announce(slot, &route.nlri, grouped);
        Ok(true)
    }

    pub(super) fn queue_announce(&mut self, slot: SlotId, nlri: &Nlri, grouped: Grouped) {
        self.pending
            .push(&mut self.table, slot, nlri, &grouped, Action::Announce);
        if self.remembers {
            self.table.see(slot, grouped.set);
        }
    }

    /// The API's `withdraw`: queues a withdraw, even of a route that was never announced. It takes the place of an announcement
    /// that was not sent yet only where the attributes are the same; the first batch of a session leaves it out.
    ///
    /// # Errors
    /// A route that cannot be sent; nothing is changed then.
    pub fn withdraw(&mut self, route: &Route) -> Result<(), Refused> {
        let (slot, grouped) = self.withdrawable(route)?;
        self.queue_withdraw(slot, &route.nlri, &grouped);
        Ok(())
    }

    /// Withdraws a route and cancels its latest announcement if that was not sent yet.
    pub(super) fn retract(&mut self, route: &Route) -> Result<(), Refused> {
        let (slot, grouped) = self.withdrawable(route)?;
        self.pending.cancel_latest(&mut self.table, slot);
        self.queue_withdraw(slot, &route.nlri, &grouped);
        Ok(())
    }

    fn withdrawable(&mut self, route: &Route) -> Result<(SlotId, Grouped), Refused> {
        let set = self.sets.intern(&route.attributes, &route.next_hop)?;
        let grouped = self.sets.grouped(set, route.nlri.family)?;
        if !is_prefix(&route.nlri) {
            let mut octets = Vec::new();
            route.nlri.encode_withdraw(true, &mut octets)?;
            pack::fits(&route.nlri, octets.len(), &grouped.set, true, &self.session)?;
        }
        Ok((self.table.find_or_add(&route.nlri)?, grouped))
    }

    fn queue_withdraw(&mut self, slot: SlotId, nlri: &Nlri, grouped: &Grouped) {
        self.pending
            .push(&mut self.table, slot, nlri, grouped, Action::Withdraw);
        self.table.forget(slot);
    }

    /// `flush adj-rib out`, or a peer's ROUTE-REFRESH: sends again everything announced, of `family` alone if one is
    /// given; between BoRR and EoRR where `enhanced` (RFC 7313).
    pub fn flush(&mut self, family: Option<Family>, enhanced: bool) {
        let families = self.in_order(|known| family.is_none_or(|wanted| wanted == known));
        self.refresh.repeats = !self.refresh.routes.is_empty();
        for family in families.iter() {
            if enhanced {
                self.refresh.enhanced.insert(family);
            }
            for slot in self.table.seen(family) {
                if let Some(set) = &self.table.slot(slot).seen {
                    self.refresh.routes.push((slot, Arc::clone(set)));
                }
            }
        }
    }

    /// `clear adj-rib out`: withdraws everything announced of `families` (all of them if none are given).
    pub fn clear(&mut self, families: Option<&Families>) {
        let wanted = self.in_order(|known| families.is_none_or(|some| some.contains(known)));
        for slot in self.seen_slots(&wanted) {
            self.withdraw_seen(slot);
        }
    }

    fn withdraw_seen(&mut self, slot: SlotId) {
        if let Some((nlri, grouped)) = self.seen(slot) {
            self.pending.cancel_latest(&mut self.table, slot);
            self.queue_withdraw(slot, &nlri, &grouped);
        }
    }

    /// What was announced last. Its set was encoded then, so grouping it cannot fail now.
    pub(super) fn seen(&mut self, slot: SlotId) -> Option<(Nlri, Grouped)> {
        let set = self.table.slot(slot).seen.clone()?;
        let nlri = self.table.nlri(slot).into_owned();
        let grouped = self.sets.grouped(set, nlri.family).ok()?;
        Some((nlri, grouped))
    }

    pub(super) fn in_order(&self, wanted: impl Fn(Family) -> bool) -> FamilySet {
        self.families
            .iter()
            .filter(|family| wanted(*family))
            .collect()
    }

    pub(super) fn seen_slots(&self, families: &FamilySet) -> Vec<SlotId> {
        families
            .iter()
            .flat_map(|family| self.table.seen(family))
            .collect()
    }

    /// The session is lost: drops what is queued, keeps what was announced.
    pub fn reset(&mut self) {
        self.refresh = Refresh::default();
        self.release_pending();
    }

    fn release_pending(&mut self) {
        for entry in &self.pending.entries {
            self.table.slot_mut(entry.slot).latest = super::table::NONE;
        }
        for entry in &self.pending.entries {
            self.table.release(entry.slot);
        }
        self.pending.clear();
    }

    /// Whether something is queued.
    #[must_use]
    pub const fn pending(&self) -> bool {
        !self.pending.is_empty() || !self.refresh.routes.is_empty()
    }

    /// Takes everything queued so far, refreshes included: what is queued from now on goes into the next batch.
    ///
    /// `grouped` is the neighbor's `group-updates`. `include_withdraws` is false for the first batch of a session: the
    /// peer has nothing to withdraw.
    pub fn take(&mut self, grouped: bool, include_withdraws: bool) -> Batch {
        let mut refresh = std::mem::take(&mut self.refresh);
        let enhanced = std::mem::take(&mut refresh.enhanced);
        if !include_withdraws {
            self.pending.cancel_withdrawn(&self.table);
        }
        let refreshed = self.fold_refresh(refresh.distinct());
        let mut builder = Builder::new(grouped, include_withdraws);
        builder.refresh(&self.table, enhanced.iter(), refreshed);
        builder.changes(&self.table, &self.pending);
        self.release_pending();
        builder.finish()
    }

    /// A refreshed route that is also queued is sent once: with its latest attributes among the refreshed, but a
    /// route with a withdraw queued is left to the queue.
    fn fold_refresh(
        &mut self,
        mut routes: Vec<(SlotId, Arc<AttributeSet>)>,
    ) -> Vec<(SlotId, Arc<AttributeSet>)> {
        routes.retain_mut(|(slot, set)| {
            let slot = *slot;
            let Some(latest) = self.pending.latest(&self.table, slot) else {
                return true;
            };
            let latest_announces = self.pending.entries[latest as usize].action == Action::Announce;
            let latest_set = Arc::clone(self.pending.set(latest));
            if self.pending.withdraws(&self.table, slot) {
                if !latest_announces {
                    self.pending.cancel_announcements(&self.table, slot);
                }
                return false;
            }
            *set = latest_set;
            self.pending.cancel_announcements(&self.table, slot);
            true
        });
        routes
    }

    /// Everything announced, family by family, in order.
    pub fn announced(&self) -> impl Iterator<Item = (Cow<'_, Nlri>, &AttributeSet)> {
        self.families
            .iter()
            .flat_map(|family| self.table.seen(family))
            .filter_map(|slot| {
                let set = self.table.slot(slot).seen.as_deref()?;
                Some((self.table.nlri(slot), set))
            })
    }

    /// Everything queued, in the order in which it was queued: the route, its attributes, and whether it is announced.
    pub fn queued(&self) -> impl Iterator<Item = (Cow<'_, Nlri>, &AttributeSet, bool)> {
        self.pending
            .entries
            .iter()
            .zip(0..)
            .filter(|(entry, _)| entry.action != Action::Nothing)
            .map(|(entry, at)| {
                let set = &**self.pending.set(at);
                let nlri = self.pending.nlri(&self.table, at);
                (nlri, set, entry.action == Action::Announce)
            })
    }

    /// How many routes are announced.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.seen_count()
    }

    /// Whether no route is announced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether an NLRI is a plain prefix, which always fits.
pub(super) const fn is_prefix(nlri: &Nlri) -> bool {
    matches!(nlri.value, NlriValue::Inet(_))
}
