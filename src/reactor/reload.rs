//! What a new configuration changes: a comparison of neighbors, before anything is done about it.

use crate::bgp::family::Families;
use crate::speaker::neighbor::{Address, Neighbor};
use crate::speaker::routes::ConfiguredRoutes;

/// What becomes of one neighbor.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// A neighbor that is gone: its session ends.
    Remove(String),
    /// A neighbor that was not there before.
    Add(Box<Neighbor>),
    /// It is defined otherwise: its session is established anew under this definition.
    Reestablish(Box<Neighbor>),
    /// What differs needs no new session: its session stays.
    Update(Box<Neighbor>),
}

/// Compares the neighbors that there are with those that there should be; a neighbor is known by its name.
///
/// Neighbors that came of a range of passive peers are not in `old`: no configuration names them.
pub fn compare<'a>(old: impl Iterator<Item = &'a Neighbor>, new: Vec<Neighbor>) -> Vec<Change> {
    let old: Vec<(String, &Neighbor)> = old.map(|neighbor| (neighbor.name(), neighbor)).collect();
    let names: Vec<String> = new.iter().map(Neighbor::name).collect();
    let gone = old
        .iter()
        .filter(|(name, _)| !names.contains(name))
        .map(|(name, _)| Change::Remove(name.clone()));
    let mut changes: Vec<Change> = gone.collect();
    for (neighbor, name) in new.into_iter().zip(names) {
        let known = old.iter().find(|(known, _)| *known == name);
        let neighbor = Box::new(neighbor);
        changes.push(match known {
            None => Change::Add(neighbor),
            Some((_, known)) if same_session(known, &neighbor) => Change::Update(neighbor),
            Some(_) => Change::Reestablish(neighbor),
        });
    }
    changes
}

/// Whether a session continues under a new definition of its neighbor: what `bgp/neighbor.py __eq__` does not compare
/// is taken up without a new session, some of it at once (routes, `api`), the rest by the next one.
fn same_session(old: &Neighbor, new: &Neighbor) -> bool {
    let compared = |neighbor: &Neighbor| Neighbor {
        description: None,
        source_interface: None,
        md5_base64: None,
        manual_eor: false,
        nexthops: Vec::new(),
        add_paths: Families::new(),
        api: Vec::new(),
        operational: Vec::new(),
        routes: ConfiguredRoutes::new(),
        // The reference holds the address itself against the other's, and here a missing one stands for it.
        md5_ip: neighbor.md5_ip.or(match neighbor.local_address {
            Address::Ip(address) => Some(address),
            Address::Auto => None,
        }),
        ..neighbor.clone()
    };
    compared(old) == compared(new)
}
