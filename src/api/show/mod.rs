//! What `show …` answers, line for line as ExaBGP 5.0.15 writes it.

mod adj_rib;
mod configuration;
mod neighbor;
mod python;

use std::net::IpAddr;
use std::time::Duration;

use crate::bgp::message::Open;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::session::{Negotiated, State};

use super::command::NeighborDetail;

pub use adj_rib::{AdjRib, adj_rib};
pub use configuration::configuration;

/// Messages of a neighbor since the speaker began, by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// OPEN: sent, received.
    pub open: (u64, u64),
    /// NOTIFICATION.
    pub notification: (u64, u64),
    /// KEEPALIVE.
    pub keepalive: (u64, u64),
    /// UPDATE.
    pub update: (u64, u64),
    /// ROUTE-REFRESH.
    pub refresh: (u64, u64),
}

/// A neighbor as `show neighbor` sees it.
#[derive(Debug, Clone, Copy)]
pub struct NeighborStatus<'a> {
    /// The neighbor as configured.
    pub neighbor: &'a Neighbor,
    /// Our address on the connection, where there is one.
    pub local: Option<IpAddr>,
    /// State of the session.
    pub state: State,
    /// What was agreed on and the peer's OPEN, once there is one.
    pub session: Option<(&'a Negotiated, &'a Open)>,
    /// How long the session is established.
    pub up: Option<Duration>,
    /// How long it is not.
    pub down: Duration,
    /// Messages sent and received, by type.
    pub statistics: Statistics,
}

/// What `show neighbor` answers, without the `done` that follows.
#[must_use]
pub fn neighbors(
    limit: Option<&str>,
    detail: Option<NeighborDetail>,
    json: bool,
    neighbors: &[NeighborStatus<'_>],
) -> Vec<String> {
    let named = |status: &NeighborStatus<'_>| {
        limit.is_none_or(|limit| status.neighbor.name().contains(limit))
    };
    if json {
        let all: Vec<String> = neighbors.iter().map(neighbor::json).collect();
        return vec![format!("[{}]", all.join(", "))];
    }
    match detail {
        Some(NeighborDetail::Summary) => {
            let lines = neighbors
                .iter()
                .filter(|status| limit.is_none_or(|limit| status.neighbor.peer() == limit))
                .map(neighbor::summary);
            std::iter::once(neighbor::SUMMARY.to_owned())
                .chain(lines)
                .collect()
        }
        Some(NeighborDetail::Extensive) => neighbors
            .iter()
            .filter(|status| named(status))
            .flat_map(neighbor::extensive)
            .collect(),
        Some(NeighborDetail::Configuration) => neighbors
            .iter()
            .filter(|status| named(status))
            .flat_map(|status| configuration(status.neighbor))
            .collect(),
        None => vec![
            "please specify summary, extensive or configuration".to_owned(),
            "you can filter by peer ip address adding it after the word neighbor".to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests;
