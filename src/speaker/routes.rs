//! The routes of a configuration in little memory: what they share is held once, and a prefix takes the octets that it
//! has on the wire.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hashbrown::HashTable;

use super::route::{ConfiguredRoute, Route};
use crate::bgp::attribute::{Attributes, NextHop};
use crate::bgp::collections::FixedState;
use crate::bgp::family::Family;
use crate::bgp::iana::Afi;
use crate::bgp::nlri::inet::{Inet, Prefix};
use crate::bgp::nlri::{Nlri, NlriValue};

/// Configured routes in order, packed: they are given out by value.
#[derive(Clone, Default)]
pub struct ConfiguredRoutes {
    terms: Vec<Terms>,
    /// Where each of `terms` is, by its hash.
    known: HashTable<u32>,
    /// The terms used last: routes come in runs of the same.
    last: u32,
    /// Per route the number of its terms, then its prefix or its place in `others`.
    chunks: Vec<Vec<u8>>,
    /// NLRI that are more than a prefix.
    others: Vec<Nlri>,
    length: usize,
}

/// All of a route but what is reachable.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Terms {
    attributes: Arc<Attributes>,
    next_hop: Hop,
    watchdog: Option<Box<str>>,
    next_hop_self: bool,
    withdrawn: bool,
    /// The family of a prefix; `None` for the others.
    prefixes: Option<Family>,
}

impl Hash for Terms {
    /// By where the attributes are: equal ones are shared by whoever reads them, and where they are not the terms are
    /// but held twice.
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.attributes).hash(state);
        self.next_hop.hash(state);
        self.watchdog.hash(state);
        (self.next_hop_self, self.withdrawn, self.prefixes).hash(state);
    }
}

/// A next hop: but for an address, in a place of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Hop {
    Address(IpAddr),
    Other(Box<NextHop>),
}

impl From<NextHop> for Hop {
    fn from(next_hop: NextHop) -> Self {
        match next_hop {
            NextHop::Address(address) => Self::Address(address),
            other => Self::Other(Box::new(other)),
        }
    }
}

impl Hop {
    fn next_hop(&self) -> NextHop {
        match self {
            Self::Address(address) => NextHop::Address(*address),
            Self::Other(other) => NextHop::clone(other),
        }
    }
}

/// Octets of a chunk, so that a growing list is neither moved nor held twice.
const CHUNK: usize = 64 * 1024;

/// The most octets of a route in a chunk: number of its terms, prefix length, IPv6 address.
const ENTRY: usize = 4 + 1 + 16;

fn hash(terms: &Terms) -> u64 {
    FixedState::default().hash_one(terms)
}

impl ConfiguredRoutes {
    /// An empty set of routes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of routes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds a route behind the others.
    pub fn push(&mut self, configured: ConfiguredRoute) {
        let ConfiguredRoute {
            route,
            next_hop_self,
            watchdog,
            withdrawn,
        } = configured;
        let prefix = bare_prefix(&route.nlri);
        let terms = self.number(Terms {
            attributes: route.attributes,
            next_hop: route.next_hop.into(),
            watchdog: watchdog.map(String::into_boxed_str),
            next_hop_self,
            withdrawn,
            prefixes: prefix.map(|_| route.nlri.family),
        });
        let other = self.others.len() as u32;
        let chunk = self.chunk();
        chunk.extend_from_slice(&terms.to_le_bytes());
        if let Some(prefix) = prefix {
            let octets = usize::from(prefix.length.div_ceil(8));
            chunk.push(prefix.length);
            match prefix.address {
                IpAddr::V4(address) => chunk.extend_from_slice(&address.octets()[..octets]),
                IpAddr::V6(address) => chunk.extend_from_slice(&address.octets()[..octets]),
            }
        } else {
            chunk.extend_from_slice(&other.to_le_bytes());
            self.others.push(route.nlri);
        }
        self.length += 1;
    }

