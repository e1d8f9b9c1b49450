//! MP_REACH_NLRI (RFC 4760 section 3; next hops: RFC 2545, 4364, 4659, 8950).
//!
//! ```text
//!  +-----------------------------+
//!  |   AFI (2 octets)            |
//!  +-----------------------------+
//!  |   SAFI (1 octet)            |
//!  +-----------------------------+
//!  |   Length of Next Hop (1)    |
//!  +-----------------------------+
//!  |   Next Hop (variable)       |
//!  +-----------------------------+
//!  |   Reserved (1 octet)        |  sent as 0, ignored
//!  +-----------------------------+
//!  |   NLRI (variable)           |
//!  +-----------------------------+
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Attribute, AttributeValue, Flags, WireContext};
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::iana::Safi;
use crate::bgp::nlri::{KNOWN_FAMILIES, Nlri};
use crate::bgp::wire::{Prefix, Reader, Writer, length_prefixed};

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

/// A route distinguisher of zero, which stands before each next hop of some families.
const ZERO: [u8; 8] = [0; 8];

/// Whether `family` has a route distinguisher before its next hop (RFC 4364 section 4.3.4, RFC 4659 section 3.2.1, RFC 9552 section 5.5).
#[must_use]
pub const fn has_distinguisher(family: Family) -> bool {
    matches!(
        family.safi,
        Safi::MPLS_VPN | Safi::MCAST_MPLS_VPN | Safi::BGP_LS_VPN
    )
}

impl NextHop {
    /// Decodes the octets of a next hop of `family`.
    #[must_use]
    pub fn decode(family: Family, bytes: &[u8]) -> Self {
        if has_distinguisher(family) {
            return Self::decode_with_distinguisher(bytes);
        }
        match bytes.len() {
            0 => Self::None,
            4 => Self::address_of::<4>(bytes),
            16 => Self::address_of::<16>(bytes),
            32 => {
                let (halves, _) = bytes.as_chunks::<16>();
                Self::WithLinkLocal(halves[0].into(), halves[1].into())
            }
            _ => Self::Other(bytes.to_vec()),
        }
    }

    fn decode_with_distinguisher(bytes: &[u8]) -> Self {
        match (bytes.len(), bytes.strip_prefix(&ZERO)) {
            (0, _) => Self::None,
            (12, Some(address)) => Self::address_of::<4>(address),
            (24, Some(address)) => Self::address_of::<16>(address),
            (48, Some(rest)) => match (rest.first_chunk::<16>(), rest[16..].strip_prefix(&ZERO)) {
                (Some(global), Some(link_local)) => match link_local.first_chunk::<16>() {
                    Some(link_local) => Self::WithLinkLocal((*global).into(), (*link_local).into()),
                    None => Self::Other(bytes.to_vec()),
                },
                _ => Self::Other(bytes.to_vec()),
            },
            _ => Self::Other(bytes.to_vec()),
        }
    }

    fn address_of<const N: usize>(bytes: &[u8]) -> Self
    where
        IpAddr: From<[u8; N]>,
    {
        match bytes.first_chunk::<N>() {
            Some(octets) => Self::Address(IpAddr::from(*octets)),
            None => Self::Other(bytes.to_vec()),
        }
    }

    /// Whether `family` has next hops of this form: RFC 7606 section 7.11 has the session reset over any other.
    fn is_expected(&self, family: Family) -> bool {
        if !KNOWN_FAMILIES.contains(&family) {
            return true;
        }
        match self {
            Self::Other(_) => false,
            Self::None => !matches!(
                family.safi,
                Safi::UNICAST | Safi::MULTICAST | Safi::NLRI_MPLS | Safi::MPLS_VPN
            ),
            Self::Address(_) | Self::WithLinkLocal(..) => true,
        }
    }

    /// Appends the octets of a next hop of `family`.
    pub fn encode(&self, family: Family, out: &mut Writer) {
        let distinguisher: &[u8] = if has_distinguisher(family) {
            &ZERO
        } else {
            &[]
        };
        match self {
            Self::None => {}
            Self::Address(address) => {
                out.extend_from_slice(distinguisher);
                match address {
                    IpAddr::V4(v4) => out.extend_from_slice(&v4.octets()),
                    IpAddr::V6(v6) => out.extend_from_slice(&v6.octets()),
                }
            }
            Self::WithLinkLocal(global, link_local) => {
                for address in [global, link_local] {
                    out.extend_from_slice(distinguisher);
                    out.extend_from_slice(&address.octets());
                }
            }
            Self::Other(bytes) => out.extend_from_slice(bytes),
        }
    }
}

impl MpReach {
    /// The type code.
    pub const CODE: u8 = 0x0e;

    pub(super) fn decode(
        context: &WireContext,
        mut reader: Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let family = Family::decode(&mut reader)?;
        let length = usize::from(reader.u8()?);
        let unexpected = reader.error(DecodeErrorKind::Length, length);
        let next_hop = NextHop::decode(family, reader.bytes(length)?);
        if !next_hop.is_expected(family) {
            return Err(unexpected);
        }
        reader.u8()?;
        let nlri = Nlri::decode_all(family, context.add_path.contains(family), reader)?;
        Ok(Self {
            family,
            next_hop,
            nlri,
        })
    }

    pub(super) fn encode(
        &self,
        context: &WireContext,
        out: &mut Writer,
    ) -> Result<(), EncodeError> {
        self.family.encode(out);
        length_prefixed(out, "Length of Next Hop", Prefix::U8, |out| {
            self.next_hop.encode(self.family, out);
            Ok(())
        })?;
        out.push(0);
        let add_path = context.add_path.contains(self.family);
        self.nlri
            .iter()
            .try_for_each(|nlri| nlri.encode(add_path, out))
    }
}

impl From<MpReach> for Attribute {
    fn from(value: MpReach) -> Self {
        Self {
            flags: Flags::OPTIONAL,
            value: AttributeValue::MpReach(Box::new(value)),
        }
    }
}
