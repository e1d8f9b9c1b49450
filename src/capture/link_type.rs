//! The numbers of link types.

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
}
