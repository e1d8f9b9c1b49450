//! MVPN: multicast in VPNs (RFC 6514 section 4).
//!
//! ```text
//!  +-----------------------------------+
//!  |    Route type (1 octet)           |
//!  +-----------------------------------+
//!  |    Length (1 octet)               |
//!  +-----------------------------------+
//!  |    Route type specific (variable) |
//!  +-----------------------------------+
//!   1 Intra-AS I-PMSI, 2 Inter-AS I-PMSI, 3 S-PMSI, 4 Leaf, 5 Source Active,
//!   6 Shared Tree Join, 7 Source Tree Join
//! ```
//!
//! ExaBGP reads types 5, 6 and 7; the others are octets to it.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::qualifier::{RouteDistinguisher, address, dissect};
use super::{Around, NlriFamily};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::iana::Afi;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Prefix as LengthPrefix, Reader, Writer, length_prefixed};

/// A multicast VPN route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mvpn {
    /// Type 5: a source is active.
    SourceActive(Flow),
    /// Type 6: a join of the shared tree; the source is the rendezvous point.
    SharedJoin(u32, Flow),
    /// Type 7: a join of the source's tree.
    SourceJoin(u32, Flow),
    /// Types 1 to 4, and those that no RFC has.
    Other {
        /// The route type.
        kind: u8,
        /// What follows the length.
        value: Vec<u8>,
    },
}

/// A multicast flow of a VPN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The VPN.
    pub rd: RouteDistinguisher,
    /// Where it comes from.
    pub source: IpAddr,
    /// Where it goes.
    pub group: IpAddr,
}

impl Mvpn {
    /// The route type.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::SourceActive(_) => 5,
            Self::SharedJoin(..) => 6,
            Self::SourceJoin(..) => 7,
            Self::Other { kind, .. } => *kind,
        }
    }

    fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // The longest value has 46 octets, or came in a field of one octet.
        let _ = self.encode(&mut out);
        out
    }

    fn join_json(&self, name: &str, source_as: Option<u32>, flow: &Flow, out: &mut String) {
        let _ = write!(
            out,
            "{{ \"code\": {}, \"parsed\": true, \"raw\": \"{}\", \"name\": \"{name}\", \"rd\": \"{}\", ",
            self.kind(),
            hex::upper(&self.octets()),
            flow.rd
        );
        if let Some(source_as) = source_as {
            let _ = write!(out, "\"source-as\": \"{source_as}\", ");
        }
        let _ = write!(
            out,
            "\"source\": \"{}\", \"group\": \"{}\"}}",
            address(flow.source),
            address(flow.group)
        );
    }
}

impl Flow {
    /// Decodes source and group; both are of one address family.
    fn decode(rd: RouteDistinguisher, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let source = decode_address(&mut reader)?;
        let group = decode_address(&mut reader)?;
        if source.is_ipv4() != group.is_ipv4() {
            return Err(reader.error(DecodeErrorKind::Value("multicast group length"), 0));
        }
        reader.finish()?;
        Ok(Self { rd, source, group })
    }

    fn encode(&self, out: &mut Writer) {
        for address in [self.source, self.group] {
            match address {
                IpAddr::V4(v4) => {
                    out.push(32);
                    out.extend_from_slice(&v4.octets());
                }
                IpAddr::V6(v6) => {
                    out.push(128);
                    out.extend_from_slice(&v6.octets());
                }
            }
        }
    }
}

fn decode_address(reader: &mut Reader<'_>) -> Result<IpAddr, DecodeError> {
    match reader.u8()? {
        32 => Ok(IpAddr::from(reader.array::<4>()?)),
        128 => Ok(IpAddr::from(reader.array::<16>()?)),
        _ => Err(reader.error(DecodeErrorKind::Value("multicast address length"), 0)),
    }
}

