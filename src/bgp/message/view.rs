//! An UPDATE read where it lies: nothing is copied or allocated, and every value is held to its form as it is reached.
//!
//! [`super::Update`] owns what it says; this is for whoever looks at each value once: counting, filtering, validating.

mod as_path;

use std::net::Ipv4Addr;

pub use as_path::{SegmentView, Segments};

use super::error::{MessageError, UpdateErrorKind};
use super::header::Header;
use crate::bgp::attribute::origin::Origin;
use crate::bgp::attribute::{Codes, Flags, MpReach, MpUnreach, NextHop, WireContext, rules};
use crate::bgp::error::{DecodeError, DecodeErrorKind, ErrorAction};
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, MessageType, Safi};
use crate::bgp::nlri::PathId;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::wire::Reader;

/// A whole UPDATE whose lengths are right.
#[derive(Debug, Clone, Copy)]
pub struct UpdateView<'a> {
    context: &'a WireContext,
    withdrawn: Reader<'a>,
    attributes: Reader<'a>,
    nlri: Reader<'a>,
}

impl<'a> UpdateView<'a> {
    /// Looks at one whole message, its header included.
    ///
    /// # Errors
    /// A header that is wrong, another type than UPDATE, or lengths that contradict each other.
    #[inline]
    pub fn new(context: &'a WireContext, bytes: &'a [u8]) -> Result<Self, MessageError> {
        let header = Header::decode(bytes)?;
        header.check(context.extended_message)?;
        if usize::from(header.length) != bytes.len() {
            return Err(MessageError::bad_length(header.length));
        }
        if header.kind != MessageType::UPDATE {
            return Err(MessageError::bad_type(header.kind.0));
        }
        let mut nlri = Reader::at(&bytes[Header::SIZE..], Header::SIZE);
        let (withdrawn, attributes) =
            super::update::fields(&mut nlri).map_err(super::update::malformed_list)?;
        Ok(Self {
            context,
            withdrawn,
            attributes,
            nlri,
        })
    }

    /// The Withdrawn Routes field.
    #[inline]
    #[must_use]
    pub fn withdrawn_routes(&self) -> Prefixes<'a> {
        self.prefixes(Family::IPV4_UNICAST, self.withdrawn)
    }

    /// The NLRI field.
    #[inline]
    #[must_use]
    pub fn nlri(&self) -> Prefixes<'a> {
        self.prefixes(Family::IPV4_UNICAST, self.nlri)
    }

    /// The path attributes in order.
    #[inline]
    #[must_use]
    pub const fn attributes(&self) -> AttributeViews<'a> {
        AttributeViews {
            context: self.context,
            reader: self.attributes,
            seen: Codes::NONE,
        }
    }

    #[inline]
    fn prefixes(&self, family: Family, reader: Reader<'a>) -> Prefixes<'a> {
        Prefixes {
            afi: family.afi,
            add_path: self.context.add_path.contains(family),
            reader,
        }
    }
}

/// IPv4 or IPv6 prefixes one after another. Ends after the first that is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Prefixes<'a> {
    afi: Afi,
    add_path: bool,
    reader: Reader<'a>,
}

impl Iterator for Prefixes<'_> {
    type Item = Result<(Option<PathId>, Prefix), DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let route = self.route();
        if route.is_err() {
            self.reader.rest();
        }
        Some(route)
    }
}

impl Prefixes<'_> {
    #[inline]
    fn route(&mut self) -> Result<(Option<PathId>, Prefix), DecodeError> {
        let path = if self.add_path {
            Some(PathId(self.reader.u32()?))
        } else {
            None
        };
        let length = self.reader.u8()?;
        Ok((
            path,
            Prefix::decode_bits(self.afi, length, &mut self.reader)?,
        ))
    }
}

/// What is wrong with an attribute, and what that asks for (RFC 7606).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Its type code; `None` where the list itself is cut short.
    pub code: Option<u8>,
    /// What is wrong, as RFC 4271 section 6.3 calls it.
    pub kind: UpdateErrorKind,
    /// What becomes of the routes, or of the session.
    pub action: ErrorAction,
}

