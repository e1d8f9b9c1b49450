use super::*;
use crate::bgp::capability::{Capability, Multiprotocol};
use crate::bgp::family::Family;
use crate::bgp::nlri::testing::hex;

fn round_trip(context: &WireContext, text: &str) -> Message {
    let bytes = hex(text);
    let message = Message::decode(context, &bytes).expect("it decodes");
    let mut out = Vec::new();
    message.encode(context, &mut out).expect("it encodes");
    assert_eq!(out, bytes);
    message
}

const MARKER: &str = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";

#[test]
fn an_open_keeps_its_octets() {
    let message = round_trip(
        &WireContext::default(),
        &format!(
            "{MARKER} 002F 01 04 FDE8 00B4 7F000001 12 0206 0104 0001 0001 0208 4104 0000FDE8 4200"
        ),
    );
    let Message::Open(open) = message else {
        panic!("not an OPEN")
    };
    assert_eq!(open.asn(), 65000);
    assert_eq!(open.parameters.len(), 2);
    assert_eq!(open.capabilities().count(), 3);
}

#[test]
fn an_open_of_255_octets_of_parameters_is_extended() {
    let capability = Capability::from(Multiprotocol {
        family: Family::IPV4_UNICAST,
    });
    for (count, extended) in [(31, false), (32, true)] {
        let capabilities = std::iter::repeat_n(capability.clone(), count);
        let open = Open::new(4_200_000_000, 180, [1, 2, 3, 4].into(), capabilities);
        assert_eq!(open.my_as, open::AS_TRANS);
        let mut out = Vec::new();
        Message::Open(open)
            .encode(&WireContext::default(), &mut out)
            .unwrap();
        assert_eq!(out[28] == 255 && out[29] == 255, extended);
        let Message::Open(open) = Message::decode(&WireContext::default(), &out).unwrap() else {
            panic!("not an OPEN")
        };
        assert_eq!(open.extended, extended);
        assert_eq!(open.capabilities().count(), count);
    }
}

#[test]
fn an_end_of_rib_is_flagged_0x90() {
    let update = Update::of_end_of_rib(Family::IPV6_UNICAST);
    let mut out = Vec::new();
    Message::Update(update.clone())
        .encode(&WireContext::default(), &mut out)
        .unwrap();
    assert_eq!(out[19..], hex("0000 0007 900F 0003 0002 01"));
    assert_eq!(update.end_of_rib(), Some(Family::IPV6_UNICAST));
    assert_eq!(
        Message::decode(&WireContext::default(), &out),
        Ok(Message::Update(update))
    );
}

#[test]
fn every_header_error_has_its_notification() {
    let notify = |bytes: &[u8]| {
        let error = Message::decode(&WireContext::default(), bytes).unwrap_err();
        let notification = error.notification();
        (notification.code.0, notification.subcode, notification.data)
    };
    assert_eq!(notify(&[0; 19]), (1, 1, vec![]));
    let header = |length: u16, kind: u8| {
        let mut bytes = vec![0xff; 16];
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.push(kind);
        bytes
    };
    assert_eq!(notify(&header(18, 4)), (1, 2, vec![0, 18]));
    assert_eq!(notify(&header(20, 4)), (1, 2, vec![0, 20]));
    assert_eq!(notify(&header(4097, 2)), (1, 2, vec![0x10, 0x01]));
    assert_eq!(notify(&header(19, 5)), (7, 1, header(19, 5)));
}

#[test]
fn a_message_is_framed_once_it_is_whole() {
    let bytes = hex(&format!("{MARKER} 0013 04 {MARKER}"));
    assert_eq!(header::frame(&bytes[..18], false), Ok(None));
    assert_eq!(
        header::frame(&bytes, false),
        Ok(Some(&Keepalive::BYTES[..]))
    );
}
