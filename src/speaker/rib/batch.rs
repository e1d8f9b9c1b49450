//! A batch: everything that was queued when it was taken, as octets, and the UPDATEs that it becomes.

use std::ops::Range;
use std::sync::Arc;

use super::pack;
use super::pending::{Action, Pending};
use super::refuse::Refused;
use super::set::AttributeSet;
use super::table::{SlotId, Table};
use crate::bgp::attribute::{Flags, MpReach, MpUnreach};
use crate::bgp::error::EncodeError;
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::message::{Message, RefreshSubtype, RouteRefresh};
use crate::bgp::nlri::Nlri;
use crate::bgp::wire::Writer;
use crate::speaker::session::Negotiated;

/// Everything queued at one moment. It is independent of the Adj-RIB-Out that it was taken from.
#[derive(Debug, Default)]
pub struct Batch {
    steps: Vec<Step>,
    items: Vec<Item>,
    octets: Vec<u8>,
    include_withdraws: bool,
    at: usize,
    next_item: usize,
    /// The path attributes of the step, once they were needed.
    attributes: Option<Writer>,
}

#[derive(Debug)]
enum Step {
    /// BoRR or EoRR (RFC 7313).
    Mark(Family, RefreshSubtype),
    Routes {
        set: Arc<AttributeSet>,
        family: Family,
        /// One UPDATE carries as many routes as fit.
        grouped: bool,
        items: Range<usize>,
    },
}

/// One route: where its octets are, without path identifier.
#[derive(Debug, Clone, Copy)]
struct Item {
    start: u32,
    length: u16,
    withdraw: bool,
    has_path: bool,
    /// The path identifier, 0 where the route has none.
    path: u32,
}

/// A message that a batch gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// An UPDATE with this many routes.
    Update {
        /// Routes announced or withdrawn.
        routes: usize,
    },
    /// BoRR or EoRR.
    RouteRefresh,
}

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
}

