//! VPLS (RFC 4761 section 3.2.2).
//!
//! ```text
//!  +------------------------------------+
//!  |  Length (2 octets)                 |
//!  +------------------------------------+
//!  |  Route distinguisher (8 octets)    |
//!  +------------------------------------+
//!  |  VE ID (2 octets)                  |
//!  +------------------------------------+
//!  |  VE block offset (2 octets)        |
//!  +------------------------------------+
//!  |  VE block size (2 octets)          |
//!  +------------------------------------+
//!  |  Label base (3 octets)             |
//!  +------------------------------------+
//! ```
//!
//! Parity: ExaBGP sets the lowest bit of the label base, the bottom of a stack; RFC 4761 has the label in the
//! high-order 20 bits and does not speak of the rest.

use std::fmt::Write as _;

use super::qualifier::{RouteDistinguisher, dissect};
use super::{Around, NlriFamily};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// Octets after the length field.
const LENGTH: u16 = 17;

/// A block of labels by which a VPLS edge device is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vpls {
    /// The VPN.
    pub rd: RouteDistinguisher,
    /// VE ID: the edge device.
    pub endpoint: u16,
    /// The first VE ID that the block is for.
    pub offset: u16,
    /// Labels in the block.
    pub size: u16,
    /// The 24 bits of the label base.
    pub label: u32,
}

impl Vpls {
    /// The first label of the block.
    #[must_use]
    pub const fn base(&self) -> u32 {
        self.label >> 4
    }
}

/// What a route's words have said so far; they may come in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VplsWords {
    rd: Option<RouteDistinguisher>,
    endpoint: Option<u16>,
    base: Option<u16>,
    offset: Option<u16>,
    size: Option<u16>,
}

impl VplsWords {
    /// Reads what follows `keyword`; `false` where that is no word of a VPLS.
    ///
    /// # Errors
    /// Where the value is not a number of 16 bits, or no route distinguisher.
    pub fn read(&mut self, keyword: &str, words: &mut Words<'_>) -> Result<bool, TextError> {
        let field = match keyword {
            "rd" | "route-distinguisher" => {
                self.rd = Some(RouteDistinguisher::parse(words)?);
                return Ok(true);
            }
            "endpoint" => &mut self.endpoint,
            "base" => &mut self.base,
            "offset" => &mut self.offset,
            "size" => &mut self.size,
            _ => return Ok(false),
        };
        *field = Some(words.parse("a number from 0 to 65535")?);
        Ok(true)
    }

    /// The NLRI.
    ///
    /// # Errors
    /// What is missing, at the place where `words` stand.
    pub fn finish(self, words: &Words<'_>) -> Result<Vpls, TextError> {
        let missing = |what: &str| {
            words
                .error(format!("the {what} of the VPLS is missing"))
                .help("a VPLS has an rd, an endpoint, a base, an offset and a size")
        };
        let base = self.base.ok_or_else(|| missing("base"))?;
        Ok(Vpls {
            rd: self.rd.ok_or_else(|| missing("rd"))?,
            endpoint: self.endpoint.ok_or_else(|| missing("endpoint"))?,
            offset: self.offset.ok_or_else(|| missing("offset"))?,
            size: self.size.ok_or_else(|| missing("size"))?,
            label: u32::from(base) << 4 | 1,
        })
    }
}

