//! The types of EVPN routes.

use std::net::IpAddr;

use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::nlri::qualifier::{
    EthernetSegment, EthernetTag, Labels, MacAddress, RouteDistinguisher, dissect,
};
use crate::bgp::wire::Reader;

/// What an EVPN route says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Type 1, Ethernet auto-discovery (RFC 7432 section 7.1).
    EthernetAutoDiscovery {
        /// The VPN.
        rd: RouteDistinguisher,
        /// The Ethernet Segment Identifier, 10 octets (RFC 7432 section 5).
        esi: EthernetSegment,
        /// The broadcast domain.
        tag: EthernetTag,
        /// One label, or none.
        labels: Labels,
    },
    /// Type 2, MAC/IP advertisement (RFC 7432 section 7.2).
    MacIp {
        /// The VPN.
        rd: RouteDistinguisher,
        /// The Ethernet Segment Identifier, 10 octets (RFC 7432 section 5).
        esi: EthernetSegment,
        /// The broadcast domain.
        tag: EthernetTag,
        /// The MAC address.
        mac: MacAddress,
        /// The host's IP address.
        ip: Option<IpAddr>,
        /// The first label; a second one is in the octets alone.
        labels: Labels,
    },
    /// Type 3, inclusive multicast Ethernet tag (RFC 7432 section 7.3).
    InclusiveMulticast {
        /// The VPN.
        rd: RouteDistinguisher,
        /// The broadcast domain.
        tag: EthernetTag,
        /// The originating router.
        originator: IpAddr,
    },
    /// Type 4, Ethernet segment (RFC 7432 section 7.4).
    EthernetSegment {
        /// The VPN.
        rd: RouteDistinguisher,
        /// The Ethernet Segment Identifier, 10 octets (RFC 7432 section 5).
        esi: EthernetSegment,
        /// The originating router.
        originator: IpAddr,
    },
    /// Type 5, IP prefix (RFC 9136 section 3.1).
    IpPrefix {
        /// The VPN.
        rd: RouteDistinguisher,
        /// The segment, as an overlay index.
        esi: EthernetSegment,
        /// The broadcast domain.
        tag: EthernetTag,
        /// The prefix; its length is as received.
        prefix: Prefix,
        /// The gateway, as an overlay index.
        gateway: IpAddr,
        /// The MPLS label of the route, 3 octets (RFC 7432 section 7).
        labels: Labels,
    },
    /// Types 6 to 8 (RFC 9251 section 9).
    Multicast(Membership),
}

/// Selective multicast (type 6), multicast join synch (7) and leave synch (8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The VPN.
    pub rd: RouteDistinguisher,
    /// The segment, of types 7 and 8.
    pub esi: Option<EthernetSegment>,
    /// The broadcast domain.
    pub tag: EthernetTag,
    /// The source; `None` for any.
    pub source: Option<IpAddr>,
    /// The group; `None` for any.
    pub group: Option<IpAddr>,
    /// The originating router.
    pub originator: Option<IpAddr>,
    /// Maximum response time, of type 8, in tenths of a second.
    pub response_time: Option<u8>,
    /// IGMP or MLD versions and the exclude bit.
    pub flags: u8,
}

impl Route {
    pub(super) fn decode(kind: u8, mut reader: Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let reader = &mut reader;
        let route = match kind {
            1 => Self::EthernetAutoDiscovery {
                rd: RouteDistinguisher::decode(reader)?,
                esi: segment(reader)?,
                tag: tag(reader)?,
                labels: labels(reader, true)?,
            },
            2 => Self::MacIp {
                rd: RouteDistinguisher::decode(reader)?,
                esi: segment(reader)?,
                tag: tag(reader)?,
                mac: mac(reader)?,
                ip: optional_address(reader)?,
                labels: labels(reader, false)?,
            },
            3 => Self::InclusiveMulticast {
                rd: RouteDistinguisher::decode(reader)?,
                tag: tag(reader)?,
                originator: address(reader)?,
            },
            4 => Self::EthernetSegment {
                rd: RouteDistinguisher::decode(reader)?,
                esi: segment(reader)?,
                originator: address(reader)?,
            },
            5 => Self::prefix(reader)?,
            6..=8 => Self::Multicast(Membership::decode(kind, reader)?),
            _ => return Ok(None),
        };
        reader.finish()?;
        Ok(Some(route))
    }

    /// Whether addresses have 4 or 16 octets follows from the length alone.
    fn prefix(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let four = match reader.remaining() {
            34 => true,
            58 => false,
            _ => return Err(reader.error(DecodeErrorKind::Length, 34)),
        };
        let rd = RouteDistinguisher::decode(reader)?;
        let esi = segment(reader)?;
        let tag = tag(reader)?;
        let length = reader.u8()?;
        let mut address = || -> Result<IpAddr, DecodeError> {
            Ok(match four {
                true => IpAddr::from(reader.array::<4>()?),
                false => IpAddr::from(reader.array::<16>()?),
            })
        };
        let prefix = Prefix {
            address: address()?,
            length,
        };
        Ok(Self::IpPrefix {
            rd,
            esi,
            tag,
            prefix,
            gateway: address()?,
            labels: labels(reader, false)?,
        })
    }

    /// The VPN.
    #[must_use]
    pub const fn rd(&self) -> RouteDistinguisher {
        match self {
            Self::EthernetAutoDiscovery { rd, .. }
            | Self::MacIp { rd, .. }
            | Self::InclusiveMulticast { rd, .. }
            | Self::EthernetSegment { rd, .. }
            | Self::IpPrefix { rd, .. } => *rd,
            Self::Multicast(membership) => membership.rd,
        }
    }