impl Builder {
    pub fn new(grouped: bool, include_withdraws: bool) -> Self {
        Self {
            batch: Batch {
                include_withdraws,
                ..Batch::default()
            },
            grouped,
        }
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
            let nlri = &table.slot(slot).nlri;
            self.push(nlri, &set, false);
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
            items,
        }) = self.batch.steps.last_mut()
            && *family == nlri.family
            && Arc::ptr_eq(last, set)
        {
            items.end = at + 1;
            return;
        }
        self.batch.steps.push(Step::Routes {
            set: Arc::clone(set),
            family: nlri.family,
            grouped: false,
            items: at..at + 1,
        });
    }

    /// Adds the queued changes, bucket by bucket.
    pub fn changes(&mut self, table: &Table, pending: &Pending) {
        let mut order: Vec<u32> = (0..pending.buckets.len() as u32).collect();
        order.sort_by_key(|&bucket| pending.buckets[bucket as usize].rank);
        let sorted = by_bucket(pending);
        self.batch.items.reserve_exact(sorted.entries.len());
        for bucket in order {
            let range = sorted.starts[bucket as usize]..sorted.starts[bucket as usize + 1];
            let bucket = &pending.buckets[bucket as usize];
            let grouped = self.grouped && is_groupable(bucket.family);
            let start = self.batch.items.len();
            for &entry in &sorted.entries[range] {
                let entry = &pending.entries[entry as usize];
                let withdraw = entry.action == Action::Withdraw;
                if withdraw && !self.batch.include_withdraws {
                    continue;
                }
                let nlri = pending.nlri(table, entry);
                if grouped {
                    let item = self.item(nlri, withdraw);
                    self.batch.items.extend(item);
                } else {
                    self.push(nlri, pending.set(entry), withdraw);
                }
            }
            let items = start..self.batch.items.len();
            if grouped && !items.is_empty() {
                sort(&mut self.batch.items[items.clone()], &self.batch.octets);
                self.batch.steps.push(Step::Routes {
                    set: Arc::clone(&bucket.set),
                    family: bucket.family,
                    grouped,
                    items,
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
    let live = |entry: &&super::pending::Entry| entry.action != Action::Nothing;
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
    fn octets<'a>(&self, all: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        &all[start..start + usize::from(self.length)]
    }

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

impl Batch {
    /// Whether everything was given out.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        match self.steps.get(self.at) {
            None => true,
            Some(Step::Routes { items, .. }) => {
                self.at + 1 == self.steps.len() && self.next_item >= items.end
            }
            Some(Step::Mark(..)) => false,
        }
    }

    /// Appends the next whole message, if there is one. Routes of families that were not negotiated are passed over.
    ///
    /// # Errors
    /// A route that does not fit a message of this session; it is passed over.
    pub fn next(
        &mut self,
        negotiated: &Negotiated,
        out: &mut Writer,
    ) -> Option<Result<Sent, Refused>> {
        loop {
            match self.steps.get(self.at)? {
                Step::Mark(family, subtype) => {
                    let message = Message::RouteRefresh(RouteRefresh::new(*family, *subtype));
                    self.advance();
                    let encoded = message.encode(&negotiated.send, out);
                    return Some(encoded.map(|()| Sent::RouteRefresh).map_err(Refused::from));
                }
                Step::Routes { family, items, .. } => {
                    self.next_item = self.next_item.max(items.start);
                    let over = self.next_item >= items.end;
                    if over || !negotiated.families.contains(*family) {
                        self.advance();
                        continue;
                    }
                }
            }
            return Some(self.update(negotiated, out));
        }
    }

    fn advance(&mut self) {
        self.at += 1;
        self.attributes = None;
    }

    /// Appends the next UPDATE of the current step.
    fn update(&mut self, negotiated: &Negotiated, out: &mut Writer) -> Result<Sent, Refused> {
        let Some(Step::Routes {
            set,
            family,
            grouped,
            items,
        }) = self.steps.get(self.at)
        else {
            return Ok(Sent::Update { routes: 0 });
        };
        let family = *family;
        let first = self.next_item;
        let withdraw = self.items[first].withdraw;
        let classic = pack::is_classic(family, &set.next_hop, withdraw);
        let needs_attributes = !withdraw || (!classic && pack::withdraw_carries_attributes(family));
        if needs_attributes && self.attributes.is_none() {
            let mut encoded = Writer::new();
            if let Err(error) = pack::attributes(set, family, negotiated, &mut encoded) {
                self.advance();
                return Err(error.into());
            }
            self.attributes = Some(encoded);
        }
        let attributes = match &self.attributes {
            Some(attributes) if needs_attributes => attributes.as_slice(),
            _ => &[],
        };
        let mut head = Writer::new();
        if !classic {
            multiprotocol_head(family, set, withdraw, negotiated, &mut head)?;
        }
        let add_path = negotiated.send.add_path.contains(family);
        let frame = pack::EMPTY_UPDATE + attributes.len();
        let octets_for = |routes: usize| {
            if classic {
                frame + routes
            } else {
                frame + pack::attribute_octets(head.len() + routes)
            }
        };
        let limit = negotiated.message_size();
        let mut routes = 0;
        let mut last = first;
        for item in &self.items[first..items.end] {
            let length = usize::from(item.length) + if add_path { 4 } else { 0 };
            let ends = item.withdraw != withdraw || (last > first && !grouped);
            if ends || octets_for(routes + length) > limit {
                break;
            }
            routes += length;
            last += 1;
        }
        if last == first {
            self.next_item += 1;
            let length = usize::from(self.items[first].length);
            let needed = octets_for(length);
            return Err(Refused::TooLong { needed, limit });
        }
        out.reserve(octets_for(routes));
        pack::update_header(octets_for(routes), out);
        let field = |length: usize| (length as u16).to_be_bytes();
        match (classic, withdraw) {
            (true, true) => {
                out.extend_from_slice(&field(routes));
                self.routes(first..last, add_path, out);
                out.extend_from_slice(&[0, 0]);
            }
            (true, false) => {
                out.extend_from_slice(&[0, 0]);
                out.extend_from_slice(&field(attributes.len()));
                out.extend_from_slice(attributes);
                self.routes(first..last, add_path, out);
            }
            (false, _) => {
                let length = head.len() + routes;
                let code = if withdraw {
                    MpUnreach::CODE
                } else {
                    MpReach::CODE
                };
                out.extend_from_slice(&[0, 0]);
                out.extend_from_slice(&field(attributes.len() + pack::attribute_octets(length)));
                out.extend_from_slice(attributes);
                pack::attribute_header(Flags::OPTIONAL, code, length, out);
                out.extend_from_slice(&head);
                self.routes(first..last, add_path, out);
            }
        }
        self.next_item = last;
        Ok(Sent::Update {
            routes: last - first,
        })
    }

    fn routes(&self, items: Range<usize>, add_path: bool, out: &mut Writer) {
        for item in &self.items[items] {
            if add_path {
                out.extend_from_slice(&item.path.to_be_bytes());
            }
            out.extend_from_slice(item.octets(&self.octets));
        }
    }
}

/// AFI, SAFI, and for an announcement the next hop: what stands before the routes in MP_REACH_NLRI or MP_UNREACH_NLRI.
fn multiprotocol_head(
    family: Family,
    set: &AttributeSet,
    withdraw: bool,
    negotiated: &Negotiated,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    out.extend_from_slice(&family.afi.0.to_be_bytes());
    out.push(family.safi.0);
    if withdraw {
        return Ok(());
    }
    crate::bgp::wire::length_prefixed(
        out,
        "Length of Next Hop",
        crate::bgp::wire::Prefix::U8,
        |out| {
            pack::next_hop(set, family, negotiated).encode(family, out);
            Ok(())
        },
    )?;
    out.push(0);
    Ok(())
}
