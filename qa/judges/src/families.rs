//! NLRI of every family that another codec knows: random octets, and the form in which codecs tell what they read in them.
//!
//! The octets are put together here from the RFCs, not by Lockstep's encoder: what that makes of them is judged as well.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lockstep::bgp::family::Family;
use lockstep::bgp::iana::{Afi, Safi};

use crate::workload::Random;

/// The families of which another codec has more than a name.
pub const FAMILIES: &[Family] = &[
    Family::new(Afi::IPV4, Safi::MULTICAST),
    Family::new(Afi::IPV6, Safi::MULTICAST),
    Family::new(Afi::IPV4, Safi::NLRI_MPLS),
    Family::new(Afi::IPV6, Safi::NLRI_MPLS),
    Family::new(Afi::IPV4, Safi::MPLS_VPN),
    Family::new(Afi::IPV6, Safi::MPLS_VPN),
    Family::new(Afi::IPV4, Safi::FLOW),
    Family::new(Afi::IPV6, Safi::FLOW),
    Family::new(Afi::IPV4, Safi::RTC),
    Family::new(Afi::L2VPN, Safi::VPLS),
    Family::new(Afi::L2VPN, Safi::EVPN),
    Family::new(Afi::BGP_LS, Safi::BGP_LS),
    Family::new(Afi::BGP_LS, Safi::BGP_LS_VPN),
];

/// How routes are told: the same words, whoever read them.
pub mod told {
    use std::fmt::Display;
    use std::net::IpAddr;

    /// Octets in hexadecimal.
    pub fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// A prefix without labels.
    pub fn prefix(address: impl Into<IpAddr>, length: u8) -> String {
        format!("{}/{length}", address.into())
    }

    /// A prefix with labels of 20 bits.
    pub fn labelled(labels: impl IntoIterator<Item = u32>, prefix: &str) -> String {
        let labels: Vec<u32> = labels.into_iter().collect();
        format!("labels {labels:?} {prefix}")
    }

    /// A prefix of a VPN.
    pub fn vpn(rd: &[u8], labelled: &str) -> String {
        format!("rd {} {labelled}", hex(rd))
    }

    /// The fields of an EVPN route of type `kind`.
    pub fn evpn(kind: u8, rd: &[u8], fields: &[&dyn Display]) -> String {
        let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
        format!("evpn {kind} rd {} {}", hex(rd), fields.join(" "))
    }

    /// An address, or none.
    pub fn optional(address: Option<impl Into<IpAddr>>) -> String {
        address.map_or_else(|| "-".to_owned(), |address| address.into().to_string())
    }

    /// A test of a flow component: the bits `a`, `lt`, `gt`, `eq` (of a mask `a`, `not`, `m`) in their places, and the value.
    pub fn test(mask: bool, bits: u8, value: u64) -> String {
        let sort = if mask { "mask" } else { "number" };
        format!("{sort} {bits:02x} {value}")
    }

    /// A route target membership: the origin's AS, and the route target.
    pub fn membership(origin: u32, target: &[u8]) -> String {
        format!("rtc {origin} {}", hex(target))
    }

    /// A VPLS, without its route distinguisher.
    pub fn vpls(endpoint: u16, offset: u16, size: u16, label: u32) -> String {
        format!(
            "vpls ve_id: {endpoint}, ve_block_offset: {offset}, ve_block_size: {size}, raw_label_base: {label} }}"
        )
    }

    /// A component of a flow.
    pub fn component(kind: u8, value: &str) -> String {
        format!("{kind}: {value}")
    }

    /// A link-state object, the descriptors of its nodes, and its prefix.
    pub fn link_state(
        kind: u16,
        rd: Option<&[u8]>,
        source: (u8, u64),
        local: &[String],
        remote: &[String],
        prefix: Option<String>,
    ) -> String {
        let rd = rd.map_or_else(String::new, hex);
        format!("ls {kind} rd {rd} from {source:?} local {local:?} remote {remote:?} {prefix:?}")
    }

    /// A descriptor of a node.
    pub fn descriptor(code: u16, value: impl Display) -> String {
        format!("{code}={value}")
    }
}

/// The octets of one NLRI of `family`.
pub fn nlri(random: &mut Random, family: Family) -> Vec<u8> {
    let v6 = family.afi == Afi::IPV6;
    match family.safi {
        Safi::NLRI_MPLS => {
            let prefix = prefix(random, v6);
            with_bits(&labels(random, v6, &prefix), prefix)
        }
        Safi::MPLS_VPN => {
            let prefix = prefix(random, v6);
            let mut before = labels(random, v6, &prefix);
            before.extend_from_slice(&distinguisher(random));
            with_bits(&before, prefix)
        }
        Safi::FLOW => flow(random, v6),
        Safi::RTC => target(random),
        Safi::VPLS => {
            let mut out = vec![0, 17];
            out.extend_from_slice(&distinguisher(random));
            out.extend_from_slice(&octets::<9>(random));
            out
        }
        Safi::EVPN => evpn(random),
        Safi::BGP_LS => link_state(random, false),
        Safi::BGP_LS_VPN => link_state(random, true),
        _ => {
            let (bits, mut octets) = prefix(random, v6);
            if random.one_in(2) {
                octets[0] = if v6 { 0xff } else { 0xe0 };
            }
            with_bits(&[], (bits, octets))
        }
    }
}

