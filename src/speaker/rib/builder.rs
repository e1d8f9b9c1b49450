//! Fills a batch from what is queued: routes as octets, in the order in which they will leave.

use std::sync::Arc;

use super::batch::{Batch, Item, Step};
use super::pending::{Action, Pending, PendingChange};
use super::set::AttributeSet;
use super::table::{SlotId, Table};
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::message::RefreshSubtype;
use crate::bgp::nlri::Nlri;

/// Whether ExaBGP's `group-updates` packs routes of `family` (see [`crate::speaker::parity`]).
const fn is_groupable(family: Family) -> bool {
    matches!(
        (family.afi, family.safi),
        (Afi::IPV4, Safi::UNICAST | Safi::MCAST_VPN) | (Afi::IPV6, Safi::MCAST_VPN)
    )
}

/// Fills a batch.
#[derive(Debug)]
pub(super) struct Builder {
    batch: Batch,
    grouped: bool,
    include_withdraws: bool,
}

impl Builder {
    pub fn new(grouped: bool, include_withdraws: bool) -> Self {
        Self {
            batch: Batch::default(),
            grouped,
            include_withdraws,
        }
    }

    /// A batch of one route alone.
    pub fn alone(nlri: &Nlri, set: &Arc<AttributeSet>, withdraw: bool) -> Batch {
        let mut builder = Self::new(false, true);
        builder.push(nlri, set, withdraw);
        builder.finish()
    }

    /// Adds refreshed routes, each in an UPDATE of its own, between the marks of `enhanced` families.
    pub fn refresh(
        &mut self,
        table: &Table,
        enhanced: impl Iterator<Item = Family> + Clone,
        routes: Vec<(SlotId, Arc<AttributeSet>)>,
    ) {
        let mark = |subtype| move |family| Step::Mark(family, subtype);
        self.batch
            .steps
            .extend(enhanced.clone().map(mark(RefreshSubtype::BEGIN)));
        self.batch.items.reserve_exact(routes.len());
        for (slot, set) in routes {
            self.push(&table.nlri(slot), &set, false);
        }
        self.batch
            .steps
            .extend(enhanced.map(mark(RefreshSubtype::END)));
    }

    /// Adds a route that has an UPDATE of its own.
    fn push(&mut self, nlri: &Nlri, set: &Arc<AttributeSet>, withdraw: bool) {
        let Some(item) = self.item(nlri, withdraw) else {
            return;
        };
        let at = self.batch.items.len();
        self.batch.items.push(item);
        if let Some(Step::Routes {
            set: last,
            family,
            grouped: false,
            end,
        }) = self.batch.steps.last_mut()
            && *family == nlri.family
            && Arc::ptr_eq(last, set)
        {
            *end += 1;
            return;
        }
        self.batch.steps.push(Step::Routes {
            set: Arc::clone(set),
            family: nlri.family,
            grouped: false,
            end: at as u32 + 1,
        });
    }

    /// Adds the queued changes, bucket by bucket.
    pub fn changes(&mut self, table: &Table, pending: &Pending) {
        let mut order: Vec<u32> = (0..pending.buckets.len() as u32).collect();
        order.sort_by_key(|&bucket| pending.buckets[bucket as usize].rank);
        let sorted = by_bucket(pending);
        self.batch.items.reserve_exact(sorted.entries.len());
        self.batch.steps.reserve_exact(order.len());
        for bucket in order {
            let range = sorted.starts[bucket as usize]..sorted.starts[bucket as usize + 1];
            let bucket = &pending.buckets[bucket as usize];
            let grouped = self.grouped && is_groupable(bucket.family);
            let start = self.batch.items.len();
            for &at in &sorted.entries[range] {
                let withdraw = pending.entries[at as usize].action == Action::Withdraw;
                if withdraw && !self.include_withdraws {
                    continue;
                }
                let nlri = pending.nlri(table, at);
                if grouped {
                    let item = self.item(&nlri, withdraw);
                    self.batch.items.extend(item);
                } else {
                    self.push(&nlri, pending.set(at), withdraw);
                }
            }
            let items = start..self.batch.items.len();
            if grouped && !items.is_empty() {
                sort(&mut self.batch.items[items.clone()], &self.batch.octets);
                self.batch.steps.push(Step::Routes {
                    set: Arc::clone(&bucket.set),
                    family: bucket.family,
                    grouped,
                    end: items.end as u32,
                });
            }
        }
    }

