//! Route distinguisher (RFC 4364 section 4.2).
//!
//! ```text
//!  +-------------------+---------------------------------------+
//!  |  Type (2 octets)  |  Value (6 octets)                     |
//!  +-------------------+---------------------------------------+
//!   0x0000: 2-octet AS number, 4-octet assigned number
//!   0x0001: IPv4 address, 2-octet assigned number
//!   0x0002: 4-octet AS number, 2-octet assigned number
//! ```

use std::fmt;
use std::net::Ipv4Addr;

use crate::bgp::error::DecodeError;
use crate::bgp::hex;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::Reader;

/// A route distinguisher: its eight octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RouteDistinguisher(pub [u8; 8]);

impl RouteDistinguisher {
    /// Octets on the wire.
    pub const LENGTH: usize = 8;

    /// Decodes the eight octets.
    ///
    /// # Errors
    /// Truncated.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(Self)
    }

    /// Reads `65000:1`, `192.0.2.1:1` or `4200000000:1`.
    ///
    /// # Errors
    /// Where the word is of another form or a number does not fit.
    pub fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        let word = words.word("a route distinguisher")?;
        Self::from_text(&word.text).ok_or_else(|| {
            TextError::new(
                word.span.clone(),
                format!("`{}` is not a route distinguisher", word.text),
            )
            .help("write ASN:number or IPv4:number, as in 65000:1 or 192.0.2.1:1; the number has 32 bits after a 2-octet AS number, else 16")
        })
    }

    fn from_text(text: &str) -> Option<Self> {
        let (administrator, assigned) = text.split_once(':')?;
        let mut octets = [0; 8];
        if administrator.contains('.') {
            let address: Ipv4Addr = administrator.parse().ok()?;
            let assigned: u16 = assigned.parse().ok()?;
            octets[1] = 1;
            octets[2..6].copy_from_slice(&address.octets());
            octets[6..].copy_from_slice(&assigned.to_be_bytes());
            return Some(Self(octets));
        }
        let asn: u32 = administrator.parse().ok()?;
        let assigned: u32 = assigned.parse().ok()?;
        if let Ok(asn) = u16::try_from(asn) {
            octets[2..4].copy_from_slice(&asn.to_be_bytes());
            octets[4..].copy_from_slice(&assigned.to_be_bytes());
        } else {
            octets[1] = 2;
            octets[2..6].copy_from_slice(&asn.to_be_bytes());
            octets[6..].copy_from_slice(&u16::try_from(assigned).ok()?.to_be_bytes());
        }
        Some(Self(octets))
    }
}

impl fmt::Display for RouteDistinguisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, _, a, b, c, d, e, g] = self.0;
        match u16::from_be_bytes([self.0[0], self.0[1]]) {
            0 => {
                let asn = u16::from_be_bytes([a, b]);
                write!(f, "{asn}:{}", u32::from_be_bytes([c, d, e, g]))
            }
            1 => write!(f, "{a}.{b}.{c}.{d}:{}", u16::from_be_bytes([e, g])),
            2 => {
                let asn = u32::from_be_bytes([a, b, c, d]);
                write!(f, "{asn}:{}", u16::from_be_bytes([e, g]))
            }
            _ => write!(f, "0x{}", hex::upper(&self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_types_are_told_apart_by_their_text() {
        for (text, octets) in [
            ("65000:70000", [0, 0, 0xfd, 0xe8, 0, 1, 0x11, 0x70]),
            ("192.0.2.1:7", [0, 1, 192, 0, 2, 1, 0, 7]),
            ("70000:7", [0, 2, 0, 1, 0x11, 0x70, 0, 7]),
        ] {
            let rd = RouteDistinguisher::from_text(text).unwrap();
            assert_eq!(rd.0, octets);
            assert_eq!(rd.to_string(), text);
        }
        for text in ["1", "1.2.3:4", "1.2.3.4:65536", "70000:65536", "a:1", ":1"] {
            assert_eq!(RouteDistinguisher::from_text(text), None);
        }
    }
}
