//! MP_REACH_NLRI (RFC 4760 section 3; next hops: RFC 2545, 4364, 4659, 8950).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bgp::family::Family;
use crate::bgp::nlri::Nlri;

/// The next hop of a route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NextHop {
    /// None: flow specification without redirection.
    None,
    /// An address.
    Address(IpAddr),
    /// A global and a link-local address (RFC 2545 section 3).
    WithLinkLocal(Ipv6Addr, Ipv6Addr),
    /// Octets of a length that the family's RFC does not have.
    Other(Vec<u8>),
}

impl NextHop {
    /// The (global) address, if it has one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::WithLinkLocal(global, _) => Some(IpAddr::V6(*global)),
            Self::None | Self::Other(_) => None,
        }
    }
}

impl From<Ipv4Addr> for NextHop {
    fn from(address: Ipv4Addr) -> Self {
        Self::Address(IpAddr::V4(address))
    }
}

/// Reachable NLRI of one family and their next hop.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MpReach {
    /// The family.
    pub family: Family,
    /// The next hop; a route distinguisher of zero before it (RFC 4364 section 4.3.4) is left out here and written where the family has it.
    pub next_hop: NextHop,
    /// The routes.
    pub nlri: Vec<Nlri>,
}
