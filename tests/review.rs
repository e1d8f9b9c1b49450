//! `lockstep review` and `lockstep accept`, as a user runs them, on a directory of one golden with one wrong octet.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lockstep::scenario::golden::Golden;
use lockstep::scenario::golden::manifest::{Manifest, digest};

const SCENARIO: &str = "conf-ebgp";

/// Goldens of its own for the test `name`: that of [`SCENARIO`], with the last octet of its last message changed.
pub fn altered(name: &str, scenario: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("review-{name}"));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut manifest = Manifest::load(&captures).unwrap();
    manifest.captures.retain(|entry| entry.scenario == scenario);
    let mut bytes = manifest.read(&captures, scenario).unwrap();
    let golden = Golden::read(scenario, &bytes).unwrap();
    // Of UPDATEs that are no End-of-RIB.
    let routes = |message: &&Vec<u8>| message[18] == 2 && message.len() > 30;
    let message = golden.connections.values().flatten().find(routes).unwrap();
    let at = bytes
        .windows(message.len())
        .position(|window| window == message)
        .unwrap();
    bytes[at + message.len() - 1] ^= 1;
    manifest.captures[0].sha256 = digest(&bytes);
    std::fs::write(directory.join(&manifest.captures[0].file), bytes).unwrap();
    manifest.store(&directory).unwrap();
    directory
}

/// Runs `lockstep` on the goldens of `captures`, with `input` typed.
fn lockstep(captures: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .arg("--captures")
        .arg(captures)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that needs no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let told = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code(), told)
}

fn files(captures: &Path) -> [Vec<u8>; 2] {
    [format!("{SCENARIO}.pcap"), "manifest.toml".to_owned()]
        .map(|name| std::fs::read(captures.join(name)).unwrap())
}

fn pending(captures: &Path) -> PathBuf {
    captures.join("pending").join(format!("{SCENARIO}.pcap"))
}

/// Goldens with a pending capture beside them.
fn with_pending(name: &str) -> PathBuf {
    let captures = altered(name, SCENARIO);
    let (status, told) = lockstep(&captures, &["run", SCENARIO], "");
    assert_eq!(status, Some(1), "{told}");
    assert!(
        told.contains("pending: conf-ebgp as sync sent it\n"),
        "{told}"
    );
    assert!(pending(&captures).is_file());
    captures
}

#[test]
fn what_is_skipped_or_not_answered_stays_pending() {
    let captures = with_pending("skip");
    let before = files(&captures);
    for input in ["s\n", "q\n", "", "yes\nskip\n"] {
        let (status, told) = lockstep(&captures, &["review"], input);
        assert_eq!(status, Some(1), "{told}");
        assert!(told.contains("1/1  conf-ebgp: the golden is by exabgp 5.0.15"));
        assert!(told.contains("first divergence"), "{told}");
        assert!(told.contains("10.0.1.0 in A, 10.0.0.0 in B"), "{told}");
        assert_eq!(told.contains("invalid choice `yes`"), input.contains("yes"));
        assert!(pending(&captures).is_file());
        assert_eq!(files(&captures), before);
    }
}

#[test]
fn what_is_rejected_goes_and_the_golden_stays() {
    let captures = with_pending("reject");
    let before = files(&captures);
    let (status, told) = lockstep(&captures, &["review", SCENARIO], "r\n");
    assert_eq!(status, Some(0), "{told}");
    assert!(!pending(&captures).exists());
    assert_eq!(files(&captures), before);
    let (status, told) = lockstep(&captures, &["review"], "");
    assert_eq!((status, &told[..]), (Some(0), "no capture is pending\n"));
}

#[test]
fn what_is_accepted_is_a_golden_marked_as_our_own() {
    for (name, arguments, input) in [
        ("accept-reviewed", &["review"][..], "a\n"),
        ("accept-named", &["accept", SCENARIO], ""),
        ("accept-all", &["accept", "--all"], ""),
    ] {
        let captures = with_pending(name);
        let sent = std::fs::read(pending(&captures)).unwrap();
        let (status, told) = lockstep(&captures, arguments, input);
        assert_eq!(status, Some(0), "{told}");
        assert!(!pending(&captures).exists());
        assert_eq!(files(&captures)[0], sent);
        let manifest = Manifest::load(&captures).unwrap();
        let entry = manifest.entry(SCENARIO).unwrap();
        assert_eq!(entry.speaker, "lockstep");
        assert_eq!(entry.command, "lockstep accept conf-ebgp");
        let (status, told) = lockstep(&captures, &["run", SCENARIO], "");
        assert_eq!(status, Some(0), "{told}");
        assert!(
            told.contains(
                "1 golden(s) recorded from Lockstep itself, not from ExaBGP: conf-ebgp\n"
            ),
            "{told}"
        );
    }
}

#[test]
fn what_is_no_capture_never_becomes_a_golden() {
    let captures = with_pending("broken");
    let before = files(&captures);
    let whole = std::fs::read(pending(&captures)).unwrap();
    let header = &whole[..24];
    for broken in [&b"no capture"[..], &[], header, &whole[..whole.len() - 3]] {
        std::fs::write(pending(&captures), broken).unwrap();
        for (arguments, input) in [(["accept", SCENARIO], ""), (["review", SCENARIO], "a\n")] {
            let (status, told) = lockstep(&captures, &arguments, input);
            assert_eq!(status, Some(2), "{told}");
            assert!(told.contains("conf-ebgp.pcap"), "{told}");
            assert_eq!(files(&captures), before);
        }
    }
}

#[test]
fn names_of_which_nothing_is_pending_are_refused_before_anything_is_accepted() {
    let captures = with_pending("names");
    let before = files(&captures);
    for arguments in [
        &["accept", SCENARIO, "no-such"][..],
        &["accept", "../conf-ebgp"],
        &["accept"],
        &["accept", "--all", SCENARIO],
        &["review", "no-such"],
    ] {
        let (status, told) = lockstep(&captures, arguments, "a\n");
        assert_eq!(status, Some(2), "{told}");
        assert_eq!(files(&captures), before);
    }
}

#[test]
fn a_run_that_passes_in_both_modes_takes_its_pending_capture_away() {
    let captures = with_pending("stale");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    std::fs::copy(
        own.join(format!("{SCENARIO}.pcap")),
        captures.join(format!("{SCENARIO}.pcap")),
    )
    .unwrap();
    let mut manifest = Manifest::load(&own).unwrap();
    manifest.captures.retain(|entry| entry.scenario == SCENARIO);
    manifest.store(&captures).unwrap();
    let (status, _) = lockstep(&captures, &["run", SCENARIO, "--mode", "sync"], "");
    assert_eq!(status, Some(0));
    assert!(pending(&captures).exists());
    let (status, told) = lockstep(&captures, &["run", SCENARIO], "");
    assert_eq!(status, Some(0), "{told}");
    assert!(!pending(&captures).exists());
    assert!(!told.contains("made by Lockstep itself"));
}
