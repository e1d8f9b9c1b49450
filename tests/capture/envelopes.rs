//! A whole session in every envelope, in pcap and in pcapng, as fragments, compressed, as BMP and as MRT.

use std::io::Write;

use etherparse::PacketBuilder;
use lockstep::capture::{Happening, LinkType, StreamDirection, Tally};

use super::{message, record, told, wire};

use StreamDirection::{FromClient, FromServer};

const ETHERNET: usize = 14;

/// The IPv4 packets of a session, each with its seconds.
fn packets() -> Vec<Vec<u8>> {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let open = message(1, &[4; 10]);
    let update = message(2, &[0; 80]);
    let data = Happening::Data;
    let file = record(&[
        (wire, Happening::Opened),
        (wire, data(FromClient, &open)),
        (wire, data(FromServer, &open)),
        (wire, data(FromClient, &update)),
        (wire, Happening::Finished(FromClient)),
        (wire, Happening::Finished(FromServer)),
    ]);
    let mut rest = &file[24..];
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        packets.push(rest[16 + ETHERNET..16 + length].to_vec());
        rest = &rest[16 + length..];
    }
    packets
}

fn pcap(link: LinkType, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [
        0xa1b2_c3d4_u32,
        0x0004_0002,
        0,
        0,
        262_144,
        u32::from(link.0),
    ] {
        file.extend(word.to_le_bytes());
    }
    for (second, frame) in frames.iter().enumerate() {
        let length = frame.len() as u32;
        for word in [second as u32, 0, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

fn pcapng(link: LinkType, frames: &[Vec<u8>]) -> Vec<u8> {
    fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
        let length = 12 + body.len().next_multiple_of(4);
        file.extend(kind.to_le_bytes());
        file.extend((length as u32).to_le_bytes());
        file.extend(body);
        file.resize(file.len().next_multiple_of(4), 0);
        file.extend((length as u32).to_le_bytes());
    }
    let mut file = Vec::new();
    let section = [
        &0x1a2b_3c4d_u32.to_le_bytes()[..],
        &[1, 0, 0, 0],
        &[0xff; 8],
    ]
    .concat();
    block(&mut file, 0x0a0d_0d0a, &section);
    let interface = [
        &link.0.to_le_bytes()[..],
        &[0, 0],
        &262_144_u32.to_le_bytes(),
    ]
    .concat();
    block(&mut file, 1, &interface);
    for (second, frame) in frames.iter().enumerate() {
        let ticks = second as u64 * 1_000_000;
        let length = frame.len() as u32;
        let fields = [0, (ticks >> 32) as u32, ticks as u32, length, length];
        let mut body: Vec<u8> = fields
            .iter()
            .flat_map(|field| field.to_le_bytes())
            .collect();
        body.extend(frame);
        block(&mut file, 6, &body);
    }
    file
}

fn ethernet(kind: u16) -> Vec<u8> {
    [&[2; 12][..], &kind.to_be_bytes()].concat()
}

/// An outer IPv4 header for `payload`.
fn outer(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([198, 51, 100, 1], [198, 51, 100, 2], 64)
        .write(&mut packet, etherparse::IpNumber(protocol), payload)
        .unwrap();
    packet
}

fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([198, 51, 100, 1], [198, 51, 100, 2], 64)
        .udp(50_000, port)
        .write(&mut packet, payload)
        .unwrap();
    packet
}

/// What wraps an IPv4 packet.
type Wrap = fn(&[u8]) -> Vec<u8>;

/// Each envelope: its name, its link type, what it puts around an IPv4 packet.
fn envelopes() -> Vec<(&'static str, LinkType, Wrap)> {
    fn frame(inner: &[u8]) -> Vec<u8> {
        [&ethernet(0x0800)[..], inner].concat()
    }
    vec![
        ("MPLS", LinkType::ETHERNET, |ip| {
            [&ethernet(0x8847)[..], &[0, 1, 0, 64, 0, 2, 1, 64], ip].concat()
        }),
        (
            "Ethernet over MPLS with a control word",
            LinkType::ETHERNET,
            |ip| {
                [
                    &ethernet(0x8847)[..],
                    &[0, 2, 1, 64, 0, 0, 0, 0],
                    &frame(ip),
                ]
                .concat()
            },
        ),
        ("Ethernet over MPLS", LinkType::MPLS, |ip| {
            [&[0, 2, 1, 64][..], &frame(ip)].concat()
        }),
        ("PPPoE", LinkType::ETHERNET, |ip| {
            let length = (ip.len() as u16 + 2).to_be_bytes();
            [
                &ethernet(0x8864)[..],
                &[0x11, 0, 0, 1],
                &length,
                &[0, 0x21],
                ip,
            ]
            .concat()
        }),
        ("SNAP", LinkType::ETHERNET, |ip| {
            let length = ip.len() as u16 + 8;
            [&ethernet(length)[..], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip].concat()
        }),
        ("GRE", LinkType::RAW, |ip| {
            outer(47, &[&[0, 0, 8, 0], ip].concat())
        }),
        (
            "GRE with checksum, key and sequence number",
            LinkType::RAW,
            |ip| outer(47, &[&[0xb0, 0, 8, 0], &[0; 12][..], ip].concat()),
        ),
        ("Ethernet over GRE", LinkType::RAW, |ip| {
            outer(47, &[&[0, 0, 0x65, 0x58][..], &frame(ip)].concat())
        }),
        ("IP in IP", LinkType::RAW, |ip| outer(4, ip)),
        ("VXLAN", LinkType::RAW, |ip| {
            datagram(4789, &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &frame(ip)].concat())
        }),
        ("Geneve with an option", LinkType::RAW, |ip| {
            let header = [1, 0, 0x65, 0x58, 0, 0, 7, 0, 0, 0, 0, 0];
            datagram(6081, &[&header[..], &frame(ip)].concat())
        }),
        ("ERSPAN I", LinkType::RAW, |ip| {
            outer(47, &[&[0, 0, 0x88, 0xbe][..], &frame(ip)].concat())
        }),
        ("ERSPAN II", LinkType::RAW, |ip| {
            outer(
                47,
                &[&[0x10, 0, 0x88, 0xbe][..], &[0; 4], &[0x10; 8], &frame(ip)].concat(),
            )
        }),
        ("ERSPAN III", LinkType::RAW, |ip| {
            let header = [0x10, 0, 0x22, 0xeb];
            outer(
                47,
                &[&header[..], &[0; 4], &[0x20; 11], &[1], &[0; 8], &frame(ip)].concat(),
            )
        }),
        ("PPP", LinkType::PPP, |ip| {
            [&[0xff, 3, 0, 0x21], ip].concat()
        }),
        ("PPP without address", LinkType::PPP, |ip| {
            [&[0x21], ip].concat()
        }),
        ("PPP of pppd", LinkType::PPP_PPPD, |ip| {
            [&[1, 3, 0, 0x21], ip].concat()
        }),
        ("Cisco HDLC", LinkType::C_HDLC, |ip| {
            [&[0x0f, 0, 8, 0], ip].concat()
        }),
        ("Cisco HDLC as PPP in HDLC", LinkType::PPP_HDLC, |ip| {
            [&[0x8f, 0, 8, 0], ip].concat()
        }),
        ("frame relay", LinkType::FRELAY, |ip| {
            [&[0x18, 0x41, 3, 0xcc], ip].concat()
        }),
        ("frame relay with SNAP", LinkType::FRELAY, |ip| {
            [&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], ip].concat()
        }),
        ("frame relay as Cisco has it", LinkType::FRELAY, |ip| {
            [&[0x18, 0x41, 8, 0], ip].concat()
        }),
        ("ATM", LinkType::ATM_RFC1483, |ip| {
            [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip].concat()
        }),
        ("NFLOG", LinkType::NFLOG, |ip| {
            let length = (ip.len() as u16 + 4).to_le_bytes();
            [
                &[2, 0, 0, 1][..],
                &[5, 0, 1, 0, 7, 0, 0, 0],
                &length,
                &[9, 0],
                ip,
            ]
            .concat()
        }),
        ("NFLOG of the other byte order", LinkType::NFLOG, |ip| {
            let length = (ip.len() as u16 + 4).to_be_bytes();
            [&[2, 0, 0, 1][..], &length, &[0, 9], ip].concat()
        }),
        ("Linux cooked over LLC", LinkType::LINUX_SLL, |ip| {
            [&[0; 14][..], &[0, 4], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip].concat()
        }),
    ]
}

