//! The fields that several families share, explained.

use std::net::IpAddr;

use super::{Labels, RouteDistinguisher, address};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::iana::Afi;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::wire::Reader;

/// A route distinguisher.
pub(in crate::bgp) fn rd(fields: &mut Dissector<'_>) -> Option<RouteDistinguisher> {
    fields.decoded(
        "rd",
        "Route Distinguisher",
        RouteDistinguisher::decode,
        ToString::to_string,
    )
}

/// A label stack before a prefix; gives the bits of `bits` that it leaves.
pub(in crate::bgp) fn labels(
    fields: &mut Dissector<'_>,
    bits: usize,
    prefix_bits: usize,
) -> Option<usize> {
    if bits < 24 {
        return Some(bits);
    }
    let mut left = bits;
    let decode = |reader: &mut Reader<'_>| Labels::decode(reader, &mut left, prefix_bits);
    fields.decoded("labels", "Label Stack", decode, |labels| {
        let labels: Vec<String> = labels
            .0
            .iter()
            .map(|entry| (entry >> 4).to_string())
            .collect();
        labels.join(" ")
    })?;
    Some(left)
}

/// The octets of a prefix of `length` bits.
pub(in crate::bgp) fn prefix(afi: Afi, length: u8, fields: &mut Dissector<'_>) -> Option<Prefix> {
    if length == 0 {
        return None;
    }
    fields.decoded(
        "prefix",
        "Prefix",
        |reader| Prefix::decode_bits(afi, length, reader),
        ToString::to_string,
    )
}

/// A length in bits and the prefix.
pub(in crate::bgp) fn sized_prefix(afi: Afi, fields: &mut Dissector<'_>) -> Option<Prefix> {
    let length = fields.u8_as("prefix-length", "Prefix Length", |bits| {
        format!("{bits} bits")
    })?;
    prefix(afi, length, fields)
}

/// A length in bits (0, 32 or 128) and the address.
pub(in crate::bgp) fn sized_address(
    key: &str,
    name: &str,
    fields: &mut Dissector<'_>,
) -> Option<()> {
    let length_key = format!("{key}-length");
    let length_name = format!("{name} Length");
    let bits = fields.u8_as(&length_key, &length_name, |bits| format!("{bits} bits"))?;
    match bits {
        0 => Some(()),
        bits => whole_address(key, name, usize::from(bits / 8), fields),
    }
}

/// An address of `octets`: 4 or 16.
pub(in crate::bgp) fn whole_address(
    key: &str,
    name: &str,
    octets: usize,
    fields: &mut Dissector<'_>,
) -> Option<()> {
    let decode = |reader: &mut Reader<'_>| -> Result<IpAddr, DecodeError> {
        match octets {
            4 => Ok(IpAddr::from(reader.array::<4>()?)),
            16 => Ok(IpAddr::from(reader.array::<16>()?)),
            _ => Err(reader.error(DecodeErrorKind::Length, 4)),
        }
    };
    fields.decoded(key, name, decode, |ip| address(*ip).to_string())?;
    Some(())
}
