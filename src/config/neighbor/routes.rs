//! The routes of a `neighbor` section as they are collected.

use crate::bgp::family::{Families, Family};
use crate::bgp::text::TextError;
use crate::speaker::route::ConfiguredRoute;
use crate::speaker::routes::ConfiguredRoutes;

/// Routes in order, and of each family where the first of it stands, in octets of the source.
#[derive(Debug, Clone, Default)]
pub struct SectionRoutes {
    list: ConfiguredRoutes,
    firsts: Vec<(Family, usize)>,
}

impl SectionRoutes {
    /// Adds those of `later`.
    pub fn append(&mut self, later: Self) {
        if self.list.is_empty() {
            *self = later;
            return;
        }
        self.list.extend(&later.list);
        for (family, at) in later.firsts {
            self.note(family, at);
        }
    }

    fn note(&mut self, family: Family, at: usize) {
        if !self.firsts.iter().any(|(known, _)| *known == family) {
            self.firsts.push((family, at));
        }
    }

    /// The routes, each of which must be of a family that the neighbor has. IPv4 unicast is let pass, and left out later, as in ExaBGP.
    ///
    /// # Errors
    /// The first route that is not.
    pub fn of(self, families: &Families) -> Result<ConfiguredRoutes, TextError> {
        for (family, at) in self.firsts {
            if !families.contains(family) && family != Family::IPV4_UNICAST {
                return Err(TextError::new(
                    at..at,
                    format!("this route is of {family}, which the neighbor does not have"),
                )
                .help(format!(
                    "add `{family};` to the family section of the neighbor"
                )));
            }
        }
        Ok(self.list)
    }
}

impl Extend<(ConfiguredRoute, usize)> for SectionRoutes {
    fn extend<I: IntoIterator<Item = (ConfiguredRoute, usize)>>(&mut self, routes: I) {
        for (route, at) in routes {
            self.note(route.route.nlri.family, at);
            self.list.push(route);
        }
    }
}
