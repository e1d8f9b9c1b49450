//! Routes of the configuration and of the API, and `next-hop self`.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::accepted::Accepted;
use super::{Deferred, Peer};
use crate::bgp::attribute::NextHop;
use crate::bgp::iana::Afi;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::rib::Refused;
use crate::speaker::route::{ConfiguredRoute, Route};
use crate::speaker::session::Negotiated;

impl Peer {
    pub(super) fn announce_configuration(&mut self) -> Vec<(ConfiguredRoute, Refused)> {
        let neighbor = Arc::clone(&self.neighbor);
        let mut refused = Vec::new();
        for (place, configured) in neighbor.routes.iter().enumerate() {
            if let Err(error) = self.announce_configured(&configured, Some(place)) {
                refused.push((configured, error));
            }
        }
        refused
    }

    /// Announces a route of the configuration, where it stands at `place` unless it had to wait.
    pub(super) fn announce_configured(
        &mut self,
        configured: &ConfiguredRoute,
        place: Option<usize>,
    ) -> Result<(), Refused> {
        if !self
            .neighbor
            .families
            .contains(configured.route.nlri.family)
        {
            return Err(Refused::Family(configured.route.nlri.family));
        }
        let Some(route) = self.resolve(configured)?.map(Cow::into_owned) else {
            self.defer(configured, true);
            return Ok(());
        };
        self.out.announce_configured(configured, &route)?;
        let unchanged = place.filter(|_| !configured.next_hop_self);
        self.configured.push(route, unchanged);
        Ok(())
    }

    fn defer(&mut self, route: &ConfiguredRoute, is_configured: bool) {
        self.deferred.push(Deferred {
            route: route.clone(),
            is_configured,
        });
    }

    /// The route with `next-hop self` resolved; `None` while our address is not known.
    fn resolve<'r>(
        &self,
        configured: &'r ConfiguredRoute,
    ) -> Result<Option<Cow<'r, Route>>, Refused> {
        if !configured.next_hop_self {
            return Ok(Some(Cow::Borrowed(&configured.route)));
        }
        let Some(local) = self.local_address() else {
            return Ok(None);
        };
        let family = configured.route.nlri.family;
        let address = match (family.afi, local, self.local_id()) {
            (Afi::IPV4, IpAddr::V4(_), _) | (Afi::IPV6, IpAddr::V6(_), _) => local,
            (Afi::IPV4, _, Some(id)) => IpAddr::V4(id),
            _ => return Err(Refused::NextHopSelf(family)),
        };
        Ok(Some(Cow::Owned(Route {
            next_hop: NextHop::Address(address),
            ..configured.route.clone()
        })))
    }

    /// Whether `next-hop self` of a route of a family that the neighbor has can be said here, as far as our address is
    /// known.
    ///
    /// # Errors
    /// It cannot: our address is of another family.
    pub fn can_be_next_hop(&self, configured: &ConfiguredRoute) -> Result<(), Refused> {
        let family = configured.route.nlri.family;
        if !configured.next_hop_self || !self.neighbor.families.contains(family) {
            return Ok(());
        }
        self.resolve(configured).map(drop)
    }

    /// Announces a route; says whether that changes anything.
    ///
    /// # Errors
    /// A route that this neighbor cannot be sent; nothing is changed then.
    pub fn announce(&mut self, configured: &ConfiguredRoute) -> Result<bool, Refused> {
        let family = configured.route.nlri.family;
        if !self.neighbor.families.contains(family) {
            return Err(Refused::Family(family));
        }
        match self.resolve(configured)? {
            Some(route) => self.out.announce(&route),
            None => {
                self.defer(configured, false);
                Ok(true)
            }
        }
    }

    /// Withdraws a route.
    ///
    /// # Errors
    /// A route that this neighbor cannot be sent; nothing is changed then.
    pub fn withdraw(&mut self, configured: &ConfiguredRoute) -> Result<(), Refused> {
        let family = configured.route.nlri.family;
        if !self.neighbor.families.contains(family) {
            return Err(Refused::Family(family));
        }
        let nlri = &configured.route.nlri;
        self.deferred
            .retain(|waiting| waiting.route.route.nlri != *nlri);
        match self.resolve(configured)? {
            Some(route) => self.out.withdraw(&route),
            None => self.out.withdraw(&configured.route),
        }
    }

    /// The configuration was reloaded, and nothing changed that needs a new session: routes change at once, as do the
    /// events that programs receive; the rest applies from the next session on.
    ///
    /// # Errors
    /// New routes that cannot be sent come back with the reason.
    pub fn reconfigure(&mut self, neighbor: Arc<Neighbor>) -> Vec<(ConfiguredRoute, Refused)> {
        let refused = self.replace_neighbor(neighbor);
        let previous = std::mem::take(&mut self.previous);
        // Refusals were collected above; each of these routes has been through the same check.
        let _ = self.out.replace_reload(
            previous.iter().flat_map(Accepted::routes),
            self.configured.routes(),
        );
        if let Some(outbound) = &self.outbound {
            self.out.hold_against(Arc::clone(outbound.negotiated()));
        }
        refused
    }

    /// The configuration was reloaded and the neighbor's own settings changed: they hold from the next session on. The
    /// routes that vanished are withdrawn then.
    ///
    /// # Errors
    /// New routes that cannot be sent come back with the reason.
    pub fn replace_neighbor(&mut self, neighbor: Arc<Neighbor>) -> Vec<(ConfiguredRoute, Refused)> {
        self.out.reconfigure(
            neighbor.families.clone(),
            neighbor.adj_rib_out,
            Arc::new(Negotiated::hoped(&neighbor)),
        );
        self.incoming.reconfigure(neighbor.adj_rib_in);
        self.neighbor = neighbor;
        // Parity: the messages of the new definition take the place of those that wait.
        self.queues.operational.clear();
        self.advisories.clear();
        self.queue_configured_messages();
        let accepted = Accepted::none_of(&self.neighbor);
        self.previous
            .push(std::mem::replace(&mut self.configured, accepted));
        self.announce_configuration()
    }
}
