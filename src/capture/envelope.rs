//! What a packet is wrapped in between its link header and the IP packet: tags, labels, tunnels.
//!
//! Each function takes the octets from its own header on and gives what is inside, however deep.

use super::fragments::{Fragment, PacketId};
use super::internet::{self, Inside, Segment};
use super::layer::Layer;
use super::tally::Skipped;

/// What a packet holds in the end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found<'a> {
    /// A TCP segment.
    Segment(Segment<'a>),
    /// A fragment of an IP packet.
    Fragment(Fragment<'a>),
}

/// IEEE 802.3: two addresses and an ethertype, or a length and LLC.
#[inline]
pub(super) fn ethernet(frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
    ethertype(u16::from_be_bytes(frame.array(12)?), frame.after(14)?)
}

/// The packet behind an ethertype.
#[inline]
pub(super) fn ethertype(kind: u16, body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    match kind {
        0x0800 | 0x86dd => packet(body),
        _ => rare(kind, body.deeper()?),
    }
}

fn rare(kind: u16, body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    match kind {
        // IEEE 802.1Q, IEEE 802.1ad, QinQ before 802.1ad.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
            ethertype(u16::from_be_bytes(body.array(2)?), body.after(4)?)
        }
        0x8847 | 0x8848 => mpls(body),
        0x8864 => pppoe(body),
        0x880b => ppp(body),
        // Transparent Ethernet bridging (RFC 1701), and IEEE 802.1ah with its service tag.
        0x6558 => ethernet(body),
        0x88e7 => ethernet(body.after(4)?),
        // The length of an IEEE 802.3 frame.
        0..0x0600 => llc(body.upto(usize::from(kind))),
        _ => Err(Skipped::NotIp),
    }
}

/// IEEE 802.2, with SNAP (RFC 1042).
pub(super) fn llc(body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    match body.array(0)? {
        [0xaa, 0xaa, 0x03] => {
            let [_, _, _, high, low]: [u8; 5] = body.array(3)?;
            ethertype(u16::from_be_bytes([high, low]), body.after(8)?)
        }
        [0x06, 0x06, 0x03] => packet(body.after(3)?),
        _ => Err(Skipped::NotIp),
    }
}

/// A label stack (RFC 3032); the first octet decides what it carries, as in routers (RFC 4928).
pub(super) fn mpls(mut body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    body = body.deeper()?;
    loop {
        let [_, _, bottom, _]: [u8; 4] = body.array(0)?;
        body = body.after(4)?;
        if bottom & 1 != 0 {
            break;
        }
    }
    match body.array::<1>(0)?[0] >> 4 {
        4 | 6 if internet::is_plausible(body) => packet(body),
        // The control word of a pseudowire (RFC 4448), or an address that begins as one.
        0 => ethernet(body.after(4)?).or_else(|_| ethernet(body)),
        _ => ethernet(body),
    }
}

/// A PPPoE session packet (RFC 2516): version and type, code, session, length.
pub(super) fn pppoe(body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    let length = u16::from_be_bytes(body.array(4)?);
    ppp(body.after(6)?.upto(usize::from(length)))
}

/// RFC 1661 and 1662: the address and control octets may be left out, and the first octet of the protocol.
pub(super) fn ppp(body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    let body = match body.array(0)? {
        [0xff, 0x03] => body.after(2)?,
        _ => body,
    };
    let [first]: [u8; 1] = body.array(0)?;
    let (protocol, body) = if first & 1 == 1 {
        (u16::from(first), body.after(1)?)
    } else {
        (u16::from_be_bytes(body.array(0)?), body.after(2)?)
    };
    match protocol {
        0x0021 | 0x0057 => packet(body),
        0x0281 | 0x0283 => mpls(body),
        _ => Err(Skipped::NotIp),
    }
}

/// Cisco HDLC: address, control, ethertype.
pub(super) fn hdlc(frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
    ethertype(u16::from_be_bytes(frame.array(2)?), frame.after(4)?)
}