    /// The number of `terms`, which are remembered if need be.
    fn number(&mut self, terms: Terms) -> u32 {
        if self.terms.get(self.last as usize) == Some(&terms) {
            return self.last;
        }
        let hashed = hash(&terms);
        let held = &self.terms;
        let found = self
            .known
            .find(hashed, |&number| held[number as usize] == terms);
        self.last = if let Some(&number) = found {
            number
        } else {
            let number = self.terms.len() as u32;
            self.terms.push(terms);
            let held = &self.terms;
            self.known
                .insert_unique(hashed, number, |&number| hash(&held[number as usize]));
            number
        };
        self.last
    }

    /// A chunk with room for one more route.
    fn chunk(&mut self) -> &mut Vec<u8> {
        let full = self
            .chunks
            .last()
            .is_none_or(|chunk| chunk.len() + ENTRY > CHUNK);
        if full {
            // The first grows, since most neighbors have few routes.
            let room = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(room));
        }
        let last = self.chunks.len() - 1;
        &mut self.chunks[last]
    }

    /// The routes in order.
    #[must_use]
    pub const fn iter(&self) -> Iter<'_> {
        Iter {
            routes: self,
            chunk: 0,
            at: 0,
        }
    }
}

/// The prefix that is all there is to `nlri`: without path identifier, of its family's kind, no bits beyond its length.
fn bare_prefix(nlri: &Nlri) -> Option<Prefix> {
    let (NlriValue::Inet(Inet { prefix }), None) = (&nlri.value, nlri.path_id) else {
        return None;
    };
    let afi = match prefix.address {
        IpAddr::V4(_) => Afi::IPV4,
        IpAddr::V6(_) => Afi::IPV6,
    };
    let whole = Prefix::new(prefix.address, prefix.length) == Some(*prefix);
    (whole && nlri.family.afi == afi).then_some(*prefix)
}

/// The routes of a list, in order.
#[derive(Debug, Clone)]
pub struct Iter<'r> {
    routes: &'r ConfiguredRoutes,
    chunk: usize,
    at: usize,
}

impl Iterator for Iter<'_> {
    type Item = ConfiguredRoute;

    fn next(&mut self) -> Option<ConfiguredRoute> {
        while self.at == self.routes.chunks.get(self.chunk)?.len() {
            self.chunk += 1;
            self.at = 0;
        }
        let (number, rest) = self.routes.chunks[self.chunk][self.at..].split_first_chunk::<4>()?;
        let terms = &self.routes.terms[u32::from_le_bytes(*number) as usize];
        let (nlri, taken) = match terms.prefixes {
            Some(family) => {
                let prefix = read_prefix(family, rest);
                let nlri = Nlri {
                    family,
                    path_id: None,
                    value: NlriValue::Inet(Inet { prefix }),
                };
                (nlri, 1 + usize::from(prefix.length.div_ceil(8)))
            }
            None => {
                let place = u32::from_le_bytes(*rest.first_chunk::<4>()?);
                (self.routes.others[place as usize].clone(), 4)
            }
        };
        self.at += number.len() + taken;
        Some(ConfiguredRoute {
            route: Route {
                nlri,
                next_hop: terms.next_hop.next_hop(),
                attributes: Arc::clone(&terms.attributes),
            },
            next_hop_self: terms.next_hop_self,
            watchdog: terms.watchdog.as_deref().map(str::to_owned),
            withdrawn: terms.withdrawn,
        })
    }
}

/// The prefix at the start of `packed`.
fn read_prefix(family: Family, packed: &[u8]) -> Prefix {
    let length = packed[0];
    let octets = &packed[1..=usize::from(length.div_ceil(8))];
    let address = if family.afi == Afi::IPV4 {
        let mut whole = [0; 4];
        whole[..octets.len()].copy_from_slice(octets);
        IpAddr::V4(Ipv4Addr::from(whole))
    } else {
        let mut whole = [0; 16];
        whole[..octets.len()].copy_from_slice(octets);
        IpAddr::V6(Ipv6Addr::from(whole))
    };
    Prefix { address, length }
}

impl<'r> IntoIterator for &'r ConfiguredRoutes {
    type Item = ConfiguredRoute;
    type IntoIter = Iter<'r>;

