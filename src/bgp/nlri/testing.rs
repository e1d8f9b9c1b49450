//! What the tests of every family's file share.

use super::{Nlri, NlriValue};
use crate::bgp::dissect::Dissector;
use crate::bgp::family::Family;
use crate::bgp::text::{Words, split};
use crate::bgp::wire::Reader;

/// The octets of `text`: hexadecimal digits and spaces.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    crate::bgp::hex::parse(text).unwrap()
}

/// Decodes `text` as one NLRI, insists that it is consumed, and that encoding gives the octets back.
pub(crate) fn decode(family: Family, text: &str) -> Nlri {
    let bytes = hex(text);
    let mut reader = Reader::new(&bytes);
    let nlri = Nlri::decode(family, false, &mut reader).unwrap();
    reader.finish().unwrap();
    assert_eq!(encode(&nlri), bytes);
    nlri
}

/// The octets of `nlri`.
pub(crate) fn encode(nlri: &Nlri) -> Vec<u8> {
    let mut out = Vec::new();
    nlri.encode(false, &mut out).unwrap();
    out
}

/// Parses `line` as an NLRI of `family`.
pub(crate) fn parse(family: Family, line: &str) -> Nlri {
    let split = split(line).unwrap();
    let mut words = Words::new(&split, line.len());
    let nlri = Nlri::parse(family, &mut words).unwrap();
    words.finish().unwrap();
    nlri
}

/// Decodes `bytes` if they are an NLRI of `family`: then encoding and decoding again must give the same value,
/// and neither text, JSON, index nor dissection may panic; the JSON must be JSON.
pub(crate) fn check_bytes(family: Family, bytes: &[u8]) {
    let mut fields = Dissector::new(Reader::new(bytes), String::from("nlri"), "");
    NlriValue::dissect(family, &mut fields);
    let Ok(nlri) = Nlri::decode(family, false, &mut Reader::new(bytes)) else {
        return;
    };
    let encoded = encode(&nlri);
    let again = Nlri::decode(family, false, &mut Reader::new(&encoded)).unwrap();
    assert_eq!(nlri, again);
    let _ = (nlri.text(), nlri.index().unwrap());
    let json = nlri.json();
    serde_json::from_str::<serde_json::Value>(&json).unwrap_or_else(|why| panic!("{why}: {json}"));
}

/// [`check_bytes`] for `text` cut short at every octet, and with every octet changed in several ways.
pub(crate) fn check_neighbors(family: Family, text: &str) {
    let bytes = hex(text);
    for length in 0..bytes.len() {
        check_bytes(family, &bytes[..length]);
    }
    for at in 0..bytes.len() {
        let octet = bytes[at];
        for changed in [
            0,
            1,
            0x7f,
            0x80,
            0xff,
            octet ^ 1,
            octet ^ 8,
            octet.wrapping_add(8),
        ] {
            let mut bytes = bytes.clone();
            bytes[at] = changed;
            check_bytes(family, &bytes);
        }
    }
}
