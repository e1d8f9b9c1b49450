//! A batch: everything that was queued when it was taken, as octets, and the UPDATEs that it becomes.

use std::ops::Range;
use std::sync::Arc;

use super::pack;
use super::refuse::Refused;
use super::set::AttributeSet;
use crate::bgp::attribute::{Flags, MpReach, MpUnreach};
use crate::bgp::error::EncodeError;
use crate::bgp::family::Family;
use crate::bgp::message::{Message, RefreshSubtype, RouteRefresh};
use crate::bgp::wire::Writer;
use crate::speaker::session::Negotiated;

/// Everything queued at one moment. It is independent of the Adj-RIB-Out that it was taken from.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) steps: Vec<Step>,
    pub(super) items: Vec<Item>,
    pub(super) octets: Vec<u8>,
    at: usize,
    next_item: usize,
    /// The path attributes of the step, once they were needed.
    attributes: Writer,
    has_attributes: bool,
}

/// What a batch holds next.
#[derive(Debug)]
pub(super) enum Step {
    /// BoRR or EoRR (RFC 7313).
    Mark(Family, RefreshSubtype),
    Routes {
        set: Arc<AttributeSet>,
        family: Family,
        /// One UPDATE carries as many routes as fit.
        grouped: bool,
        /// Where its routes end among the items; they begin where those of the step before end.
        end: u32,
    },
}

/// One route: where its octets are, without path identifier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub start: u32,
    pub length: u16,
    pub withdraw: bool,
    pub has_path: bool,
    /// The path identifier, 0 where the route has none.
    pub path: u32,
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

impl Item {
    pub(super) fn octets<'a>(&self, all: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        &all[start..start + usize::from(self.length)]
    }
}

impl Batch {
    /// Whether everything was given out.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        match self.steps.get(self.at) {
            None => true,
            Some(Step::Routes { end, .. }) => {
                self.at + 1 == self.steps.len() && self.next_item >= *end as usize
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
                Step::Routes { family, end, .. } => {
                    let end = *end as usize;
                    if self.next_item >= end || !negotiated.families.contains(*family) {
                        self.next_item = end;
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
        self.has_attributes = false;
    }

    /// Appends the next UPDATE of the current step.
    fn update(&mut self, negotiated: &Negotiated, out: &mut Writer) -> Result<Sent, Refused> {
        let Some(Step::Routes {
            set,
            family,
            grouped,
            end,
        }) = self.steps.get(self.at)
        else {
            return Ok(Sent::Update { routes: 0 });
        };
        let end = *end as usize;
        let family = *family;
        let first = self.next_item;
        let withdraw = self.items[first].withdraw;
        let classic = pack::is_classic(family, &set.next_hop, withdraw);
        let needs_attributes = !withdraw || (!classic && pack::withdraw_carries_attributes(family));
        if needs_attributes && !self.has_attributes {
            self.attributes.clear();
            if let Err(error) = pack::attributes(set, family, negotiated, &mut self.attributes) {
                self.next_item = end;
                self.advance();
                return Err(error.into());
            }
            self.has_attributes = true;
        }
        let attributes: &[u8] = if needs_attributes {
            &self.attributes
        } else {
            &[]
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
        for item in &self.items[first..end] {
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
    family.encode(out);
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
