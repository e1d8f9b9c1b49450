//! TLVs of links (RFC 9552 section 5.3.2).

use super::node::LONGEST_NAME;
use super::value::{self, Item, RESERVED, Shown};
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::wire::Reader;

/// Types 1030 and 1031.
pub(super) fn remote_router_id(reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let address = value::address(reader)?;
    Ok(Shown::named(
        "Remote TE Router ID",
        "remote-te-router-id",
        address,
    ))
}

/// Type 1088.
pub(super) fn admin_group(reader: Reader<'_>) -> Result<Shown, DecodeError> {
    number(reader, "Admin Group mask", "admin-group-mask")
}

/// Type 1092.
pub(super) fn te_metric(reader: Reader<'_>) -> Result<Shown, DecodeError> {
    number(reader, "TE Default Metric", "te-metric")
}

/// A number of four octets.
pub(super) fn number(
    mut reader: Reader<'_>,
    name: &'static str,
    key: &str,
) -> Result<Shown, DecodeError> {
    let number = reader.u32()?;
    reader.finish()?;
    Ok(Shown::named(name, key, Item::number(number)))
}

fn float(reader: &mut Reader<'_>) -> Result<Item, DecodeError> {
    let bits = reader.u32()?;
    Ok(Item::Float(f64::from(f32::from_bits(bits))))
}

/// Types 1089 and 1090: octets per second.
pub(super) fn bandwidth(
    mut reader: Reader<'_>,
    name: &'static str,
    key: &str,
) -> Result<Shown, DecodeError> {
    let bandwidth = float(&mut reader)?;
    reader.finish()?;
    Ok(Shown::named(name, key, bandwidth))
}

/// Type 1091: octets per second at each of eight priorities.
pub(super) fn unreserved_bandwidth(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let priorities = (0..8)
        .map(|_| float(&mut reader))
        .collect::<Result<Vec<_>, _>>()?;
    reader.finish()?;
    let plain: Vec<String> = priorities.iter().map(Item::plain).collect();
    let text = format!("Maximum link bandwidth: ({})", plain.join(", "));
    Ok(Shown::members(
        text,
        [("unreserved-bandwidth", Item::List(priorities))],
    ))
}

/// Type 1093: an octet of flags and one that is reserved.
pub(super) fn protection(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let names = [
        "ExtraTrafic",
        "Unprotected",
        "Shared",
        "Dedicated 1:1",
        "Dedicated 1+1",
        "Enhanced",
        RESERVED,
        RESERVED,
    ];
    let key = "link-protection-flags";
    let shown = value::flags("Link protection mask", key, names, &mut reader)?;
    reader.u8()?;
    reader.finish()?;
    Ok(shown)
}

/// Type 1094.
pub(super) fn mpls_protocols(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let r = RESERVED;
    let names = ["LDP", "RSVP-TE", r, r, r, r, r, r];
    let shown = value::flags("MPLS Protocol mask", "mpls-mask", names, &mut reader)?;
    reader.finish()?;
    Ok(shown)
}

/// Type 1095: one octet for small IS-IS metrics, two for OSPF, three for wide IS-IS metrics.
pub(super) fn igp_metric(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let metric = match reader.remaining() {
        1 => u32::from(reader.u8()?),
        2 => u32::from(reader.u16()?),
        3 => reader.u24()?,
        _ => return Err(reader.error(DecodeErrorKind::Length, 3)),
    };
    Ok(Shown::named(
        "IGP Metric",
        "igp-metric",
        Item::number(metric),
    ))
}

/// Type 1096.
pub(super) fn shared_risk(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let mut groups = Vec::new();
    while !reader.is_empty() {
        groups.push(Item::number(reader.u32()?));
    }
    let key = "shared-risk-link-groups";
    Ok(Shown::named("link SRLG values", key, Item::List(groups)))
}

/// Type 1097.
pub(super) fn opaque(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let octets = Item::Octets(reader.rest().to_vec());
    Ok(Shown::named("Opaque Link Attribute", "opaque-link", octets))
}

/// Type 1098.
pub(super) fn name(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    if reader.remaining() > LONGEST_NAME {
        return Err(reader.error(DecodeErrorKind::Length, LONGEST_NAME));
    }
    let octets = Item::Octets(reader.rest().to_vec());
    Ok(Shown::named("Link Name", "link-name", octets))
}
