//! BGP-LS attribute (RFC 9552 section 5.3, RFC 9085, RFC 9514).
//!
//! ```text
//!  +-----------------+-------------------+---------------------+
//!  |  Type (2)       |  Length (2)       |  Value (variable)   |   and so on
//!  +-----------------+-------------------+---------------------+
//! ```
//!
//! To add a TLV: give it one line in the table below and a reader beside those of its kind.

mod link;
mod node;
mod prefix;
mod segment_routing;
mod srv6;
mod value;

use super::{Flags, PathAttribute, WireContext, generic};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, EncodeError, ErrorAction};
use crate::bgp::hex;
use crate::bgp::json;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Prefix as LengthPrefix, Reader, Writer, length_prefixed};
use value::{Item, Shown};

/// What a link-state NLRI's node, link or prefix is like: TLVs as they came, so that unknown ones go on unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LinkState {
    /// The TLVs in order.
    pub tlvs: Vec<Tlv>,
}

/// One TLV.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tlv {
    /// IANA "BGP-LS NLRI and Attribute TLVs".
    pub code: u16,
    /// The value.
    pub value: Vec<u8>,
}

/// What ExaBGP shows of the value of a TLV of type `code`.
fn read(code: u16, reader: Reader<'_>) -> Result<Shown, DecodeError> {
    match code {
        1024 => node::flags(reader),
        1025 => node::opaque(reader),
        1026 => node::name(reader),
        1027 => node::isis_area(reader),
        1028 | 1029 => node::local_router_id(reader),
        1030 | 1031 => link::remote_router_id(reader),
        1034 => segment_routing::capabilities(reader),
        1035 => segment_routing::algorithms(reader),
        1038 => srv6::capabilities(reader),
        1088 => link::admin_group(reader),
        1089 => link::bandwidth(reader, "Maximum link bandwidth", "maximum-link-bandwidth"),
        1090 => link::bandwidth(
            reader,
            "Maximum reservable link bandwidth",
            "maximum-reservable-link-bandwidth",
        ),
        1091 => link::unreserved_bandwidth(reader),
        1092 => link::te_metric(reader),
        1093 => link::protection(reader),
        1094 => link::mpls_protocols(reader),
        1095 => link::igp_metric(reader),
        1096 => link::shared_risk(reader),
        1097 => link::opaque(reader),
        1098 => link::name(reader),
        1099 => segment_routing::adjacency(reader),
        1100 => segment_routing::lan_adjacency(reader),
        1106 => srv6::end_x(reader),
        1107 => srv6::lan_end_x_isis(reader),
        1108 => srv6::lan_end_x_ospf(reader),
        1152 => prefix::igp_flags(reader),
        1153 => prefix::tags(reader),
        1154 => prefix::extended_tags(reader),
        1155 => prefix::metric(reader),
        1156 => prefix::address(reader, "Ospf forwarding address", "ospf-forwarding-address"),
        1157 => prefix::opaque(reader),
        1158 => segment_routing::prefix(reader),
        1162 => srv6::locator(reader),
        1170 => prefix::attribute_flags(reader),
        1171 => prefix::address(reader, "Source router identifier", "sr-source-router-id"),
        1250 => srv6::endpoint_behavior(reader),
        1252 => srv6::sid_structure(reader),
        _ => Ok(unknown(code, reader)),
    }
}

fn unknown(code: u16, mut reader: Reader<'_>) -> Shown {
    let value = Item::text(format!("0x{}", hex::upper(reader.rest())));
    Shown::merged(
        format!("generic-lsid-{code}"),
        vec![value],
        Some(format!("Attribute with code [ {code} ] not implemented")),
    )
}

impl LinkState {
    /// What ExaBGP shows: a TLV that may stand several times is shown once with all its values.
    fn shown(&self) -> Vec<Shown> {
        let mut all: Vec<Shown> = Vec::new();
        for tlv in &self.tlvs {
            let reader = Reader::new(&tlv.value);
            let shown = read(tlv.code, reader).unwrap_or_else(|_| unknown(tlv.code, reader));
            match all.iter_mut().find(|held| held.joins(&shown)) {
                Some(held) => held.join(shown),
                None => all.push(shown),
            }
        }
        all
    }
}

impl PathAttribute for LinkState {
    const CODE: u8 = 0x1d;
    const FLAGS: Flags = Flags::OPTIONAL;
    const NAME: &'static str = "bgp-ls";
    const ON_ERROR: ErrorAction = ErrorAction::AttributeDiscard;

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut tlvs = Vec::new();
        while !reader.is_empty() {
            let code = reader.u16()?;
            let length = usize::from(reader.u16()?);
            let value = reader.sub(length)?;
            read(code, value)?;
            let value = value.peek().to_vec();
            tlvs.push(Tlv { code, value });
        }
        Ok(Self { tlvs })
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        for tlv in &self.tlvs {
            out.extend_from_slice(&tlv.code.to_be_bytes());
            length_prefixed(out, "BGP-LS TLV length", LengthPrefix::U16, |out| {
                out.extend_from_slice(&tlv.value);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads the value in hexadecimal: ExaBGP has no words for it.
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        generic::parse_octets(words, "link state", "0x0402000131")
    }
    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        while fields.remaining() >= 4 {
            let bytes = fields.peek();
            let code = u16::from_be_bytes([bytes[0], bytes[1]]);
            let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
            fields.group(
                &format!("tlv-{code}"),
                "BGP-LS TLV",
                4 + length,
                code.to_string(),
                |fields| {
                    fields.u16("type", "Type");
                    fields.u16("length", "Length");
                    if fields.is_empty() {
                        return;
                    }
                    let shown = |reader: &mut Reader<'_>| {
                        read(code, Reader::at(reader.rest(), reader.offset()))
                    };
                    fields.decoded("value", "Value", shown, Shown::text);
                },
            );
        }
    }

    fn text(&self, out: &mut String) {
        json::join(self.shown().iter().map(Shown::text), ", ", out);
    }

    fn json(&self, out: &mut String) {
        out.push_str("{ ");
        json::join(self.shown().iter().map(Shown::json), ", ", out);
        out.push_str(" }");
    }
}

#[cfg(test)]
mod tests;
