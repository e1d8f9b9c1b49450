//! Real programs as guests: what they see is what they see natively, and every run is the same.

#[path = "guest/daemons.rs"]
mod daemons;
#[path = "guest/hostile.rs"]
mod hostile;
#[path = "guest/peer.rs"]
mod peer;
#[path = "guest/support.rs"]
mod support;

use std::process::Command;
use std::time::Duration;

use lockstep::guest::Settings;

pub use support::built;
use support::{directory, program, refused, run};

/// Runs a program of qa/guests natively and twice as a guest: it prints the same, and the runs are the same.
fn same_as_natively(name: &str) {
    if refused().is_some() {
        return;
    }
    let path = built(name);
    let native = Command::new(&path)
        .current_dir(directory(&format!("native-{name}")))
        .output()
        .expect("it runs natively");
    let native = String::from_utf8_lossy(&native.stdout).into_owned();
    assert!(native.lines().count() > 10, "{native}");
    let ran: Vec<_> = (0..2)
        .map(|_| {
            let guest = program(name, &path);
            run(&[(Duration::ZERO, guest)], 60, false, &Settings::default())
        })
        .collect();
    for one in &ran {
        assert!(one.failure.is_none(), "{:?}", one.failure);
        let differs = native
            .lines()
            .zip(one.output.lines())
            .find(|(native, guest)| native != guest);
        assert!(
            native == one.output,
            "the first lines that differ, native and guest: {differs:?}; waits: {:?}\n{native}\n{}",
            one.waits,
            one.output
        );
    }
    assert_eq!(ran[0].hash, ran[1].hash);
}

macro_rules! groups {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            same_as_natively(stringify!($name));
        })*
    };
}

groups! { clocks epoll files inet pipes processes signals signed threads ttl unix }
