//! What an UPDATE means, whatever its octets: routes with their attributes, in no order.

use crate::bgp::attribute::{AttributeValue, Attributes, NextHop, WireContext};
use crate::bgp::message::{Message, Update};
use crate::bgp::nlri::Nlri;

/// One route of an UPDATE.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Routed {
    /// Family and NLRI.
    pub route: String,
    /// Next hop and attributes, or that it is withdrawn.
    pub state: String,
}

/// The routes of an UPDATE, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meaning {
    /// Every route, the withdrawn ones among them.
    pub routes: Vec<Routed>,
}

impl Meaning {
    /// What `octets` mean; `None` where they are no UPDATE, or a malformed one, whose octets are all there is.
    #[must_use]
    pub fn of(context: &WireContext, octets: &[u8]) -> Option<Self> {
        match Message::decode(context, octets) {
            Ok(Message::Update(update)) if update.malformed.is_empty() => {
                Some(Self::of_update(&update))
            }
            _ => None,
        }
    }

    fn of_update(update: &Update) -> Self {
        if let Some(family) = update.end_of_rib() {
            let routes = vec![Routed {
                route: format!("End-of-RIB of {family}"),
                state: String::new(),
            }];
            return Self { routes };
        }
        let attributes = attributes(&update.attributes);
        let mut routes: Vec<Routed> = update
            .withdrawn()
            .map(|nlri| Routed {
                route: route(nlri),
                state: "withdrawn".to_owned(),
            })
            .chain(update.announced().map(|(nlri, next_hop)| Routed {
                route: route(nlri),
                state: format!("{} {attributes}", hop(&next_hop)),
            }))
            .collect();
        if routes.is_empty() {
            routes.push(Routed {
                route: "no route".to_owned(),
                state: attributes,
            });
        }
        routes.sort_unstable();
        Self { routes }
    }

    /// Whether any route is in both.
    #[must_use]
    pub fn shares_route(&self, other: &Self) -> bool {
        self.routes.iter().any(|one| {
            let at = other
                .routes
                .partition_point(|route| route.route < one.route);
            other
                .routes
                .get(at)
                .is_some_and(|found| found.route == one.route)
        })
    }
}

fn route(nlri: &Nlri) -> String {
    format!("{} {:?} {:?}", nlri.family, nlri.path_id, nlri.value)
}

fn hop(next_hop: &NextHop) -> String {
    format!("{next_hop:?}")
}

/// Attributes by code, without flags and without what belongs to the routes; communities are sets.
fn attributes(attributes: &Attributes) -> String {
    let mut texts: Vec<(u8, String)> = attributes
        .iter()
        .filter_map(|attribute| {
            let text = match &attribute.value {
                AttributeValue::MpReach(_)
                | AttributeValue::MpUnreach(_)
                | AttributeValue::NextHop(_) => return None,
                AttributeValue::Communities(set) => sorted(&set.0),
                AttributeValue::LargeCommunities(set) => sorted(&set.0),
                AttributeValue::ExtendedCommunities(set) => sorted(&set.0),
                value => format!("{value:?}"),
            };
            Some((attribute.value.code(), text))
        })
        .collect();
    texts.sort_unstable();
    texts
        .into_iter()
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join(" ")
}

fn sorted(set: &[impl std::fmt::Debug]) -> String {
    let mut texts: Vec<String> = set.iter().map(|one| format!("{one:?}")).collect();
    texts.sort_unstable();
    texts.join(",")
}
