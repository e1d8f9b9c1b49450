//! Prefixes of a VPN: unicast (RFC 4364 section 4.3.4, RFC 4659 section 3.2) and multicast (RFC 6514 section 11, SAFI 129).
//!
//! ```text
//!  +------------------------------------+
//!  |   Length (1 octet)                 |  in bits, of all that follows
//!  +------------------------------------+
//!  |   Labels (3 octets each)           |
//!  +------------------------------------+
//!  |   Route distinguisher (8 octets)   |
//!  +------------------------------------+
//!  |   Prefix (variable)                |
//!  +------------------------------------+
//! ```

use std::fmt::Write as _;

use super::inet::{Prefix, open_json};
use super::labelled::{encode_length, prefix_bits};
use super::qualifier::{Labels, RouteDistinguisher, dissect};
use super::{Around, NlriFamily};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

const RD_BITS: usize = RouteDistinguisher::LENGTH * 8;

/// A prefix, its VPN and its label stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vpn {
    /// The MPLS label stack, 20 bits a label (RFC 8277 section 2).
    pub labels: Labels,
    /// The route distinguisher.
    pub rd: RouteDistinguisher,
    /// The IPv4 or IPv6 prefix within the VPN.
    pub prefix: Prefix,
}

impl Vpn {
    /// A prefix as yet without labels, in the VPN `rd`.
    #[must_use]
    pub fn new(rd: RouteDistinguisher, prefix: Prefix) -> Self {
        Self {
            labels: Labels::default(),
            rd,
            prefix,
        }
    }

    /// The same prefix with `labels`.
    #[must_use]
    pub fn with_labels(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// The same prefix in the VPN `rd`.
    #[must_use]
    pub fn with_rd(self, rd: RouteDistinguisher) -> Self {
        Self { rd, ..self }
    }
}

impl NlriFamily for Vpn {
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut bits = usize::from(reader.u8()?);
        let Some(mut left) = bits.checked_sub(RD_BITS) else {
            return Err(reader.error(DecodeErrorKind::Value("prefix length"), 8));
        };
        let labels = Labels::decode(reader, &mut left, prefix_bits(family.afi))?;
        let rd = RouteDistinguisher::decode(reader)?;
        bits = left;
        let length = u8::try_from(bits)
            .map_err(|_| reader.error(DecodeErrorKind::Value("prefix length"), bits / 8))?;
        Ok(Self {
            labels,
            rd,
            prefix: Prefix::decode_bits(family.afi, length, reader)?,
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        let bits = self.labels.bits() + RD_BITS + usize::from(self.prefix.length);
        encode_length(bits, out)?;
        self.labels.encode(out)?;
        out.extend_from_slice(&self.rd.0);
        self.prefix.encode_bits(out);
        Ok(())
    }

    /// Reads the prefix; `rd` and `label` may stand anywhere in the route and are set by [`Vpn::with_rd`] and [`Vpn::with_labels`].
    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let prefix = Prefix::parse(family.afi, words)?;
        Ok(Self::new(RouteDistinguisher::default(), prefix))
    }
    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        let walk = |fields: &mut Dissector<'_>| {
            let bits = fields.u8_as("length", "Length", |bits| format!("{bits} bits"))?;
            let bits = usize::from(bits).checked_sub(RD_BITS)?;
            let left = dissect::labels(fields, bits, prefix_bits(family.afi))?;
            dissect::rd(fields)?;
            dissect::prefix(family.afi, u8::try_from(left).ok()?, fields)
        };
        walk(fields);
    }

    fn text(&self, around: &Around, out: &mut String) {
        let _ = write!(out, "{}", self.prefix);
        around.path_text(out);
        self.labels.text(out);
        around.next_hop_text(out);
        let _ = write!(out, " rd {}", self.rd);
    }

    fn json(&self, around: &Around, out: &mut String) {
        open_json(&self.prefix, around, out);
        if !self.labels.is_empty() {
            out.push_str(", ");
            self.labels.json(false, out);
        }
        let _ = write!(out, ", \"rd\": \"{}\" }}", self.rd);
    }

    fn index(&self, out: &mut Writer) -> Result<(), EncodeError> {
        encode_length(RD_BITS + usize::from(self.prefix.length), out)?;
        out.extend_from_slice(&self.rd.0);
        self.prefix.encode_bits(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::iana::{Afi, Safi};
    use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode};

    const FAMILY: Family = Family::new(Afi::IPV4, Safi::MPLS_VPN);

    #[test]
    fn a_vpn_prefix() {
        // Recorded from ExaBGP 5.0.15: route 10.1.0.0/16 rd 65000:7 label 100.
        let nlri = decode(FAMILY, "68 000641 0000fde800000007 0a01");
        assert_eq!(nlri.text(), "10.1.0.0/16 label 100 rd 65000:7");
        assert_eq!(
            nlri.extensive(Some([192, 0, 2, 1].into())),
            "10.1.0.0/16 label 100 next-hop 192.0.2.1 rd 65000:7"
        );
        assert_eq!(
            nlri.json(),
            r#"{ "nlri": "10.1.0.0/16", "label": [ [100] ], "rd": "65000:7" }"#
        );
    }

    #[test]
    fn the_index_has_the_route_distinguisher_and_no_labels() {
        let one = decode(FAMILY, "68 000641 0000fde800000007 0a01");
        let label = decode(FAMILY, "68 000c81 0000fde800000007 0a01");
        let rd = decode(FAMILY, "68 000641 0000fde800000008 0a01");
        assert_eq!(one.index(), label.index());
        assert_ne!(one.index(), rd.index());
    }

    #[test]
    fn changed_octets_never_panic() {
        check_neighbors(FAMILY, "68 000641 0000fde800000007 0a01");
    }

    proptest::proptest! {
        #[test]
        fn what_is_decoded_is_encoded_again(bytes: Vec<u8>) {
            check_bytes(FAMILY, &bytes);
            check_bytes(Family::new(Afi::IPV6, Safi::MPLS_VPN), &bytes);
        }
    }
}
