//! The routes of a configuration as a neighbor accepted them: next hops resolved, without those that were refused.

use std::sync::Arc;

use crate::speaker::neighbor::Neighbor;
use crate::speaker::route::{ConfiguredRoute, Route};
use crate::speaker::routes::ConfiguredRoutes;

/// The accepted routes of one configuration, in order.
#[derive(Debug)]
pub(super) struct Accepted {
    neighbor: Arc<Neighbor>,
    /// So many of the neighbor's own routes come first, just as they stand there: in most configurations all.
    first: usize,
    /// Those that follow.
    apart: ConfiguredRoutes,
}

impl Accepted {
    /// None as yet of those of `neighbor`.
    pub fn none_of(neighbor: &Arc<Neighbor>) -> Self {
        Self {
            neighbor: Arc::clone(neighbor),
            first: 0,
            apart: ConfiguredRoutes::new(),
        }
    }

    /// Adds a route; `place` is that of the neighbor's own route that it is, unchanged.
    pub fn push(&mut self, route: Route, place: Option<usize>) {
        if self.apart.is_empty() && place == Some(self.first) {
            self.first += 1;
        } else {
            self.apart.push(ConfiguredRoute {
                route,
                next_hop_self: false,
                watchdog: None,
                withdrawn: false,
            });
        }
    }

    /// The routes in order.
    pub fn routes(&self) -> impl Iterator<Item = Route> + Clone {
        let first = self.neighbor.routes.iter().take(self.first);
        first.chain(&self.apart).map(|configured| configured.route)
    }
}
