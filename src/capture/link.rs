//! Link types: from a captured frame to the IP packet in it.

use super::internet::Skipped;

/// A link type of <https://www.tcpdump.org/linktypes.html>: how the octets of a packet begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: the address family in the byte order of the host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP as some BSDs number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IP, version 4 or 6.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "any" device, first header.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux "any" device, second header.
    pub const LINUX_SLL2: Self = Self(276);

    /// Whether packets of this type can be taken apart.
    #[must_use]
    pub const fn is_supported(self) -> bool {
        matches!(
            self,
            Self::NULL
                | Self::ETHERNET
                | Self::RAW_BSD
                | Self::RAW_OPENBSD
                | Self::RAW
                | Self::LOOP
                | Self::LINUX_SLL
                | Self::IPV4
                | Self::IPV6
                | Self::LINUX_SLL2
        )
    }

    /// The IP packet inside `frame`, to the frame's end.
    #[inline]
    pub(super) fn internet_packet(self, frame: &[u8]) -> Result<&[u8], Skipped> {
        match self {
            Self::ETHERNET => tagged(frame, 12),
            Self::LINUX_SLL => tagged(frame, 14),
            Self::LINUX_SLL2 => {
                let protocol = frame.first_chunk::<2>().ok_or(Skipped::Cut)?;
                let body = frame.get(20..).ok_or(Skipped::Cut)?;
                match u16::from_be_bytes(*protocol) {
                    IPV4 | IPV6 => Ok(body),
                    // The tag follows the header, its own ethertype after it.
                    VLAN | VLAN_SERVICE | VLAN_QINQ => tagged(body, 2),
                    _ => Err(Skipped::NotIp),
                }
            }
            Self::NULL | Self::LOOP => {
                let family = frame.first_chunk::<4>().ok_or(Skipped::Cut)?;
                let family = u32::from_be_bytes(*family);
                let family = if family > 0xffff {
                    family.swap_bytes()
                } else {
                    family
                };
                match family {
                    // AF_INET, and AF_INET6 of NetBSD and Linux, FreeBSD, Darwin.
                    2 | 10 | 24 | 28 | 30 => Ok(&frame[4..]),
                    _ => Err(Skipped::NotIp),
                }
            }
            Self::RAW | Self::RAW_BSD | Self::RAW_OPENBSD | Self::IPV4 | Self::IPV6 => Ok(frame),
            _ => Err(Skipped::UnsupportedLink),
        }
    }
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// IEEE 802.1Q.
const VLAN: u16 = 0x8100;
/// IEEE 802.1ad.
const VLAN_SERVICE: u16 = 0x88a8;
/// QinQ before 802.1ad.
const VLAN_QINQ: u16 = 0x9100;

/// The IP packet after the ethertype at `at` and any VLAN tags.
#[inline]
fn tagged(frame: &[u8], mut at: usize) -> Result<&[u8], Skipped> {
    loop {
        let ethertype = frame.get(at..at + 2).ok_or(Skipped::Cut)?;
        match u16::from_be_bytes([ethertype[0], ethertype[1]]) {
            IPV4 | IPV6 => return Ok(&frame[at + 2..]),
            VLAN | VLAN_SERVICE | VLAN_QINQ => at += 4,
            _ => return Err(Skipped::NotIp),
        }
    }
}
