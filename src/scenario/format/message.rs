//! The few messages that a scripted peer builds itself, independently of the codec under test.

use std::net::Ipv4Addr;

use crate::bgp::family::Family;

/// Octets of a message header (RFC 4271 section 4.1).
pub const HEADER: usize = 19;
/// Message type OPEN.
pub const OPEN: u8 = 1;
/// Message type UPDATE.
pub const UPDATE: u8 = 2;
/// Message type NOTIFICATION.
pub const NOTIFICATION: u8 = 3;
/// KEEPALIVE.
pub const KEEPALIVE: u8 = 4;
/// Message type ROUTE-REFRESH (RFC 2918).
pub const ROUTE_REFRESH: u8 = 5;

/// A whole message of type `kind`.
#[must_use]
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff; 16];
    out.extend_from_slice(&((HEADER + body.len()) as u16).to_be_bytes());
    out.push(kind);
    out.extend_from_slice(body);
    out
}

/// KEEPALIVE.
#[must_use]
pub fn keepalive() -> Vec<u8> {
    message(KEEPALIVE, &[])
}

/// NOTIFICATION with `data` as it stands.
#[must_use]
pub fn notification(code: u8, subcode: u8, data: &[u8]) -> Vec<u8> {
    let mut body = vec![code, subcode];
    body.extend_from_slice(data);
    message(NOTIFICATION, &body)
}

/// ROUTE-REFRESH of `family` (RFC 2918, 7313).
#[must_use]
pub fn route_refresh(family: Family, subtype: u8) -> Vec<u8> {
    let afi = family.afi.0.to_be_bytes();
    message(ROUTE_REFRESH, &[afi[0], afi[1], subtype, family.safi.0])
}

/// The UPDATE that ExaBGP's own test peer sends: 0.0.0.0/32 by 127.0.0.1, ORIGIN igp, empty AS_PATH, LOCAL_PREF 100.
#[must_use]
pub fn default_route() -> Vec<u8> {
    const ATTRIBUTES: [u8; 21] = [
        0x40, 0x01, 0x01, 0x00, 0x40, 0x02, 0x00, 0x40, 0x03, 0x04, 127, 0, 0, 1, 0x40, 0x05, 0x04,
        0, 0, 0, 100,
    ];
    let mut body = vec![0, 0, 0, ATTRIBUTES.len() as u8];
    body.extend_from_slice(&ATTRIBUTES);
    body.extend_from_slice(&[32, 0, 0, 0, 0]);
    message(UPDATE, &body)
}

/// OPEN with these fields (RFC 4271 section 4.2), each capability an optional parameter of its own (RFC 5492).
#[must_use]
pub fn open(
    version: u8,
    asn: u32,
    hold_time: u16,
    identifier: Ipv4Addr,
    capabilities: &[(u8, Vec<u8>)],
) -> Vec<u8> {
    let short = u16::try_from(asn).unwrap_or(23456);
    let mut body = vec![version];
    body.extend_from_slice(&short.to_be_bytes());
    body.extend_from_slice(&hold_time.to_be_bytes());
    body.extend_from_slice(&identifier.octets());
    let mut parameters = Vec::new();
    for (code, value) in capabilities {
        let length = value.len() as u8;
        parameters.extend_from_slice(&[2, length + 2, *code, length]);
        parameters.extend_from_slice(value);
    }
    body.push(parameters.len() as u8);
    body.extend_from_slice(&parameters);
    message(OPEN, &body)
}

/// Whether `message` is a NOTIFICATION.
#[must_use]
pub fn is_notification(message: &[u8]) -> bool {
    message.get(18) == Some(&NOTIFICATION)
}

/// The length of the first message of `bytes` once it is whole; `None` while octets are missing.
///
/// # Errors
/// Where the first octets are not a marker, or the length is impossible.
pub fn frame(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    if bytes.len() < HEADER {
        return Ok(None);
    }
    if bytes[..16] != [0xff; 16] {
        return Err("no marker where a message should begin");
    }
    let length = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    if length < HEADER {
        return Err("a message shorter than its header");
    }
    Ok((bytes.len() >= length).then_some(length))
}

/// The OPEN that a mirroring peer answers `received` with: the last octet of the router
/// identifier goes up by one, or the AS number is replaced; an empty capability may be added.
#[must_use]
pub fn mirror(received: &[u8], asn: Option<u32>, capability: Option<u8>) -> Vec<u8> {
    let mut open = received.to_vec();
    match asn {
        None => open[HEADER + 8] = open[HEADER + 8].wrapping_add(1),
        Some(asn) => {
            let short = u16::try_from(asn).unwrap_or(23456);
            open[HEADER + 1..HEADER + 3].copy_from_slice(&short.to_be_bytes());
            if let Some(at) = four_octet_as(&open) {
                open[at..at + 4].copy_from_slice(&asn.to_be_bytes());
            }
        }
    }
    if let Some(code) = capability {
        open.extend_from_slice(&[2, 2, code, 0]);
        open[HEADER + 9] = open[HEADER + 9].wrapping_add(4);
        let length = (open.len() as u16).to_be_bytes();
        open[16..18].copy_from_slice(&length);
    }
    open
}

/// Where the value of capability 65 (RFC 6793) stands in an OPEN.
fn four_octet_as(open: &[u8]) -> Option<usize> {
    let mut at = HEADER + 10;
    while at + 4 <= open.len() {
        let (kind, length) = (open[at], usize::from(open[at + 1]));
        let end = at + 2 + length;
        let mut inner = at + 2;
        while kind == 2 && inner + 2 <= end.min(open.len()) {
            let size = usize::from(open[inner + 1]);
            if open[inner] == 65 && size == 4 && inner + 6 <= open.len() {
                return Some(inner + 2);
            }
            inner += 2 + size;
        }
        at = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirrored_open_differs_in_the_router_identifier_alone() {
        let open = message(OPEN, &[4, 0, 1, 0, 180, 1, 2, 3, 4, 6, 2, 4, 65, 4, 0, 0]);
        let mirrored = mirror(&open, None, None);
        assert_eq!(mirrored[HEADER + 8], 5);
        assert_eq!(mirrored.len(), open.len());
    }

    #[test]
    fn an_as_number_is_rewritten_in_both_places() {
        let open = message(
            OPEN,
            &[4, 0, 1, 0, 180, 1, 2, 3, 4, 8, 2, 6, 65, 4, 0, 0, 0, 1],
        );
        let mirrored = mirror(&open, Some(65000), Some(66));
        assert_eq!(mirrored[20..22], 65000_u16.to_be_bytes());
        assert_eq!(mirrored[33..37], 65000_u32.to_be_bytes());
        assert_eq!(mirrored[37..], [2, 2, 66, 0]);
        assert_eq!(frame(&mirrored), Ok(Some(mirrored.len())));
    }
}