/// Attributes one after another. One that is wrong is told and passed over; the list ends where it is cut short.
#[derive(Debug, Clone, Copy)]
pub struct AttributeViews<'a> {
    context: &'a WireContext,
    reader: Reader<'a>,
    seen: Codes,
}

/// An attribute where it lies.
#[derive(Debug, Clone, Copy)]
pub enum AttributeView<'a> {
    /// ORIGIN.
    Origin(Origin),
    /// AS_PATH.
    AsPath(Segments<'a>),
    /// NEXT_HOP.
    NextHop(Ipv4Addr),
    /// MULTI_EXIT_DISC.
    Med(u32),
    /// LOCAL_PREF.
    LocalPref(u32),
    /// ATOMIC_AGGREGATE.
    AtomicAggregate,
    /// AGGREGATOR.
    Aggregator(u32, Ipv4Addr),
    /// COMMUNITIES.
    Communities(&'a [[u8; 4]]),
    /// ORIGINATOR_ID.
    OriginatorId(Ipv4Addr),
    /// CLUSTER_LIST.
    ClusterList(&'a [[u8; 4]]),
    /// LARGE_COMMUNITY.
    LargeCommunities(&'a [[u8; 12]]),
    /// MP_REACH_NLRI of IPv4 or IPv6 prefixes.
    Reach {
        /// The family.
        family: Family,
        /// The octets of the next hop: see [`NextHop::decode`].
        next_hop: &'a [u8],
        /// The routes.
        routes: Prefixes<'a>,
    },
    /// MP_UNREACH_NLRI of IPv4 or IPv6 prefixes.
    Unreach {
        /// The family.
        family: Family,
        /// The routes.
        routes: Prefixes<'a>,
    },
    /// Any other, or a family that is not of prefixes: code, flags, value.
    Other(u8, Flags, &'a [u8]),
}

impl<'a> Iterator for AttributeViews<'a> {
    type Item = Result<AttributeView<'a>, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let Ok((flags, code, value)) = self.header() else {
            self.reader.rest();
            return Some(Err(Fault {
                code: None,
                kind: UpdateErrorKind::MalformedAttributeList,
                action: ErrorAction::TreatAsWithdraw,
            }));
        };
        if !self.seen.insert(code) {
            return Some(Err(Fault {
                code: Some(code),
                kind: UpdateErrorKind::MalformedAttributeList,
                action: match code {
                    MpReach::CODE | MpUnreach::CODE => ErrorAction::SessionReset,
                    _ => ErrorAction::AttributeDiscard,
                },
            }));
        }
        Some(self.attribute(flags, code, value))
    }
}

impl<'a> AttributeViews<'a> {
    #[inline]
    fn header(&mut self) -> Result<(Flags, u8, Reader<'a>), DecodeError> {
        let [flags, code] = self.reader.array()?;
        let flags = Flags(flags);
        let length = if flags.contains(Flags::EXTENDED_LENGTH) {
            usize::from(self.reader.u16()?)
        } else {
            usize::from(self.reader.u8()?)
        };
        Ok((flags, code, self.reader.sub(length)?))
    }

    #[inline]
    fn attribute(
        &self,
        flags: Flags,
        code: u8,
        value: Reader<'a>,
    ) -> Result<AttributeView<'a>, Fault> {
        let Some(rules) = rules(code) else {
            if flags.contains(Flags::OPTIONAL) {
                return Ok(AttributeView::Other(code, flags, value.peek()));
            }
            return Err(Fault {
                code: Some(code),
                kind: UpdateErrorKind::UnrecognizedWellKnown,
                action: ErrorAction::SessionReset,
            });
        };
        if (rules.flags.0 ^ flags.0) & Flags::OPTIONAL_TRANSITIVE.0 != 0 {
            let (kind, action) = match rules.on_error {
                ErrorAction::SessionReset => (rules.value_error, ErrorAction::SessionReset),
                _ => (
                    UpdateErrorKind::AttributeFlags,
                    ErrorAction::TreatAsWithdraw,
                ),
            };
            return Err(Fault {
                code: Some(code),
                kind,
                action,
            });
        }
        self.value(code, flags, value).map_err(|cause| Fault {
            code: Some(code),
            kind: match cause.kind {
                DecodeErrorKind::Value(_) => rules.value_error,
                _ if rules.on_error == ErrorAction::SessionReset => rules.value_error,
                _ => UpdateErrorKind::AttributeLength,
            },
            action: rules.on_error,
        })
    }

    #[inline]
    fn value(
        &self,
        code: u8,
        flags: Flags,
        mut value: Reader<'a>,
    ) -> Result<AttributeView<'a>, DecodeError> {
        let view = match code {
            1 => {
                let invalid = value.error(DecodeErrorKind::Value("ORIGIN"), 1);
                AttributeView::Origin(Origin::from_code(value.u8()?).ok_or(invalid)?)
            }
            2 => AttributeView::AsPath(Segments::new(self.context.four_octet_as, &mut value)?),
            3 => AttributeView::NextHop(value.u32()?.into()),
            4 => AttributeView::Med(value.u32()?),
            5 => AttributeView::LocalPref(value.u32()?),
            6 => AttributeView::AtomicAggregate,
            7 => {
                let asn = if self.context.four_octet_as {
                    value.u32()?
                } else {
                    u32::from(value.u16()?)
                };
                AttributeView::Aggregator(asn, value.u32()?.into())
            }
            8 => AttributeView::Communities(chunks(&mut value)?),
            9 => AttributeView::OriginatorId(value.u32()?.into()),
            10 => AttributeView::ClusterList(chunks(&mut value)?),
            32 => AttributeView::LargeCommunities(chunks(&mut value)?),
            MpReach::CODE => return self.reach(flags, value),
            MpUnreach::CODE => return self.unreach(flags, value),
            _ => return Ok(AttributeView::Other(code, flags, value.peek())),
        };
        value.finish()?;
        Ok(view)
    }

    #[inline]
    fn reach(&self, flags: Flags, mut value: Reader<'a>) -> Result<AttributeView<'a>, DecodeError> {
        let whole = value.peek();
        let family = Family::decode(&mut value)?;
        let length = usize::from(value.u8()?);
        let unexpected = value.error(DecodeErrorKind::Length, length);
        let next_hop = value.bytes(length)?;
        value.u8()?;
        if !is_prefixes(family) {
            return Ok(AttributeView::Other(MpReach::CODE, flags, whole));
        }
        if !matches!(length, 4 | 16 | 32) {
            return Err(unexpected);
        }
        Ok(AttributeView::Reach {
            family,
            next_hop,
            routes: self.routes(family, value),
        })
    }

    #[inline]
    fn unreach(
        &self,
        flags: Flags,
        mut value: Reader<'a>,
    ) -> Result<AttributeView<'a>, DecodeError> {
        let whole = value.peek();
        let family = Family::decode(&mut value)?;
        if !is_prefixes(family) {
            return Ok(AttributeView::Other(MpUnreach::CODE, flags, whole));
        }
        Ok(AttributeView::Unreach {
            family,
            routes: self.routes(family, value),
        })
    }

    #[inline]
    fn routes(&self, family: Family, reader: Reader<'a>) -> Prefixes<'a> {
        Prefixes {
            afi: family.afi,
            add_path: self.context.add_path.contains(family),
            reader,
        }
    }
}

impl AttributeView<'_> {
    /// The next hop that it carries, if it does.
    #[must_use]
    pub fn next_hop(&self) -> Option<NextHop> {
        match self {
            Self::NextHop(address) => Some((*address).into()),
            Self::Reach {
                family, next_hop, ..
            } => Some(NextHop::decode(*family, next_hop)),
            _ => None,
        }
    }
}

const fn is_prefixes(family: Family) -> bool {
    matches!(family.afi, Afi::IPV4 | Afi::IPV6)
        && matches!(family.safi, Safi::UNICAST | Safi::MULTICAST)
}

/// A non-zero number of items of `N` octets.
#[inline]
fn chunks<'a, const N: usize>(value: &mut Reader<'a>) -> Result<&'a [[u8; N]], DecodeError> {
    let (items, rest) = value.peek().as_chunks::<N>();
    if items.is_empty() || !rest.is_empty() {
        return Err(value.error(DecodeErrorKind::Length, N));
    }
    value.rest();
    Ok(items)
}

#[cfg(test)]
mod tests;
