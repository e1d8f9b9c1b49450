//! `show adj-rib in` and `show adj-rib out`.

use crate::api::command::RouteKind;
use crate::bgp::attribute::Attributes;
use crate::bgp::iana::Safi;
use crate::bgp::json::quoted;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::nlri::{Nlri, NlriValue};
use crate::speaker::neighbor::Neighbor;

use std::borrow::Borrow;
use std::net::IpAddr;

use super::{NeighborStatus, neighbor};

/// What of an Adj-RIB is asked for, and how it is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdjRib<'a> {
    /// Only neighbors of this address.
    pub limit: Option<&'a str>,
    /// Routes to include.
    pub kind: RouteKind,
    /// With attributes, and the whole name of the neighbor.
    pub extensive: bool,
    /// Answer in JSON.
    pub json: bool,
}

impl AdjRib<'_> {
    /// Whether the Adj-RIBs of `neighbor` are meant.
    #[must_use]
    pub fn wants(&self, neighbor: &Neighbor) -> bool {
        self.limit
            .is_none_or(|limit| neighbor.name().contains(&format!("neighbor {limit}")))
    }

    const fn shows(&self, nlri: &Nlri) -> bool {
        match self.kind {
            RouteKind::All => true,
            RouteKind::Inet => matches!(
                nlri.value,
                NlriValue::Inet(_) | NlriValue::Labelled(_) | NlriValue::Vpn(_)
            ),
            RouteKind::Flow => matches!(nlri.value, NlriValue::Flow(_)),
            RouteKind::L2vpn => matches!(nlri.family.safi, Safi::VPLS | Safi::EVPN),
        }
    }
}

/// The lines for the `routes` of one neighbor.
pub fn adj_rib<'a, N: Borrow<Nlri>>(
    wanted: AdjRib<'_>,
    status: &NeighborStatus<'_>,
    routes: impl IntoIterator<Item = (N, Option<IpAddr>, &'a Attributes)>,
) -> Vec<String> {
    let name = if wanted.extensive {
        status.neighbor.name()
    } else {
        status.neighbor.peer()
    };
    let about = (wanted.json && wanted.extensive).then(|| neighbor::json(status));
    let mut lines = Vec::new();
    for (nlri, next_hop, attributes) in routes {
        let nlri = nlri.borrow();
        if !wanted.shows(nlri) {
            continue;
        }
        if wanted.json {
            lines.extend(json(&status.neighbor.peer(), nlri, about.as_deref()));
            continue;
        }
        let details = if wanted.extensive {
            attributes.text()
        } else {
            String::new()
        };
        lines.push(format!(
            "{name} {} {}{details}",
            nlri.family,
            nlri.extensive(next_hop)
        ));
    }
    lines
}

/// A route as JSON; only prefixes have a form of it (ExaBGP's format v1).
fn json(peer: &str, nlri: &Nlri, about: Option<&str>) -> Option<String> {
    let prefix = prefix(nlri)?;
    let key = quoted(peer);
    let routes = format!(
        "\"routes\": [{{\"prefix\": \"{prefix}\", \"family\": \"{}\"}}]",
        nlri.family
    );
    Some(match about {
        // The neighbor's own members stand behind the routes.
        Some(about) => format!("{{{key}: {{{routes}, {}}}", &about[1..]),
        None => format!("{{{key}: {{{routes}}}}}"),
    })
}

fn prefix(nlri: &Nlri) -> Option<Prefix> {
    match &nlri.value {
        NlriValue::Inet(inet) => Some(inet.prefix),
        NlriValue::Labelled(labelled) => Some(labelled.prefix),
        NlriValue::Vpn(vpn) => Some(vpn.prefix),
        _ => None,
    }
}
