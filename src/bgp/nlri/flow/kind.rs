//! What a component compares (RFC 8955 section 4.2.2, RFC 8956 section 3).

use super::names::{self, Names, Registry};
use crate::bgp::iana::Afi;

/// What a component compares. Types 3 and 11 have another name with each address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Type 1.
    Destination,
    /// Type 2.
    Source,
    /// Type 3 of IPv4.
    Protocol,
    /// Type 3 of IPv6: any upper-layer protocol.
    NextHeader,
    /// Type 4: source or destination port.
    Port,
    /// Type 5.
    DestinationPort,
    /// Type 6.
    SourcePort,
    /// Type 7.
    IcmpType,
    /// Type 8.
    IcmpCode,
    /// Type 9: a bit mask.
    TcpFlags,
    /// Type 10: of the IP packet.
    PacketLength,
    /// Type 11 of IPv4.
    Dscp,
    /// Type 11 of IPv6.
    TrafficClass,
    /// Type 12: a bit mask.
    Fragment,
    /// Type 13, of IPv6 alone.
    FlowLabel,
}

/// How the operator octet of a kind is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `< > =` (RFC 8955 section 4.2.1.1).
    Numeric,
    /// `! =` on bits (RFC 8955 section 4.2.1.2).
    Bitmask,
}

impl Kind {
    /// The component type of `code` in a flow of `afi`.
    pub(super) fn from_code(afi: Afi, code: u8) -> Option<Self> {
        let six = afi == Afi::IPV6;
        Some(match code {
            1 => Self::Destination,
            2 => Self::Source,
            3 if six => Self::NextHeader,
            3 => Self::Protocol,
            4 => Self::Port,
            5 => Self::DestinationPort,
            6 => Self::SourcePort,
            7 => Self::IcmpType,
            8 => Self::IcmpCode,
            9 => Self::TcpFlags,
            10 => Self::PacketLength,
            11 if six => Self::TrafficClass,
            11 => Self::Dscp,
            12 => Self::Fragment,
            13 if six => Self::FlowLabel,
            _ => return None,
        })
    }

    /// The kind that people call `keyword`; with the AFI of a prefix that must be of one.
    pub(super) fn from_keyword(keyword: &str) -> Option<(Self, Option<Afi>)> {
        let kind = match keyword {
            "source" => Self::Source,
            "source-ipv4" => return Some((Self::Source, Some(Afi::IPV4))),
            "source-ipv6" => return Some((Self::Source, Some(Afi::IPV6))),
            "destination" => Self::Destination,
            "destination-ipv4" => return Some((Self::Destination, Some(Afi::IPV4))),
            "destination-ipv6" => return Some((Self::Destination, Some(Afi::IPV6))),
            "protocol" => Self::Protocol,
            "next-header" => Self::NextHeader,
            "port" => Self::Port,
            "destination-port" => Self::DestinationPort,
            "source-port" => Self::SourcePort,
            "icmp-type" => Self::IcmpType,
            "icmp-code" => Self::IcmpCode,
            "tcp-flags" => Self::TcpFlags,
            "packet-length" => Self::PacketLength,
            "dscp" => Self::Dscp,
            "traffic-class" => Self::TrafficClass,
            "fragment" => Self::Fragment,
            "flow-label" => Self::FlowLabel,
            _ => return None,
        };
        Some((kind, None))
    }

    /// The component type on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Destination => 1,
            Self::Source => 2,
            Self::Protocol | Self::NextHeader => 3,
            Self::Port => 4,
            Self::DestinationPort => 5,
            Self::SourcePort => 6,
            Self::IcmpType => 7,
            Self::IcmpCode => 8,
            Self::TcpFlags => 9,
            Self::PacketLength => 10,
            Self::Dscp | Self::TrafficClass => 11,
            Self::Fragment => 12,
            Self::FlowLabel => 13,
        }
    }

    /// ExaBGP's name for it (that of a prefix is its keyword without the AFI).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Destination => "destination",
            Self::Source => "source",
            Self::Protocol => "protocol",
            Self::NextHeader => "next-header",
            Self::Port => "port",
            Self::DestinationPort => "destination-port",
            Self::SourcePort => "source-port",
            Self::IcmpType => "icmp-type",
            Self::IcmpCode => "icmp-code",
            Self::TcpFlags => "tcp-flags",
            Self::PacketLength => "packet-length",
            Self::Dscp => "dscp",
            Self::TrafficClass => "traffic-class",
            Self::Fragment => "fragment",
            Self::FlowLabel => "flow-label",
        }
    }

    pub(super) const fn operation(self) -> Operation {
        match self {
            Self::TcpFlags | Self::Fragment => Operation::Bitmask,
            _ => Operation::Numeric,
        }
    }

    /// The greatest value that its field can have.
    pub(super) const fn limit(self) -> u64 {
        match self {
            Self::Protocol
            | Self::NextHeader
            | Self::IcmpType
            | Self::IcmpCode
            | Self::Dscp
            | Self::TrafficClass => 0xff,
            Self::FlowLabel => 0xffff_ffff,
            _ => 0xffff,
        }
    }

    /// The greatest value that people may write.
    pub(super) const fn written_limit(self) -> u64 {
        match self {
            Self::Dscp => 0x3f,
            Self::FlowLabel => 0xf_ffff,
            _ => self.limit(),
        }
    }

    pub(super) const fn registry(self) -> Registry {
        match self {
            Self::Protocol | Self::NextHeader => Registry::Table(names::PROTOCOL),
            Self::IcmpType => Registry::Table(names::ICMP_TYPE),
            Self::IcmpCode => Registry::Table(names::ICMP_CODE),
            Self::TcpFlags => Registry::Table(names::TCP_FLAGS),
            Self::Fragment => Registry::Table(names::FRAGMENT),
            Self::Port | Self::DestinationPort | Self::SourcePort => Registry::Ports,
            _ => Registry::Decimal,
        }
    }

    /// The names that are printed instead of numbers, those of ports aside.
    pub(super) const fn printed(self) -> Option<Names> {
        match self {
            Self::Protocol | Self::NextHeader => Some(names::PROTOCOL),
            Self::IcmpType => Some(names::ICMP_TYPE),
            _ => None,
        }
    }
}
