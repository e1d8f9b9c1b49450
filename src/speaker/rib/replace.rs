//! What a new session, a reload and a watchdog do to the Adj-RIB-Out: many routes at once.

use super::out::AdjRibOut;
use super::refuse::Refused;
use crate::bgp::collections::Set;
use crate::speaker::route::{ConfiguredRoute, Route};

impl AdjRibOut {
    /// A session is established: queues everything announced again, then withdraws what the configuration had in
    /// `previous` and has no more in `current`.
    ///
    /// # Errors
    /// As for [`AdjRibOut::withdraw`]; the rest is done all the same.
    pub fn replace_restart(
        &mut self,
        previous: impl IntoIterator<Item = Route>,
        current: impl IntoIterator<Item = Route>,
    ) -> Result<(), Refused> {
        for slot in self.seen_slots(&self.in_order(|_| true)) {
            if let Some((nlri, grouped)) = self.seen(slot) {
                self.queue_announce(slot, &nlri, grouped);
            }
        }
        self.withdraw_vanished(previous, current)
    }

    /// The configuration was reloaded: announces what is new in `current`, withdraws what `previous` alone has.
    /// Routes that the API announced stay.
    ///
    /// # Errors
    /// As for [`AdjRibOut::announce`]; the rest is done all the same.
    pub fn replace_reload<P, C>(&mut self, previous: P, current: C) -> Result<(), Refused>
    where
        P: IntoIterator<Item = Route> + Clone,
        C: IntoIterator<Item = Route> + Clone,
    {
        let known = identities(previous.clone())?;
        let mut outcome = Ok(());
        for route in current.clone() {
            if !known.contains(&route.nlri.index()?) {
                outcome = outcome.and(self.announce_if(&route, true).map(drop));
            }
        }
        drop(known);
        outcome.and(self.withdraw_vanished(previous, current))
    }

    fn withdraw_vanished(
        &mut self,
        previous: impl IntoIterator<Item = Route>,
        current: impl IntoIterator<Item = Route>,
    ) -> Result<(), Refused> {
        let mut previous = previous.into_iter().peekable();
        if previous.peek().is_none() {
            return Ok(());
        }
        let kept = identities(current)?;
        let mut done = Set::default();
        let mut outcome = Ok(());
        for route in previous {
            let index = route.nlri.index()?;
            if !kept.contains(&index) && done.insert(index) {
                outcome = outcome.and(self.retract(&route));
            }
        }
        outcome
    }

    /// Announces a route of the configuration, unless its watchdog holds it back. `route` is the configured one with its next hop resolved.
    ///
    /// # Errors
    /// As for [`AdjRibOut::announce`].
    pub fn announce_configured(
        &mut self,
        configured: &ConfiguredRoute,
        route: &Route,
    ) -> Result<bool, Refused> {
        if let Some(name) = &configured.watchdog {
            self.watchdogs.add(name, route, configured.withdrawn)?;
            if configured.withdrawn {
                return Ok(false);
            }
        }
        self.announce(route)
    }

    /// `announce watchdog NAME`: announces the routes that it holds back.
    ///
    /// # Errors
    /// As for [`AdjRibOut::announce`]; the rest is done all the same.
    pub fn announce_watchdog(&mut self, name: &str) -> Result<(), Refused> {
        let mut outcome = Ok(());
        for route in self.watchdogs.announce(name) {
            outcome = outcome.and(self.announce(&route).map(drop));
        }
        outcome
    }

    /// `withdraw watchdog NAME`: withdraws the routes that are announced by it.
    ///
    /// # Errors
    /// As for [`AdjRibOut::withdraw`]; the rest is done all the same.
    pub fn withdraw_watchdog(&mut self, name: &str) -> Result<(), Refused> {
        let mut outcome = Ok(());
        for route in self.watchdogs.withdraw(name) {
            outcome = outcome.and(self.retract(&route));
        }
        outcome
    }
}

fn identities(routes: impl IntoIterator<Item = Route>) -> Result<Set<Vec<u8>>, Refused> {
    routes
        .into_iter()
        .map(|route| route.nlri.index().map_err(Refused::from))
        .collect()
}
