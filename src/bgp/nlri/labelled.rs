//! Labelled IPv4 and IPv6 prefixes (RFC 8277 section 2.2).
//!
//! ```text
//!  +---------------------------+
//!  |   Length (1 octet)        |  in bits, of labels and prefix
//!  +---------------------------+
//!  |   Labels (3 octets each)  |
//!  +---------------------------+
//!  |   Prefix (variable)       |
//!  +---------------------------+
//! ```

use std::fmt::Write as _;

use super::inet::{Prefix, open_json};
use super::qualifier::{Labels, dissect};
use super::{Around, NlriFamily};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::iana::Afi;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// A prefix and its label stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labelled {
    /// The MPLS label stack, 20 bits a label (RFC 8277 section 2).
    pub labels: Labels,
    /// The IPv4 or IPv6 prefix that the labels are bound to.
    pub prefix: Prefix,
}

impl Labelled {
    /// A prefix as yet without labels.
    #[must_use]
    pub fn new(prefix: Prefix) -> Self {
        Self {
            labels: Labels::default(),
            prefix,
        }
    }

    /// The same prefix with `labels`.
    #[must_use]
    pub fn with_labels(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }
}

/// Bits that a prefix of `afi` has at most.
pub(super) const fn prefix_bits(afi: Afi) -> usize {
    match afi {
        Afi::IPV4 => 32,
        _ => 128,
    }
}

/// Appends a length in bits, which must fit its octet.
pub(super) fn encode_length(bits: usize, out: &mut Writer) -> Result<(), EncodeError> {
    let length = u8::try_from(bits).map_err(|_| EncodeError::new("NLRI length", bits, 255))?;
    out.push(length);
    Ok(())
}

impl NlriFamily for Labelled {
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut bits = usize::from(reader.u8()?);
        let labels = Labels::decode(reader, &mut bits, prefix_bits(family.afi))?;
        let length = u8::try_from(bits)
            .map_err(|_| reader.error(DecodeErrorKind::Value("prefix length"), bits / 8))?;
        Ok(Self {
            labels,
            prefix: Prefix::decode_bits(family.afi, length, reader)?,
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        encode_length(self.labels.bits() + usize::from(self.prefix.length), out)?;
        self.labels.encode(out)?;
        self.prefix.encode_bits(out);
        Ok(())
    }

    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        Prefix::parse(family.afi, words).map(Self::new)
    }
    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        let walk = |fields: &mut Dissector<'_>| {
            let bits = fields.u8_as("length", "Length", |bits| format!("{bits} bits"))?;
            let left = dissect::labels(fields, usize::from(bits), prefix_bits(family.afi))?;
            dissect::prefix(family.afi, u8::try_from(left).ok()?, fields)
        };
        walk(fields);
    }

    fn text(&self, around: &Around, out: &mut String) {
        let _ = write!(out, "{}", self.prefix);
        around.path_text(out);
        self.labels.text(out);
        around.next_hop_text(out);
    }

    fn json(&self, around: &Around, out: &mut String) {
        if around.compact && around.path_id.is_none() && self.labels.is_empty() {
            let _ = write!(out, "\"{}\"", self.prefix);
            return;
        }
        open_json(&self.prefix, around, out);
        if !self.labels.is_empty() {
            out.push_str(", ");
            self.labels.json(false, out);
        }
        out.push_str(" }");
    }

    fn index(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(self.prefix.length);
        self.prefix.encode_bits(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::iana::Safi;
    use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode, hex};

    const FAMILY: Family = Family::new(Afi::IPV4, Safi::NLRI_MPLS);

    #[test]
    fn a_stack_of_two_labels() {
        // Recorded from ExaBGP 5.0.15: route 10.0.0.0/24 label [ 100 200 ].
        let nlri = decode(FAMILY, "48 000640 000c81 0a0000");
        assert_eq!(nlri.text(), "10.0.0.0/24 label [ 100 200 ]");
        assert_eq!(
            nlri.json(),
            r#"{ "nlri": "10.0.0.0/24", "label": [ [100], [200] ] }"#
        );
    }

    #[test]
    fn a_label_without_the_bottom_bit_is_one_alone() {
        let nlri = decode(FAMILY, "30 000640 0a0000");
        assert_eq!(nlri.text(), "10.0.0.0/24 label 100");
    }

    #[test]
    fn the_label_of_a_withdraw_needs_no_bottom_of_stack() {
        let nlri = decode(FAMILY, "30 800000 0a0000");
        assert_eq!(nlri.text(), "10.0.0.0/24 label 524288");
    }

    #[test]
    fn an_entry_of_more_than_24_bits_is_refused() {
        let mut nlri = Labelled::new("10.0.0.0/8".parse().unwrap());
        nlri.labels.0.push(0x100_0000);
        let error = nlri.encode(&mut Vec::new()).unwrap_err();
        assert_eq!(
            (error.field, error.value, error.limit),
            ("label stack entry", 0x100_0000, 0xff_ffff)
        );
    }

    #[test]
    fn the_index_leaves_the_labels_out() {
        let one = decode(FAMILY, "30 000641 0a0000");
        let other = decode(FAMILY, "30 000c81 0a0000");
        assert_eq!(one.index(), other.index());
    }

    #[test]
    fn a_stack_that_never_ends_is_refused() {
        let bytes = hex("60 000640 000c80 0a0000 0b0000");
        assert!(Labelled::decode(FAMILY, &mut Reader::new(&bytes)).is_err());
    }

    #[test]
    fn changed_octets_never_panic() {
        check_neighbors(FAMILY, "48 000640 000c81 0a0000");
    }

    proptest::proptest! {
        #[test]
        fn what_is_decoded_is_encoded_again(bytes: Vec<u8>) {
            check_bytes(FAMILY, &bytes);
            check_bytes(Family::new(Afi::IPV6, Safi::NLRI_MPLS), &bytes);
        }
    }
}