/// A Q.922 address of two to four octets, then a protocol as RFC 2427 has it, or an ethertype as Cisco does.
pub(super) fn frame_relay(frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
    let mut body = frame;
    for octet in 1..=4 {
        let [address]: [u8; 1] = body.array(0)?;
        body = body.after(1)?;
        if address & 1 == 1 && octet > 1 {
            break;
        }
    }
    if body.array(0)? != [0x03] {
        return ethertype(u16::from_be_bytes(body.array(0)?), body.after(2)?);
    }
    body = body.after(1)?;
    // A pad octet aligns what follows.
    if body.array(0)? == [0x00] {
        body = body.after(1)?;
    }
    match body.array(0)? {
        [0xcc | 0x8e] => packet(body.after(1)?),
        [0x80] => {
            let kind = u16::from_be_bytes(body.array(4)?);
            ethertype(kind, body.after(6)?)
        }
        [0xcf] => ppp(body.after(1)?),
        _ => Err(Skipped::NotIp),
    }
}

/// An IP packet.
#[inline]
pub(super) fn packet(packet: Layer<'_>) -> Result<Found<'_>, Skipped> {
    found(internet::open(packet)?)
}

/// The payload of an IP packet that was put together of its fragments.
pub(super) fn reassembled<'a>(of: &PacketId, payload: &'a [u8]) -> Result<Found<'a>, Skipped> {
    let payload = Layer::new(payload, 0);
    found(internet::body(
        of.protocol,
        payload,
        (of.source, of.destination),
        0,
    )?)
}

#[inline]
fn found(inside: Inside<'_>) -> Result<Found<'_>, Skipped> {
    match inside {
        Inside::Segment(segment) => Ok(Found::Segment(segment)),
        Inside::Fragment(fragment) => Ok(Found::Fragment(fragment)),
        Inside::Other(protocol, payload) => transport(protocol, payload),
    }
}

/// What follows the IP headers: `protocol` is the last next-header value.
fn transport(protocol: u8, body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    match protocol {
        4 | 41 => packet(body.deeper()?),
        17 => udp(body.deeper()?),
        47 => gre(body.deeper()?),
        50 => Err(Skipped::Encrypted),
        // EtherIP (RFC 3378), and MPLS in IP (RFC 4023).
        97 => ethernet(body.deeper()?.after(2)?),
        137 => mpls(body),
        _ => Err(Skipped::NotTcp),
    }
}

/// Tunnels over UDP, by their ports.
fn udp(body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    let port = u16::from_be_bytes(body.array(2)?);
    let inside = || body.after(8);
    match port {
        // VXLAN (RFC 7348), and the port that Linux had for it before.
        4789 | 8472 => ethernet(inside()?.after(8)?),
        // Geneve (RFC 8926).
        6081 => {
            let header: [u8; 4] = inside()?.array(0)?;
            let options = usize::from(header[0] & 0x3f) * 4;
            let kind = u16::from_be_bytes([header[2], header[3]]);
            ethertype(kind, inside()?.after(8 + options)?)
        }
        // GRE (RFC 8086) and MPLS (RFC 7510) in UDP.
        4754 => gre(inside()?),
        6635 => mpls(inside()?),
        _ => Err(Skipped::NotTcp),
    }
}

/// RFC 2784 and 2890, version 1 of RFC 2637, and what ERSPAN makes of it.
fn gre(body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGMENT: u16 = 0x0080;
    let flags = u16::from_be_bytes(body.array(0)?);
    let protocol = u16::from_be_bytes(body.array(2)?);
    if flags & ROUTING != 0 {
        return Err(Skipped::Malformed);
    }
    let is_pptp = flags & 7 == 1;
    let present = |flag: u16| usize::from(flags & flag != 0) * 4;
    let mut length = 4 + present(CHECKSUM) + present(KEY) + present(SEQUENCE);
    if is_pptp {
        length += present(ACKNOWLEDGMENT);
    }
    let body = body.after(length)?;
    match protocol {
        // ERSPAN without a header of its own (type I), and with one of eight octets (type II).
        0x88be if flags & SEQUENCE == 0 => ethernet(body),
        0x88be => ethernet(body.after(8)?),
        // Type III: twelve octets, and eight more where the last bit says so.
        0x22eb => {
            let [last]: [u8; 1] = body.array(11)?;
            ethernet(body.after(12 + usize::from(last & 1) * 8)?)
        }
        _ => ethertype(protocol, body),
    }
}
