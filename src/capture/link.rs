//! From a captured frame to what its link header wraps.

use super::envelope::{
    Found, ethernet, ethertype, frame_relay, hdlc, llc, mpls, packet, ppp, pppoe,
};
use super::layer::Layer;
use super::link_type::LinkType;
use super::tally::Skipped;

/// What `frame` carries inside its link header.
#[inline]
pub(super) fn open(link: LinkType, frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
    match link {
        LinkType::ETHERNET => ethernet(frame),
        LinkType::LINUX_SLL => cooked(frame.array(14)?, frame.after(16)?),
        // The ethertype comes first, and the packet after a header of twenty octets.
        LinkType::LINUX_SLL2 => cooked(frame.array(0)?, frame.after(20)?),
        LinkType::NULL | LinkType::LOOP => family(frame),
        LinkType::RAW
        | LinkType::RAW_BSD
        | LinkType::RAW_OPENBSD
        | LinkType::IPV4
        | LinkType::IPV6 => packet(frame),
        LinkType::PPP | LinkType::PPP_HDLC => match frame.octets.first() {
            // Unicast and broadcast of Cisco HDLC, which is no PPP address.
            Some(0x0f | 0x8f) => hdlc(frame),
            _ => ppp(frame),
        },
        LinkType::PPP_PPPD => ppp(frame.after(2)?),
        LinkType::PPP_ETHER => pppoe(frame),
        LinkType::C_HDLC => hdlc(frame),
        LinkType::FRELAY => frame_relay(frame),
        LinkType::ATM_RFC1483 => llc(frame),
        LinkType::MPLS => mpls(frame),
        LinkType::ENC => packet(frame.after(12)?),
        LinkType::PFLOG => {
            let [length] = frame.array(0)?;
            packet(frame.after(usize::from(length).next_multiple_of(4))?)
        }
        LinkType::NFLOG => netfilter(frame),
        LinkType(other) => Err(Skipped::UnsupportedLink(other)),
    }
}

/// The packet behind the protocol field of a Linux cooked header.
#[inline]
fn cooked(protocol: [u8; 2], body: Layer<'_>) -> Result<Found<'_>, Skipped> {
    const LLC: u16 = 4;
    match u16::from_be_bytes(protocol) {
        LLC => llc(body),
        protocol => ethertype(protocol, body),
    }
}

/// The packet behind an address family.
fn family(frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
    let family = u32::from_be_bytes(frame.array(0)?);
    let family = if family > 0xffff {
        family.swap_bytes()
    } else {
        family
    };
    match family {
        // AF_INET, and AF_INET6 of NetBSD and Linux, FreeBSD, Darwin.
        2 | 10 | 24 | 28 | 30 => packet(frame.after(4)?),
        _ => Err(Skipped::NotIp),
    }
}

/// The payload among the attributes of a netfilter log entry: `family(1) version(1) resource(2)`, then
/// `length(2) type(2) value` in the byte order of the host, padded to four octets.
fn netfilter(frame: Layer<'_>) -> Result<Found<'_>, Skipped> {
    const PAYLOAD: u16 = 9;
    const BRIDGE: u8 = 7;
    let [family] = frame.array(0)?;
    let mut rest = frame.after(4)?;
    loop {
        let header: [u8; 4] = rest.array(0)?;
        let (length, kind) = ([header[0], header[1]], [header[2], header[3]]);
        // A type is small: where it is not, the other byte order is meant.
        let is_little = header[3] == 0;
        let read = |octets| {
            if is_little {
                u16::from_le_bytes(octets)
            } else {
                u16::from_be_bytes(octets)
            }
        };
        let length = usize::from(read(length));
        if length < 4 {
            return Err(Skipped::Malformed);
        }
        if read(kind) == PAYLOAD {
            let payload = rest.upto(length).after(4)?;
            return match family {
                BRIDGE => ethernet(payload),
                _ => packet(payload),
            };
        }
        rest = rest.after(length.next_multiple_of(4))?;
    }
}
