//! `lockstep diff` and `lockstep show` as a user meets them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{one, session, update};
use crate::capture::message;

/// A directory of its own, gone when the test is.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lockstep-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn file(&self, name: &str, octets: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, octets).unwrap();
        path.display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn lockstep(arguments: &[&str], input: &[u8]) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_lockstep"));
    let mut child = Command::new(binary)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading all.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

#[test]
fn exit_statuses_are_same_different_and_invalid() {
    let scratch = Scratch::new("status");
    let a = scratch.file("a.pcap", &session(&[one(1), one(2)]));
    let b = scratch.file("b.pcap", &session(&[one(1), update(&[2], 7, false)]));
    let packed = scratch.file("packed.pcap", &session(&[update(&[1, 2], 0, false)]));
    let text = scratch.file("text.pcap", b"no capture at all");
    let status = |arguments: &[&str]| lockstep(arguments, &[]).status.code();
    assert_eq!(status(&["diff", &a, &a]), Some(0));
    assert_eq!(status(&["diff", &a, &b]), Some(1));
    assert_eq!(status(&["diff", &a, &packed]), Some(1));
    assert_eq!(status(&["diff", "--canonical", &a, &packed]), Some(0));
    assert_eq!(status(&["diff", "--canonical", &a, &b]), Some(1));
    assert_eq!(status(&["diff", &a, &text]), Some(2));
    assert_eq!(status(&["diff", &a, "/no/such.pcap"]), Some(2));
    assert_eq!(status(&["diff", &a]), Some(2));
    let quiet = lockstep(&["diff", "--quiet", &a, &b], &[]);
    assert_eq!((quiet.stdout, quiet.status.code()), (vec![], Some(1)));
}

#[test]
fn a_capture_may_come_from_standard_input() {
    let scratch = Scratch::new("stdin");
    let capture = session(&[one(1), one(2)]);
    let a = scratch.file("a.pcap", &capture);
    assert_eq!(
        lockstep(&["diff", "-", &a], &capture).status.code(),
        Some(0)
    );
    assert_eq!(
        lockstep(&["diff", &a, "-"], &capture).status.code(),
        Some(0)
    );
    assert_eq!(
        lockstep(&["diff", "-", "-"], &capture).status.code(),
        Some(2)
    );
    let shown = lockstep(&["show", "-"], &capture);
    assert!(text(&shown.stdout).contains("10.2.0.0/16"));
}

#[test]
fn json_has_the_field_and_its_rfc() {
    let scratch = Scratch::new("json");
    let a = scratch.file("a.pcap", &session(&[one(1), one(2)]));
    let b = scratch.file("b.pcap", &session(&[one(1), update(&[2], 7, false)]));
    let output = lockstep(&["diff", "--json", &a, &b], &[]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["same"], false);
    assert_eq!(report["counts"]["other-value"], 1);
    let difference = &report["differences"][0];
    assert_eq!(difference["client"], "192.0.2.1");
    assert_eq!(difference["from"], "client");
    assert_eq!(difference["left"][0]["number"], 3);
    let field = &difference["fields"][0];
    assert_eq!(field["rfc"], "RFC 4271 5.1.4");
    assert_eq!(field["left"]["value"], "0");
    assert_eq!(field["right"]["value"], "7");
    assert_eq!(field["right"]["offset"], 46);
}

#[test]
fn a_ladder_shows_what_is_malformed_in_its_place() {
    let mut wrong = message(2, &[0, 0, 0, 9, 1]);
    wrong.extend(b"no marker here");
    let capture = session(&[one(1), wrong, one(2)]);
    let output = lockstep(&["show", "-"], &capture);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout), @r#"
192.0.2.1 → 192.0.2.2 #1  ports 40000 → 179, opened 2023-11-14T22:13:20.000000000Z
     1      +1.000000 s  ──▶  OPEN AS 1 identifier 192.0.2.1 hold time 90 s capabilities [asn4]
     2      +2.000000 s  ◀──  OPEN AS 2 identifier 192.0.2.2 hold time 90 s capabilities [asn4]
     3      +3.000000 s  ──▶  UPDATE announces 10.1.0.0/16 next-hop 192.0.2.1 origin igp as-path ( 1 ) med 0
     4      +4.000000 s  ──▶  malformed message of 24 octets: UPDATE: Malformed Attribute List: truncated at octet 23: 9 octet(s) needed, 1 available
     5      +4.000000 s  ──▶  14 octets at 114 that are no message (no marker where a message must begin): 6e6f206d61726b65722068657265
     6      +5.000000 s  ──▶  UPDATE announces 10.2.0.0/16 next-hop 192.0.2.1 origin igp as-path ( 1 ) med 0
            +6.000000 s  ──▶  FIN

15 packets: 1 connection, 6 messages
"#);
    let output = lockstep(&["show", "-", "--message", "4"], &capture);
    insta::assert_snapshot!(text(&output.stdout), @r#"
192.0.2.1 → 192.0.2.2 #1  ports 40000 → 179, opened 2023-11-14T22:13:20.000000000Z
     4      +4.000000 s  ──▶  malformed message of 24 octets: UPDATE: Malformed Attribute List: truncated at octet 23: 9 octet(s) needed, 1 available
     0                           UPDATE
     0                             Header
     0  ff ff ff ff ff ff ff ff      Marker  all ones  [RFC 4271 4.1]
        ff ff ff ff ff ff ff ff
    16  00 18                        Length  24  [RFC 4271 4.1]
    18  02                           Type  2 (UPDATE)  [RFC 4271 4.1]
    19  00 00                      Withdrawn Routes Length  0  [RFC 4271 4.3]
    21  00 09                      Total Path Attribute Length  9  [RFC 4271 4.3]
    23                             Path Attributes  cut short: 9 octet(s) needed, 1 there
    23  01                           Undissected  0x01  [RFC 4271 4.3]
"#);
    let missing = lockstep(&["show", "-", "--message", "99"], &capture);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("there is no message 99"));
}

