//! Resets in the middle of a message, either way.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lockstep::capture::{Happening, Recorder, Resolution, StreamDirection, Wire};
use lockstep::field::import::Voice;
use lockstep::scenario::format::message::{keepalive, message};

use super::{assert_played_again, import, scratch};

const OPEN: [u8; 18] = [4, 0, 1, 0, 90, 10, 0, 0, 1, 8, 2, 6, 1, 4, 0, 1, 0, 1];

/// A capture of a session that its server resets after `count` octets of an UPDATE of one end.
fn capture(directory: &std::path::Path, way: StreamDirection, count: usize) -> PathBuf {
    let wire = Wire {
        client: SocketAddr::from(([192, 0, 2, 1], 49152)),
        server: SocketAddr::from(([192, 0, 2, 2], 179)),
        attempt: 1,
    };
    let update = message(
        2,
        &[
            0, 0, 0, 20, 0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, 192, 0, 2, 1, 0x40, 5, 4, 0, 0,
            100, 24, 198, 51, 100,
        ],
    );
    let mut bytes = Vec::new();
    let mut recorder =
        Recorder::new(&mut bytes, Resolution::Microseconds, Duration::from_secs(1)).unwrap();
    let mut at = Duration::ZERO;
    let mut record = |happening: Happening<'_>| {
        recorder.record(at, &wire, happening).unwrap();
        at += Duration::from_micros(7_300);
    };
    record(Happening::Opened);
    let (client, server) = (StreamDirection::FromClient, StreamDirection::FromServer);
    let mut answer = OPEN;
    answer[8] = 2;
    record(Happening::Data(client, &message(1, &OPEN)));
    record(Happening::Data(server, &message(1, &answer)));
    record(Happening::Data(client, &keepalive()));
    record(Happening::Data(server, &keepalive()));
    record(Happening::Data(way, &update[..count]));
    record(Happening::Reset(server));
    drop(recorder);
    let path = directory.join("cut.pcap");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_message_that_a_reset_cuts_is_cut_at_the_same_octet() {
    let directory = scratch("cut");
    for way in StreamDirection::BOTH {
        for count in [1, 17, 18, 19, 40] {
            let file = capture(&directory, way, count);
            let imported = import("cut-imported", &file, false);
            assert_played_again(&imported, &file);
            let timeline = &imported.import.timeline;
            assert_eq!(timeline.rest.len(), 1, "{count} octet(s) are cut off");
            let cut_itself = way == StreamDirection::FromClient;
            assert_eq!(
                matches!(imported.import.voice, Voice::Verbatim(_)),
                cut_itself
            );
        }
    }
}
