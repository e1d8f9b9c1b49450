//! The targets of capture files: they are read the same however they are cut, and what was read can be written.

use std::io::{Cursor, Read};
use std::time::Duration;

use lockstep::capture::{Capture, LinkType, Reader, Resolution, Writer};

/// A file of either format.
pub fn file(octets: &[u8]) {
    let whole = events(Cursor::new(octets));
    assert_eq!(whole, events(Trickle(octets)));
    rewritten(octets);
}

/// A pcap file without its magic number, which `first` chooses.
pub fn pcap(first: u8, octets: &[u8]) {
    let magic: u32 = if first & 1 == 0 {
        0xa1b2_3c4d
    } else {
        0xa1b2_c3d4
    };
    let magic = if first & 2 == 0 {
        magic.to_le_bytes()
    } else {
        magic.to_be_bytes()
    };
    file(&[&magic, octets].concat());
}

/// A pcapng file without its magic number and its byte order, which `first` chooses: from its header's length on.
pub fn pcapng(first: u8, octets: &[u8]) {
    let Some((length, rest)) = octets.split_at_checked(4) else {
        return;
    };
    let order: u32 = 0x1a2b_3c4d;
    let order = if first & 2 == 0 {
        order.to_le_bytes()
    } else {
        order.to_be_bytes()
    };
    file(&[&[0x0a, 0x0d, 0x0d, 0x0a], length, &order, rest].concat());
}

/// Packets, each after its link type's place and its length, which come in order into one file.
pub fn packets(octets: &[u8]) {
    const LINKS: [LinkType; 6] = [
        LinkType::ETHERNET,
        LinkType::RAW,
        LinkType::NULL,
        LinkType::LINUX_SLL,
        LinkType::LINUX_SLL2,
        LinkType::IPV6,
    ];
    let Some((&link, mut rest)) = octets.split_first() else {
        return;
    };
    let link = LINKS[usize::from(link) % LINKS.len()];
    let mut writer = Writer::new(Vec::new(), link, Resolution::Nanoseconds).expect("memory");
    let mut time = Duration::ZERO;
    while let [length, later, packet @ ..] = rest {
        let length = usize::from(*length).min(packet.len());
        time += Duration::from_millis(u64::from(*later));
        writer.packet(time, &packet[..length]).expect("it fits");
        rest = &packet[length..];
    }
    file(&writer.finish().expect("memory"));
}

/// What a capture says, or how it ends.
fn events(inner: impl Read) -> Vec<String> {
    let mut told = Vec::new();
    match Capture::new("fuzz", inner) {
        Err(error) => told.push(error.to_string()),
        Ok(mut capture) => {
            let end = capture.read_all(|event| told.push(format!("{event:?}")));
            told.extend(end.err().map(|error| error.to_string()));
            told.push(format!("{:?}", capture.tally()));
        }
    }
    told
}

/// An octet at a time.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

/// The packets of a file of one link type, written anew, are read as the same.
fn rewritten(octets: &[u8]) {
    let mut read = Vec::new();
    let Ok(mut reader) = Reader::new("fuzz", Cursor::new(octets)) else {
        return;
    };
    while let Ok(Some(packet)) = reader.packet() {
        assert!(packet.octets.len() <= octets.len());
        read.push((packet.time, packet.link, packet.octets.to_vec()));
    }
    let Some((_, link, _)) = read.first() else {
        return;
    };
    let link = *link;
    // A pcap file tells seconds in 32 bits.
    read.retain(|(time, of, _)| *of == link && *time < u64::from(u32::MAX) * 1_000_000_000);
    let mut writer = Writer::new(Vec::new(), link, Resolution::Nanoseconds).expect("memory");
    for (time, _, octets) in &read {
        let time = Duration::from_nanos(*time);
        writer.packet(time, octets).expect("it fits");
    }
    let written = writer.finish().expect("memory");
    let mut reader = Reader::new("fuzz", Cursor::new(&written)).expect("a capture");
    for (time, link, octets) in &read {
        let packet = reader.packet().expect("whole").expect("one more");
        assert_eq!((packet.time, packet.link), (*time, *link));
        assert_eq!(packet.octets, octets);
    }
    assert_eq!(reader.packet().expect("whole"), None);
}
