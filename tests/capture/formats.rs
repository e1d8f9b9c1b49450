//! pcap and pcapng as an independent writer (the pcap-file crate) makes them.

use std::borrow::Cow;
use std::time::Duration;

use lockstep::capture::Reader;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapTsResolution, PcapWriter};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::packet::PacketBlock;
use pcap_file::pcapng::blocks::section_header::SectionHeaderBlock;
use pcap_file::pcapng::blocks::simple_packet::SimplePacketBlock;
use pcap_file::{DataLink, Endianness};

/// Time, link type, original length and octets.
type Seen = (u64, u16, u32, Vec<u8>);

/// Each packet, and how the file ended.
fn packets(file: &[u8]) -> (Vec<Seen>, Option<String>) {
    let mut packets = Vec::new();
    let mut reader = match Reader::new("test", file) {
        Ok(reader) => reader,
        Err(error) => return (packets, Some(error.to_string())),
    };
    loop {
        match reader.packet() {
            Ok(Some(packet)) => packets.push((
                packet.time,
                packet.link.0,
                packet.original,
                packet.octets.to_vec(),
            )),
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
}

const TIME: Duration = Duration::new(1_700_000_000, 123_456_789);

fn pcap(endianness: Endianness, resolution: PcapTsResolution) -> Vec<u8> {
    let header = PcapHeader {
        endianness,
        ts_resolution: resolution,
        datalink: DataLink::ETHERNET,
        ..PcapHeader::default()
    };
    let mut writer = PcapWriter::with_header(Vec::new(), header).unwrap();
    for octets in [&b"first"[..], b"", b"third one"] {
        writer
            .write_packet(&PcapPacket::new(TIME, octets.len() as u32 + 7, octets).unwrap())
            .unwrap();
    }
    writer.into_inner()
}

#[test]
fn pcap_in_both_byte_orders_and_resolutions() {
    for endianness in [Endianness::Big, Endianness::Little] {
        for (resolution, time) in [
            (PcapTsResolution::MicroSecond, 1_700_000_000_123_456_000),
            (PcapTsResolution::NanoSecond, 1_700_000_000_123_456_789),
        ] {
            let (packets, end) = packets(&pcap(endianness, resolution));
            assert_eq!(end, None);
            assert_eq!(
                packets,
                [
                    (time, 1, 12, b"first".to_vec()),
                    (time, 1, 7, b"".to_vec()),
                    (time, 1, 16, b"third one".to_vec()),
                ]
            );
        }
    }
}

fn interface(
    link: DataLink,
    options: Vec<InterfaceDescriptionOption<'static>>,
) -> InterfaceDescriptionBlock<'static> {
    InterfaceDescriptionBlock {
        linktype: link,
        snaplen: 0,
        options,
    }
}

fn enhanced(interface_id: u32, octets: &'static [u8]) -> EnhancedPacketBlock<'static> {
    EnhancedPacketBlock {
        interface_id,
        timestamp: TIME,
        original_len: octets.len() as u32,
        data: Cow::Borrowed(octets),
        options: vec![],
    }
}

/// Two sections of opposite byte order, with every kind of packet block.
fn pcapng(first: Endianness, second: Endianness) -> Vec<u8> {
    let mut writer = PcapNgWriter::with_endianness(Vec::new(), first).unwrap();
    let resolution = InterfaceDescriptionOption::IfTsResol;
    writer
        .write_pcapng_block(interface(DataLink::ETHERNET, vec![]))
        .unwrap();
    writer
        .write_pcapng_block(interface(
            DataLink::LINUX_SLL,
            vec![
                InterfaceDescriptionOption::IfName("eth0".into()),
                resolution(InterfaceTsResolution::new(false, 9).unwrap()),
            ],
        ))
        .unwrap();
    writer.write_pcapng_block(enhanced(0, b"micro")).unwrap();
    writer.write_pcapng_block(enhanced(1, b"nano!")).unwrap();
    writer
        .write_pcapng_block(SimplePacketBlock {
            original_len: 6,
            data: Cow::Borrowed(b"simple"),
        })
        .unwrap();
    writer
        .write_pcapng_block(PacketBlock {
            interface_id: 1,
            drop_count: 3,
            timestamp: TIME,
            original_len: 9,
            data: Cow::Borrowed(b"old"),
            options: vec![],
        })
        .unwrap();
    writer
        .write_pcapng_block(SectionHeaderBlock {
            endianness: second,
            ..SectionHeaderBlock::default()
        })
        .unwrap();
    writer
        .write_pcapng_block(interface(
            DataLink::RAW,
            vec![
                resolution(InterfaceTsResolution::new(true, 20).unwrap()),
                InterfaceDescriptionOption::IfTsOffset(100),
            ],
        ))
        .unwrap();
    writer.write_pcapng_block(enhanced(0, b"binary")).unwrap();
    writer.into_inner()
}

#[test]
fn pcapng_in_sections_of_both_byte_orders() {
    for (first, second) in [
        (Endianness::Big, Endianness::Little),
        (Endianness::Little, Endianness::Big),
    ] {
        let (packets, end) = packets(&pcapng(first, second));
        assert_eq!(end, None);
        let micro = 1_700_000_000_123_456_000;
        let nano = 1_700_000_000_123_456_789;
        assert_eq!(
            packets[..4],
            [
                (micro, 1, 5, b"micro".to_vec()),
                (nano, 113, 5, b"nano!".to_vec()),
                // It has no time of its own.
                (nano, 1, 6, b"simple".to_vec()),
                (nano, 113, 9, b"old".to_vec()),
            ]
        );
        let (time, link, _, octets) = &packets[4];
        assert_eq!((*link, &octets[..]), (101, &b"binary"[..]));
        // 2^-20 of a second is coarser than a microsecond.
        assert!(nano - time < 1_000, "{time}");
    }
}

#[test]
fn unknown_blocks_are_stepped_over() {
    let mut file = pcapng(Endianness::Little, Endianness::Little);
    let section = file[4] as usize;
    let mut block = Vec::new();
    block.extend(0x0bad_u32.to_le_bytes());
    block.extend(400_012_u32.to_le_bytes());
    block.extend(vec![7; 400_000]);
    block.extend(400_012_u32.to_le_bytes());
    file.splice(section..section, block);
    let (packets, end) = packets(&file);
    assert_eq!((packets.len(), end), (5, None));
}

#[test]
fn every_cut_is_told_as_such_and_keeps_what_came_before() {
    for file in [
        pcap(Endianness::Little, PcapTsResolution::MicroSecond),
        pcapng(Endianness::Big, Endianness::Little),
    ] {
        let (whole, _) = packets(&file);
        let mut ends = 0;
        for length in 0..file.len() {
            let (some, end) = packets(&file[..length]);
            assert!(whole.starts_with(&some));
            match end {
                None => ends += 1,
                Some(error) => assert!(
                    error.contains("the file ends inside a") || error.contains("not a capture"),
                    "{error}"
                ),
            }
        }
        // Between blocks there is nothing to notice.
        assert!(ends <= 10, "{ends}");
    }
}

fn error(file: &[u8]) -> String {
    packets(file).1.expect("an error")
}

#[test]
fn errors_say_where_what_and_what_would_be_right() {
    insta::assert_snapshot!(error(b"hello, world"), @"test: octet 0: not a capture: it begins with 68656c6c, where pcap begins with d4c3b2a1, a1b2c3d4, 4d3cb2a1 or a1b23c4d, and pcapng with 0a0d0d0a; nor is it an MRT file of BGP");
    insta::assert_snapshot!(error(b""), @"test: octet 0: not a capture: it begins with nothing (it is empty), where pcap begins with d4c3b2a1, a1b2c3d4, 4d3cb2a1 or a1b23c4d, and pcapng with 0a0d0d0a; nor is it an MRT file of BGP");
    insta::assert_snapshot!(error(b"\x1f\x8b\x08\0"), @"test: octet 0: the compressed file ends too early; all before is readable");
    insta::assert_snapshot!(error(b"BZh9"), @"test: octet 0: compressed with bzip2: decompress it first, for example `bzip2 -dc FILE | lockstep … -`");

    let good = pcap(Endianness::Little, PcapTsResolution::MicroSecond);
    insta::assert_snapshot!(error(&good[..50]), @"test: octet 45: the file ends inside a pcap record header: 16 octets needed, 5 available; all before it is readable");

    let mut long = good.clone();
    long[32..36].copy_from_slice(&0x0400_0001_u32.to_le_bytes());
    insta::assert_snapshot!(error(&long), @"test: octet 24: a packet record claims 67108865 octets, at most 262144 are possible with this snap length: the file is corrupt from here on");

    let mut block = pcapng(Endianness::Little, Endianness::Little);
    let last = block.len() - 4;
    block[last] = 0;
    insta::assert_snapshot!(error(&block), @"test: octet 300: malformed enhanced packet block: its length is 40 at its start and 0 at its end; they must be equal");
}

/// pcap-file 2.0.0 and 3.0.0-rc loop for ever on this one: a record longer than the snap length of 96.
#[test]
fn a_record_longer_than_the_snap_length_ends_the_reading() {
    let file = include_bytes!("data/record-longer-than-snap-length.pcap");
    let (packets, end) = packets(file);
    assert_eq!(packets.len(), 1);
    insta::assert_snapshot!(end.unwrap(), @"test: octet 100: a packet record claims 2147483647 octets, at most 262144 are possible with this snap length: the file is corrupt from here on");
}