/// `count` octets of no meaning.
pub fn octets<const N: usize>(random: &mut Random) -> [u8; N] {
    std::array::from_fn(|_| random.next() as u8)
}

/// An address.
pub fn address(random: &mut Random, v6: bool) -> IpAddr {
    if v6 {
        let bits = 0x2001_0db8_u128 << 96 | u128::from(random.next());
        Ipv6Addr::from(bits).into()
    } else {
        Ipv4Addr::from(0x0a00_0000 | random.below(1 << 24) as u32).into()
    }
}

/// The octets of an address.
pub fn octets_of(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// Bits that count, and the octets that hold them: bits past them are zero.
fn prefix(random: &mut Random, v6: bool) -> (u8, Vec<u8>) {
    let mut octets = octets_of(address(random, v6));
    let bits = 8 + random.below(octets.len() as u64 * 8 - 7) as u8;
    octets.truncate(usize::from(bits.div_ceil(8)));
    if let Some(last) = octets.last_mut() {
        *last &= 0xff << ((8 - bits % 8) % 8);
    }
    (bits, octets)
}

fn with_bits(before: &[u8], (bits, octets): (u8, Vec<u8>)) -> Vec<u8> {
    let mut out = vec![bits + 8 * before.len() as u8];
    out.extend_from_slice(before);
    out.extend_from_slice(&octets);
    out
}

/// One label or two, the last marked as the bottom; traffic classes are zero. Two only where one of them and the rest
/// cannot be one before a longer prefix: there Lockstep reads as ExaBGP does, and other codecs do not.
fn labels(random: &mut Random, v6: bool, (bits, _): &(u8, Vec<u8>)) -> Vec<u8> {
    let plain = bits + 24 > if v6 { 128 } else { 32 };
    let count = if plain && random.one_in(4) { 2 } else { 1 };
    let mut out = Vec::new();
    for at in 1..=count {
        let label = (16 + random.below((1 << 20) - 16)) as u32;
        let entry = label << 4 | u32::from(at == count);
        out.extend_from_slice(&entry.to_be_bytes()[1..]);
    }
    out
}

/// A route distinguisher of type 0, 1 or 2 (RFC 4364 section 4.2).
fn distinguisher(random: &mut Random) -> [u8; 8] {
    let mut out = octets::<8>(random);
    out[0] = 0;
    out[1] = random.below(3) as u8;
    out
}

/// RFC 4684 section 4: everything, or an origin and a route target of 8 octets.
fn target(random: &mut Random) -> Vec<u8> {
    if random.one_in(8) {
        return vec![0];
    }
    let mut out = vec![96];
    out.extend_from_slice(&octets::<4>(random));
    let kind = [0, 1, 2][random.below(3) as usize];
    out.extend_from_slice(&[kind, 2]);
    out.extend_from_slice(&octets::<6>(random));
    out
}

/// RFC 8955 section 4, RFC 8956 section 3: components in ascending order of their types.
fn flow(random: &mut Random, v6: bool) -> Vec<u8> {
    let mut body = Vec::new();
    for kind in 1..=if v6 { 13 } else { 12 } {
        if !random.one_in(3) {
            continue;
        }
        body.push(kind);
        match kind {
            1 | 2 => {
                let (bits, octets) = prefix(random, v6);
                body.push(bits);
                if v6 {
                    body.push(0);
                }
                body.extend_from_slice(&octets);
            }
            _ => tests(random, kind, &mut body),
        }
    }
    if body.is_empty() {
        body.extend_from_slice(&[3, 0x81, 6]);
    }
    let mut out = vec![body.len() as u8];
    out.extend_from_slice(&body);
    out
}

/// Tests of one component: values in the fewest octets that the type has.
fn tests(random: &mut Random, kind: u8, out: &mut Vec<u8>) {
    let count = 1 + random.below(3);
    for at in 0..count {
        let and = at > 0 && random.one_in(2);
        let bits = if matches!(kind, 9 | 12) {
            random.below(4) as u8
        } else {
            1 + random.below(6) as u8
        };
        let wide = matches!(kind, 4..=6 | 10) && random.one_in(2);
        let operator = u8::from(at + 1 == count) << 7 | u8::from(and) << 6 | bits;
        match (kind, wide) {
            (13, _) => {
                out.push(operator | 0x20);
                out.extend_from_slice(&(random.below(1 << 20) as u32).to_be_bytes());
            }
            (_, true) => {
                out.push(operator | 0x10);
                out.extend_from_slice(&(256 + random.below(60_000) as u16).to_be_bytes());
            }
            (9, _) => out.extend_from_slice(&[operator, random.below(256) as u8]),
            (11, _) => out.extend_from_slice(&[operator, random.below(64) as u8]),
            (12, _) => out.extend_from_slice(&[operator, 2 << random.below(3) as u8]),
            _ => out.extend_from_slice(&[operator, random.below(256) as u8]),
        }
    }
}

/// RFC 7432 section 7, RFC 9136 section 3.1, RFC 9251 section 9.1: types 1 to 6.
fn evpn(random: &mut Random) -> Vec<u8> {
    let kind = 1 + random.below(6) as u8;
    let v6 = random.one_in(2);
    let with_length = |address: IpAddr| {
        let octets = octets_of(address);
        let mut out = vec![8 * octets.len() as u8];
        out.extend_from_slice(&octets);
        out
    };
    let mut body = distinguisher(random).to_vec();
    let mut segment = octets::<10>(random);
    segment[0] = 0;
    let tag = (random.below(1 << 24) as u32).to_be_bytes();
    let label = ((16 + random.below((1 << 20) - 16)) << 4 | 1) as u32;
    let label = &label.to_be_bytes()[1..];
    match kind {
        1 => {
            body.extend_from_slice(&segment);
            body.extend_from_slice(&tag);
            body.extend_from_slice(label);
        }
        2 => {
            body.extend_from_slice(&segment);
            body.extend_from_slice(&tag);
            body.push(48);
            body.extend_from_slice(&[2]);
            body.extend_from_slice(&octets::<5>(random));
            if random.one_in(3) {
                body.push(0);
            } else {
                body.extend_from_slice(&with_length(address(random, v6)));
            }
            body.extend_from_slice(label);
        }
        3 => {
            body.extend_from_slice(&tag);
            body.extend_from_slice(&with_length(address(random, v6)));
        }
        4 => {
            body.extend_from_slice(&segment);
            body.extend_from_slice(&with_length(address(random, v6)));
        }
        5 => {
            let (bits, mut octets) = prefix(random, v6);
            octets.resize(if v6 { 16 } else { 4 }, 0);
            body.extend_from_slice(&[0; 10]);
            body.extend_from_slice(&tag);
            body.push(bits);
            body.extend_from_slice(&octets);
            body.extend_from_slice(&octets_of(address(random, v6)));
            body.extend_from_slice(label);
        }
        _ => {
            body.extend_from_slice(&tag);
            let source = random.one_in(2);
            if source {
                body.extend_from_slice(&with_length(address(random, v6)));
            } else {
                body.push(0);
            }
            let group: IpAddr = if v6 {
                Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, random.next() as u16).into()
            } else {
                Ipv4Addr::new(232, 1, 1, random.next() as u8).into()
            };
            body.extend_from_slice(&with_length(group));
            body.extend_from_slice(&with_length(address(random, v6)));
            body.push(match (v6, source) {
                (false, false) => 2,
                (false, true) => 4,
                (true, false) => 1,
                (true, true) => 2,
            });
        }
    }
    let mut out = vec![kind, body.len() as u8];
    out.extend_from_slice(&body);
    out
}

