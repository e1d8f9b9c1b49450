//! Segment routing policy (RFC 9830 section 2.1).
//!
//! ```text
//!  +------------------+
//!  |  NLRI Length     |  1 octet, in bits: 96 or 192
//!  +------------------+
//!  |  Distinguisher   |  4 octets
//!  +------------------+
//!  |  Policy Color    |  4 octets
//!  +------------------+
//!  |  Endpoint        |  4 or 16 octets
//!  +------------------+
//! ```
//!
//! What the policy does stands in the tunnel encapsulation attribute.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::mvpn::parse_address;
use super::qualifier::{address, dissect};
use super::{Around, NlriFamily};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::iana::Afi;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// A candidate path of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SrPolicy {
    /// Tells candidate paths of one policy apart.
    pub distinguisher: u32,
    /// The color: the intent of the policy, not zero (RFC 9256 section 2.1).
    pub color: u32,
    /// Where the policy leads.
    pub endpoint: IpAddr,
}

impl NlriFamily for SrPolicy {
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let wrong = reader.error(DecodeErrorKind::Value("SR policy length"), 13);
        let length = reader.u8()?;
        let distinguisher = reader.u32()?;
        let color = reader.u32()?;
        let endpoint = match (family.afi, length) {
            (Afi::IPV4, 96) => IpAddr::from(reader.array::<4>()?),
            (Afi::IPV6, 192) => IpAddr::from(reader.array::<16>()?),
            _ => return Err(wrong),
        };
        Ok(Self {
            distinguisher,
            color,
            endpoint,
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(if self.endpoint.is_ipv4() { 96 } else { 192 });
        out.extend_from_slice(&self.distinguisher.to_be_bytes());
        out.extend_from_slice(&self.color.to_be_bytes());
        match self.endpoint {
            IpAddr::V4(v4) => out.extend_from_slice(&v4.octets()),
            IpAddr::V6(v6) => out.extend_from_slice(&v6.octets()),
        }
        Ok(())
    }

    /// Reads `distinguisher 0 color 100 endpoint 10.0.0.1`.
    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        words.expect("distinguisher")?;
        let distinguisher = words.parse("a number of 32 bits")?;
        words.expect("color")?;
        let color = words.parse("a number of 32 bits")?;
        words.expect("endpoint")?;
        let endpoint = parse_address(family.afi, words)?;
        Ok(Self {
            distinguisher,
            color,
            endpoint,
        })
    }
    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        let walk = |fields: &mut Dissector<'_>| {
            fields.u8_as("length", "NLRI Length", |bits| format!("{bits} bits"))?;
            fields.u32("distinguisher", "Distinguisher")?;
            fields.u32("color", "Policy Color")?;
            let octets = if family.afi == Afi::IPV4 { 4 } else { 16 };
            dissect::whole_address("endpoint", "Endpoint", octets, fields)
        };
        walk(fields);
    }

    fn text(&self, _: &Around, out: &mut String) {
        let _ = write!(
            out,
            "sr-policy distinguisher {} color {} endpoint {}",
            self.distinguisher,
            self.color,
            address(self.endpoint)
        );
    }

    fn json(&self, _: &Around, out: &mut String) {
        let _ = write!(
            out,
            "{{\"distinguisher\": {}, \"color\": {}, \"endpoint\": \"{}\"}}",
            self.distinguisher,
            self.color,
            address(self.endpoint)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::iana::Safi;
    use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode, parse};

    const V4: Family = Family::new(Afi::IPV4, Safi::SR_POLICY);
    const V6: Family = Family::new(Afi::IPV6, Safi::SR_POLICY);

    // Octets as ExaBGP's development branch sends them.
    #[test]
    fn a_policy_of_ipv4() {
        let nlri = parse(V4, "distinguisher 0 color 100 endpoint 10.0.0.1");
        assert_eq!(nlri, decode(V4, "60 00000000 00000064 0a000001"));
        assert_eq!(
            nlri.text(),
            "sr-policy distinguisher 0 color 100 endpoint 10.0.0.1"
        );
        assert_eq!(
            nlri.json(),
            r#"{"distinguisher": 0, "color": 100, "endpoint": "10.0.0.1"}"#
        );
    }

    #[test]
    fn a_policy_of_ipv6() {
        let nlri = parse(V6, "distinguisher 0 color 100 endpoint 2001:db8::1");
        let octets = "c0 00000000 00000064 20010db8000000000000000000000001";
        assert_eq!(nlri, decode(V6, octets));
        check_neighbors(V6, octets);
    }

    #[test]
    fn the_endpoint_is_of_the_family() {
        check_neighbors(V4, "60 00000000 00000064 0a000001");
        let split = crate::bgp::text::split("distinguisher 0 color 1 endpoint ::1").unwrap();
        assert!(SrPolicy::parse(V4, &mut Words::new(&split, 0)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_decoded_is_encoded_again(bytes: Vec<u8>) {
            check_bytes(V4, &bytes);
        }
    }
}
