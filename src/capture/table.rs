//! The routes of MRT's tables (RFC 6396 sections 4.2 and 4.3, RFC 8050 section 4), as the UPDATEs that would announce
//! them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One route of a table.
#[derive(Debug)]
pub(super) struct Route {
    /// The peer that announced it.
    pub(super) peer: Teller,
    pub(super) four_octet_as: bool,
    pub(super) add_path: bool,
    /// The route as an UPDATE with its header.
    pub(super) update: Vec<u8>,
}

/// The peer that a route is from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Teller {
    /// Its place in the PEER_INDEX_TABLE.
    Index(u16),
    /// Its address and AS number.
    Peer(IpAddr, u32),
}

/// Octets of a record from which fields are taken; `None` where they are too few.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn octet(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    pub(super) fn half(&mut self) -> Option<u16> {
        let octets = self.take(2)?;
        Some(u16::from_be_bytes([octets[0], octets[1]]))
    }

    pub(super) fn word(&mut self) -> Option<u32> {
        let octets = self.take(4)?;
        Some(u32::from_be_bytes([
            octets[0], octets[1], octets[2], octets[3],
        ]))
    }

    pub(super) fn asn(&mut self, four_octets: bool) -> Option<u32> {
        if four_octets {
            self.word()
        } else {
            self.half().map(u32::from)
        }
    }

    pub(super) fn address(&mut self, is_ipv6: bool) -> Option<IpAddr> {
        if is_ipv6 {
            let octets = self.take(16)?.first_chunk::<16>()?;
            return Some(Ipv6Addr::from(*octets).into());
        }
        Some(Ipv4Addr::from_bits(self.word()?).into())
    }

    pub(super) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// A length in bits and as many octets as it needs, both.
    fn prefix(&mut self) -> Option<&'a [u8]> {
        let bits = usize::from(*self.0.first()?);
        self.take(1 + bits.div_ceil(8))
    }
}

/// The collector's identifier, and the address and AS number of each peer.
pub(super) fn peer_index(mut body: Cursor<'_>) -> Option<(IpAddr, Vec<(IpAddr, u32)>)> {
    let collector = body.address(false)?;
    let name = body.half()?;
    body.take(usize::from(name))?;
    let count = body.half()?;
    let mut peers = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let kind = body.octet()?;
        let _identifier = body.word()?;
        let address = body.address(kind & 1 != 0)?;
        peers.push((address, body.asn(kind & 2 != 0)?));
    }
    Some((collector, peers))
}

/// The routes of a record of TABLE_DUMP_V2; `Some(None)` where its subtype holds none.
pub(super) fn routes(subtype: u16, mut body: Cursor<'_>) -> Option<Option<Vec<Route>>> {
    let add_path = subtype >= 8;
    let _sequence = body.word()?;
    let (afi, safi, nlri) = match if add_path { subtype - 6 } else { subtype } {
        2 => (1, 1, body.prefix()?),
        3 => (1, 2, body.prefix()?),
        4 => (2, 1, body.prefix()?),
        5 => (2, 2, body.prefix()?),
        6 => {
            let (afi, safi) = (body.half()?, body.octet()?);
            (afi, safi, body.prefix()?)
        }
        _ => return Some(None),
    };
    let count = body.half()?;
    let mut routes = Vec::new();
    for _ in 0..count {
        let index = body.half()?;
        let _originated = body.word()?;
        let path = if add_path { body.take(4)? } else { &[] };
        let length = body.half()?;
        let attributes = body.take(usize::from(length))?;
        routes.push(Route {
            peer: Teller::Index(index),
            four_octet_as: true,
            add_path,
            update: update(afi, safi, &[path, nlri].concat(), attributes)?,
        });
    }
    Some(Some(routes))
}

/// The route of a record of TABLE_DUMP; `Some(None)` where its subtype holds none.
pub(super) fn old_route(subtype: u16, mut body: Cursor<'_>) -> Option<Option<Vec<Route>>> {
    let is_ipv6 = match subtype {
        1 => false,
        2 => true,
        _ => return Some(None),
    };
    let (_view, _sequence) = (body.half()?, body.half()?);
    let address = body.take(if is_ipv6 { 16 } else { 4 })?;
    let bits = body.octet()?;
    let prefix = address.get(..usize::from(bits).div_ceil(8))?;
    let (_status, _originated) = (body.octet()?, body.word()?);
    let peer = body.address(is_ipv6)?;
    let peer_as = body.asn(false)?;
    let length = body.half()?;
    let attributes = body.take(usize::from(length))?;
    let nlri = [&[bits], prefix].concat();
    let afi = if is_ipv6 { 2 } else { 1 };
    Some(Some(vec![Route {
        peer: Teller::Peer(peer, peer_as),
        four_octet_as: false,
        add_path: false,
        update: update(afi, 1, &nlri, attributes)?,
    }]))
}

/// The UPDATE that announces `nlri` with `attributes`, in which MP_REACH_NLRI is cut down to the next hop
/// (RFC 6396 section 4.3.4), though some write all of it.
fn update(afi: u16, safi: u8, nlri: &[u8], attributes: &[u8]) -> Option<Vec<u8>> {
    const NEXT_HOP: u8 = 3;
    const MP_REACH: u8 = 14;
    const EXTENDED_LENGTH: u8 = 0x10;
    let mut is_classic = afi == 1 && safi == 1;
    let mut kept = Vec::with_capacity(attributes.len() + 32);
    let mut next_hop: &[u8] = &[];
    let mut rest = Cursor::new(attributes);
    while !rest.rest().is_empty() {
        let whole = rest.rest();
        let (flags, code) = (rest.octet()?, rest.octet()?);
        let length = if flags & EXTENDED_LENGTH == 0 {
            usize::from(rest.octet()?)
        } else {
            usize::from(rest.half()?)
        };
        let value = rest.take(length)?;
        match code {
            MP_REACH => {
                // An IPv4 route with an IPv6 next hop (RFC 8950) has one as well.
                is_classic = false;
                let short = match value {
                    // All of it: the family comes first, whose first octet is 0 as that of no next hop's length.
                    [0, _, _, short @ ..] => short,
                    short => short,
                };
                let (length, hop) = short.split_first()?;
                next_hop = hop.get(..usize::from(*length))?;
            }
            NEXT_HOP if !is_classic && next_hop.is_empty() => next_hop = value,
            _ => kept.extend_from_slice(&whole[..whole.len() - rest.rest().len()]),
        }
    }
    if !is_classic {
        let length = u16::try_from(5 + next_hop.len() + nlri.len()).ok()?;
        kept.extend([0x80 | EXTENDED_LENGTH, MP_REACH]);
        kept.extend(length.to_be_bytes());
        kept.extend(afi.to_be_bytes());
        kept.extend([safi, u8::try_from(next_hop.len()).ok()?]);
        kept.extend(next_hop);
        kept.push(0);
        kept.extend(nlri);
    }
    let classic = if is_classic { nlri } else { &[] };
    let total = u16::try_from(23 + kept.len() + classic.len()).ok()?;
    let mut update = vec![0xff; 16];
    update.extend(total.to_be_bytes());
    update.extend([2, 0, 0]);
    update.extend((kept.len() as u16).to_be_bytes());
    update.extend(kept);
    update.extend(classic);
    Some(update)
}