    /// A route that cannot be encoded was refused when it was announced, so there is none here.
    fn item(&mut self, nlri: &Nlri, withdraw: bool) -> Option<Item> {
        let octets = &mut self.batch.octets;
        let start = octets.len();
        let encoded = if withdraw {
            nlri.value.encode_withdraw(octets)
        } else {
            nlri.value.encode(octets)
        };
        if encoded.is_err() {
            octets.truncate(start);
            return None;
        }
        Some(Item {
            start: start as u32,
            length: (octets.len() - start) as u16,
            withdraw,
            has_path: nlri.path_id.is_some(),
            path: nlri.path_id.map_or(0, |id| id.0),
        })
    }

    pub fn finish(self) -> Batch {
        self.batch
    }
}

/// Live entries of the queue, those of one bucket together and in their order.
struct ByBucket {
    entries: Vec<u32>,
    /// Where each bucket starts in `entries`; one more than there are buckets.
    starts: Vec<usize>,
}

fn by_bucket(pending: &Pending) -> ByBucket {
    let live = |entry: &&PendingChange| entry.action != Action::Nothing;
    let mut starts = vec![0; pending.buckets.len() + 1];
    for entry in pending.entries.iter().filter(live) {
        starts[entry.bucket as usize + 1] += 1;
    }
    for bucket in 1..starts.len() {
        starts[bucket] += starts[bucket - 1];
    }
    let mut next = starts.clone();
    let mut entries = vec![0; starts.last().copied().unwrap_or(0)];
    for (at, entry) in pending.entries.iter().enumerate() {
        if live(&entry) {
            entries[next[entry.bucket as usize]] = at as u32;
            next[entry.bucket as usize] += 1;
        }
    }
    ByBucket { entries, starts }
}

/// The path part of ExaBGP's route index where there is no path identifier.
const NO_PATH: &[u8] = b"no-pi";

impl Item {
    /// What orders routes in a grouped UPDATE: withdraws first, then ExaBGP's index (path identifier, length, prefix).
    fn order<'a>(&self, all: &'a [u8]) -> impl Iterator<Item = u8> + 'a {
        let path = self.has_path.then(|| self.path.to_be_bytes());
        let none: &[u8] = if self.has_path { &[] } else { NO_PATH };
        std::iter::once(u8::from(!self.withdraw))
            .chain(path.into_iter().flatten())
            .chain(none.iter().copied())
            .chain(self.octets(all).iter().copied())
    }

    /// The start of [`Item::order`] of a route without path identifier as a number: all of an IPv4 prefix.
    fn key(&self, all: &[u8]) -> u64 {
        let mut key = [0; 8];
        key[0] = u8::from(!self.withdraw);
        let octets = self.octets(all);
        let length = octets.len().min(key.len() - 1);
        key[1..=length].copy_from_slice(&octets[..length]);
        u64::from_be_bytes(key)
    }
}

/// Sorts the routes of a grouped UPDATE.
fn sort(items: &mut [Item], all: &[u8]) {
    if items.len() < 2 {
        return;
    }
    let full = |left: &Item, right: &Item| left.order(all).cmp(right.order(all));
    if items.iter().any(|item| item.has_path) {
        items.sort_unstable_by(full);
        return;
    }
    let mut keyed: Vec<(u64, Item)> = items.iter().map(|item| (item.key(all), *item)).collect();
    keyed
        .sort_unstable_by(|left, right| left.0.cmp(&right.0).then_with(|| full(&left.1, &right.1)));
    for (item, (_, sorted)) in items.iter_mut().zip(keyed) {
        *item = sorted;
    }
}