impl NlriFamily for Mvpn {
    fn decode(_: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = reader.u8()?;
        let length = usize::from(reader.u8()?);
        let mut value = reader.sub(length)?;
        if !matches!(kind, 5..=7) {
            let value = value.rest().to_vec();
            return Ok(Self::Other { kind, value });
        }
        let rd = RouteDistinguisher::decode(&mut value)?;
        if kind == 5 {
            return Flow::decode(rd, value).map(Self::SourceActive);
        }
        let source_as = value.u32()?;
        let flow = Flow::decode(rd, value)?;
        Ok(match kind {
            6 => Self::SharedJoin(source_as, flow),
            _ => Self::SourceJoin(source_as, flow),
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(self.kind());
        length_prefixed(out, "MVPN route length", LengthPrefix::U8, |out| {
            match self {
                Self::SourceActive(flow) => {
                    out.extend_from_slice(&flow.rd.0);
                    flow.encode(out);
                }
                Self::SharedJoin(source_as, flow) | Self::SourceJoin(source_as, flow) => {
                    out.extend_from_slice(&flow.rd.0);
                    out.extend_from_slice(&source_as.to_be_bytes());
                    flow.encode(out);
                }
                Self::Other { value, .. } => out.extend_from_slice(value),
            }
            Ok(())
        })
    }

    /// Reads `source-ad source IP group IP rd RD`, `source-join source IP group IP rd RD source-as ASN` or
    /// `shared-join rp IP group IP rd RD source-as ASN`.
    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let word = words.word("a route type")?;
        let source = match word.text.as_str() {
            "source-ad" | "source-join" => "source",
            "shared-join" => "rp",
            other => {
                let message = format!("`{other}` is not a type of MVPN route");
                return Err(TextError::new(word.span.clone(), message)
                    .help("write source-ad, source-join or shared-join"));
            }
        };
        words.expect(source)?;
        let source = parse_address(family.afi, words)?;
        words.expect("group")?;
        let group = parse_address(family.afi, words)?;
        words.expect("rd")?;
        let rd = RouteDistinguisher::parse(words)?;
        let flow = Flow { rd, source, group };
        if word.text == "source-ad" {
            return Ok(Self::SourceActive(flow));
        }
        words.expect("source-as")?;
        let source_as = words.parse("an AS number")?;
        Ok(match word.text.as_str() {
            "shared-join" => Self::SharedJoin(source_as, flow),
            _ => Self::SourceJoin(source_as, flow),
        })
    }
    fn dissect(_: Family, fields: &mut Dissector<'_>) {
        let name = |kind: u8| match kind {
            1 => "Intra-AS I-PMSI A-D route",
            2 => "Inter-AS I-PMSI A-D route",
            3 => "S-PMSI A-D route",
            4 => "Leaf A-D route",
            5 => "Source Active A-D route",
            6 => "Shared Tree Join route",
            7 => "Source Tree Join route",
            _ => "unknown",
        };
        let walk = |fields: &mut Dissector<'_>| {
            let kind = fields.u8_as("type", "Route Type", |kind| {
                format!("{kind} ({})", name(kind))
            })?;
            let length = fields.u8("length", "Length")?;
            fields.group("route", name(kind), usize::from(length), "", |fields| {
                let walk = |fields: &mut Dissector<'_>| {
                    if kind != 4 {
                        dissect::rd(fields)?;
                    }
                    if matches!(kind, 2 | 6 | 7) {
                        fields.u32("source-as", "Source AS")?;
                    }
                    if matches!(kind, 3 | 5..=7) {
                        dissect::sized_address("source", "Multicast Source", fields)?;
                        dissect::sized_address("group", "Multicast Group", fields)?;
                    }
                    if matches!(kind, 1 | 3) {
                        let octets = fields.remaining();
                        dissect::whole_address("originator", "Originating Router", octets, fields)?;
                    }
                    Some(())
                };
                walk(fields);
            });
            Some(())
        };
        walk(fields);
    }

    fn text(&self, _: &Around, out: &mut String) {
        let (name, source_as, flow) = match self {
            Self::SourceActive(flow) => ("sourcead", None, flow),
            Self::SharedJoin(source_as, flow) => ("shared-join", Some(source_as), flow),
            Self::SourceJoin(source_as, flow) => ("source-join", Some(source_as), flow),
            Self::Other { value, .. } => {
                let _ = write!(out, "mvpn:unknown:0x{}", hex::lower(value));
                return;
            }
        };
        let _ = write!(out, "mvpn:{name}::{}:", flow.rd);
        if let Some(source_as) = source_as {
            let _ = write!(out, "{source_as}:");
        }
        let _ = write!(out, "{}:{}", address(flow.source), address(flow.group));
    }

    fn json(&self, _: &Around, out: &mut String) {
        match self {
            Self::SourceActive(flow) => self.join_json("Source Active A-D Route", None, flow, out),
            Self::SharedJoin(source_as, flow) => {
                let name = "C-Multicast Shared Tree Join route";
                self.join_json(name, Some(*source_as), flow, out);
            }
            Self::SourceJoin(source_as, flow) => {
                let name = "C-Multicast Source Tree Join route";
                self.join_json(name, Some(*source_as), flow, out);
            }
            Self::Other { kind, .. } => {
                let raw = self.octets();
                let _ = write!(
                    out,
                    "{{ \"code\": {kind}, \"parsed\": false, \"raw\": \"{}\" }}",
                    hex::upper(&raw)
                );
            }
        }
    }
}