fn session() -> (Vec<String>, Tally) {
    told(&pcap(LinkType::RAW, &packets()))
}

#[test]
fn every_envelope_is_opened_in_pcap_and_in_pcapng() {
    let (whole, _) = session();
    assert_eq!(whole.len(), 6, "{whole:?}");
    for (name, link, wrap) in envelopes() {
        let frames: Vec<Vec<u8>> = packets().iter().map(|packet| wrap(packet)).collect();
        for (format, file) in [
            ("pcap", pcap(link, &frames)),
            ("pcapng", pcapng(link, &frames)),
        ] {
            let (lines, tally) = told(&file);
            assert_eq!(lines, whole, "{name} in {format}: {:?}", tally.skipped);
            assert!(tally.is_complete(), "{name} in {format}");
        }
    }
}

#[test]
fn an_unsupported_link_type_is_counted_in_both_formats() {
    for file in [
        pcap(LinkType(127), &packets()),
        pcapng(LinkType(127), &packets()),
    ] {
        let (lines, tally) = told(&file);
        assert_eq!(lines, Vec::<String>::new());
        assert_eq!(
            tally.without_bgp(),
            format!(
                "{0} packets, none on port 179, {0} packets of link type 127, which is not supported",
                packets().len()
            )
        );
        assert!(!tally.is_complete());
    }
}