impl NlriFamily for Vpls {
    fn decode(_: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.u16()?;
        if length < LENGTH {
            return Err(reader.error(DecodeErrorKind::Length, usize::from(LENGTH)));
        }
        let mut reader = reader.sub(usize::from(length))?;
        Ok(Self {
            rd: RouteDistinguisher::decode(&mut reader)?,
            endpoint: reader.u16()?,
            offset: reader.u16()?,
            size: reader.u16()?,
            label: reader.u24()?,
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        EncodeError::within("VPLS label base", self.label as usize, 0xff_ffff)?;
        out.extend_from_slice(&LENGTH.to_be_bytes());
        out.extend_from_slice(&self.rd.0);
        for field in [self.endpoint, self.offset, self.size] {
            out.extend_from_slice(&field.to_be_bytes());
        }
        out.extend_from_slice(&self.label.to_be_bytes()[1..]);
        Ok(())
    }

    fn parse(_: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let mut read = VplsWords::default();
        loop {
            let before = words.clone();
            let Some(keyword) = words.take() else { break };
            if !read.read(&keyword.text, words)? {
                *words = before;
                break;
            }
        }
        read.finish(words)
    }
    fn dissect(_: Family, fields: &mut Dissector<'_>) {
        let walk = |fields: &mut Dissector<'_>| {
            let length = fields.u16("length", "Length")?;
            fields.group("value", "VPLS", usize::from(length), "", |fields| {
                let walk = |fields: &mut Dissector<'_>| {
                    dissect::rd(fields)?;
                    fields.u16("ve-id", "VE ID")?;
                    fields.u16("offset", "VE Block Offset")?;
                    fields.u16("size", "VE Block Size")?;
                    fields.decoded("base", "Label Base", Reader::u24, |base| {
                        (base >> 4).to_string()
                    })
                };
                walk(fields);
            });
            Some(())
        };
        walk(fields);
    }

    fn text(&self, around: &Around, out: &mut String) {
        let _ = write!(
            out,
            "vpls rd {} endpoint {} base {} offset {} size {}",
            self.rd,
            self.endpoint,
            self.base(),
            self.offset,
            self.size,
        );
        match around.next_hop {
            Some(_) => around.next_hop_text(out),
            None => out.push(' '),
        }
    }

    fn json(&self, _: &Around, out: &mut String) {
        let _ = write!(
            out,
            "{{ \"rd\": \"{}\", \"endpoint\": {}, \"base\": {}, \"offset\": {}, \"size\": {} }}",
            self.rd,
            self.endpoint,
            self.base(),
            self.offset,
            self.size,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::iana::{Afi, Safi};
    use crate::bgp::nlri::NlriValue;
    use crate::bgp::nlri::testing::{check_bytes, check_neighbors, decode, encode, parse};

    const FAMILY: Family = Family::new(Afi::L2VPN, Safi::VPLS);
    // Octets, text and JSON recorded from ExaBGP 5.0.15.
    const OCTETS: &str = "0011 0001c0a87b05007b 0005 0001 0008 029ce1";

    #[test]
    fn the_words_may_come_in_any_order() {
        let words = "rd 192.168.123.5:123 size 8 endpoint 5 base 10702 offset 1";
        let nlri = parse(FAMILY, words);
        assert_eq!(nlri, decode(FAMILY, OCTETS));
        assert_eq!(encode(&nlri), encode(&decode(FAMILY, OCTETS)));
        assert_eq!(
            nlri.text(),
            "vpls rd 192.168.123.5:123 endpoint 5 base 10702 offset 1 size 8 "
        );
        assert_eq!(
            nlri.json(),
            r#"{ "rd": "192.168.123.5:123", "endpoint": 5, "base": 10702, "offset": 1, "size": 8 }"#
        );
    }

    #[test]
    fn a_label_base_of_more_than_24_bits_is_refused() {
        let NlriValue::Vpls(mut vpls) = decode(FAMILY, OCTETS).value else {
            panic!("not a VPLS");
        };
        vpls.label = 0x100_0000;
        let error = vpls.encode(&mut Vec::new()).unwrap_err();
        assert_eq!((error.field, error.limit), ("VPLS label base", 0xff_ffff));
    }

    #[test]
    fn a_missing_word_is_named() {
        let words = Words::new(&[], 7);
        let error = VplsWords::default().finish(&words).unwrap_err();
        assert_eq!(error.message, "the base of the VPLS is missing");
    }

    #[test]
    fn changed_octets_never_panic() {
        check_neighbors(FAMILY, OCTETS);
    }

    proptest::proptest! {
        #[test]
        fn what_is_decoded_is_encoded_again(bytes: Vec<u8>) {
            check_bytes(FAMILY, &bytes);
        }
    }
}
