//! Captures that are still being written: each message is shown as it completes, and an interrupt ends in order.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::command::Scratch;
use super::{one, session};

fn show(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .arg("show")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads lines until one holds `what`.
fn until(lines: &mut impl BufRead, what: &str) {
    let mut line = String::new();
    while !line.contains(what) {
        line.clear();
        assert_ne!(
            lines.read_line(&mut line).unwrap(),
            0,
            "no line with {what}"
        );
    }
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
}

#[test]
fn a_message_from_standard_input_is_shown_before_the_input_ends() {
    let capture = session(&[one(1), one(2)]);
    let mut child = show(&["-"]);
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    input.write_all(&capture).unwrap();
    input.flush().unwrap();
    // The input stays open.
    until(&mut lines, "10.2.0.0/16");
    interrupt(&child);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("4 messages"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(input);
}

#[test]
fn a_file_is_followed_until_interrupted() {
    let scratch = Scratch::new("follow");
    let capture = session(&[one(1), one(2), one(3)]);
    let half = capture.len() / 2;
    let path = scratch.file("grows.pcap", &capture[..half]);
    let mut child = show(&["--follow", &path]);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    until(&mut lines, "OPEN");
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&capture[half..]).unwrap();
    until(&mut lines, "10.3.0.0/16");
    interrupt(&child);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("5 messages"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