/// An IPv4 packet as fragments of 24 octets each.
fn fragments(packet: &[u8]) -> Vec<Vec<u8>> {
    const SIZE: usize = 24;
    let (header, payload) = packet.split_at(20);
    let count = payload.len().div_ceil(SIZE);
    payload
        .chunks(SIZE)
        .enumerate()
        .map(|(index, piece)| {
            let mut fragment = [header, piece].concat();
            let total = fragment.len() as u16;
            fragment[2..4].copy_from_slice(&total.to_be_bytes());
            let more = if index + 1 < count { 0x2000 } else { 0 };
            let place = more | (index * SIZE / 8) as u16;
            fragment[6..8].copy_from_slice(&place.to_be_bytes());
            fragment
        })
        .collect()
}

fn numbered() -> Vec<Vec<u8>> {
    let mut packets = packets();
    for (number, packet) in packets.iter_mut().enumerate() {
        packet[4..6].copy_from_slice(&(number as u16 + 1).to_be_bytes());
    }
    packets
}

#[test]
fn fragments_are_put_together_in_any_order() {
    let (whole, _) = session();
    for backwards in [false, true] {
        let frames: Vec<Vec<u8>> = numbered()
            .iter()
            .flat_map(|packet| {
                let mut pieces = fragments(packet);
                if backwards {
                    pieces.reverse();
                }
                pieces
            })
            .collect();
        let (lines, tally) = told(&pcap(LinkType::RAW, &frames));
        assert_eq!(lines, whole);
        assert!(tally.is_complete(), "{:?}", tally.unread());
        // What fits one fragment was none.
        assert!(tally.reassembled > 4, "{}", tally.reassembled);
    }
}

#[test]
fn a_fragment_that_is_missing_is_said() {
    let frames: Vec<Vec<u8>> = numbered()
        .iter()
        .flat_map(|packet| {
            let mut pieces = fragments(packet);
            if pieces.len() > 4 {
                pieces.remove(2);
            }
            pieces
        })
        .collect();
    let (_, tally) = told(&pcap(LinkType::RAW, &frames));
    insta::assert_snapshot!(tally.unread().join(", "), @"4 packets fragments of incomplete IP packets, 99 octets of sessions not in the capture");
}

#[test]
fn compressed_captures_are_read_as_they_are() {
    let file = pcap(LinkType::RAW, &packets());
    let (whole, _) = session();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&file).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(told(&gzip).0, whole);
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let mut zstd = ruzstd::encoding::compress_to_vec(&file[..], level);
    assert_eq!(told(&zstd).0, whole);
    // In two frames, with one to be skipped between them.
    let mut frames = ruzstd::encoding::compress_to_vec(&file[..100], level);
    frames.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    frames.extend(ruzstd::encoding::compress_to_vec(&file[100..], level));
    assert_eq!(told(&frames).0, whole);
    for cut in [&gzip[..gzip.len() - 20], {
        zstd.truncate(zstd.len() - 20);
        &zstd
    }] {
        let said = match lockstep::capture::Capture::new("cut", cut) {
            Ok(mut capture) => capture.read_all(|_| ()).unwrap_err(),
            Err(error) => error,
        };
        assert!(said.kind.is_truncation(), "{said}");
    }
}
