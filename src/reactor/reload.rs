//! What a new configuration changes: a comparison of neighbors, before anything is done about it.

use crate::speaker::neighbor::Neighbor;
use crate::speaker::routes::ConfiguredRoutes;

/// What becomes of one neighbor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is gone: its session ends.
    Remove(String),
    /// It is new.
    Add(Box<Neighbor>),
    /// It is defined otherwise: its session is established anew.
    Reestablish(Box<Neighbor>),
    /// Only its routes may differ: its session stays.
    Update(Box<Neighbor>),
}

/// Compares the neighbors that there are with those that there should be; a neighbor is known by its name.
///
/// Neighbors that came of a range of passive peers are not in `old`: no configuration names them.
pub(super) fn compare<'a>(
    old: impl Iterator<Item = &'a Neighbor>,
    new: Vec<Neighbor>,
) -> Vec<Change> {
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

/// Whether two definitions of a neighbor differ in routes alone.
fn same_session(old: &Neighbor, new: &Neighbor) -> bool {
    let without_routes = |neighbor: &Neighbor| Neighbor {
        routes: ConfiguredRoutes::new(),
        ..neighbor.clone()
    };
    without_routes(old) == without_routes(new)
}
