//! IPv4, IPv6 and TCP headers: from an IP packet to a TCP segment.
//!
//! By hand and without copies: it runs once for each packet of captures of any size.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fragments::{Fragment, PacketId};
use super::layer::Layer;
use super::tally::Skipped;

/// One end of a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// IP address.
    pub address: IpAddr,
    /// TCP port.
    pub port: u16,
}

/// A TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Address and port of the sender.
    pub source: Endpoint,
    /// Address and port of the receiver.
    pub destination: Endpoint,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// The flags octet: CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.
    pub flags: u8,
    /// The receive window as it stands in the header, not scaled (RFC 7323 section 2.2).
    pub window: u16,
    /// Options, as far as they were captured.
    pub options: &'a [u8],
    /// Time to live or hop limit; 0 where the packet came in fragments.
    pub hops: u8,
    /// What was captured of the payload.
    pub payload: &'a [u8],
    /// Octets of payload that the snap length cut off.
    pub cut: u32,
}

impl Segment<'_> {
    /// The sender has finished.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push to the application.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment number is valid.
    pub const ACK: u8 = 0x10;

    /// Whether any of `flags` is set.
    #[inline]
    #[must_use]
    pub const fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Octets of payload on the wire, captured or not.
    #[inline]
    #[must_use]
    pub const fn length(&self) -> u32 {
        self.payload.len() as u32 + self.cut
    }

    /// The value of the option of `kind` (IANA "TCP Option Kind Numbers"), if it is there and whole.
    #[must_use]
    pub fn option(&self, kind: u8) -> Option<&[u8]> {
        let mut rest = self.options;
        loop {
            match *rest {
                [0, ..] | [] => return None,
                [1, ..] => rest = &rest[1..],
                [found, length, ..] => {
                    let length = usize::from(length);
                    let value = rest.get(2..length)?;
                    if found == kind {
                        return Some(value);
                    }
                    rest = &rest[length..];
                }
                [_] => return None,
            }
        }
    }
}

