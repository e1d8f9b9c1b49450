//! Ends of every kind, and captures that begin when the session was up.

use std::time::Duration;

use lockstep::bgp::family::Family;
use lockstep::capture::{Happening, Recorder, Resolution, StreamDirection};
use lockstep::compare::Declared;
use lockstep::field::import::{Choice, Ended, Import};
use lockstep::sim::Direction as Way;

use super::bad::packets;
use super::{import_with, scratch};
use crate::capture::{keepalive, message, wire};

#[test]
fn every_end_of_the_corpus_is_imported() {
    let any = Choice {
        connection: Some(1),
        ..Choice::default()
    };
    let mut ends = Vec::new();
    for entry in std::fs::read_dir("captures/why").unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // Attempts that come to nothing are no session.
        let is_attempt = ["filtered", "md5-mismatch", "refused"].contains(&stem.as_str());
        if path.extension().is_none_or(|it| it != "pcap") || is_attempt {
            continue;
        }
        let imported = import_with("corpus", &path, &any, false)
            .unwrap_or_else(|error| panic!("{stem}: {error}"));
        ends.push((stem, imported.import.timeline.ended));
    }
    let ended = |name: &str| {
        ends.iter()
            .find(|(stem, _)| stem == name)
            .map(|(_, ended)| *ended)
    };
    assert!(ends.len() >= 25, "{ends:?}");
    assert!(matches!(ended("host-unreachable"), Some(Ended::Silent(_))));
    assert!(matches!(ended("unread-input"), Some(Ended::Reset(_))));
    assert!(matches!(ended("killed"), Some(Ended::Closed(_))));
    assert!(matches!(ended("bfd-down"), Some(Ended::Notified(_))));
}

#[test]
fn an_opening_that_is_not_in_the_capture_is_substituted_and_stated() {
    let directory = scratch("late-capture");
    let late = packets(&directory, "exabgp-reset.pcap", |number| number > 16);
    let first = Choice {
        connection: Some(1),
        ..Choice::default()
    };
    let imported = import_with("late", &late, &first, false).unwrap();
    let timeline = &imported.import.timeline;
    assert_eq!(timeline.substitutes.len(), 2);
    // The substitutes, then what the capture has.
    assert!(timeline.open(Way::Sent).is_some() && timeline.open(Way::Received).is_some());
    let said: Vec<&str> = timeline
        .substitutes
        .iter()
        .map(|one| one.text.as_str())
        .collect();
    assert!(
        said.iter()
            .any(|text| text.contains("AS 65001 (from its AS_PATHs)")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .all(|text| text.contains("four-octet AS numbers")),
        "{said:?}"
    );
    // What the user says decides over what the messages say.
    let declared = Declared {
        four_octet_as: Some(false),
        add_path: Some([Family::IPV6_UNICAST].into_iter().collect()),
    };
    let import = Import::of(&late, &first, false, &declared, &scratch("late-declared")).unwrap();
    let said = &import.timeline.substitutes[0].text;
    assert!(!said.contains("four-octet"), "{said}");
    let scenario = std::fs::read_to_string(imported.directory.join("part/scenario")).unwrap();
    assert!(
        scenario.contains("is not in the capture. In its place: AS "),
        "{scenario}"
    );
}

#[test]
fn a_reset_at_the_moment_at_which_both_ends_spoke_is_imported() {
    let path = scratch("moment").join("moment.pcap");
    let open = |asn: u8| message(1, &[4, 0xfd, asn, 0, 180, 192, 0, 2, asn, 0]);
    let said = [
        (0, Happening::Opened),
        (1, Happening::Data(StreamDirection::FromClient, &open(1))),
        (1, Happening::Data(StreamDirection::FromServer, &open(2))),
        (
            2,
            Happening::Data(StreamDirection::FromClient, &keepalive()),
        ),
        (
            2,
            Happening::Data(StreamDirection::FromServer, &keepalive()),
        ),
        (
            9,
            Happening::Data(StreamDirection::FromClient, &keepalive()),
        ),
        (
            9,
            Happening::Data(StreamDirection::FromServer, &keepalive()),
        ),
        (9, Happening::Reset(StreamDirection::FromServer)),
    ];
    let epoch = Duration::from_secs(1_700_000_000);
    let mut recorder = Recorder::new(Vec::new(), Resolution::Nanoseconds, epoch).unwrap();
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    for (second, happening) in said {
        recorder
            .record(Duration::from_secs(second), &wire, happening)
            .unwrap();
    }
    std::fs::write(&path, recorder.finish().unwrap()).unwrap();
    import_with("moment-out", &path, &Choice::default(), false).unwrap();
}

#[test]
fn a_clock_that_is_set_forward_and_back_keeps_no_run_busy() {
    let directory = scratch("clock");
    let mut octets = std::fs::read("captures/field/exabgp-reset.pcap").unwrap();
    // Eleven years at the twelfth packet, for that packet alone.
    let (mut at, mut number) = (24, 0);
    while let Some(length) = octets.get(at + 8..at + 12) {
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        number += 1;
        if number == 12 {
            let seconds = u32::from_le_bytes(octets[at..at + 4].try_into().unwrap());
            octets[at..at + 4].copy_from_slice(&(seconds + 352_321_536).to_le_bytes());
        }
        at += 16 + length;
    }
    let path = directory.join("clock.pcap");
    std::fs::write(&path, octets).unwrap();
    let first = Choice {
        connection: Some(1),
        ..Choice::default()
    };
    let import = import_with("clock-out", &path, &first, false)
        .unwrap()
        .import;
    assert!(
        import.timeline.end < Duration::from_secs(60),
        "{:?}",
        import.timeline.end
    );
}
