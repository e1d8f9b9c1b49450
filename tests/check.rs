//! `lockstep check`, as a user runs it.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs `lockstep check` on a file of its own that holds `text`.
fn check(name: &str, text: &str) -> Output {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{name}.conf"));
    std::fs::write(&path, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .args(["check", path.file_name().unwrap().to_str().unwrap()])
        .output()
        .unwrap()
}

fn neighbor(body: &str) -> String {
    format!(
        "neighbor 127.0.0.1 {{\nlocal-address 127.0.0.1;\nlocal-as 1;\npeer-as 2;\n{body}\n}}\n"
    )
}

#[test]
fn what_is_right_is_described() {
    program("watch-neighbors", 0o755);
    let text = "process watcher {\nrun ./watch-neighbors --all;\nencoder json;\n}\n".to_owned()
        + &neighbor(
            "description \"upstream\";\nfamily { ipv4 unicast; }\napi { processes [ watcher ]; }\n\
             static {\nroute 10.0.0.0/24 next-hop self med 5;\nroute 10.0.1.0/24 next-hop 192.0.2.1 watchdog dog withdraw;\n}",
        );
    let output = check("right", &text);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}

/// A file beside the configurations.
fn program(name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_program_that_cannot_be_run_is_shown_where_it_stands() {
    program("not-executable", 0o644);
    for (name, run, told) in [
        (
            "missing",
            "./no-such-program",
            "there is no program `./no-such-program`",
        ),
        (
            "nowhere",
            "/nonexistent/prog.py",
            "there is no program `/nonexistent/prog.py`",
        ),
        (
            "plain",
            "./not-executable",
            "`./not-executable` is not executable",
        ),
        ("directory", "/", "`/` is a directory"),
    ] {
        let output = check(
            name,
            &format!("process a {{\n  run {run};\n  encoder text;\n}}\n"),
        );
        let shown = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains(told), "{shown}");
        assert!(shown.contains(&format!("check-{name}.conf:2:7")), "{shown}");
    }
}

#[test]
fn what_exabgp_ignores_is_a_warning() {
    let output = check("ignored", &neighbor("hold-time 30 40;"));
    assert_eq!(output.status.code(), Some(0));
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(
        warned.contains("`40` is not expected here, and ignored"),
        "{warned}"
    );
    assert!(warned.contains("check-ignored.conf:5:14"), "{warned}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("30 s"));
}

#[test]
fn what_is_wrong_is_shown_and_ends_with_status_2() {
    let output = check("wrong", &neighbor("hold-tiem 3;"));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("check-wrong.conf:5:1"), "{told}");
    assert!(told.contains("did you mean `hold-time`?"), "{told}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_route_that_fits_no_message_is_named() {
    let value = "00".repeat(5000);
    let route = format!("route 10.0.0.0/24 next-hop 192.0.2.1 attribute [ 0x99 0xd0 0x{value} ];");
    let output = check(
        "long",
        &neighbor(&format!(
            "capability {{ extended-message disable; }}\nstatic {{ {route} }}"
        )),
    );
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("which may have 4096"), "{told}");
}

#[test]
fn a_file_that_is_not_there_ends_with_status_2() {
    let output = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(["check", "/nowhere/speaker.conf"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read /nowhere/speaker.conf"));
}
