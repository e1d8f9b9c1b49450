//! Link types: how the octets of a captured packet begin.

use super::envelope::{
    Found, Layer, ethernet, ethertype, frame_relay, hdlc, llc, mpls, ppp, pppoe,
};
use super::internet;
use super::tally::Skipped;

/// A link type of <https://www.tcpdump.org/linktypes.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: the address family in the byte order of the host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without the address and control octets of HDLC.
    pub const PPP: Self = Self(9);
    /// Raw IP as some BSDs number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC framing, or Cisco HDLC (RFC 1662).
    pub const PPP_HDLC: Self = Self(50);
    /// PPPoE session packets (RFC 2516).
    pub const PPP_ETHER: Self = Self(51);
    /// LLC-encapsulated ATM (RFC 2684).
    pub const ATM_RFC1483: Self = Self(100);
    /// Raw IP, version 4 or 6.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// Frame relay (Q.922, RFC 2427).
    pub const FRELAY: Self = Self(107);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// BSD's enc(4) device: IPsec traffic in the clear.
    pub const ENC: Self = Self(109);
    /// Linux "any" device, first header.
    pub const LINUX_SLL: Self = Self(113);
    /// BSD's pflog(4) device.
    pub const PFLOG: Self = Self(117);
    /// PPP of Linux's pppd, the direction in place of the HDLC address.
    pub const PPP_PPPD: Self = Self(166);
    /// MPLS label stacks.
    pub const MPLS: Self = Self(219);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter's log.
    pub const NFLOG: Self = Self(239);
    /// Linux "any" device, second header.
    pub const LINUX_SLL2: Self = Self(276);

    /// What `frame` carries inside its link header.
    #[inline]
    pub(super) fn open(self, frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
        match self {
            Self::ETHERNET => ethernet(frame),
            Self::LINUX_SLL => cooked(frame.array(14)?, frame.after(16)?),
            // The ethertype comes first, and the packet after a header of twenty octets.
            Self::LINUX_SLL2 => cooked(frame.array(0)?, frame.after(20)?),
            Self::NULL | Self::LOOP => family(frame),
            Self::RAW | Self::RAW_BSD | Self::RAW_OPENBSD | Self::IPV4 | Self::IPV6 => {
                internet::packet(frame)
            }
            Self::PPP | Self::PPP_HDLC => match frame.octets.first() {
                // Unicast and broadcast of Cisco HDLC, which is no PPP address.
                Some(0x0f | 0x8f) => hdlc(frame),
                _ => ppp(frame),
            },
            Self::PPP_PPPD => ppp(frame.after(2)?),
            Self::PPP_ETHER => pppoe(frame),
            Self::C_HDLC => hdlc(frame),
            Self::FRELAY => frame_relay(frame),
            Self::ATM_RFC1483 => llc(frame),
            Self::MPLS => mpls(frame),
            Self::ENC => internet::packet(frame.after(12)?),
            Self::PFLOG => {
                let [length] = frame.array(0)?;
                internet::packet(frame.after(usize::from(length).next_multiple_of(4))?)
            }
            Self::NFLOG => netfilter(frame),
            Self(other) => Err(Skipped::UnsupportedLink(other)),
        }
    }
}

/// The packet behind the protocol field of a Linux cooked header.
#[inline]
fn cooked(protocol: [u8; 2], body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    const LLC: u16 = 4;
    match u16::from_be_bytes(protocol) {
        LLC => llc(body),
        protocol => ethertype(protocol, body),
    }
}

/// The packet behind an address family.
fn family(frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
    let family = u32::from_be_bytes(frame.array(0)?);
    let family = if family > 0xffff {
        family.swap_bytes()
    } else {
        family
    };
    match family {
        // AF_INET, and AF_INET6 of NetBSD and Linux, FreeBSD, Darwin.
        2 | 10 | 24 | 28 | 30 => internet::packet(frame.after(4)?),
        _ => Err(Skipped::NotIp),
    }
}

/// The payload among the attributes of a netfilter log entry: `family(1) version(1) resource(2)`, then
/// `length(2) type(2) value` in the byte order of the host, padded to four octets.
fn netfilter(frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
    const PAYLOAD: u16 = 9;
    const BRIDGE: u8 = 7;
    let [family] = frame.array(0)?;
    let mut rest = frame.after(4)?;
    loop {
        let header: [u8; 4] = rest.array(0)?;
        let (length, kind) = ([header[0], header[1]], [header[2], header[3]]);
        // A type is small: where it is not, the other byte order is meant.
        let is_little = header[3] == 0;
        let read = |octets| {
            if is_little {
                u16::from_le_bytes(octets)
            } else {
                u16::from_be_bytes(octets)
            }
        };
        let length = usize::from(read(length));
        if length < 4 {
            return Err(Skipped::Malformed);
        }
        if read(kind) == PAYLOAD {
            let payload = rest.upto(length).after(4)?;
            return match family {
                BRIDGE => ethernet(payload),
                _ => internet::packet(payload),
            };
        }
        rest = rest.after(length.next_multiple_of(4))?;
    }
}
