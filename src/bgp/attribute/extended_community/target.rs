//! Route target, route origin (RFC 4360 sections 4 and 5, RFC 5668) and route target record (RFC 7543):
//! an administrator, that of type 0 a 2-octet AS number, of 1 an IPv4 address, of 2 a 4-octet AS number, and a number.

use std::fmt;
use std::net::Ipv4Addr;

use super::{
    ExtendedCommunity, Kind, four_and_two, join_four_and_two, join_two_and_four, two_and_four,
};

/// What the community says of the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// VPNs that import it.
    Target,
    /// The site that it comes from.
    Origin,
    /// The route target that it had.
    Record,
}

/// Who assigned the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Administrator {
    /// An AS of two octets; the number has four.
    As2(u16, u32),
    /// An address; the number has two octets.
    Ipv4(Ipv4Addr, u16),
    /// An AS of four octets; the number has two.
    As4(u32, u16),
}

/// A route target, origin or record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// What it says.
    pub role: Role,
    /// Who says it, and the number.
    pub administrator: Administrator,
}

impl From<Target> for ExtendedCommunity {
    fn from(target: Target) -> Self {
        let subtype = match target.role {
            Role::Target => 0x02,
            Role::Origin => 0x03,
            Role::Record => 0x13,
        };
        match target.administrator {
            Administrator::As2(asn, number) => {
                Self::new(0x00, subtype, join_two_and_four(asn, number))
            }
            Administrator::Ipv4(address, number) => {
                Self::new(0x01, subtype, join_four_and_two(address.into(), number))
            }
            Administrator::As4(asn, number) => {
                Self::new(0x02, subtype, join_four_and_two(asn, number))
            }
        }
    }
}

impl Kind for Target {
    const CODES: &'static [(u8, u8)] = &[
        (0x00, 0x02),
        (0x01, 0x02),
        (0x02, 0x02),
        (0x00, 0x03),
        (0x01, 0x03),
        (0x02, 0x03),
        (0x00, 0x13),
        (0x01, 0x13),
        (0x02, 0x13),
    ];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        let role = match octets[1] {
            0x02 => Role::Target,
            0x03 => Role::Origin,
            _ => Role::Record,
        };
        let administrator = match octets[0] & 0x0f {
            0x00 => {
                let (asn, number) = two_and_four(octets);
                Administrator::As2(asn, number)
            }
            kind => {
                let (administrator, number) = four_and_two(octets);
                match kind {
                    0x01 => Administrator::Ipv4(administrator.into(), number),
                    _ => Administrator::As4(administrator, number),
                }
            }
        };
        Some(Self {
            role,
            administrator,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.role {
            Role::Target => "target",
            Role::Origin => "origin",
            Role::Record => "rtrecord",
        })?;
        match (self.administrator, self.role) {
            // Parity: ExaBGP shows the number of an origin as an address, and puts an address last.
            (Administrator::As2(asn, number), Role::Origin) => {
                write!(f, ":{asn}:{}", Ipv4Addr::from(number))
            }
            (Administrator::Ipv4(address, number), Role::Origin) => {
                write!(f, ":{number}:{address}")
            }
            (Administrator::As2(asn, number), _) => write!(f, ":{asn}:{number}"),
            (Administrator::Ipv4(address, number), _) => write!(f, ":{address}:{number}"),
            (Administrator::As4(asn, number), _) => write!(f, ":{asn}:{number}"),
        }
    }
}
