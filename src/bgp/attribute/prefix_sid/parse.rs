//! ExaBGP's words for prefix-SIDs.

use super::{Layer, PrefixSid, SidInformation, SidStructure, Tlv};
use crate::bgp::text::{TextError, Word, Words};

/// The behavior of a SID for which none is written: opaque (RFC 8986 section 10.2).
const OPAQUE: u16 = 0xffff;

pub(super) fn mpls(words: &mut Words<'_>) -> Result<PrefixSid, TextError> {
    words.expect("[")?;
    let index = words.parse("a label index")?;
    let mut ranges = Vec::new();
    words.accept(",");
    if words.accept("[") {
        while !words.accept("]") {
            words.expect("(")?;
            let base = label(words)?;
            words.accept(",");
            let range = label(words)?;
            words.expect(")")?;
            ranges.push((base, range));
            words.accept(",");
        }
    }
    words.expect("]")?;
    let mut tlvs = vec![Tlv::label_index(index)];
    if !ranges.is_empty() {
        let srgb = Tlv::originator_srgb(&ranges).map_err(|error| words.error(error.to_string()))?;
        tlvs.push(srgb);
    }
    Ok(PrefixSid { tlvs })
}

fn label(words: &mut Words<'_>) -> Result<u32, TextError> {
    let word = words.word("a number of 24 bits")?;
    match word.text.parse() {
        Ok(label) if label < 1 << 24 => Ok(label),
        _ => Err(TextError::new(
            word.span.clone(),
            format!("`{}` is not a number from 0 to 16777215", word.text),
        )),
    }
}

pub(super) fn srv6(words: &mut Words<'_>) -> Result<PrefixSid, TextError> {
    words.expect("(")?;
    let word = words.word("a service")?;
    let layer = match word.text.as_str() {
        "l3-service" => Layer::L3,
        "l2-service" => Layer::L2,
        other => {
            let message = format!("`{other}` is not a service");
            return Err(
                TextError::new(word.span.clone(), message).help("write l3-service or l2-service")
            );
        }
    };
    let mut information = SidInformation {
        sid: words.parse("an IPv6 address")?,
        behavior: OPAQUE,
        structure: None,
        unknown: Vec::new(),
    };
    if words.peek() != Some(")") {
        let word = words.word("an endpoint behavior")?;
        information.behavior = number(word, "a number of 16 bits")?;
    }
    if words.accept("[") {
        let mut octets = [0; 6];
        for (at, octet) in octets.iter_mut().enumerate() {
            if at > 0 {
                words.expect(",")?;
            }
            let word = words.word("a number of bits")?;
            *octet = number(word, "a number from 0 to 255")?;
        }
        words.expect("]")?;
        information.structure = Some(SidStructure { octets });
    }
    words.expect(")")?;
    Ok(PrefixSid {
        tlvs: vec![information.tlv(layer)],
    })
}

/// A number in decimal, or with `0x` in hexadecimal.
fn number<T: TryFrom<u32>>(word: &Word, expected: &str) -> Result<T, TextError> {
    let number = match word.text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => word.text.parse(),
    };
    number
        .ok()
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| {
            TextError::new(
                word.span.clone(),
                format!("`{}` is not {expected}", word.text),
            )
        })
}
