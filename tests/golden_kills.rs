//! `accept` killed at every system call that writes: the golden and the manifest agree afterwards, the old or the new, and the
//! same command makes it the new. `record` replaces a golden by the same function.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use lockstep::scenario::golden::manifest::{FILE, Manifest, ManifestEntry, digest};

use crate::skipped::skip;

/// What changes files.
const CALLS: &[&str] = &["openat", "write", "fsync", "rename", "unlink"];

/// A directory that goes when it is dropped.
struct Captures(PathBuf);

impl Captures {
    /// A golden `old` of `scenario`, with its manifest.
    fn new(name: &str, scenario: &str, old: &[u8]) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("pending")).unwrap();
        let entry = ManifestEntry {
            scenario: scenario.into(),
            file: format!("{scenario}.pcap"),
            speaker: "lockstep".into(),
            version: "1".into(),
            network: None,
            kernel: None,
            command: String::new(),
            date: "2026-12-01".into(),
            sha256: digest(old),
        };
        Manifest::default().replace(&root, entry, old).unwrap();
        Self(root)
    }

    /// The golden that the manifest describes.
    fn golden(&self, scenario: &str) -> Vec<u8> {
        let manifest = Manifest::load(&self.0).unwrap();
        manifest.read(&self.0, scenario).unwrap()
    }

    fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let names = ["api-rr.pcap", "pending/api-rr.pcap", FILE];
        let read = |name: &str| Some((self.0.join(name), fs::read(self.0.join(name)).ok()?));
        names.iter().filter_map(|name| read(name)).collect()
    }
}

impl Drop for Captures {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn golden(path: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("captures")
            .join(path),
    )
    .unwrap()
}

/// Runs `lockstep` with `arguments`; killed at call `number` of `call`, where one is given.
fn lockstep(arguments: &[&str], kill: Option<(&str, usize)>) -> ExitStatus {
    let own = env!("CARGO_BIN_EXE_lockstep");
    let mut command = match kill {
        None => Command::new(own),
        Some((call, number)) => {
            let inject = format!("inject={call}:signal=KILL:when={number}");
            let mut strace = Command::new("strace");
            strace.args([
                "-o",
                "/dev/null",
                "-e",
                &format!("trace={call}"),
                "-e",
                &inject,
                own,
            ]);
            strace
        }
    };
    let command = command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdout(Stdio::null()).status().unwrap()
}

fn has_strace() -> bool {
    let mut strace = Command::new("strace");
    let strace = strace.args([
        "-o",
        "/dev/null",
        "-e",
        "inject=close:retval=0:when=9999",
        "true",
    ]);
    strace
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Kills the command at every call; gives how often it was killed.
fn kill_at_every_call(
    captures: &Captures,
    arguments: &[&str],
    scenario: &str,
    new: &[u8],
) -> usize {
    let before = captures.contents();
    let old = captures.golden(scenario);
    let mut kills = 0;
    for call in CALLS {
        for number in 1.. {
            fs::create_dir_all(captures.0.join("pending")).unwrap();
            for (path, octets) in &before {
                fs::write(path, octets).unwrap();
            }
            let status = lockstep(arguments, Some((call, number)));
            let found = captures.golden(scenario);
            if status.signal().is_none() && status.success() {
                assert!(found == new, "not killed at {call} {number}");
                break;
            }
            kills += 1;
            assert!(found == old || found == new, "killed at {call} {number}");
            // What the kill left is in nobody's way.
            if captures.0.join("pending/api-rr.pcap").exists() {
                let again = lockstep(arguments, None);
                assert!(again.success(), "after {call} {number}");
                assert!(!captures.0.join("manifest.next.toml").exists());
            }
            assert!(captures.golden(scenario) == new, "after {call} {number}");
        }
    }
    kills
}

#[test]
fn accept_killed_at_any_call_leaves_golden_and_manifest_in_agreement() {
    if !has_strace() {
        return skip("strace cannot inject a signal here");
    }
    let (old, new) = (golden("api-rr.pcap"), golden("api-rib.pcap"));
    let captures = Captures::new("accept-kills", "api-rr", &old);
    fs::write(captures.0.join("pending/api-rr.pcap"), &new).unwrap();
    let directory = captures.0.display().to_string();
    let arguments = ["accept", "api-rr", "--captures", &directory];
    let kills = kill_at_every_call(&captures, &arguments, "api-rr", &new);
    assert!(kills > 12, "{kills}");
}
