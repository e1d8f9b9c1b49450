//! An NLRI as a slot holds it: prefixes in few octets, for there may be very many of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::inet::{Inet, Prefix};
use crate::bgp::nlri::{Nlri, NlriValue, PathId};

/// An NLRI, or word that it is held elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// An IPv4 prefix.
    V4 {
        safi: Safi,
        length: u8,
        address: [u8; 4],
        path: Option<[u8; 4]>,
    },
    /// An IPv6 prefix without a path identifier.
    V6 {
        safi: Safi,
        length: u8,
        address: [u8; 16],
    },
    /// Any other.
    Elsewhere,
}

impl Held {
    /// `nlri` in few octets, if it is one of those.
    pub fn new(nlri: &Nlri) -> Self {
        let NlriValue::Inet(Inet { prefix }) = &nlri.value else {
            return Self::Elsewhere;
        };
        let (safi, length) = (nlri.family.safi, prefix.length);
        match (nlri.family.afi, prefix.address) {
            (Afi::IPV4, IpAddr::V4(address)) => Self::V4 {
                safi,
                length,
                address: address.octets(),
                path: nlri.path_id.map(|id| id.0.to_be_bytes()),
            },
            (Afi::IPV6, IpAddr::V6(address)) if nlri.path_id.is_none() => Self::V6 {
                safi,
                length,
                address: address.octets(),
            },
            _ => Self::Elsewhere,
        }
    }

    /// The NLRI, unless it is held elsewhere.
    pub fn nlri(self) -> Option<Nlri> {
        let (afi, safi, address, length, path) = match self {
            Self::Elsewhere => return None,
            Self::V4 {
                safi,
                length,
                address,
                path,
            } => (
                Afi::IPV4,
                safi,
                IpAddr::V4(Ipv4Addr::from(address)),
                length,
                path,
            ),
            Self::V6 {
                safi,
                length,
                address,
            } => (
                Afi::IPV6,
                safi,
                IpAddr::V6(Ipv6Addr::from(address)),
                length,
                None,
            ),
        };
        Some(Nlri {
            family: Family::new(afi, safi),
            path_id: path.map(|octets| PathId(u32::from_be_bytes(octets))),
            value: NlriValue::Inet(Inet {
                prefix: Prefix { address, length },
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_what_was_given() {
        let nlri = |family, address: &str, path_id| Nlri {
            family,
            path_id,
            value: NlriValue::Inet(Inet {
                prefix: Prefix {
                    address: address.parse().unwrap(),
                    length: 20,
                },
            }),
        };
        let path = Some(PathId(7));
        for (nlri, is_here) in [
            (nlri(Family::IPV4_UNICAST, "192.0.2.1", None), true),
            (nlri(Family::IPV4_MULTICAST, "192.0.2.1", path), true),
            (nlri(Family::IPV6_UNICAST, "2001:db8::1", None), true),
            (nlri(Family::IPV6_UNICAST, "2001:db8::1", path), false),
            (nlri(Family::IPV6_UNICAST, "192.0.2.1", None), false),
        ] {
            let held = Held::new(&nlri).nlri();
            assert_eq!(held, is_here.then_some(nlri));
        }
    }
}
