//! Guests that try to get out, do what is not known, or do not end.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use lockstep::guest::{Failure, Settings};

use super::support::{built, directory, program, refused, run};

#[test]
fn a_hostile_guest_stays_within() {
    if refused().is_some() {
        return;
    }
    let outside = directory("outside").join("file");
    fs::write(&outside, "as it was").expect("written");
    let real = TcpListener::bind("127.0.0.1:0").expect("a port");
    real.set_nonblocking(true).expect("nonblocking");
    let port = real.local_addr().expect("bound").port();
    let guest = program("hostile", &built("hostile"))
        .arguments([outside.display().to_string(), port.to_string()]);
    let ran = run(&[(Duration::ZERO, guest)], 10, false, &Settings::default());
    assert!(ran.failure.is_none(), "{:?}", ran.failure);
    assert_eq!(
        fs::read_to_string(&outside).expect("still there"),
        "as it was"
    );
    assert!(real.accept().is_err(), "it connected to the machine");
    insta::assert_snapshot!(ran.output, @r#"
    write: true
    own view: Some("defaced")
    through a link: true
    truncate through a link: true
    by dots: true
    unlink by dots: true
    hard link: true
    rename over it: true
    by its process: false
    relative to a directory: Err("EACCES")
    unlink relative: Err("EACCES")
    chroot: Ok(0)
    device: Err("EPERM")
    mount: Err("EPERM")
    name spaces: Err("EPERM")
    trace: Err("EPERM")
    io_uring: Err("ENOSYS")
    bpf: Err("EPERM")
    raw: Err("EPERM")
    packet: Err("EPERM")
    udp: Err("EPROTONOSUPPORT")
    kill the first: Err("ESRCH")
    kill all: Err("ESRCH")
    connect out: Err("ECONNREFUSED")
    "#);
    for call in [
        "mount",
        "unshare",
        "ptrace",
        "io_uring_setup",
        "bpf",
        "socket",
        "mknodat",
    ] {
        let named = ran
            .refusals
            .iter()
            .any(|it| it.contains(&format!("{call}(")));
        assert!(named, "{call} is not named: {:#?}", ran.refusals);
    }
}

#[test]
fn a_call_that_nothing_is_known_of_ends_the_guest_and_is_named() {
    if refused().is_some() {
        return;
    }
    let guest = program("unknown", &built("unknown"));
    let ran = run(&[(Duration::ZERO, guest)], 10, false, &Settings::default());
    let Some(Failure::Refused(refusal)) = ran.failure else {
        panic!("not refused: {ran:?}");
    };
    assert_eq!(refusal.call, "remap_file_pages");
    assert_eq!(refusal.arguments[..5], [1, 2, 3, 4, 5]);
    assert_eq!(ran.output, "");
}

#[test]
fn a_guest_that_computes_for_ever_is_given_up() {
    if refused().is_some() {
        return;
    }
    let settings = Settings {
        patience: 1,
        ..Settings::default()
    };
    let guest = program("spin", &built("spin"));
    let ran = run(&[(Duration::ZERO, guest)], 10, false, &settings);
    assert!(
        matches!(ran.failure, Some(Failure::Spins { seconds: 1, .. })),
        "{ran:?}"
    );
}

#[test]
fn a_guest_sees_the_same_machine_on_every_run() {
    if refused().is_some() {
        return;
    }
    let guest = || program("machine", &built("machine"));
    let ran = run(
        &[(Duration::ZERO, guest())],
        10,
        false,
        &Settings::default(),
    );
    let again = run(
        &[(Duration::ZERO, guest())],
        10,
        false,
        &Settings::default(),
    );
    assert_eq!((&ran.output, &ran.hash), (&again.output, &again.hash));
    let other = Settings {
        seed: 1,
        ..Settings::default()
    };
    let other = run(&[(Duration::ZERO, guest())], 10, false, &other);
    assert_ne!(ran.output, other.output, "the seed changes what is random");
    for line in [
        "host: \"host\"",
        "process: (1000, 1)",
        "processors: Some(1)",
        "online: 1",
        "date: 1700000000",
    ] {
        assert!(
            ran.output.lines().any(|it| it == line),
            "{line} is not in {}",
            ran.output
        );
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    if refused().is_some() {
        return;
    }
    let mut host = lockstep::guest::Host::new(
        &Settings::default(),
        Box::new(lockstep::guest::network::Alone),
    );
    let nothing = program("nothing", std::path::Path::new("/nowhere/daemon"));
    let failure = host
        .start(&nothing)
        .expect_err("it is not there")
        .to_string();
    assert!(
        failure.contains("/nowhere/daemon") && failure.contains("No such file"),
        "{failure}"
    );
}
