//! TLVs of nodes (RFC 9552 section 5.3.1).

use super::value::{self, Item, RESERVED, Shown};
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::json::decimal;
use crate::bgp::wire::Reader;

/// The longest name.
pub(super) const LONGEST_NAME: usize = 255;
/// The longest area: ISO 10589 allows 13 octets.
const LONGEST_AREA: usize = 255;

/// Type 1024.
pub(super) fn flags(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let names = ["O", "T", "E", "B", "R", "V", RESERVED, RESERVED];
    let shown = value::flags("Node Flags", "node-flags", names, &mut reader)?;
    reader.finish()?;
    Ok(shown)
}

/// Type 1025.
pub(super) fn opaque(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let octets = Item::Octets(reader.rest().to_vec());
    Ok(Shown::named("Opaque Node Attribute", "opaque", octets))
}

/// Type 1026.
pub(super) fn name(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    if reader.remaining() > LONGEST_NAME {
        return Err(reader.error(DecodeErrorKind::Length, LONGEST_NAME));
    }
    let name = Item::text(String::from_utf8_lossy(reader.rest()));
    Ok(Shown::named("Node Name", "node-name", name))
}

/// Type 1027: ExaBGP shows the octets as a number.
pub(super) fn isis_area(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    if reader.is_empty() || reader.remaining() > LONGEST_AREA {
        return Err(reader.error(DecodeErrorKind::Length, 1));
    }
    let area = Item::Text(decimal(reader.rest()));
    Ok(Shown::named("ISIS area id", "area-id", area))
}

/// Types 1028 and 1029.
pub(super) fn local_router_id(reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let address = value::address(reader)?;
    let key = "local-te-router-ids";
    Ok(Shown::merged_named(
        "Local TE Router IDs",
        key,
        vec![address],
    ))
}
