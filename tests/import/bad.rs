//! Captures that cannot be imported: what was found, and what to do.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use lockstep::field::import::Choice;
use miette::{GraphicalReportHandler, GraphicalTheme};

use super::{field, import_with, scratch};

/// The error of an import, as a person sees it.
fn refused(file: &Path, choice: &Choice) -> String {
    let Err(error) = import_with("refused", file, choice, false) else {
        panic!("{} was imported", file.display());
    };
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .render_report(&mut out, &error)
        .unwrap();
    let directory = file.parent().unwrap().display().to_string();
    out.replace(&directory, "DIR")
}

/// The file `name` of the field captures with only those packets, counted from 1, that `keep` wants.
pub fn packets(directory: &Path, name: &str, keep: impl Fn(usize) -> bool) -> PathBuf {
    let whole = std::fs::read(field(name)).unwrap();
    let (header, mut left) = whole.split_at(24);
    let mut kept = header.to_vec();
    let mut number = 0;
    while let Some(length) = left.get(8..12) {
        number += 1;
        let length = 16 + u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let (packet, rest) = left.split_at(length);
        if keep(number) {
            kept.extend_from_slice(packet);
        }
        left = rest;
    }
    let path = directory.join("part.pcap");
    std::fs::write(&path, kept).unwrap();
    path
}

#[test]
fn what_cannot_be_imported_is_told_with_what_to_do() {
    let directory = scratch("bad");
    let any = Choice::default();
    let part = |name, keep: &dyn Fn(usize) -> bool| packets(&directory, name, keep);

    let empty = part("exabgp-reset.pcap", &|_| false);
    assert_snapshot!("no_bgp", refused(&empty, &any));
    let refusal = Path::new("captures/why/refused.pcap");
    assert_snapshot!("attempts", refused(refusal, &any));
    assert_snapshot!("several", refused(&field("bird-gobgp.pcap"), &any));
    let lost = part("exabgp-reset.pcap", &|number| number != 19);
    assert_snapshot!("lost", refused(&lost, &any));
    let connection = |number| Choice {
        connection: Some(number),
        ..any
    };
    assert_snapshot!(
        "not_reset",
        refused(&field("exabgp-reset.pcap"), &connection(2))
    );
    assert_snapshot!(
        "no_such_connection",
        refused(&field("exabgp-reset.pcap"), &connection(9))
    );
    let stranger = Choice {
        speaker: Some("192.0.2.7".parse().unwrap()),
        ..any
    };
    assert_snapshot!(
        "no_such_speaker",
        refused(&field("exabgp-reset.pcap"), &stranger)
    );
}

#[test]
fn an_encoding_that_the_opens_decide_has_no_effect_and_that_is_said() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .arg("import")
        .arg(super::field("bird-reset.pcap"))
        .args(["--as-width", "2", "--out"])
        .arg(super::scratch("no-effect"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        told,
        "--as-width has no effect: both OPENs are in the capture, and they decide\n"
    );
    assert!(output.status.success());
}