    /// The segment, if the type has one.
    #[must_use]
    pub const fn segment(&self) -> Option<EthernetSegment> {
        match self {
            Self::EthernetAutoDiscovery { esi, .. }
            | Self::MacIp { esi, .. }
            | Self::EthernetSegment { esi, .. }
            | Self::IpPrefix { esi, .. } => Some(*esi),
            Self::InclusiveMulticast { .. } => None,
            Self::Multicast(membership) => membership.esi,
        }
    }

    /// The broadcast domain, if the type has one.
    #[must_use]
    pub const fn tag(&self) -> Option<EthernetTag> {
        match self {
            Self::EthernetAutoDiscovery { tag, .. }
            | Self::MacIp { tag, .. }
            | Self::InclusiveMulticast { tag, .. }
            | Self::IpPrefix { tag, .. } => Some(*tag),
            Self::EthernetSegment { .. } => None,
            Self::Multicast(membership) => Some(membership.tag),
        }
    }

    /// The labels, if the type has some.
    #[must_use]
    pub const fn labels(&self) -> Option<&Labels> {
        match self {
            Self::EthernetAutoDiscovery { labels, .. }
            | Self::MacIp { labels, .. }
            | Self::IpPrefix { labels, .. } => Some(labels),
            _ => None,
        }
    }
}

impl Membership {
    fn decode(kind: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let rd = RouteDistinguisher::decode(reader)?;
        let esi = match kind {
            6 => None,
            _ => Some(segment(reader)?),
        };
        let tag = tag(reader)?;
        let source = optional_address(reader)?;
        let group = optional_address(reader)?;
        let originator = optional_address(reader)?;
        let response_time = match kind {
            8 => {
                reader.u32()?;
                Some(reader.u8()?)
            }
            _ => None,
        };
        Ok(Self {
            rd,
            esi,
            tag,
            source,
            group,
            originator,
            response_time,
            flags: reader.u8()?,
        })
    }
}

/// The fields of a route of type `kind`.
pub(super) fn fields(kind: u8, fields: &mut Dissector<'_>) -> Option<()> {
    if !(1..=8).contains(&kind) {
        return None;
    }
    dissect::rd(fields)?;
    if matches!(kind, 1 | 2 | 4 | 5 | 7 | 8) {
        fields.decoded(
            "esi",
            "Ethernet Segment Identifier",
            segment,
            ToString::to_string,
        )?;
    }
    if kind != 4 {
        fields.u32("ethernet-tag", "Ethernet Tag ID")?;
    }
    match kind {
        2 => {
            fields.decoded("mac", "MAC Address", mac, ToString::to_string)?;
            dissect::sized_address("ip", "IP Address", fields)?;
        }
        3 | 4 => dissect::sized_address("originator", "Originating Router", fields)?,
        5 => {
            fields.u8_as("prefix-length", "IP Prefix Length", |bits| {
                format!("{bits} bits")
            })?;
            let octets = if fields.remaining() > 32 { 16 } else { 4 };
            dissect::whole_address("prefix", "IP Prefix", octets, fields)?;
            dissect::whole_address("gateway", "GW IP Address", octets, fields)?;
        }
        6..=8 => {
            dissect::sized_address("source", "Multicast Source", fields)?;
            dissect::sized_address("group", "Multicast Group", fields)?;
            dissect::sized_address("originator", "Originator Router", fields)?;
            if kind == 8 {
                fields.u32("reserved", "Reserved")?;
                fields.u8("response-time", "Maximum Response Time")?;
            }
            fields.u8_as("flags", "Flags", |flags| format!("0x{flags:02x}"))?;
        }
        _ => {}
    }
    while matches!(kind, 1 | 2 | 5) && !fields.is_empty() {
        fields.decoded("label", "MPLS Label", Reader::u24, |label| {
            (label >> 4).to_string()
        })?;
    }
    Some(())
}

fn segment(reader: &mut Reader<'_>) -> Result<EthernetSegment, DecodeError> {
    reader.array().map(EthernetSegment)
}

fn tag(reader: &mut Reader<'_>) -> Result<EthernetTag, DecodeError> {
    reader.u32().map(EthernetTag)
}

fn mac(reader: &mut Reader<'_>) -> Result<MacAddress, DecodeError> {
    let wrong = reader.error(DecodeErrorKind::Value("MAC address length"), 6);
    // RFC 7432 section 9.2.1: always six octets.
    if reader.u8()? != 48 {
        return Err(wrong);
    }
    reader.array().map(MacAddress)
}

fn optional_address(reader: &mut Reader<'_>) -> Result<Option<IpAddr>, DecodeError> {
    match reader.u8()? {
        0 => Ok(None),
        32 => Ok(Some(IpAddr::from(reader.array::<4>()?))),
        128 => Ok(Some(IpAddr::from(reader.array::<16>()?))),
        _ => Err(reader.error(DecodeErrorKind::Value("EVPN address length"), 0)),
    }
}

fn address(reader: &mut Reader<'_>) -> Result<IpAddr, DecodeError> {
    let wrong = reader.error(DecodeErrorKind::Value("EVPN address length"), 0);
    optional_address(reader)?.ok_or(wrong)
}

/// The first label; what follows it stays unread. Type 1 may have none, the others have one or two.
fn labels(reader: &mut Reader<'_>, optional: bool) -> Result<Labels, DecodeError> {
    let octets = reader.remaining();
    let right = match optional {
        true => octets.is_multiple_of(3),
        false => matches!(octets, 3 | 6),
    };
    if !right {
        return Err(reader.error(DecodeErrorKind::Length, 3));
    }
    if octets == 0 {
        return Ok(Labels::default());
    }
    let label = reader.u24()?;
    reader.rest();
    Ok(Labels(vec![label]))
}
