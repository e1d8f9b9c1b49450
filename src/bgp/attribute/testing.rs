//! What the tests of several attributes' files share.

use super::{PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
pub(crate) use crate::bgp::nlri::testing::hex;
use crate::bgp::wire::Reader;

/// The octets of `attribute`'s value.
pub(crate) fn encode(attribute: &impl PathAttribute) -> Vec<u8> {
    let mut out = Vec::new();
    attribute.encode(&WireContext::default(), &mut out).unwrap();
    out
}

/// Its text.
pub(crate) fn text(attribute: &impl PathAttribute) -> String {
    let mut out = String::new();
    attribute.text(&mut out);
    out
}

/// Its JSON.
pub(crate) fn json(attribute: &impl PathAttribute) -> String {
    let mut out = String::new();
    attribute.json(&mut out);
    out
}

/// Decodes `bytes` if they are a value of `A`: then encoding and decoding again must give the same value,
/// and neither text, JSON nor dissection may panic; the JSON must be JSON.
pub(crate) fn check_bytes<A: PathAttribute>(bytes: &[u8]) {
    let context = WireContext::default();
    let mut fields = Dissector::new(Reader::new(bytes), String::from("attribute"), "");
    A::dissect(&context, &mut fields);
    let Ok(attribute) = A::decode(&context, Reader::new(bytes)) else {
        return;
    };
    let encoded = encode(&attribute);
    let again = A::decode(&context, Reader::new(&encoded)).unwrap();
    assert_eq!(attribute, again);
    let _ = text(&attribute);
    let json = json(&attribute);
    serde_json::from_str::<serde_json::Value>(&json).unwrap_or_else(|why| panic!("{why}: {json}"));
}

/// [`check_bytes`] for `text` cut short at every octet, and with every octet changed in several ways.
pub(crate) fn check_neighbors<A: PathAttribute>(text: &str) {
    let bytes = hex(text);
    check_bytes::<A>(&bytes);
    for length in 0..bytes.len() {
        check_bytes::<A>(&bytes[..length]);
    }
    for at in 0..bytes.len() {
        let octet = bytes[at];
        for changed in [0, 1, 0x7f, 0x80, 0xff, octet ^ 1, octet.wrapping_add(8)] {
            let mut bytes = bytes.clone();
            bytes[at] = changed;
            check_bytes::<A>(&bytes);
        }
    }
}
