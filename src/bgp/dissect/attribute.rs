//! Path attributes and the NLRI inside them.

use super::{Dissector, hexadecimal};
use crate::bgp::attribute::mp_reach::has_distinguisher;
use crate::bgp::attribute::{AttributeValue, Flags, MpReach, MpUnreach, NextHop, WireContext};
use crate::bgp::family::Family;
use crate::bgp::iana::AttributeCode;
use crate::bgp::nlri::NlriValue;

/// The path attributes field.
pub(super) fn attributes(context: &WireContext, fields: &mut Dissector<'_>) {
    while !fields.is_empty() {
        let octets = fields.peek();
        let &[flags, code, ..] = octets else { return };
        let extended = Flags(flags).contains(Flags::EXTENDED_LENGTH);
        let (header, length) = match (octets, extended) {
            ([_, _, high, low, ..], true) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            ([_, _, length, ..], false) => (3, usize::from(*length)),
            _ => return,
        };
        let code = AttributeCode(code);
        let key = code.name().map_or_else(
            || format!("attribute-{}", code.0),
            |name| name.to_ascii_lowercase().replace([' ', '_'], "-"),
        );
        let name = code
            .name()
            .map_or_else(|| format!("attribute {}", code.0), str::to_owned);
        fields.group(&key, &name, header + length, "", |fields| {
            fields.source("RFC 4271 4.3");
            fields.u8_as("flags", "Attribute Flags", flag_names);
            fields.u8("type", "Attribute Type Code");
            if extended {
                fields.u16("length", "Attribute Length");
            } else {
                fields.u8("length", "Attribute Length");
            }
            fields.source(source(code));
            if !fields.is_empty() {
                value(context, code, fields);
            }
        });
    }
}

fn flag_names(flags: u8) -> String {
    let names = [
        (Flags::OPTIONAL, "optional"),
        (Flags::TRANSITIVE, "transitive"),
        (Flags::PARTIAL, "partial"),
        (Flags::EXTENDED_LENGTH, "extended length"),
    ];
    let set: Vec<_> = names
        .into_iter()
        .filter(|(flag, _)| Flags(flags).contains(*flag))
        .map(|(_, name)| name)
        .collect();
    format!("0x{flags:02x} ({})", set.join(", "))
}

fn value(context: &WireContext, code: AttributeCode, fields: &mut Dissector<'_>) {
    match code.0 {
        MpReach::CODE => mp_reach(context, fields),
        MpUnreach::CODE => mp_unreach(context, fields),
        code => AttributeValue::dissect(context, code, fields),
    }
}

fn mp_reach(context: &WireContext, fields: &mut Dissector<'_>) {
    let Some(family) = family(fields) else { return };
    let Some(length) = fields.u8("next-hop-length", "Length of Next Hop") else {
        return;
    };
    fields.field("next-hop", "Next Hop", usize::from(length), |bytes| {
        next_hop(family, bytes)
    });
    fields.u8("reserved", "Reserved");
    routes(context, family, "nlri", "NLRI", fields);
}

fn mp_unreach(context: &WireContext, fields: &mut Dissector<'_>) {
    let Some(family) = family(fields) else { return };
    routes(context, family, "withdrawn", "Withdrawn Routes", fields);
}

fn family(fields: &mut Dissector<'_>) -> Option<Family> {
    let afi = super::message::afi(fields)?;
    Some(Family::new(afi, super::message::safi(fields)?))
}

fn next_hop(family: Family, bytes: &[u8]) -> String {
    let distinguisher = if has_distinguisher(family) {
        "0:0 "
    } else {
        ""
    };
    match NextHop::decode(family, bytes) {
        NextHop::None => "none".to_owned(),
        NextHop::Address(address) => format!("{distinguisher}{address}"),
        NextHop::WithLinkLocal(global, link_local) => {
            format!("{distinguisher}{global} {distinguisher}{link_local}")
        }
        NextHop::Other(bytes) => hexadecimal(&bytes),
    }
}

fn routes(
    context: &WireContext,
    family: Family,
    key: &str,
    name: &str,
    fields: &mut Dissector<'_>,
) {
    let length = fields.remaining();
    if length > 0 {
        fields.group(key, name, length, family.to_string(), |fields| {
            nlri(family, context.add_path.contains(family), fields);
        });
    }
}

/// NLRI of `family` until nothing is left.
pub(super) fn nlri(family: Family, add_path: bool, fields: &mut Dissector<'_>) {
    let mut position = 0;
    while !fields.is_empty() {
        let mut probe = fields.reader();
        let decoded = crate::bgp::nlri::Nlri::decode(family, add_path, &mut probe);
        let (length, value) = match decoded {
            Ok(one) if probe.remaining() < fields.remaining() => {
                (fields.remaining() - probe.remaining(), one.text())
            }
            Ok(_) => return,
            Err(error) => (fields.remaining(), error.to_string()),
        };
        fields.group(&position.to_string(), "Route", length, value, |fields| {
            if add_path {
                let source = fields.source;
                fields.source("RFC 7911 3");
                fields.u32("path-identifier", "Path Identifier");
                fields.source(source);
            }
            NlriValue::dissect(family, fields);
        });
        position += 1;
    }
}

/// The segments of an AS_PATH.
pub(in crate::bgp) fn segments(four_octet: bool, fields: &mut Dissector<'_>) {
    let width = if four_octet { 4 } else { 2 };
    let mut position = 0;
    while let [_, count, ..] = *fields.peek() {
        let length = 2 + width * usize::from(count);
        let key = format!("segment.{position}");
        fields.group(&key, "Path Segment", length, "", |fields| {
            fields.u8_as("type", "Path Segment Type", |kind| {
                let name = match kind {
                    1 => "AS_SET",
                    2 => "AS_SEQUENCE",
                    3 => "AS_CONFED_SEQUENCE",
                    4 => "AS_CONFED_SET",
                    _ => "unknown",
                };
                format!("{kind} ({name})")
            });
            fields.u8("length", "Path Segment Length");
            for asn in 0..count {
                let key = format!("as.{asn}");
                let there = if four_octet {
                    fields.u32(&key, "AS number").is_some()
                } else {
                    fields.u16(&key, "AS number").is_some()
                };
                if !there {
                    return;
                }
            }
        });
        position += 1;
    }
}

const fn source(code: AttributeCode) -> &'static str {
    match code.0 {
        1 => "RFC 4271 5.1.1",
        2 => "RFC 4271 5.1.2",
        3 => "RFC 4271 5.1.3",
        4 => "RFC 4271 5.1.4",
        5 => "RFC 4271 5.1.5",
        6 => "RFC 4271 5.1.6",
        7 => "RFC 4271 5.1.7",
        8 => "RFC 1997",
        9 | 10 => "RFC 4456 8",
        14 => "RFC 4760 3",
        15 => "RFC 4760 4",
        16 => "RFC 4360 2",
        17 | 18 => "RFC 6793 3",
        22 => "RFC 6514 5",
        23 => "RFC 9012 2",
        25 => "RFC 5701 2",
        26 => "RFC 7311 3",
        29 => "RFC 9552 5.3",
        32 => "RFC 8092 3",
        35 => "RFC 9234 5",
        40 => "RFC 8669 3",
        _ => "",
    }
}
