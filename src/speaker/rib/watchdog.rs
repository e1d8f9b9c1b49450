//! Watchdogs: routes that a name announces and withdraws together.

use crate::bgp::collections::Map;
use crate::bgp::error::EncodeError;
use crate::speaker::route::Route;

/// Routes by identity.
type Routes = Map<Vec<u8>, Route>;

/// The routes of one name.
#[derive(Debug, Default)]
struct Watched {
    on: Routes,
    off: Routes,
}

/// All watchdogs of a neighbor.
#[derive(Debug, Default)]
pub(super) struct Watchdogs(Map<String, Watched>);

impl Watchdogs {
    /// Adds a route to `name`, announced or held back.
    pub fn add(&mut self, name: &str, route: &Route, withdrawn: bool) -> Result<(), EncodeError> {
        let watched = self.0.entry(name.to_owned()).or_default();
        let side = if withdrawn {
            &mut watched.off
        } else {
            &mut watched.on
        };
        side.insert(route.nlri.index()?, route.clone());
        Ok(())
    }

    /// Turns `name` on: the routes to announce, in order.
    pub fn announce(&mut self, name: &str) -> Vec<Route> {
        self.0
            .get_mut(name)
            .map(|watched| shift(&mut watched.off, &mut watched.on))
            .unwrap_or_default()
    }

    /// Turns `name` off: the routes to withdraw, in order.
    pub fn withdraw(&mut self, name: &str) -> Vec<Route> {
        self.0
            .get_mut(name)
            .map(|watched| shift(&mut watched.on, &mut watched.off))
            .unwrap_or_default()
    }
}

fn shift(from: &mut Routes, to: &mut Routes) -> Vec<Route> {
    let moved: Vec<Route> = from.values().cloned().collect();
    to.extend(from.drain(..));
    moved
}
