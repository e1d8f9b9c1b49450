//! AIGP (RFC 7311 section 3): TLVs, of which type 1 is the accumulated IGP metric.
//!
//! ```text
//!  +-----------------------------+
//!  |   Type (1 octet)            |
//!  +-----------------------------+
//!  |   Length (2 octets)         |  of the whole TLV
//!  +-----------------------------+
//!  |   Value (variable)          |  type 1: eight octets
//!  +-----------------------------+
//! ```

use std::fmt::Write as _;

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError, ErrorAction};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

const METRIC: u8 = 1;
const HEADER: usize = 3;

/// The accumulated IGP metric, and TLVs of other types as they came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aigp {
    /// The metric: the value of the first TLV of type 1.
    pub metric: u64,
    /// All TLVs in order, where they are more than the metric: (type, value).
    pub others: Vec<(u8, Vec<u8>)>,
}

impl PathAttribute for Aigp {
    const CODE: u8 = 0x1a;
    const FLAGS: Flags = Flags::OPTIONAL;
    const NAME: &'static str = "aigp";
    const ON_ERROR: ErrorAction = ErrorAction::AttributeDiscard;

    fn decode(_: &WireContext, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let missing = reader.error(DecodeErrorKind::Value("AIGP without a metric"), 11);
        let mut metric = None;
        let mut tlvs = Vec::new();
        while !reader.is_empty() {
            let kind = reader.u8()?;
            let invalid = reader.error(DecodeErrorKind::Length, HEADER);
            let length = usize::from(reader.u16()?);
            let value = reader.bytes(length.checked_sub(HEADER).ok_or(invalid)?)?;
            if kind == METRIC {
                let octets = value.try_into().map_err(|_| invalid)?;
                metric.get_or_insert(u64::from_be_bytes(octets));
            }
            tlvs.push((kind, value.to_vec()));
        }
        Ok(Self {
            metric: metric.ok_or(missing)?,
            others: if tlvs.len() > 1 { tlvs } else { Vec::new() },
        })
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        if self.others.is_empty() {
            return encode_tlv(METRIC, &self.metric.to_be_bytes(), out);
        }
        self.others
            .iter()
            .try_for_each(|(kind, value)| encode_tlv(*kind, value, out))
    }

    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        let mut position = 0;
        while let [kind, high, low, ..] = *fields.peek() {
            let length = usize::from(u16::from_be_bytes([high, low])).max(HEADER);
            let key = format!("tlv.{position}");
            fields.group(&key, "AIGP TLV", length, "", |fields| {
                fields.u8("type", "Type");
                fields.u16("length", "Length");
                if kind == METRIC {
                    fields.u64("metric", "Accumulated IGP Metric");
                } else {
                    fields.rest("value", "Value");
                }
            });
            position += 1;
        }
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        let word = words.word("a metric")?;
        let text = word.text.to_ascii_lowercase();
        let metric = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        let metric = metric.map_err(|_| {
            TextError::new(
                word.span.clone(),
                format!("`{}` is not a metric", word.text),
            )
            .help("write a decimal number, or a hexadecimal one after 0x")
        })?;
        Ok(Self {
            metric,
            others: Vec::new(),
        })
    }

    fn text(&self, out: &mut String) {
        let _ = write!(out, "{:#018x}", self.metric);
    }

    fn json(&self, out: &mut String) {
        let _ = write!(out, "\"{:#018x}\"", self.metric);
    }
}

fn encode_tlv(kind: u8, value: &[u8], out: &mut Writer) -> Result<(), EncodeError> {
    let length = value.len() + HEADER;
    let limit = usize::from(u16::MAX);
    let octets =
        u16::try_from(length).map_err(|_| EncodeError::new("AIGP TLV length", length, limit))?;
    out.push(kind);
    out.extend_from_slice(&octets.to_be_bytes());
    out.extend_from_slice(value);
    Ok(())
}
