//! Nothing that a file holds makes the reader panic, hang or hold more than it may.

use lockstep::capture::{Capture, Happening, StreamDirection};
use proptest::prelude::*;

use super::{message, record, wire};

const MAGICS: [[u8; 4]; 5] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x0a, 0x0d, 0x0d, 0x0a],
];

/// Reads to the end and gives the packets met; each step consumes some of the file, so it does end.
fn read(file: &[u8]) -> u64 {
    let Ok(mut capture) = Capture::new("hostile", file) else {
        return 0;
    };
    let _ = capture.read_all(|_| ());
    let packets = capture.tally().packets;
    assert!(packets <= file.len() as u64);
    packets
}

fn valid() -> Vec<u8> {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    record(&[
        (wire, Happening::Opened),
        (
            wire,
            Happening::Data(StreamDirection::FromClient, &message(1, &[4; 10])),
        ),
        (
            wire,
            Happening::Data(StreamDirection::FromServer, &message(2, &[0; 3000])),
        ),
        (wire, Happening::Finished(StreamDirection::FromClient)),
        (wire, Happening::Reset(StreamDirection::FromServer)),
    ])
}

proptest! {
    #[test]
    fn any_octets_after_a_magic(magic in 0_usize..5, rest in proptest::collection::vec(any::<u8>(), 0..2000)) {
        read(&[&MAGICS[magic][..], &rest].concat());
    }

    #[test]
    fn a_capture_with_any_octets_changed(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut file = valid();
        for (index, octet) in changes {
            let index = index.index(file.len());
            file[index] = octet;
        }
        read(&file);
    }

    #[test]
    fn a_capture_with_records_cut_out_and_doubled(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let mut file = valid();
        for (from, to) in cuts {
            let (from, to) = (from.index(file.len()), to.index(file.len()));
            if from < to {
                file.drain(from..to);
            } else {
                let copy = file[to..from].to_vec();
                file.extend(copy);
            }
        }
        read(&file);
    }
}