#[test]
fn a_ladder_in_json_is_a_line_for_each_event() {
    let output = lockstep(&["show", "--json", "-"], &session(&[one(1)]));
    let kinds: Vec<String> = text(&output.stdout)
        .lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            event["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        kinds,
        ["opened", "message", "message", "message", "fin", "summary"]
    );
}

#[test]
fn a_closed_pipe_is_no_error() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = |arguments: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lockstep"))
            .current_dir(root)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        output.status.code()
    };
    assert_eq!(
        status(&["run", "conf-ebgp", "conf-flow", "--verbose"]),
        Some(0)
    );
    assert_eq!(status(&["run", "--list"]), Some(0));
    assert_eq!(
        status(&["diff", "conf-ebgp", "conf-flow", "--full", "9"]),
        Some(1)
    );
    assert_eq!(status(&["show", "conf-flow"]), Some(0));
}

#[test]
fn nothing_that_was_not_read_is_ever_the_same() {
    let scratch = Scratch::new("never");
    let whole = session(&[one(1), one(2)]);
    let a = scratch.file("a.pcap", &whole);
    // The file header alone.
    let empty = scratch.file("empty.pcap", &whole[..24]);
    // The last octets of each packet were not captured.
    let mut cut = whole[..24].to_vec();
    let mut rest = &whole[24..];
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let kept = length.min(80);
        cut.extend(&rest[..8]);
        cut.extend((kept as u32).to_le_bytes());
        cut.extend(&rest[12..16 + kept]);
        rest = &rest[16 + length..];
    }
    let cut = scratch.file("cut.pcap", &cut);
    let broken = scratch.file("broken.pcap", &whole[..whole.len() - 5]);
    for [left, right] in [
        [&empty, &empty],
        [&a, &empty],
        [&cut, &cut],
        [&broken, &broken],
    ] {
        let output = lockstep(&["diff", left, right], &[]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        let output = lockstep(&["diff", "--json", left, right], &[]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&report["same"], &report["complete"]),
            (&false.into(), &false.into())
        );
    }
}

#[test]
fn mistakes_in_what_is_ignored_or_mapped_are_said() {
    let scratch = Scratch::new("ignore");
    let a = scratch.file("a.pcap", &session(&[one(1)]));
    for (option, value, said) in [
        ("--ignore", "nexthop", "the fields are identifier"),
        ("--map", "10.0.0.1", "not ADDRESS=ADDRESS"),
        ("--map", "10.0.0.1=x", "not ADDRESS=ADDRESS"),
    ] {
        let output = lockstep(&["diff", option, value, &a, &a], &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            text(&output.stderr).contains(said),
            "{}",
            text(&output.stderr)
        );
    }
    let output = lockstep(&["diff", "--ignore", "identifier,med", &a, &a], &[]);
    assert!(text(&output.stdout).contains("not compared: identifier, med"));
}

#[test]
fn a_mapped_address_that_is_nowhere_is_trouble() {
    let scratch = Scratch::new("mapped");
    let a = scratch.file("a.pcap", &session(&[one(1)]));
    let diff = |map: &str| lockstep(&["diff", &a, &a, "--map", map], &[]);
    for (map, side, address) in [
        ("198.51.100.9=192.0.2.1", "A", "198.51.100.9"),
        ("192.0.2.1=198.51.100.9", "B", "198.51.100.9"),
        ("2001:db8::9=192.0.2.1", "A", "2001:db8::9"),
    ] {
        let output = diff(map);
        assert_eq!(output.status.code(), Some(2), "{map}");
        let said = text(&output.stdout);
        let expected = format!("no session of {side} is at {address}");
        assert!(said.contains(&expected), "{map}: {said}");
    }
    assert_eq!(diff("192.0.2.1=192.0.2.1").status.code(), Some(0));
}

#[test]
fn a_bgpsec_update_is_an_announcement() {
    // RFC 8205 section 3: BGPsec_PATH stands for AS_PATH; one AS, one signature of 70 octets.
    let secure_path = [&[0, 8, 1, 0][..], &65_001_u32.to_be_bytes()].concat();
    let mut block = vec![0, 3 + 20 + 2 + 70, 1];
    block.extend([0xab; 20]);
    block.extend([0, 70]);
    block.extend([0xcd; 70]);
    let path = [secure_path, block].concat();
    let mut attributes = vec![0x40, 1, 1, 0];
    attributes.extend([0x80, 14, 13, 0, 1, 1, 4, 192, 0, 2, 1, 0, 24, 10, 9, 8]);
    attributes.extend([0x80, 33, path.len() as u8]);
    attributes.extend(path);
    let body = [&[0, 0, 0, attributes.len() as u8], &attributes[..]].concat();
    let scratch = Scratch::new("bgpsec");
    let file = scratch.file("a.pcap", &session(&[message(2, &body)]));
    for arguments in [&["show", &file][..], &["decode", &file]] {
        let output = lockstep(arguments, &[]);
        let said = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{said}{}",
            text(&output.stderr)
        );
        assert!(said.contains("10.9.8.0/24"), "{said}");
        assert!(
            !said.contains("withdraw") && !said.contains("malformed"),
            "{said}"
        );
        assert!(said.contains("announce"), "{said}");
    }
}