    fn into_iter(self) -> Iter<'r> {
        self.iter()
    }
}

impl Extend<ConfiguredRoute> for ConfiguredRoutes {
    fn extend<I: IntoIterator<Item = ConfiguredRoute>>(&mut self, routes: I) {
        routes.into_iter().for_each(|route| self.push(route));
    }
}

impl FromIterator<ConfiguredRoute> for ConfiguredRoutes {
    fn from_iter<I: IntoIterator<Item = ConfiguredRoute>>(routes: I) -> Self {
        let mut list = Self::default();
        list.extend(routes);
        list
    }
}

impl fmt::Debug for ConfiguredRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl PartialEq for ConfiguredRoutes {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.iter().eq(other.iter())
    }
}

impl Eq for ConfiguredRoutes {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::attribute::med::Med;
    use crate::bgp::iana::Safi;
    use crate::bgp::nlri::PathId;
    use proptest::prelude::*;

    /// Routes of every shape: prefixes of either AFI, with bits beyond their length, in a family that is not theirs,
    /// with a path identifier, and NLRI that are no prefixes.
    fn any_route() -> impl Strategy<Value = ConfiguredRoute> {
        let address = prop_oneof![
            any::<[u8; 4]>().prop_map(IpAddr::from),
            any::<[u8; 16]>().prop_map(IpAddr::from),
        ];
        let prefix = (address, 0..=32_u8, any::<bool>()).prop_map(|(address, length, whole)| {
            let kept = Prefix { address, length };
            whole
                .then(|| Prefix::new(address, length))
                .flatten()
                .unwrap_or(kept)
        });
        let value = (prefix, 0..8_u8).prop_map(|(prefix, kind)| match kind {
            0 => NlriValue::Labelled(Box::new(crate::bgp::nlri::labelled::Labelled::new(prefix))),
            _ => NlriValue::Inet(Inet { prefix }),
        });
        let family = prop_oneof![
            Just(Family::IPV4_UNICAST),
            Just(Family::IPV6_UNICAST),
            Just(Family::new(Afi::IPV6, Safi::MULTICAST)),
        ];
        let flags = (any::<bool>(), any::<bool>(), any::<bool>());
        let path = prop::option::weighted(0.1, any::<u32>().prop_map(PathId));
        (value, family, path, 0..3_u32, flags).prop_map(
            |(value, family, path_id, med, (next_hop_self, withdrawn, watched))| ConfiguredRoute {
                route: Route {
                    nlri: Nlri {
                        family,
                        path_id,
                        value,
                    },
                    next_hop: NextHop::Address(IpAddr::from([192, 0, 2, med as u8])),
                    attributes: Arc::new(Attributes::from_iter([Med(med).into()])),
                },
                next_hop_self,
                watchdog: watched.then(|| format!("dog{med}")),
                withdrawn,
            },
        )
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(routes in prop::collection::vec(any_route(), 0..60)) {
            let packed: ConfiguredRoutes = routes.iter().cloned().collect();
            prop_assert_eq!(packed.len(), routes.len());
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), routes);
        }
    }

    #[test]
    fn many_routes_of_the_same_terms_take_little() {
        let attributes = Arc::new(Attributes::new());
        let route = |number: u32| ConfiguredRoute {
            route: Route {
                nlri: Nlri {
                    family: Family::IPV4_UNICAST,
                    path_id: None,
                    value: NlriValue::Inet(Inet {
                        prefix: Prefix {
                            address: IpAddr::V4(Ipv4Addr::from(number << 8)),
                            length: 24,
                        },
                    }),
                },
                next_hop: NextHop::None,
                attributes: Arc::clone(&attributes),
            },
            next_hop_self: true,
            watchdog: None,
            withdrawn: false,
        };
        let packed: ConfiguredRoutes = (0..100_000).map(route).collect();
        let octets: usize = packed.chunks.iter().map(Vec::capacity).sum();
        assert!(octets < 100_000 * 9, "{octets}");
        assert_eq!(packed.terms.len(), 1);
        assert!(packed.iter().eq((0..100_000).map(route)));
    }
}
