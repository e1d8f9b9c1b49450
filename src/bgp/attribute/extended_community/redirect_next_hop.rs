//! Redirection to a next hop: that of the route (draft-simpson-idr-flowspec-redirect-02), or the one that the
//! community has (draft-ietf-idr-flowspec-redirect-ip). The lowest bit asks for a copy instead.

use std::fmt;
use std::net::Ipv4Addr;

use super::{ExtendedCommunity, Kind, four_and_two, join_four_and_two};

/// Where traffic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedirectNextHop {
    /// The address; `None` for the route's own next hop.
    pub next_hop: Option<Ipv4Addr>,
    /// A copy goes there, and the traffic its own way.
    pub copy: bool,
}

impl From<RedirectNextHop> for ExtendedCommunity {
    fn from(redirect: RedirectNextHop) -> Self {
        let bits = u16::from(redirect.copy);
        match redirect.next_hop {
            None => Self::new(0x08, 0x00, join_four_and_two(0, bits)),
            Some(address) => Self::new(0x01, 0x0c, join_four_and_two(address.into(), bits)),
        }
    }
}

impl Kind for RedirectNextHop {
    const CODES: &'static [(u8, u8)] = &[(0x08, 0x00), (0x01, 0x0c)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        let (address, bits) = four_and_two(octets);
        Some(Self {
            next_hop: (octets[1] == 0x0c).then(|| address.into()),
            copy: bits & 1 != 0,
        })
    }
}

impl fmt::Display for RedirectNextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.next_hop, self.copy) {
            (None, false) => f.write_str("redirect-to-nexthop"),
            (None, true) => f.write_str("copy-to-nexthop"),
            (Some(address), false) => write!(f, "redirect-to-nexthop-ietf {address}"),
            (Some(address), true) => write!(f, "copy-to-nexthop-ietf {address} (with copy)"),
        }
    }
}
