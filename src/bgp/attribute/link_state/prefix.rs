//! TLVs of prefixes (RFC 9552 section 5.3.3, RFC 9085 section 2.3).

use super::link::number;
use super::value::{self, Item, RESERVED, Shown};
use crate::bgp::error::DecodeError;
use crate::bgp::wire::Reader;

/// Type 1152.
pub(super) fn igp_flags(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let r = RESERVED;
    let names = ["D", "N", "L", "P", r, r, r, r];
    let shown = value::flags("IGP flags", "igp-flags", names, &mut reader)?;
    reader.finish()?;
    Ok(shown)
}

/// Type 1153.
pub(super) fn tags(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let mut tags = Vec::new();
    while !reader.is_empty() {
        tags.push(Item::number(reader.u32()?));
    }
    Ok(Shown::named(
        "IGP Route Tags",
        "igp-route-tags",
        Item::List(tags),
    ))
}

/// Type 1154.
pub(super) fn extended_tags(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let mut tags = Vec::new();
    while !reader.is_empty() {
        tags.push(Item::number(reader.u64()?));
    }
    let key = "igp-extended-route-tags";
    Ok(Shown::named(
        "IGP Extended Route Tags",
        key,
        Item::List(tags),
    ))
}

/// Type 1155.
pub(super) fn metric(reader: Reader<'_>) -> Result<Shown, DecodeError> {
    number(reader, "prefix_metric", "prefix-metric")
}

/// Types 1156 and 1171.
pub(super) fn address(
    reader: Reader<'_>,
    name: &'static str,
    key: &str,
) -> Result<Shown, DecodeError> {
    Ok(Shown::named(name, key, value::address(reader)?))
}

/// Type 1157.
pub(super) fn opaque(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let octets = Item::Octets(reader.rest().to_vec());
    Ok(Shown::named(
        "Opaque Prefix Attribute",
        "opaque-prefix",
        octets,
    ))
}

/// Type 1170.
pub(super) fn attribute_flags(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let r = RESERVED;
    let names = ["X", "R", "N", r, r, r, r, r];
    let key = "sr-prefix-attribute-flags";
    value::flags("Prefix Attr Flags", key, names, &mut reader)
}
