//! The same segment under every link type, as etherparse builds the headers.

use etherparse::{PacketBuilder, VlanId};
use lockstep::capture::{Decapsulator, LinkType, Packet, Skipped};

const PAYLOAD: &[u8] = b"payload of a segment";

fn ip_packet(version: u8) -> Vec<u8> {
    let mut packet = Vec::new();
    if version == 4 {
        PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
            .tcp(40_000, 179, 7, 1024)
            .ack(9)
            .options_raw(&[1, 1, 1, 0])
            .unwrap()
            .write(&mut packet, PAYLOAD)
            .unwrap();
    } else {
        let (source, destination) = ([0x20; 16], [0x30; 16]);
        PacketBuilder::ipv6(source, destination, 64)
            .tcp(40_000, 179, 7, 1024)
            .ack(9)
            .write(&mut packet, PAYLOAD)
            .unwrap();
    }
    packet
}

fn take(
    link: LinkType,
    octets: &[u8],
    cut: usize,
) -> Result<(u16, u16, u32, Vec<u8>, u32), Skipped> {
    let packet = Packet {
        time: 0,
        link,
        octets: &octets[..octets.len() - cut],
        original: octets.len() as u32,
        offset: 0,
    };
    let mut decapsulator = Decapsulator::default();
    decapsulator.segment(&packet).map(|segment| {
        let segment = segment.expect("it is no fragment");
        (
            segment.source.port,
            segment.destination.port,
            segment.sequence,
            segment.payload.to_vec(),
            segment.cut,
        )
    })
}

/// Link type and what it puts before an IP packet of each version.
fn headers(version: u8) -> Vec<(LinkType, Vec<u8>)> {
    let ethertype: [u8; 2] = if version == 4 {
        [0x08, 0x00]
    } else {
        [0x86, 0xdd]
    };
    let families: &[u8] = if version == 4 {
        &[2]
    } else {
        &[10, 24, 28, 30]
    };
    let ethernet = |tags: &[u8]| [&[0x02; 12], tags, &ethertype].concat();
    let mut headers = vec![
        (LinkType::ETHERNET, ethernet(&[])),
        (LinkType::ETHERNET, ethernet(&[0x81, 0x00, 0x00, 0x05])),
        (
            LinkType::ETHERNET,
            ethernet(&[0x88, 0xa8, 0x00, 0x05, 0x81, 0x00, 0x00, 0x06]),
        ),
        (
            LinkType::ETHERNET,
            ethernet(&[0x91, 0x00, 0x00, 0x05, 0x81, 0x00, 0x00, 0x06]),
        ),
        (LinkType::LINUX_SLL, [&[0; 14][..], &ethertype].concat()),
        (LinkType::LINUX_SLL2, [&ethertype[..], &[0; 18]].concat()),
        (
            LinkType::LINUX_SLL2,
            [&[0x81, 0x00][..], &[0; 18], &[0x00, 0x05], &ethertype].concat(),
        ),
        (LinkType::RAW, vec![]),
        (LinkType::RAW_BSD, vec![]),
        (LinkType::RAW_OPENBSD, vec![]),
        (
            if version == 4 {
                LinkType::IPV4
            } else {
                LinkType::IPV6
            },
            vec![],
        ),
    ];
    for family in families {
        headers.push((LinkType::NULL, vec![*family, 0, 0, 0]));
        headers.push((LinkType::NULL, vec![0, 0, 0, *family]));
        headers.push((LinkType::LOOP, vec![0, 0, 0, *family]));
    }
    headers
}

#[test]
fn every_link_type_leads_to_the_segment() {
    for version in [4, 6] {
        let packet = ip_packet(version);
        for (link, header) in headers(version) {
            let frame = [&header[..], &packet].concat();
            let whole = (40_000, 179, 7, PAYLOAD.to_vec(), 0);
            assert_eq!(take(link, &frame, 0), Ok(whole), "{link:?} {header:02x?}");
            let cut = (40_000, 179, 7, PAYLOAD[..PAYLOAD.len() - 5].to_vec(), 5);
            assert_eq!(take(link, &frame, 5), Ok(cut), "{link:?} {header:02x?}");
        }
    }
}

#[test]
fn etherparse_tags_a_frame_as_we_read_it() {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .double_vlan(VlanId::try_new(5).unwrap(), VlanId::try_new(6).unwrap())
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .tcp(40_000, 179, 7, 1024)
        .write(&mut frame, b"")
        .unwrap();
    // A short frame is padded to the least that an Ethernet carries.
    frame.resize(80, 0);
    assert_eq!(
        take(LinkType::ETHERNET, &frame, 0),
        Ok((40_000, 179, 7, vec![], 0))
    );
}

#[test]
fn extension_headers_are_walked() {
    let packet = ip_packet(6);
    for (kind, extension) in [
        (0_u8, &[6, 0, 1, 4, 0, 0, 0, 0][..]),
        (43, &[6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (60, &[6, 0, 1, 4, 0, 0, 0, 0]),
        (51, &[6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (44, &[6, 0, 0, 0, 0, 0, 0, 9]),
    ] {
        let mut extended = packet.clone();
        extended[6] = kind;
        let length = u16::from_be_bytes([extended[4], extended[5]]) + extension.len() as u16;
        extended[4..6].copy_from_slice(&length.to_be_bytes());
        extended.splice(40..40, extension.iter().copied());
        let whole = (40_000, 179, 7, PAYLOAD.to_vec(), 0);
        assert_eq!(
            take(LinkType::IPV6, &extended, 0),
            Ok(whole),
            "extension {kind}"
        );
    }
}

#[test]
fn what_is_no_segment_says_why() {
    // A fragment of which the snap length cut something off cannot be put together.
    let mut last_fragment = ip_packet(4);
    last_fragment[7] = 3;
    assert_eq!(
        take(LinkType::RAW, &last_fragment, 1),
        Err(Skipped::Fragment)
    );

    let mut datagram = ip_packet(4);
    datagram[9] = 17;
    assert_eq!(take(LinkType::RAW, &datagram, 0), Err(Skipped::NotTcp));

    let arp = [&[2; 12][..], &[0x08, 0x06], &[0; 28]].concat();
    assert_eq!(take(LinkType::ETHERNET, &arp, 0), Err(Skipped::NotIp));

    let packet = ip_packet(4);
    assert_eq!(
        take(LinkType::RAW, &packet, packet.len() - 30),
        Err(Skipped::Cut)
    );
    assert_eq!(
        take(LinkType(127), &packet, 0),
        Err(Skipped::UnsupportedLink(127))
    );

    let mut wrong = ip_packet(4);
    wrong[3] = 10;
    assert_eq!(take(LinkType::RAW, &wrong, 0), Err(Skipped::Malformed));
}
