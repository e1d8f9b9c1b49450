//! Flow specification of IPv4 (RFC 8955) and IPv6 (RFC 8956), and the same in a VPN (SAFI 134, RFC 8955 section 8).
//!
//! ```text
//!  +-------------------------------+
//!  |    Length (1 or 2 octets)     |  0xfnnn where it is 240 or more
//!  +-------------------------------+
//!  | Route distinguisher (SAFI 134)|
//!  +-------------------------------+
//!  |    Components, by type        |
//!  +-------------------------------+
//! ```

mod component;
mod kind;
mod names;
mod parse;
mod prefix;
mod test;

use std::fmt::Write as _;

use super::qualifier::{RouteDistinguisher, address, dissect};
use super::{Around, NlriFamily};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};
pub use component::Component;
pub use kind::Kind;
pub use parse::{is_match_keyword, parse_match};
pub use prefix::FlowPrefix;
pub use test::{Test, Written};

/// The longest that the two-octet length can say.
const LONGEST: usize = 0x0fff;

/// A filter: packets that every component matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Flow {
    /// The VPN, for SAFI 134.
    pub rd: Option<RouteDistinguisher>,
    /// The components in ascending order of type; at least one, else it would match every packet.
    pub components: Vec<Component>,
}

impl Flow {
    /// The same filter in the VPN `rd`.
    #[must_use]
    pub fn with_rd(self, rd: RouteDistinguisher) -> Self {
        Self {
            rd: Some(rd),
            ..self
        }
    }

    /// The family that it belongs to: IPv6 if a prefix or one of its words says so, else `afi`; flow-vpn if it has a route distinguisher.
    #[must_use]
    pub fn family(&self, afi: Afi) -> Family {
        let six = self.components.iter().any(|component| match component {
            Component::Prefix(_, prefix) => prefix.prefix.address.is_ipv6(),
            Component::Tests(..) => false,
        });
        let afi = if six { Afi::IPV6 } else { afi };
        match self.rd {
            Some(_) => Family::new(afi, Safi::FLOW_VPN),
            None => Family::new(afi, Safi::FLOW),
        }
    }

    /// Puts `component` in its place; tests join those of the same type.
    pub fn add(&mut self, component: Component) {
        let code = component.kind().code();
        let after = self
            .components
            .partition_point(|held| held.kind().code() <= code);
        if let (Some(Component::Tests(held, tests)), Component::Tests(_, more)) =
            (self.components[..after].last_mut(), &component)
            && held.code() == code
        {
            tests.extend_from_slice(more);
            return;
        }
        self.components.insert(after, component);
    }

    /// The components by type: several prefixes of one type are shown together.
    fn groups(&self) -> impl Iterator<Item = &[Component]> {
        self.components
            .chunk_by(|one, other| one.kind().code() == other.kind().code())
    }
}

