//! `qa/dropin`, with scripts in the place of ExaBGP's runner, its daemon and the binary.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A runner that scores what the daemon in `sbin` answers to the arguments that ExaBGP's runner gives.
const RUNNER: &str = "score=$(./sbin/exabgp -d -p etc/exabgp/one.conf)\necho \"Total: 4 test(s) run, $score% passed\"\n";

fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A tree whose own daemon scores 75%, and a binary that scores `sync` and `asynchronous`.
fn tree(name: &str, sync: &str, asynchronous: &str) -> (PathBuf, PathBuf) {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let tree = base.join("tree");
    for directory in ["qa/encoding", "etc/exabgp", "src/exabgp"] {
        std::fs::create_dir_all(tree.join(directory)).unwrap();
    }
    script(&tree.join("qa/bin/functional"), RUNNER);
    script(&tree.join("qa/sbin/bgp"), "");
    script(&tree.join("sbin/exabgp"), "echo 75.0");
    let binary = base.join("lockstep");
    let ours = format!(
        "[ \"$*\" = 'speak -d -p etc/exabgp/one.conf' ] || exit 1\n\
         case $exabgp_reactor_asyncio in true) echo {asynchronous};; *) echo {sync};; esac"
    );
    script(&binary, &ours);
    (tree, binary)
}

fn dropin(tree: Option<&Path>, binary: &Path) -> Output {
    // Our daemon is started once the peer listens.
    let peer = TcpListener::bind("[::1]:0").ok();
    let port = peer
        .as_ref()
        .map_or(0, |peer| peer.local_addr().unwrap().port());
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("qa/dropin"))
        .args(tree)
        .env("LOCKSTEP", binary)
        .env("PYTHON", "sh")
        .env("CARGO_TARGET_DIR", binary.with_file_name("target"))
        .env("exabgp_tcp_port", port.to_string())
        .env_remove("EXABGP_SOURCE")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_three_scores_stand_side_by_side() {
    let (tree, binary) = tree("dropin-good", "75.0", "100.0");
    let output = dropin(Some(&tree), &binary);
    assert_eq!(
        text(&output.stdout),
        "exabgp  4 test(s) run, 75.0% passed\n\
         sync    4 test(s) run, 75.0% passed\n\
         async   4 test(s) run, 100.0% passed\n",
        "{}",
        text(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_reactor_that_scores_less_is_told() {
    let (tree, binary) = tree("dropin-less", "100.0", "74.9");
    let output = dropin(Some(&tree), &binary);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.starts_with("dropin: async scores less than ExaBGP; compare "),
        "{told}"
    );
}

#[test]
fn what_is_missing_is_told() {
    let (tree, binary) = tree("dropin-without", "100.0", "100.0");
    std::fs::remove_file(tree.join("qa/sbin/bgp")).unwrap();
    let output = dropin(Some(&tree), &binary);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains(" has no qa/sbin/bgp: "), "{told}");
    let output = dropin(None, &binary);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "dropin: which source tree of ExaBGP? Give its directory, or set EXABGP_SOURCE\n"
    );
}
