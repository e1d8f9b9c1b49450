//! Route target constraint (RFC 4684 section 4).
//!
//! ```text
//!  +-------------------------------+
//!  | Length (1 octet)              |  in bits: 0, or 32 to 96
//!  +-------------------------------+
//!  | Origin AS (4 octets)          |
//!  +-------------------------------+
//!  | Route target (8 octets)       |  as many of its bits as the length says
//!  +-------------------------------+
//! ```

use std::fmt::Write as _;

use super::{Around, NlriFamily};
use crate::bgp::attribute::extended_community::ExtendedCommunity;
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// The two highest bits of a community's type, which mean nothing here (RFC 4684 section 4).
const FLAGS: u8 = 0xc0;

/// Which route targets a peer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rtc {
    /// The default route target, length 0: every route is wanted (RFC 4684 section 4).
    Default,
    /// Those that begin with these bits.
    Target {
        /// Bits of origin and route target that count: 32 to 96.
        length: u8,
        /// The AS that originates the membership.
        origin: u32,
        /// The route target; its bits past `length` are zero.
        target: ExtendedCommunity,
    },
}

impl NlriFamily for Rtc {
    fn decode(_: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.u8()?;
        if length == 0 {
            return Ok(Self::Default);
        }
        if !(32..=96).contains(&length) {
            return Err(reader.error(DecodeErrorKind::Value("route target length"), 0));
        }
        let origin = reader.u32()?;
        let bits = u32::from(length) - 32;
        let mut octets = [0; 8];
        let count = bits.div_ceil(8) as usize;
        octets[..count].copy_from_slice(reader.bytes(count)?);
        octets[0] &= !FLAGS;
        let mask = u64::MAX.checked_shl(64 - bits).unwrap_or(0);
        let target = ExtendedCommunity((u64::from_be_bytes(octets) & mask).to_be_bytes());
        Ok(Self::Target {
            length,
            origin,
            target,
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        let Self::Target {
            length,
            origin,
            target,
        } = self
        else {
            out.push(0);
            return Ok(());
        };
        if !(32..=96).contains(length) {
            return Err(EncodeError::new(
                "route target length",
                usize::from(*length),
                96,
            ));
        }
        out.push(*length);
        out.extend_from_slice(&origin.to_be_bytes());
        let mut octets = target.0;
        octets[0] &= !FLAGS;
        out.extend_from_slice(&octets[..usize::from((length - 32).div_ceil(8))]);
        Ok(())
    }

    /// Reads `wildcard`, or origin and route target as in `65000:target:65000:1`. ExaBGP has no words for it.
    fn parse(_: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let word = words.word("a route target membership")?;
        if word.text == "wildcard" {
            return Ok(Self::Default);
        }
        let wrong = || {
            let message = format!("`{}` is not a route target membership", word.text);
            TextError::new(word.span.clone(), message).help(
                "write wildcard, or the origin's AS and the target, as in 65000:target:65000:1",
            )
        };
        let (origin, target) = word.text.split_once(':').ok_or_else(wrong)?;
        Ok(Self::Target {
            length: 96,
            origin: origin.parse().map_err(|_| wrong())?,
            target: target.parse().map_err(|_| wrong())?,
        })
    }
    fn dissect(_: Family, fields: &mut Dissector<'_>) {
        let walk = |fields: &mut Dissector<'_>| {
            let bits = fields.u8_as("length", "Length", |bits| format!("{bits} bits"))?;
            if bits == 0 {
                return None;
            }
            fields.u32("origin", "Origin AS")?;
            let octets = usize::from(bits.saturating_sub(32).div_ceil(8));
            if octets == 0 {
                return None;
            }
            fields.field("target", "Route Target", octets, |target| {
                <[u8; 8]>::try_from(target).map_or_else(
                    |_| crate::bgp::dissect::hexadecimal(target),
                    |octets| ExtendedCommunity(octets).to_string(),
                )
            })?;
            Some(())
        };
        walk(fields);
    }

    fn text(&self, _: &Around, out: &mut String) {
        let _ = match self {
            Self::Default => write!(out, "rtc wildcard"),
            Self::Target { origin, target, .. } => write!(out, "rtc {origin}:{target}"),
        };
    }

    fn json(&self, _: &Around, out: &mut String) {
        let _ = match self {
            Self::Default => write!(out, "{{ \"origin\": 0, \"route-target\": null }}"),
            Self::Target { origin, target, .. } => {
                write!(
                    out,
                    "{{ \"origin\": {origin}, \"route-target\": \"{target}\" }}"
                )
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::iana::{Afi, Safi};
    use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode, encode, hex, parse};

    const FAMILY: Family = Family::new(Afi::IPV4, Safi::RTC);

    // Octets, text and JSON recorded from ExaBGP 5.0.15.
    #[test]
    fn a_membership() {
        let nlri = decode(FAMILY, "60 0000fde8 0002fde800000001");
        assert_eq!(nlri, parse(FAMILY, "65000:target:65000:1"));
        assert_eq!(nlri.text(), "rtc 65000:target:65000:1");
        assert_eq!(
            nlri.json(),
            r#"{ "origin": 65000, "route-target": "target:65000:1" }"#
        );
    }

    #[test]
    fn the_default_membership() {
        let nlri = decode(FAMILY, "00");
        assert_eq!(nlri, parse(FAMILY, "wildcard"));
        assert_eq!(nlri.text(), "rtc wildcard");
        assert_eq!(nlri.json(), r#"{ "origin": 0, "route-target": null }"#);
    }

    #[test]
    fn a_prefix_of_a_route_target() {
        let nlri = decode(FAMILY, "40 0000fde8 0002fde8");
        assert_eq!(nlri.text(), "rtc 65000:target:65000:0");
        decode(FAMILY, "20 0000fde8");
    }

    #[test]
    fn the_flags_of_the_type_do_not_count() {
        let bytes = hex("60 0000fde8 8006000000000000");
        let nlri = crate::bgp::nlri::Nlri::decode(FAMILY, false, &mut Reader::new(&bytes)).unwrap();
        assert_eq!(nlri.text(), "rtc 65000:rate-limit:0");
        assert_eq!(encode(&nlri), hex("60 0000fde8 0006000000000000"));
    }

    #[test]
    fn changed_octets_never_panic() {
        check_neighbors(FAMILY, "60 0000fde8 0002fde800000001");
    }

    proptest::proptest! {
        #[test]
        fn what_is_decoded_is_encoded_again(length in 0_u8..100, value: Vec<u8>) {
            let mut bytes = vec![length];
            bytes.extend_from_slice(&value);
            check_bytes(FAMILY, &bytes);
        }
    }
}
