use super::*;
use crate::bgp::attribute::testing::{check_bytes, check_neighbors, hex, json, text};

fn decode(octets: &str) -> LinkState {
    let octets = hex(octets);
    LinkState::decode(&WireContext::default(), Reader::new(&octets)).unwrap()
}

// Text and JSON recorded from ExaBGP 5.0.15; more is in the corpus of `tests/differential.rs`.
#[test]
fn tlvs_that_may_repeat_are_shown_once() {
    let state = decode(
        "0404 0004 0a000001 0402 0001 31 0405 0010 20010db8000000000000000000000001 07cf 0001 aa 07cf 0001 bb",
    );
    assert_eq!(
        json(&state),
        r#"{ "local-te-router-ids": ["10.0.0.1", "2001:db8::1"], "node-name": "1", "generic-lsid-1999": ["0xAA", "0xBB"] }"#
    );
    assert_eq!(
        text(&state),
        "Local TE Router IDs: ['10.0.0.1', '2001:db8::1'], Node Name: 1, Attribute with code [ 1999 ] not implemented"
    );
}

#[test]
fn changed_octets_never_panic() {
    check_neighbors::<LinkState>(
        "0400000140 0452 001a 0001 80 00 01 00 fc000000000000000000000000000001 04e40004 20181000",
    );
    check_neighbors::<LinkState>("040a 000c 8000 0003e8 0489 0003 003e80 0447 0003 00000a");
    check_neighbors::<LinkState>(
        "044b 0007 30000000 003e80 044c 000d 30000000 010203040506 003e80",
    );
    check_neighbors::<LinkState>("0486 0008 00000000 00000001 0441 0004 4e6e6b28");
}

proptest::proptest! {
    #[test]
    fn what_is_decoded_is_encoded_again(code in 1024_u16..1260, value: Vec<u8>) {
        let mut bytes = code.to_be_bytes().to_vec();
        bytes.extend_from_slice(&(value.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&value);
        check_bytes::<LinkState>(&bytes);
    }
}
