//! Both reactors end in the same state under the same plan.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::explore::baseline::difference;
use crate::explore::finished_run::Table;
use crate::explore::oracle::case::Failure;
use crate::explore::oracle::names::Oracle;

/// The tables of the peers at the end of a run.
pub type Tables = BTreeMap<IpAddr, Table>;

/// Where the ends of two runs of a plan differ, at the peers that are up in both of `baselines`: where no session stays
/// up even without faults, the moment of the end decides what is seen.
#[must_use]
pub fn judge(ends: [&Tables; 2], baselines: [&Tables; 2]) -> Vec<Failure> {
    let [one, other] = ends;
    let stays = |peer: &IpAddr| baselines.iter().all(|tables| tables.contains_key(peer));
    let peers: BTreeSet<&IpAddr> = one.keys().chain(other.keys()).collect();
    let peers = peers.into_iter().filter(|peer| stays(peer));
    peers
        .filter_map(|peer| match (one.get(peer), other.get(peer)) {
            (Some(one), Some(other)) => difference(one, other),
            _ => Some(format!("{peer} is up in one mode only")),
        })
        .map(|text| Failure {
            oracle: Oracle::Modes,
            text,
        })
        .collect()
}