const TCP: u8 = 6;
/// What an IP packet holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inside<'a> {
    /// A TCP segment.
    Segment(Segment<'a>),
    /// A fragment of a packet.
    Fragment(Fragment<'a>),
    /// A payload of another protocol, by its number.
    Other(u8, Layer<'a>),
}

/// Opens an IP packet.
#[inline]
pub(super) fn open(packet: Layer<'_>) -> Result<Inside<'_>, Skipped> {
    match packet.array::<1>(0)?[0] >> 4 {
        4 => ipv4(packet),
        6 => ipv6(packet),
        _ => Err(Skipped::NotIp),
    }
}

/// Whether this may be an IP packet, where nothing around it says so.
pub(super) fn is_plausible(packet: Layer<'_>) -> bool {
    match packet.octets {
        [0x60..=0x6f, ..] => true,
        [first, _, high, low, ..] => {
            let total = usize::from(u16::from_be_bytes([*high, *low]));
            first & 0x0f >= 5 && (20..=packet.length()).contains(&total)
        }
        _ => false,
    }
}

/// RFC 791 section 3.1.
#[inline]
fn ipv4(packet: Layer<'_>) -> Result<Inside<'_>, Skipped> {
    let header: [u8; 20] = packet.array(0)?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    let total = match u16::from_be_bytes([header[2], header[3]]) {
        // Left to the network card by segmentation offload.
        0 => packet.length(),
        total => usize::from(total),
    };
    if header_length < 20 || total < header_length {
        return Err(Skipped::Malformed);
    }
    let address = |at: usize| {
        IpAddr::V4(Ipv4Addr::new(
            header[at],
            header[at + 1],
            header[at + 2],
            header[at + 3],
        ))
    };
    let (source, destination) = (address(12), address(16));
    let payload = within(packet, total).after(header_length)?;
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    if fragment & 0x3fff != 0 {
        return fragmented(
            PacketId {
                source,
                destination,
                identification: u32::from(u16::from_be_bytes([header[4], header[5]])),
                protocol: header[9],
            },
            (fragment & 0x1fff, fragment & 0x2000 != 0),
            payload,
        );
    }
    body(header[9], payload, (source, destination), header[8])
}

/// The packet without the padding of its frame; a length beyond the frame's own is what was cut off.
#[inline]
fn within(packet: Layer<'_>, total: usize) -> Layer<'_> {
    let mut layer = packet.upto(total);
    layer.cut = total - layer.octets.len();
    layer
}

/// RFC 8200 section 3, and the extension headers of section 4.
fn ipv6(packet: Layer<'_>) -> Result<Inside<'_>, Skipped> {
    const HOP_BY_HOP: u8 = 0;
    const ROUTING: u8 = 43;
    const FRAGMENT: u8 = 44;
    const AUTHENTICATION: u8 = 51;
    const DESTINATION_OPTIONS: u8 = 60;
    const MOBILITY: u8 = 135;

    let header: [u8; 40] = packet.array(0)?;
    let address = |at: usize| {
        let mut address = [0; 16];
        address.copy_from_slice(&header[at..at + 16]);
        IpAddr::V6(Ipv6Addr::from(address))
    };
    let (source, destination) = (address(8), address(24));
    let total = match u16::from_be_bytes([header[4], header[5]]) {
        // A jumbogram, or left to the network card.
        0 => packet.length(),
        length => usize::from(length) + 40,
    };
    let mut rest = within(packet, total).after(40)?;
    let mut next = header[6];
    loop {
        let length = match next {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | MOBILITY => {
                usize::from(rest.array::<1>(1)?[0]) * 8 + 8
            }
            AUTHENTICATION => usize::from(rest.array::<1>(1)?[0]) * 4 + 8,
            FRAGMENT => {
                let fields: [u8; 8] = rest.array(0)?;
                let place = u16::from_be_bytes([fields[2], fields[3]]);
                // Offset zero and no more fragments: an atomic fragment (RFC 6946), which is whole.
                if place & 0xfff9 != 0 {
                    let [_, _, _, _, identification @ ..] = fields;
                    return fragmented(
                        PacketId {
                            source,
                            destination,
                            identification: u32::from_be_bytes(identification),
                            protocol: fields[0],
                        },
                        (place >> 3, place & 1 != 0),
                        rest.after(8)?,
                    );
                }
                8
            }
            _ => return body(next, rest, (source, destination), header[7]),
        };
        next = rest.array::<1>(0)?[0];
        rest = rest.after(length)?;
    }
}

fn fragmented(
    of: PacketId,
    (offset, more): (u16, bool),
    payload: Layer<'_>,
) -> Result<Inside<'_>, Skipped> {
    if payload.cut > 0 {
        return Err(Skipped::Fragment);
    }
    Ok(Inside::Fragment(Fragment {
        of,
        offset,
        more,
        payload: payload.octets,
    }))
}

/// What follows the IP headers.
#[inline]
pub(super) fn body(
    protocol: u8,
    payload: Layer<'_>,
    (source, destination): (IpAddr, IpAddr),
    hops: u8,
) -> Result<Inside<'_>, Skipped> {
    match protocol {
        TCP => tcp(payload, (source, destination), hops).map(Inside::Segment),
        _ => Ok(Inside::Other(protocol, payload)),
    }
}

/// RFC 9293 section 3.1.
#[inline]
fn tcp(
    segment: Layer<'_>,
    (source, destination): (IpAddr, IpAddr),
    hops: u8,
) -> Result<Segment<'_>, Skipped> {
    let header: [u8; 20] = segment.array(0)?;
    let header_length = usize::from(header[12] >> 4) * 4;
    let length = segment.length();
    if header_length < 20 || length < header_length {
        return Err(Skipped::Malformed);
    }
    // Options may be cut; then so is all of the payload.
    let payload = segment.octets.get(header_length..).unwrap_or_default();
    let half = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let word = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    Ok(Segment {
        source: Endpoint {
            address: source,
            port: half(0),
        },
        destination: Endpoint {
            address: destination,
            port: half(2),
        },
        sequence: word(4),
        acknowledgment: word(8),
        flags: header[13],
        window: half(14),
        options: segment
            .octets
            .get(20..header_length)
            .unwrap_or_else(|| &segment.octets[20..]),
        hops,
        payload,
        cut: (length - header_length - payload.len()) as u32,
    })
}