/// Reads an address of `afi`.
pub(super) fn parse_address(afi: Afi, words: &mut Words<'_>) -> Result<IpAddr, TextError> {
    match afi {
        Afi::IPV4 => words.parse("an IPv4 address").map(IpAddr::V4),
        _ => words.parse("an IPv6 address").map(IpAddr::V6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::iana::Safi;
    use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode, parse};

    const V4: Family = Family::new(Afi::IPV4, Safi::MCAST_VPN);
    const V6: Family = Family::new(Afi::IPV6, Safi::MCAST_VPN);

    // Octets, text and JSON recorded from ExaBGP 5.0.15.
    const SHARED_JOIN: &str = "0616 0000fde80001869f 0000fde8 200a63c701 20effbffe4";
    const SOURCE_AD: &str = "052a 0000fde80001869f 80fd000000000000000000000000000001 80ff0e0000000000000000000000000001";

    #[test]
    fn a_shared_join() {
        let nlri = parse(
            V4,
            "shared-join rp 10.99.199.1 group 239.251.255.228 rd 65000:99999 source-as 65000",
        );
        assert_eq!(nlri, decode(V4, SHARED_JOIN));
        assert_eq!(
            nlri.text(),
            "mvpn:shared-join::65000:99999:65000:10.99.199.1:239.251.255.228"
        );
        assert_eq!(
            nlri.json(),
            r#"{ "code": 6, "parsed": true, "raw": "06160000FDE80001869F0000FDE8200A63C70120EFFBFFE4", "name": "C-Multicast Shared Tree Join route", "rd": "65000:99999", "source-as": "65000", "source": "10.99.199.1", "group": "239.251.255.228"}"#
        );
    }

    #[test]
    fn a_source_join_is_another_type() {
        let nlri = parse(
            V4,
            "source-join source 10.99.12.2 group 239.251.255.228 rd 65000:99999 source-as 65000",
        );
        assert_eq!(
            nlri,
            decode(V4, "0716 0000fde80001869f 0000fde8 200a630c02 20effbffe4")
        );
        assert_eq!(
            nlri.text(),
            "mvpn:source-join::65000:99999:65000:10.99.12.2:239.251.255.228"
        );
    }

    #[test]
    fn an_active_source_of_ipv6() {
        let nlri = parse(V6, "source-ad source fd00::1 group ff0e::1 rd 65000:99999");
        assert_eq!(nlri, decode(V6, SOURCE_AD));
        assert_eq!(nlri.text(), "mvpn:sourcead::65000:99999:fd00::1:ff0e::1");
        assert_eq!(
            nlri.json(),
            r#"{ "code": 5, "parsed": true, "raw": "052A0000FDE80001869F80FD00000000000000000000000000000180FF0E0000000000000000000000000001", "name": "Source Active A-D Route", "rd": "65000:99999", "source": "fd00::1", "group": "ff0e::1"}"#
        );
    }

    #[test]
    fn other_types_are_kept_as_octets() {
        let nlri = decode(V4, "010c 0000fde80001869f 0a000001");
        assert_eq!(nlri.text(), "mvpn:unknown:0x0000fde80001869f0a000001");
        assert_eq!(
            nlri.json(),
            r#"{ "code": 1, "parsed": false, "raw": "010C0000FDE80001869F0A000001" }"#
        );
    }

    #[test]
    fn changed_octets_never_panic() {
        check_neighbors(V4, SHARED_JOIN);
        check_neighbors(V6, SOURCE_AD);
    }

    proptest::proptest! {
        #[test]
        fn what_is_decoded_is_encoded_again(bytes: Vec<u8>) {
            check_bytes(V4, &bytes);
        }
    }
}
