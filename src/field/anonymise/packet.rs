//! A segment as a packet of its own: an IP and a TCP header, and nothing that was around them.

use std::net::IpAddr;

use crate::capture::Segment;

/// TCP options that hold no addresses: end, no operation, segment size, window scale, SACK, timestamps, MD5, AO.
const OPTIONS: [u8; 9] = [0, 1, 2, 3, 4, 5, 8, 19, 29];

/// The captured octets of the packet, and how long it was on the wire.
#[must_use]
pub fn packet(segment: &Segment<'_>, ends: [IpAddr; 2], payload: &[u8]) -> (Vec<u8>, u32) {
    let options = options(segment.options);
    let tcp = 20 + options.len();
    let on_wire = tcp + payload.len() + segment.cut as usize;
    let mut out = Vec::with_capacity(40 + tcp + payload.len());
    match ends {
        [IpAddr::V4(source), IpAddr::V4(destination)] => {
            // More than fits is offload's, which writes zero.
            let total = u16::try_from(20 + on_wire).unwrap_or(0);
            out.extend([0x45, 0]);
            out.extend(total.to_be_bytes());
            out.extend([0, 0, 0x40, 0, segment.hops, 6, 0, 0]);
            out.extend(source.octets());
            out.extend(destination.octets());
            let sum = checksum([&out[..]]);
            out[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        [source, destination] => {
            let length = u16::try_from(on_wire).unwrap_or(0);
            out.extend([0x60, 0, 0, 0]);
            out.extend(length.to_be_bytes());
            out.extend([6, segment.hops]);
            for address in [source, destination] {
                match address {
                    IpAddr::V4(address) => out.extend(address.to_ipv6_mapped().octets()),
                    IpAddr::V6(address) => out.extend(address.octets()),
                }
            }
        }
    }
    let head = out.len();
    out.extend(segment.source.port.to_be_bytes());
    out.extend(segment.destination.port.to_be_bytes());
    out.extend(segment.sequence.to_be_bytes());
    out.extend(segment.acknowledgment.to_be_bytes());
    out.extend([(tcp as u8 / 4) << 4, segment.flags]);
    out.extend(segment.window.to_be_bytes());
    out.extend([0; 4]);
    out.extend(&options);
    out.extend(payload);
    if segment.cut == 0 {
        let addresses = if head == 20 {
            &out[12..20]
        } else {
            &out[8..40]
        };
        let pseudo = [&[0, 6][..], &(on_wire as u16).to_be_bytes()].concat();
        let sum = checksum([addresses, &pseudo, &out[head..]]);
        out[head + 16..head + 18].copy_from_slice(&sum.to_be_bytes());
    }
    let original = (head + on_wire) as u32;
    (out, original)
}

/// The options, those that may hold addresses replaced by no operation, in whole words.
fn options(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    let mut rest = octets;
    while let [kind, after @ ..] = rest {
        let length = match (kind, after) {
            (0 | 1, _) => 1,
            (_, [length, ..]) => usize::from(*length).clamp(2, rest.len()),
            _ => break,
        };
        let (option, next) = rest.split_at(length);
        if OPTIONS.contains(kind) {
            out.extend(option);
        } else {
            out.resize(out.len() + length, 1);
        }
        rest = next;
    }
    out.resize(out.len().next_multiple_of(4).min(40), 0);
    out
}

/// The Internet checksum (RFC 1071) of octets; each slice but the last has an even number of them.
fn checksum<'a>(slices: impl IntoIterator<Item = &'a [u8]>) -> u16 {
    let mut sum = 0_u64;
    for slice in slices {
        for pair in slice.chunks(2) {
            sum += u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |octet| u64::from(*octet));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
