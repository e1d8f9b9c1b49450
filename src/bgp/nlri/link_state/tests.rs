use super::*;
use crate::bgp::iana::Afi;
use crate::bgp::nlri::testing::{check_bytes, check_neighbors};

const FAMILY: Family = Family::new(Afi::BGP_LS, Safi::BGP_LS);
const VPN: Family = Family::new(Afi::BGP_LS, Safi::BGP_LS_VPN);

fn with_length(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend_from_slice(&(value.len() as u16).to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

// More is in the corpus of `tests/differential.rs`.
#[test]
fn changed_octets_never_panic() {
    let node = "0100 0012 0200 0004 0000fde8 0203 0006 010203040506";
    for (kind, rest) in [
        (1, ""),
        (
            2,
            "0102 0008 0000000100000002 0103 0004 0a000001 0104 0004 0a000002 0107 0002 f002",
        ),
        (3, "0108 0001 03 0109 0004 180a0000"),
        (4, "0109 0009 4020010db800000000"),
        (
            6,
            "0107 0002 0002 0206 0010 fc000000000000000000000000000001 03e7 0002 aabb",
        ),
    ] {
        let value = crate::bgp::nlri::testing::hex(&format!("02 0000000000000001 {node} {rest}"));
        let bytes = crate::bgp::hex::text(&with_length(kind, &value));
        check_neighbors(FAMILY, &bytes);
        assert!(LinkState::decode(FAMILY, &mut Reader::new(&with_length(kind, &value))).is_ok());
    }
}

proptest::proptest! {
    #[test]
    fn what_is_decoded_is_encoded_again(kind in 0_u16..8, value: Vec<u8>) {
        let bytes = with_length(kind, &value);
        check_bytes(FAMILY, &bytes);
        check_bytes(VPN, &bytes);
    }
}
