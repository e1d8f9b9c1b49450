//! IPv4, IPv6 and TCP headers: from an IP packet to a TCP segment.
//!
//! By hand and without copies: it runs once for each packet of captures of any size.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::reader::Packet;

/// Why a packet holds no TCP segment for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skipped {
    /// A link type that cannot be taken apart.
    UnsupportedLink,
    /// ARP, LLDP and the like.
    NotIp,
    /// UDP, ICMP and the like.
    NotTcp,
    /// A fragment of an IP packet; fragments are not put together.
    Fragment,
    /// The snap length cut it inside its headers.
    Cut,
    /// Headers that contradict themselves.
    Malformed,
}

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
    /// Who sent it.
    pub source: Endpoint,
    /// To whom.
    pub destination: Endpoint,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// The flags octet: CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.
    pub flags: u8,
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
}

const TCP: u8 = 6;

/// The TCP segment that `packet` carries.
///
/// # Errors
/// Why there is none.
#[inline]
pub fn segment<'a>(packet: &Packet<'a>) -> Result<Segment<'a>, Skipped> {
    let octets = packet.link.internet_packet(packet.octets)?;
    // What of the packet's original length lies from the IP header on.
    let link_header = packet.octets.len() - octets.len();
    let original = (packet.original as usize)
        .saturating_sub(link_header)
        .max(octets.len());
    match octets.first().ok_or(Skipped::Cut)? >> 4 {
        4 => ipv4(octets, original),
        6 => ipv6(octets, original),
        _ => Err(Skipped::NotIp),
    }
}

/// RFC 791 section 3.1.
#[inline]
fn ipv4(octets: &[u8], original: usize) -> Result<Segment<'_>, Skipped> {
    let header = octets.first_chunk::<20>().ok_or(Skipped::Cut)?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    let total = match u16::from_be_bytes([header[2], header[3]]) {
        // Left to the network card by segmentation offload.
        0 => original,
        total => usize::from(total),
    };
    if header_length < 20 || total < header_length {
        return Err(Skipped::Malformed);
    }
    if u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0 {
        return Err(Skipped::Fragment);
    }
    if header[9] != TCP {
        return Err(Skipped::NotTcp);
    }
    let address = |at: usize| {
        IpAddr::V4(Ipv4Addr::new(
            header[at],
            header[at + 1],
            header[at + 2],
            header[at + 3],
        ))
    };
    let body = octets.get(header_length..).ok_or(Skipped::Cut)?;
    tcp(body, total - header_length, address(12), address(16))
}

/// RFC 8200 section 3, and the extension headers of section 4.
fn ipv6(octets: &[u8], original: usize) -> Result<Segment<'_>, Skipped> {
    const HOP_BY_HOP: u8 = 0;
    const ROUTING: u8 = 43;
    const FRAGMENT: u8 = 44;
    const AUTHENTICATION: u8 = 51;
    const DESTINATION_OPTIONS: u8 = 60;
    const MOBILITY: u8 = 135;

    let header = octets.first_chunk::<40>().ok_or(Skipped::Cut)?;
    let address = |at: usize| {
        let mut address = [0; 16];
        address.copy_from_slice(&header[at..at + 16]);
        IpAddr::V6(Ipv6Addr::from(address))
    };
    let mut left = match u16::from_be_bytes([header[4], header[5]]) {
        // A jumbogram, or left to the network card.
        0 => original.saturating_sub(40),
        length => usize::from(length),
    };
    let mut body = &octets[40..];
    let mut next = header[6];
    loop {
        let length = match next {
            TCP => return tcp(body, left, address(8), address(24)),
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | MOBILITY => {
                usize::from(*body.get(1).ok_or(Skipped::Cut)?) * 8 + 8
            }
            AUTHENTICATION => usize::from(*body.get(1).ok_or(Skipped::Cut)?) * 4 + 8,
            FRAGMENT => {
                let fields = body.first_chunk::<4>().ok_or(Skipped::Cut)?;
                // Offset zero and no more fragments: an atomic fragment (RFC 6946), which is whole.
                if u16::from_be_bytes([fields[2], fields[3]]) & 0xfff9 != 0 {
                    return Err(Skipped::Fragment);
                }
                8
            }
            _ => return Err(Skipped::NotTcp),
        };
        next = *body.first().ok_or(Skipped::Cut)?;
        body = body.get(length..).ok_or(Skipped::Cut)?;
        left = left.checked_sub(length).ok_or(Skipped::Malformed)?;
    }
}

/// RFC 9293 section 3.1; `length` is that of the segment on the wire.
#[inline]
fn tcp(
    octets: &[u8],
    length: usize,
    source: IpAddr,
    destination: IpAddr,
) -> Result<Segment<'_>, Skipped> {
    let header = octets.first_chunk::<20>().ok_or(Skipped::Cut)?;
    let header_length = usize::from(header[12] >> 4) * 4;
    if header_length < 20 || length < header_length {
        return Err(Skipped::Malformed);
    }
    let payload_length = length - header_length;
    // Options may be cut; then so is all of the payload.
    let payload = octets.get(header_length..).unwrap_or_default();
    // Ethernet pads short frames: what lies beyond the IP packet is no payload.
    let payload = &payload[..payload.len().min(payload_length)];
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
        payload,
        cut: (payload_length - payload.len()) as u32,
    })
}
