//! PMSI_TUNNEL (RFC 6514 section 5).
//!
//! ```text
//!  +---------------------------------+
//!  |  Flags (1 octet)                |
//!  +---------------------------------+
//!  |  Tunnel type (1 octet)          |
//!  +---------------------------------+
//!  |  MPLS label (3 octets)          |
//!  +---------------------------------+
//!  |  Tunnel identifier (variable)   |
//!  +---------------------------------+
//! ```

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::{Flags, PathAttribute, WireContext, generic};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::hex;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

const NO_TUNNEL: u8 = 0;
const INGRESS_REPLICATION: u8 = 6;

/// The tunnel that carries multicast.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PmsiTunnel {
    /// Bit 0: leaf information required.
    pub flags: u8,
    /// IANA "P-Multicast Service Interface Tunnel Types".
    pub kind: u8,
    /// The 24 bits of the label: 20 of label for MPLS, a VNI for VXLAN.
    pub label: u32,
    /// The identifier, in the type's own form.
    pub tunnel: Vec<u8>,
}

impl PmsiTunnel {
    const fn name(&self) -> &'static str {
        match self.kind {
            NO_TUNNEL => "notunnel",
            1 => "rsvp-tep2mplsp",
            2 => "mldpp2mplsp",
            3 => "pim-ssmtree",
            4 => "pim-smtree",
            5 => "bidir-pimtree",
            INGRESS_REPLICATION => "ingressreplication",
            7 => "mldpmp2mplsp",
            _ => "unknown",
        }
    }
}

impl PathAttribute for PmsiTunnel {
    const CODE: u8 = 0x16;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "pmsi";

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            flags: reader.u8()?,
            kind: reader.u8()?,
            label: reader.u24()?,
            tunnel: reader.rest().to_vec(),
        })
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        EncodeError::within("PMSI label", self.label as usize, 0xff_ffff)?;
        out.extend_from_slice(&[self.flags, self.kind]);
        out.extend_from_slice(&self.label.to_be_bytes()[1..]);
        out.extend_from_slice(&self.tunnel);
        Ok(())
    }

    /// Reads the value in hexadecimal: ExaBGP has no words for it.
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        generic::parse_octets(words, "PMSI tunnel", "0x00060006410a000001")
    }
    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        let walk = |fields: &mut Dissector<'_>| {
            fields.u8_as("flags", "Flags", |flags| format!("0x{flags:02x}"))?;
            fields.u8("type", "Tunnel Type")?;
            fields.decoded("label", "MPLS Label", Reader::u24, |label| {
                (label >> 4).to_string()
            })?;
            fields.rest("tunnel", "Tunnel Identifier");
            Some(())
        };
        walk(fields);
    }

    /// Parity: ExaBGP shows the label's 24 bits as well where the tunnel has a form that it reads as generic
    /// octets with an identifier, or as ingress replication.
    fn text(&self, out: &mut String) {
        let _ = write!(
            out,
            "pmsi:{}:{}:{}",
            self.name(),
            self.flags,
            self.label >> 4
        );
        let ingress = self.kind == INGRESS_REPLICATION && self.tunnel.len() == 4;
        if ingress && self.label != 0 {
            let _ = write!(out, "({})", self.label);
        }
        out.push(':');
        match self.tunnel.as_slice() {
            [] => {}
            &[a, b, c, d] if ingress => {
                let _ = write!(out, "{}", Ipv4Addr::new(a, b, c, d));
            }
            octets => {
                let _ = write!(out, "0x{}", hex::upper(octets));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::attribute::testing::{
        check_bytes, check_neighbors, encode, hex as octets, text,
    };

    #[test]
    fn text_as_recorded_from_exabgp_5_0_15() {
        for (value, shown) in [
            (
                "00060006410a000001",
                "pmsi:ingressreplication:0:100(1601):10.0.0.1",
            ),
            (
                "000600064120010db8000000000000000000000001",
                "pmsi:ingressreplication:0:100:0x20010DB8000000000000000000000001",
            ),
            ("0000000640", "pmsi:notunnel:0:100:"),
            ("0100000641", "pmsi:notunnel:1:100:"),
            ("010300064111223344", "pmsi:pim-ssmtree:1:100:0x11223344"),
            ("000600000010000001", "pmsi:ingressreplication:0:0:16.0.0.1"),
            ("000900064112", "pmsi:unknown:0:100:0x12"),
        ] {
            let value = octets(value);
            let pmsi = PmsiTunnel::decode(&WireContext::default(), Reader::new(&value)).unwrap();
            assert_eq!(text(&pmsi), shown);
            assert_eq!(encode(&pmsi), value);
        }
        check_neighbors::<PmsiTunnel>("00060006410a000001");
    }

    proptest::proptest! {
        #[test]
        fn what_is_decoded_is_encoded_again(bytes: Vec<u8>) {
            check_bytes::<PmsiTunnel>(&bytes);
        }
    }
}