/// RFC 9552 section 5.2: nodes, links and prefixes, known from IS-IS or OSPF.
fn link_state(random: &mut Random, vpn: bool) -> Vec<u8> {
    let kind = 1 + random.below(4) as u16;
    let ospf = random.one_in(2);
    let protocol = match (ospf, kind) {
        (true, 4) => 6,
        (true, _) => 3,
        (false, _) => 2,
    };
    let mut body = Vec::new();
    if vpn {
        body.extend_from_slice(&distinguisher(random));
    }
    body.push(protocol);
    body.extend_from_slice(&random.below(1 << 16).to_be_bytes());
    tlv(256, &node(random, ospf), &mut body);
    match kind {
        2 => {
            tlv(257, &node(random, ospf), &mut body);
            tlv(259, &octets_of(address(random, false)), &mut body);
            tlv(260, &octets_of(address(random, false)), &mut body);
        }
        3 | 4 => {
            if ospf {
                tlv(264, &[1 + random.below(6) as u8], &mut body);
            }
            let (bits, mut octets) = prefix(random, kind == 4);
            octets.insert(0, bits);
            tlv(265, &octets, &mut body);
        }
        _ => {}
    }
    let mut out = Vec::new();
    tlv(kind, &body, &mut out);
    out
}

/// The descriptors of a node, in ascending order of their types.
fn node(random: &mut Random, ospf: bool) -> Vec<u8> {
    let mut out = Vec::new();
    tlv(512, &octets::<4>(random), &mut out);
    tlv(513, &octets::<4>(random), &mut out);
    if ospf {
        tlv(514, &octets::<4>(random), &mut out);
        tlv(515, &octets::<4>(random), &mut out);
    } else {
        tlv(515, &octets::<6>(random), &mut out);
    }
    out
}

/// Appends type, length and value.
pub fn tlv(code: u16, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
}
