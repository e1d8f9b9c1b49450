//! Routes whose words behind the prefix have been read before: in a long table most are.

use std::sync::Arc;

use crate::bgp::collections::Map;
use crate::bgp::nlri::inet::{Inet, Prefix};
use crate::bgp::nlri::{Nlri, NlriValue};
use crate::config::plain_route::PlainRoute;
use crate::config::route::plain_family;
use crate::speaker::route::{ConfiguredRoute, Route};

/// The most that is remembered, and the most octets of each: so that a long configuration takes bounded memory.
const CAPACITY: usize = 1 << 17;
const LONGEST: usize = 256;

/// Routes by what their lines say behind the prefix.
#[derive(Debug, Default)]
pub struct KnownRoutes(Map<Box<str>, Box<ConfiguredRoute>>);

impl KnownRoutes {
    /// The route of `line`, where the like of it has been read and nothing is wrong with its prefix.
    pub fn find(&self, line: &PlainRoute<'_>) -> Option<ConfiguredRoute> {
        let like = self.0.get(line.rest)?;
        let (prefix, is_whole) = Prefix::read(line.prefix).ok()?;
        let family = plain_family(prefix);
        // A next hop may count in one family and not in the other.
        (is_whole && family == like.route.nlri.family).then(|| ConfiguredRoute {
            route: Route {
                nlri: Nlri {
                    family,
                    path_id: None,
                    value: NlriValue::Inet(Inet { prefix }),
                },
                next_hop: like.route.next_hop.clone(),
                attributes: Arc::clone(&like.route.attributes),
            },
            next_hop_self: like.next_hop_self,
            watchdog: like.watchdog.clone(),
            withdrawn: like.withdrawn,
        })
    }

    /// What is to be remembered of `line` once it has been read.
    pub fn missing(&self, line: &PlainRoute<'_>) -> Option<Box<str>> {
        let is_new = line.rest.len() <= LONGEST && self.0.len() < CAPACITY;
        is_new.then(|| line.rest.into())
    }

    /// Remembers that a line with `rest` behind the prefix says `routes`: where that is one, and the prefix all of its NLRI.
    pub fn insert(&mut self, rest: Box<str>, routes: &[ConfiguredRoute]) {
        if let [route] = routes
            && let (NlriValue::Inet(_), None) = (&route.route.nlri.value, route.route.nlri.path_id)
        {
            self.0.insert(rest, Box::new(route.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Configuration, parse};

    fn read(routes: &str) -> Result<Configuration, String> {
        let text = format!(
            "neighbor 127.0.0.1 {{ local-as 1; peer-as 1; router-id 1.1.1.1; local-address 127.0.0.1;\nstatic {{\n{routes}}} }}\n"
        );
        parse("speaker.conf", &text).map_err(|error| error.render())
    }

    #[test]
    fn a_line_that_is_known_says_what_it_would_say_alone() {
        let lines = [
            "route 10.0.0.0/8 next-hop 1.1.1.1 next-hop 2.2.2.2 med 1",
            "route 10.1.0.0/16 next-hop 1.1.1.1 next-hop 2.2.2.2 med 1",
            "route 224.0.0.0/8 next-hop 1.1.1.1 next-hop 2.2.2.2 med 1",
            "route 2001:db8::/32 next-hop 1.1.1.1 next-hop 2.2.2.2 med 1",
            "route 10.2.0.0/16 next-hop self watchdog w withdraw",
            "route 10.3.0.0/16 next-hop self watchdog w withdraw",
            "route 10.4.0.0/16 next-hop self path-information 7",
            "route 10.5.0.0/16 next-hop self path-information 7",
            "route 10.6.0.0/16 next-hop self label 7",
            "route 10.7.0.0/16 next-hop self label 7",
            "route 10.8.0.0/15 next-hop self split /16",
            "route 10.10.0.0/15 next-hop self split /16",
            "route 10.11.0.0/16 next-hop 1.1.1.1 community [ 1:1 2:2 ]",
            "route 10.12.0.0/16 next-hop 1.1.1.1 community [ 1:1 2:2 ]",
        ];
        let once = |end: &str| lines.map(|line| format!("  {line}{end}\n")).concat();
        let families = "} family { ipv4 unicast; ipv4 multicast; ipv4 nlri-mpls; ipv6 unicast; ";
        // Two blanks at the end make no difference to what a line says, and one that is not plain.
        let plain = read(&(once(";") + families)).unwrap();
        let slow = read(&(once(" \\\n;") + families)).unwrap();
        assert_eq!(plain.neighbors[0].routes, slow.neighbors[0].routes);
        assert_eq!(plain.neighbors[0].routes.len(), lines.len() + 2);
    }

    #[test]
    fn mistakes_are_told_at_every_line() {
        for wrong in [
            "route 10.0.0.1/8 next-hop self",
            "route 10.0.0.0/33 next-hop self",
        ] {
            let told = read(&format!("route 10.0.0.0/8 next-hop self;\n{wrong};\n")).unwrap_err();
            assert!(told.contains("speaker.conf:4:7"), "{told}");
        }
        let twice = "route 10.0.0.0/8 next-hop self what;\n";
        let told = read(&twice.repeat(2)).unwrap_err();
        assert_eq!(
            told.matches("`what` is not known in a route").count(),
            2,
            "{told}"
        );
    }
}