impl NlriFamily for Flow {
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut length = usize::from(reader.u8()?);
        if length >= 0xf0 {
            length = (length & 0x0f) << 8 | usize::from(reader.u8()?);
        }
        let mut reader = reader.sub(length)?;
        let mut flow = Self::default();
        if family.safi == Safi::FLOW_VPN {
            flow.rd = Some(RouteDistinguisher::decode(&mut reader)?);
        }
        let mut last = 0;
        while !reader.is_empty() {
            let order = reader.error(DecodeErrorKind::Value("flow component order"), 1);
            let code = reader.u8()?;
            let Some(kind) = Kind::from_code(family.afi, code) else {
                return Err(reader.error(DecodeErrorKind::Value("flow component type"), 1));
            };
            let prefix = matches!(kind, Kind::Destination | Kind::Source);
            // A type once (RFC 8955 section 4.2); ExaBGP writes, and so reads, several prefixes.
            if code < last || code == last && !prefix {
                return Err(order);
            }
            last = code;
            flow.components.push(if prefix {
                Component::Prefix(kind, FlowPrefix::decode(family.afi, &mut reader)?)
            } else {
                Component::Tests(kind, Test::decode_all(kind, family.afi, &mut reader)?)
            });
        }
        if flow.components.is_empty() {
            return Err(reader.error(DecodeErrorKind::Value("flow without component"), 1));
        }
        Ok(flow)
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        let start = out.len();
        let body = |out: &mut Writer| {
            out.extend_from_slice(&[0, 0]);
            if let Some(rd) = self.rd {
                out.extend_from_slice(&rd.0);
            }
            self.components
                .iter()
                .try_for_each(|component| component.encode(out))
        };
        if let Err(error) = body(out) {
            out.truncate(start);
            return Err(error);
        }
        let length = out.len() - start - 2;
        if length > LONGEST {
            out.truncate(start);
            return Err(EncodeError::new("flow NLRI length", length, LONGEST));
        }
        if length < 0xf0 {
            out.remove(start);
            out[start] = length as u8;
        } else {
            out[start..start + 2].copy_from_slice(&(0xf000 | length as u16).to_be_bytes());
        }
        Ok(())
    }

    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        parse::flow(family, words)
    }
    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        let walk = |fields: &mut Dissector<'_>| {
            let two = fields.peek().first().is_some_and(|first| *first >= 0xf0);
            let length = match two {
                true => usize::from(
                    fields.u16_as("length", "Length", |length| (length & 0xfff).to_string())?
                        & 0xfff,
                ),
                false => usize::from(fields.u8("length", "Length")?),
            };
            fields.group("filter", "Flow Specification", length, "", |fields| {
                if family.safi == Safi::FLOW_VPN && dissect::rd(fields).is_none() {
                    return;
                }
                while !fields.is_empty() && component::fields(family.afi, fields).is_some() {}
            });
            Some(())
        };
        walk(fields);
    }

    fn text(&self, around: &Around, out: &mut String) {
        out.push_str("flow");
        for group in self.groups() {
            let _ = write!(out, " {} ", group[0].label());
            let values: Vec<String> = group.iter().flat_map(Component::values).collect();
            let several = group.iter().map(Component::len).sum::<usize>() > 1;
            if several {
                let _ = write!(out, "[ {} ]", values.join(" "));
            } else {
                out.push_str(&values.concat());
            }
        }
        if let Some(rd) = self.rd {
            let _ = write!(out, " rd {rd}");
        }
        around.next_hop_text(out);
    }

    fn json(&self, around: &Around, out: &mut String) {
        out.push_str("{ ");
        for group in self.groups() {
            let _ = write!(out, "\"{}\": [ ", group[0].label());
            for (at, value) in group.iter().flat_map(Component::values).enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                let _ = write!(out, "\"{value}\"");
            }
            out.push_str(" ], ");
        }
        if let Some(rd) = self.rd {
            let _ = write!(out, "\"rd\": \"{rd}\", ");
        }
        if let Some(next_hop) = around.next_hop {
            let _ = write!(out, "\"next-hop\": \"{}\", ", address(next_hop));
        }
        out.push_str("\"string\": \"");
        self.text(around, out);
        out.push_str("\" }");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode};
    use crate::bgp::text::split;

    const V4: Family = Family::new(Afi::IPV4, Safi::FLOW);
    const V6: Family = Family::new(Afi::IPV6, Safi::FLOW);
    const VPN: Family = Family::new(Afi::IPV4, Safi::FLOW_VPN);

    fn parse(line: &str) -> Flow {
        let split = split(line).unwrap();
        let mut words = Words::new(&split, line.len());
        let flow = Flow::parse(V4, &mut words).unwrap();
        words.finish().unwrap();
        flow
    }

    fn wire(flow: &Flow) -> String {
        let mut out = Vec::new();
        flow.encode(&mut out).unwrap();
        crate::bgp::hex::text(&out)
    }

    // Octets, text and JSON recorded from ExaBGP 5.0.15.
    const EVERY_V4: &str = "3201100a0102190a0000810301068111050150110c38121f90d41f98078108088101090202401081090a9305dc0b812e0c8202";
    const EVERY_V6: &str = "210000fde80000000102804000000000000000010381110b81080d0264e400030d40";

    #[test]
    fn every_component_of_ipv4() {
        let flow = parse(
            "source 10.0.0.129/25 destination 10.1.0.0/16 destination-port [ =80 =3128 >8080&<8088 ] \
             protocol [ tcp udp ] tcp-flags [ !syn&ack =fin+push ] fragment [ !is-fragment ] \
             icmp-type echo-request icmp-code redirect-for-host packet-length >=1500 dscp 46",
        );
        assert_eq!(wire(&flow), EVERY_V4);
        let mut text = String::new();
        flow.text(&Around::default(), &mut text);
        assert_eq!(
            text,
            "flow destination-ipv4 10.1.0.0/16 source-ipv4 10.0.0.129/25 protocol [ =tcp =udp ] \
             destination-port [ =http =ndl-aas >http-alt&<radan-http ] icmp-type =echo-request icmp-code =1 \
             tcp-flags [ !syn&ack =fin+push ] packet-length >=1500 dscp =46 fragment !is-fragment"
        );
    }

    #[test]
    fn ports_that_were_received_are_shown_as_numbers() {
        let nlri = decode(V4, EVERY_V4);
        assert!(
            nlri.text()
                .contains("destination-port [ =80 =3128 >8080&<8088 ] ")
        );
        assert!(
            nlri.json()
                .contains(r#""destination-port": [ "=80", "=3128", ">8080&<8088" ], "icmp-type""#)
        );
    }

    #[test]
    fn a_vpn_flow_of_ipv6_with_an_offset() {
        let rd = RouteDistinguisher([0, 0, 0xfd, 0xe8, 0, 0, 0, 1]);
        let flow = parse(
            "source 2001:db8::1/128/64 next-header =udp flow-label >100&<200000 traffic-class 8",
        )
        .with_rd(rd);
        assert_eq!(
            flow.family(Afi::IPV4),
            Family::new(Afi::IPV6, Safi::FLOW_VPN)
        );
        assert_eq!(wire(&flow), EVERY_V6);
        let mut json = String::new();
        flow.json(&Around::default(), &mut json);
        assert_eq!(
            json,
            r#"{ "source-ipv6": [ "2001:db8::1/128/64" ], "next-header": [ "=udp" ], "traffic-class": [ "=8" ], "flow-label": [ ">100&<200000" ], "rd": "65000:1", "string": "flow source-ipv6 2001:db8::1/128/64 next-header =udp traffic-class =8 flow-label [ >100&<200000 ] rd 65000:1" }"#
        );
    }

    #[test]
    fn a_flow_without_component_is_refused() {
        assert!(Flow::decode(V4, &mut Reader::new(&[0])).is_err());
        let mut words = Words::new(&[], 0);
        assert!(Flow::parse(V4, &mut words).is_err());
    }

    #[test]
    fn long_flows_have_a_length_of_two_octets() {
        let ports: Vec<String> = (1..200).map(|port| format!("={port}")).collect();
        let flow = parse(&format!("port [ {} ]", ports.join(" ")));
        let mut out = Vec::new();
        flow.encode(&mut out).unwrap();
        assert_eq!(out[..2], [0xf1, 0x8f]);
        assert_eq!(Flow::decode(V4, &mut Reader::new(&out)).unwrap(), flow);
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for line in [
            "dscp 64",
            "protocol 256",
            "port 65536",
            "protocol x",
            "port =",
            "port [ ]",
            "source 10.0.0.0/33",
            "source ::/64/64",
        ] {
            let split = split(line).unwrap();
            assert!(
                Flow::parse(V4, &mut Words::new(&split, line.len())).is_err(),
                "{line}"
            );
        }
    }

    #[test]
    fn changed_octets_never_panic() {
        check_neighbors(V4, EVERY_V4);
        check_neighbors(Family::new(Afi::IPV6, Safi::FLOW_VPN), EVERY_V6);
    }

    proptest::proptest! {
        #[test]
        fn what_is_decoded_is_encoded_again(bytes: Vec<u8>) {
            for family in [V4, V6, VPN] {
                check_bytes(family, &bytes);
            }
        }
    }
}
