//! Writes a capture of one session that carries many UPDATEs, for `diff.sh`.
//!
//! The messages depend on their number alone; the seed changes all that a comparison must see through:
//! ports, sequence numbers, times, and where the segments are cut.

use std::fs::File;
use std::io::{BufWriter, Result};
use std::net::SocketAddr;
use std::time::Duration;

use lockstep::capture::{StreamDirection, Happening, Recorder, Resolution, Wire};

const USAGE: &str = "usage: diff-generate FILE UPDATES SEED [UPDATES-IN-A-WRITE [CHANGED-UPDATE]]";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| -> u64 {
        arguments.get(at).map_or(default, |text| text.parse().expect(USAGE))
    };
    let path = arguments.first().expect(USAGE);
    let (updates, seed) = (number(1, 1_000_000), number(2, 1));
    let (burst, changed) = (number(3, 30), number(4, u64::MAX));

    let out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let epoch = Duration::from_secs(1_700_000_000 + seed * 86_400);
    let mut recorder = Recorder::new(out, Resolution::Nanoseconds, epoch)?;
    let wire = Wire {
        client: SocketAddr::from(([192, 0, 2, 1], 30_000 + (seed % 30_000) as u16)),
        server: SocketAddr::from(([192, 0, 2, 2], 179)),
        attempt: seed as u32,
    };
    let mut random = Random(seed);
    let mut now = Duration::ZERO;
    recorder.record(now, &wire, Happening::Opened)?;
    for direction in StreamDirection::BOTH {
        recorder.record(now, &wire, Happening::Data(direction, &open(direction)))?;
        recorder.record(now, &wire, Happening::Data(direction, &message(4, &[])))?;
    }
    let mut pending = Vec::new();
    let mut left = 0;
    for index in 0..updates {
        if left == 0 {
            recorder.record(now, &wire, Happening::Data(StreamDirection::FromClient, &pending))?;
            pending.clear();
            now += Duration::from_nanos(50_000 + random.below(100_000));
            left = if burst > 1 { 1 + random.below(burst * 2) } else { 1 };
        }
        left -= 1;
        update(index, index == changed, &mut pending);
    }
    recorder.record(now, &wire, Happening::Data(StreamDirection::FromClient, &pending))?;
    recorder.record(now, &wire, Happening::Finished(StreamDirection::FromClient))?;
    recorder.record(now, &wire, Happening::Finished(StreamDirection::FromServer))?;
    recorder.finish()?;
    Ok(())
}

fn open(direction: StreamDirection) -> Vec<u8> {
    let host = direction as u8 + 1;
    let mut body = vec![4, 0xfd, 0xe8 + host, 0, 90, 192, 0, 2, host];
    // Four-octet AS numbers.
    body.extend([8, 2, 6, 65, 4, 0, 0, 0xfd, 0xe8 + host]);
    message(1, &body)
}

/// A route of its own in every UPDATE, with the attributes of a table as it comes from a transit provider.
fn update(index: u64, changed: bool, out: &mut Vec<u8>) {
    let origin_as = 64_512 + (index % 40_000) as u32;
    let mut attributes = vec![0x40, 1, 1, 0];
    attributes.extend([0x40, 2, 18, 2, 4]);
    for asn in [65_001, 3_356, 1_299 + (index % 7) as u32, origin_as] {
        attributes.extend(u32::to_be_bytes(asn));
    }
    attributes.extend([0x40, 3, 4, 192, 0, 2, 1]);
    attributes.extend([0x80, 4, 4, 0, 0, 0, u8::from(changed)]);
    attributes.extend([0xc0, 8, 12]);
    for value in [1, index % 16, 100 + index % 5] {
        attributes.extend((0xfde9_0000_u32 | value as u32).to_be_bytes());
    }
    let prefix = (0x0100_0000 + (index as u32) * 256).to_be_bytes();
    let mut body = vec![0, 0];
    body.extend((attributes.len() as u16).to_be_bytes());
    body.extend(attributes);
    body.extend([24, prefix[0], prefix[1], prefix[2]]);
    out.extend(message(2, &body));
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![0xff; 16];
    message.extend((19 + body.len() as u16).to_be_bytes());
    message.push(kind);
    message.extend(body);
    message
}

/// A linear congruential generator: enough to vary times and cuts.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
