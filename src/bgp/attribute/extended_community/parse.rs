//! ExaBGP's words for one extended community.
//!
//! Parity: an AS number above 65535 (or with a trailing `L`) makes a community of type 1, whose administrator is by
//! RFC 4360 an IPv4 address; RFC 5668 gives type 2 to such an AS number.

use super::bandwidth::Bandwidth;
use super::redirect_next_hop::RedirectNextHop;
use super::{ExtendedCommunity, join_four_and_two, join_two_and_four};
use crate::bgp::text::{TextError, Word};

/// Reads `target:65000:1`, `65000:1`, `origin:192.0.2.1:1`, `l2info:19:0:1500:111`, `0x0002fde800000001`, ….
pub(super) fn community(word: &Word) -> Result<ExtendedCommunity, TextError> {
    text(&word.text).ok_or_else(|| {
        TextError::new(
            word.span.clone(),
            format!("`{}` is not an extended community", word.text),
        )
        .help(
            "write target:ASN:number, origin:IPv4:number, redirect:ASN:number, l2info:TYPE:FLAGS:MTU:PREFERENCE, \
             bandwidth:ASN:RATE, mup:NUMBER:NUMBER, redirect-to-nexthop or 0x and 16 hexadecimal digits",
        )
    })
}

/// Text that is no extended community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an extended community")]
pub struct NotACommunity;

impl std::str::FromStr for ExtendedCommunity {
    type Err = NotACommunity;

    fn from_str(written: &str) -> Result<Self, NotACommunity> {
        text(written).ok_or(NotACommunity)
    }
}

fn text(text: &str) -> Option<ExtendedCommunity> {
    let Some((first, rest)) = text.split_once(':') else {
        return match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) if digits.len() == 16 => u64::from_str_radix(digits, 16)
                .ok()
                .map(|value| ExtendedCommunity(value.to_be_bytes()).shown()),
            _ if text == "redirect-to-nexthop" => Some(
                RedirectNextHop {
                    next_hop: None,
                    copy: false,
                }
                .into(),
            ),
            _ => None,
        };
    };
    let (command, fields) = match rest.contains(':') {
        true => (first, rest),
        false => ("target", text),
    };
    let parts: Vec<&str> = fields.split(':').collect();
    let values = parts
        .iter()
        .map(|part| number(part))
        .collect::<Option<Vec<u32>>>()?;
    if command == "bandwidth" {
        let &[asn, speed] = values.as_slice() else {
            return None;
        };
        let asn = u16::try_from(asn).ok()?;
        let speed = speed as f32;
        return Some(Bandwidth { asn, speed }.into());
    }
    let wide = values[0] > 0xffff || parts[0].contains('.') || parts[0].ends_with('L');
    let (kind, subtype, shape) = match command {
        "target" if !wide => (0x00, 0x02, Shape::TwoFour),
        "origin" if !wide => (0x00, 0x03, Shape::TwoFour),
        "target" | "target4" => (0x01, 0x02, Shape::FourTwo),
        "origin" | "origin4" => (0x01, 0x03, Shape::FourTwo),
        "redirect" => (0x80, 0x08, Shape::TwoFour),
        "mup" => (0x0c, 0x00, Shape::TwoFour),
        "l2info" => (0x80, 0x0a, Shape::L2Info),
        _ => return None,
    };
    Some(ExtendedCommunity::new(kind, subtype, shape.value(&values)?))
}

/// How the numbers lie in the six octets.
#[derive(Clone, Copy)]
enum Shape {
    TwoFour,
    FourTwo,
    L2Info,
}

impl Shape {
    fn value(self, values: &[u32]) -> Option<[u8; 6]> {
        let two = |value: u32| u16::try_from(value).ok();
        match (self, values) {
            (Self::TwoFour, &[first, second]) => Some(join_two_and_four(two(first)?, second)),
            (Self::FourTwo, &[first, second]) => Some(join_four_and_two(first, two(second)?)),
            (Self::L2Info, &[encapsulation, control, mtu, preference]) => {
                let [a, b] = two(mtu)?.to_be_bytes();
                let [c, d] = two(preference)?.to_be_bytes();
                let encapsulation = u8::try_from(encapsulation).ok()?;
                Some([encapsulation, u8::try_from(control).ok()?, a, b, c, d])
            }
            _ => None,
        }
    }
}

/// A decimal number, perhaps with a trailing `L`, or an address as a number.
fn number(part: &str) -> Option<u32> {
    let digits = part.strip_suffix('L').unwrap_or(part);
    if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return digits.parse().ok();
    }
    part.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}
