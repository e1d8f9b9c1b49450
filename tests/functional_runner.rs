//! `qa/bin/functional`, with a script in the place of the binary that shows what it was asked.

use lockstep::scenario::format::directory;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A stand-in for `lockstep run` that says its arguments and ends with `status`.
fn stand_in(name: &str, status: u8) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let script = format!(
        "#!/bin/sh\necho \"$@\"\necho \"$3: 2 test(s) run, 100.0% passed\"\nexit {status}\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn functional(binary: &Path, asynchronous: Option<&str>, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("qa/bin/functional");
    let mut command = Command::new(script);
    command.args(arguments).env("LOCKSTEP", binary);
    command.env_remove("exabgp_reactor_asyncio");
    if let Some(value) = asynchronous {
        command.env("exabgp_reactor_asyncio", value);
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn lists_every_scenario_with_its_letter() {
    let output = functional(Path::new("/nowhere"), None, &["encoding", "--list"]);
    let list = text(&output.stdout);
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    assert_eq!(
        list.lines().count(),
        directory::names(&scenarios).unwrap().len()
    );
    assert_eq!(list.lines().next(), Some("0    api-ack-control"));
    assert!(list.lines().any(|line| line == "A    api-broken-flow"));
}

#[test]
fn runs_all_in_the_sync_reactor_and_closes_with_the_total() {
    let output = functional(&stand_in("functional-sync", 0), None, &["encoding"]);
    assert_eq!(
        text(&output.stdout),
        "run --mode sync\nTotal: 2 test(s) run, 100.0% passed\n"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_environment_selects_the_async_reactor() {
    let output = functional(
        &stand_in("functional-async", 0),
        Some("true"),
        &["encoding", "A", "api-rib"],
    );
    assert_eq!(
        text(&output.stdout),
        "run --mode async api-broken-flow api-rib\nTotal: 2 test(s) run, 100.0% passed\n"
    );
}

#[test]
fn a_failure_is_passed_on() {
    let output = functional(&stand_in("functional-failed", 1), None, &["encoding"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_unknown_name_is_bad_usage() {
    let output = functional(
        Path::new("/nowhere"),
        None,
        &["encoding", "api-rib", "nobody"],
    );
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "functional: no scenario 'nobody': --list shows the letters and names there are\n"
    );
}
