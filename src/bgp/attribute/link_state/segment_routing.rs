//! TLVs of segment routing with MPLS (RFC 9085 section 2).

use super::value::{self, Bits, Item, RESERVED, Shown};
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::hex;
use crate::bgp::wire::Reader;

/// The sub-TLV of a SID or label.
const SID_LABEL: u16 = 1161;
const ADJACENCY: Bits = ["F", "B", "V", "L", "S", "P", RESERVED, RESERVED];
const PREFIX: Bits = ["R", "N", "P", "E", "V", "L", RESERVED, RESERVED];
/// V and L in the flags of adjacencies and prefixes: the value is a label of three octets.
const ADJACENCY_LABEL: (u8, u8) = (0x20, 0x10);
const PREFIX_LABEL: (u8, u8) = (0x08, 0x04);

/// Type 1034: flags, then ranges of SIDs.
///
/// ```text
///  Flags (1), Reserved (1), then: Range size (3), sub-TLV 1161 of 3 octets (label) or 4 (SID)
/// ```
pub(super) fn capabilities(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let r = RESERVED;
    let flags = value::bits(["I", "V", r, r, r, r, r, r], reader.u8()?);
    if !reader.is_empty() {
        reader.u8()?;
    }
    let mut sids = Vec::new();
    while !reader.is_empty() {
        let range = reader.u24()?;
        let wrong = reader.error(DecodeErrorKind::Value("SR capability sub-TLV"), 0);
        if reader.u16()? != SID_LABEL {
            return Err(wrong);
        }
        let length = usize::from(reader.u16()?);
        let sid = match length {
            3 => reader.u24()? & 0xf_ffff,
            4 => reader.u32()?,
            _ => {
                // Parity: what is neither a label nor a SID is skipped, however long it says it is.
                reader.bytes(length.min(reader.remaining()))?;
                continue;
            }
        };
        sids.push(Item::List(vec![Item::number(range), Item::number(sid)]));
    }
    let sids = Item::List(sids);
    let text = format!(
        "SR Capability Flags: {}, sids: {}",
        flags.plain(),
        sids.plain()
    );
    Ok(Shown::members(
        text,
        [("sr-capability-flags", flags), ("sids", sids)],
    ))
}

/// Type 1035; none means the default, 0.
pub(super) fn algorithms(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let mut algorithms: Vec<Item> = reader
        .rest()
        .iter()
        .map(|octet| Item::number(*octet))
        .collect();
    if algorithms.is_empty() {
        algorithms.push(Item::Number(0));
    }
    Ok(Shown::named(
        "SrAlgorithms",
        "sr-algorithms",
        Item::List(algorithms),
    ))
}

/// SIDs, and in hexadecimal what the flags do not explain.
struct Sids {
    read: Item,
    unread: Item,
}

/// Labels of three octets where both V and L are set, indexes of four where neither is.
fn sids(flags: u8, (v, l): (u8, u8), mut reader: Reader<'_>) -> Result<Sids, DecodeError> {
    let mut read = Vec::new();
    let mut unread = Vec::new();
    while !reader.is_empty() {
        match (flags & v != 0, flags & l != 0) {
            (true, true) => read.push(Item::number(reader.u24()?)),
            (false, false) => read.push(Item::number(reader.u32()?)),
            _ => unread.push(Item::text(format!("0x{}", hex::upper(reader.rest())))),
        }
    }
    Ok(Sids {
        read: Item::List(read),
        unread: Item::List(unread),
    })
}

/// Skips reserved octets, which some senders leave out.
fn reserved(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    reader.bytes(reader.remaining().min(2)).map(|_| ())
}

/// Type 1099.
///
/// ```text
///  Flags (1), Weight (1), Reserved (2), then SIDs
/// ```
pub(super) fn adjacency(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let octet = reader.u8()?;
    let weight = reader.u8()?;
    reserved(&mut reader)?;
    let sids = sids(octet, ADJACENCY_LABEL, reader)?;
    let flags = value::bits(ADJACENCY, octet);
    let text = format!(
        "adj_flags: {}, sids: {}, undecoded_sid {}",
        flags.plain(),
        sids.read.plain(),
        sids.unread.plain()
    );
    let adjacency = Item::map([
        ("flags", flags),
        ("sids", sids.read),
        ("weight", Item::number(weight)),
        ("undecoded-sids", sids.unread),
    ]);
    Ok(Shown::members(text, [("sr-adj", adjacency)]))
}

/// Type 1100.
///
/// ```text
///  Flags (1), Weight (1), Reserved (2), System ID (6), then SIDs
/// ```
pub(super) fn lan_adjacency(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let octet = reader.u8()?;
    let weight = reader.u8()?;
    reader.u16()?;
    let system = reader.array::<6>()?;
    let sids = sids(octet, ADJACENCY_LABEL, reader)?;
    let adjacency = Item::map([
        ("flags", value::bits(ADJACENCY, octet)),
        ("weight", Item::number(weight)),
        ("system-id", Item::text(hex::lower(&system))),
        ("sids", sids.read),
        ("undecoded", sids.unread),
    ]);
    let name = "sr-adj-lan-sids";
    Ok(Shown::merged_named(name, name, vec![adjacency]))
}

/// Type 1158.
///
/// ```text
///  Flags (1), Algorithm (1), Reserved (2), then SIDs
/// ```
pub(super) fn prefix(mut reader: Reader<'_>) -> Result<Shown, DecodeError> {
    let octet = reader.u8()?;
    let algorithm = reader.u8()?;
    reserved(&mut reader)?;
    let index = octet & (PREFIX_LABEL.0 | PREFIX_LABEL.1) == 0;
    if index && !matches!(reader.remaining(), 0 | 4) {
        return Err(reader.error(DecodeErrorKind::Length, 4));
    }
    let sids = sids(octet, PREFIX_LABEL, reader)?;
    let flags = value::bits(PREFIX, octet);
    let text = format!(
        "prefix_flags: {}, sids: {}, undecoded_sid: {}",
        flags.plain(),
        sids.read.plain(),
        sids.unread.plain()
    );
    Ok(Shown::members(
        text,
        [
            ("sr-prefix-flags", flags),
            ("sids", sids.read),
            ("undecoded-sids", sids.unread),
            ("sr-algorithm", Item::number(algorithm)),
        ],
    ))
}
