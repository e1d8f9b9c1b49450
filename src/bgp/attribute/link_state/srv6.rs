//! TLVs of segment routing with IPv6 (RFC 9514).

use super::value::{self, Bits, Item, RESERVED, Shown};
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::hex;
use crate::bgp::nlri::qualifier::address6;
use crate::bgp::wire::Reader;

/// The sub-TLV of a SID's structure.
const SID_STRUCTURE: u16 = 1252;
const END_X: Bits = [
    "B", "S", "P", RESERVED, RESERVED, RESERVED, RESERVED, RESERVED,
];

/// Type 1038. Parity: ExaBGP shows the flag O as the number that its bit stands for.
pub(super) fn capabilities(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let flags = match reader.remaining() {
        0 => 0,
        1 => u16::from(reader.u8()?),
        _ => reader.u16()?,
    };
    let flags = Item::map([("O", Item::number(flags & 0x40))]);
    let text = format!("flags: {}", flags.plain());
    let capabilities = Item::map([("flags", flags)]);
    Ok(Shown::members(text, [("srv6-capabilities", capabilities)]))
}

/// Type 1162: Flags (1), Algorithm (1), Reserved (2), Metric (4).
pub(super) fn locator(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let r = RESERVED;
    let flags = value::bits(["D", r, r, r, r, r, r, r], reader.u8()?);
    let algorithm = reader.u8()?;
    reader.u16()?;
    let metric = reader.u32()?;
    let text = format!(
        "flags: {}, algorithm: {algorithm}, metric: {metric}",
        flags.plain()
    );
    let locator = Item::map([
        ("flags", flags),
        ("algorithm", Item::number(algorithm)),
        ("metric", Item::number(metric)),
    ]);
    Ok(Shown::members(text, [("srv6-locator", locator)]))
}

/// Type 1250: Endpoint behavior (2), Flags (1), Algorithm (1).
pub(super) fn endpoint_behavior(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let behavior = reader.u16()?;
    reader.u8()?;
    let algorithm = reader.u8()?;
    let text = format!("srv6-endpoint-behavior [0x{behavior}, flags: [], algorithm: {algorithm}]");
    let behavior = Item::map([
        ("endpoint-behavior", Item::number(behavior)),
        ("flags", Item::List(Vec::new())),
        ("algorithm", Item::number(algorithm)),
    ]);
    Ok(Shown::members(text, [("srv6-endpoint-behavior", behavior)]))
}

fn structure(reader: &mut Reader<'_>) -> Result<[u8; 4], DecodeError> {
    reader.array()
}

fn structure_item([block, node, function, argument]: [u8; 4]) -> Item {
    Item::map([
        ("loc_block_len", Item::number(block)),
        ("loc_node_len", Item::number(node)),
        ("func_len", Item::number(function)),
        ("arg_len", Item::number(argument)),
    ])
}

/// Type 1252: lengths of locator block, locator node, function and argument in bits (1 each).
pub(super) fn sid_structure(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let structure = structure(&mut reader)?;
    let [a, b, c, d] = structure;
    let text = format!("sid-structure [{a},{b},{c},{d},]");
    Ok(Shown::members(
        text,
        [("srv6-sid-structure", structure_item(structure))],
    ))
}

/// Who is at the other end of an End.X SID.
enum Neighbor {
    /// Of a point-to-point link: it need not be said.
    None,
    /// Of a LAN of IS-IS: 6 octets.
    System,
    /// Of a LAN of OSPFv3: 4 octets.
    Router,
}

/// Type 1106.
///
/// ```text
///  Endpoint behavior (2), Flags (1), Algorithm (1), Weight (1), Reserved (1), SID (16), then sub-TLVs
/// ```
pub(super) fn end_x(reader: Reader<'_>) -> Result<Shown, DecodeError> {
    sid("srv6-endx", &Neighbor::None, reader)
}

/// Type 1107: the system ID stands before the SID.
pub(super) fn lan_end_x_isis(reader: Reader<'_>) -> Result<Shown, DecodeError> {
    sid("srv6-lan-endx-isis", &Neighbor::System, reader)
}

/// Type 1108: the router ID stands before the SID.
pub(super) fn lan_end_x_ospf(reader: Reader<'_>) -> Result<Shown, DecodeError> {
    sid("srv6-lan-endx-ospf", &Neighbor::Router, reader)
}

fn sid(key: &str, neighbor: &Neighbor, mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let behavior = reader.u16()?;
    let flags = value::bits(END_X, reader.u8()?);
    let algorithm = reader.u8()?;
    let weight = reader.u8()?;
    reader.u8()?;
    let neighbor_id = match neighbor {
        Neighbor::None => None,
        Neighbor::System => Some(hex::text(&reader.array::<6>()?)),
        Neighbor::Router => Some(std::net::Ipv4Addr::from(reader.array::<4>()?).to_string()),
    };
    let sid = address6(reader.array::<16>()?.into()).to_string();
    let shown_neighbor = neighbor_id
        .as_ref()
        .map_or_else(String::new, |id| format!(" neighbor-id: {id},"));
    let line = format!(
        "behavior: {behavior},{shown_neighbor} flags: {}, algorithm: {algorithm}, weight: {weight}, sid: {sid}",
        flags.plain()
    );
    let mut members = vec![("flags".to_owned(), flags)];
    let lan = neighbor_id.is_some();
    if let Some(id) = neighbor_id {
        members.push(("neighbor-id".to_owned(), Item::Text(id)));
    }
    members.push(("behavior".to_owned(), Item::number(behavior)));
    members.push(("algorithm".to_owned(), Item::number(algorithm)));
    members.push(("weight".to_owned(), Item::number(weight)));
    members.push(("sid".to_owned(), Item::Text(sid)));
    sub_tlvs(lan, &mut members, reader)?;
    Ok(Shown::merged_lines(key, Item::Map(members), line))
}

/// Fewer octets than a header has are padding; a sub-TLV that is said twice counts as the last says.
fn sub_tlvs(
    lan: bool,
    members: &mut Vec<(String, Item)>,
    mut reader: Reader<'_>,
) -> Result<(), DecodeError> {
    while reader.remaining() >= 4 {
        let code = reader.u16()?;
        let length = usize::from(reader.u16()?);
        let wrong = reader.error(DecodeErrorKind::Truncated, length);
        let mut value = reader.sub(length).map_err(|_| wrong)?;
        let (name, item) = if code == SID_STRUCTURE {
            let structure = structure(&mut value)?;
            ("srv6-sid-structure".to_owned(), structure_item(structure))
        } else {
            let name = match lan {
                true => format!("{code}-undecoded"),
                false => format!("subtlv-not-implemented-{code}"),
            };
            (name, Item::text(format!("0x{}", hex::upper(value.rest()))))
        };
        match members.iter_mut().find(|(held, _)| *held == name) {
            Some((_, held)) => *held = item,
            None => members.push((name, item)),
        }
    }
    Ok(())
}
