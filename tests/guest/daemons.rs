//! The five daemons, unmodified: 400 virtual seconds with a peer and without one, the same on every run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lockstep::guest::{Program, Settings};

use super::support::{directory, program, refused, run};

/// How long each daemon runs, in virtual seconds.
const SECONDS: u64 = 400;

/// Runs a daemon twice with a peer and twice without; with one, a session must have come up.
fn lives(name: &str, path: &Path, arguments: &[&str], configuration: (&str, &str)) {
    if refused().is_some() {
        return;
    }
    if !path.exists() {
        crate::skipped::skip(format!("{} is not installed", path.display()));
        return;
    }
    let kept = directory(&format!("{name}-configuration")).join(configuration.0);
    fs::write(&kept, configuration.1).expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&kept, mode).expect("OpenBGPD wants it private");
    let kept = kept.display().to_string();
    let words: Vec<String> = arguments
        .iter()
        .map(|it| it.replace("CONFIGURATION", &kept))
        .collect();
    for with_peer in [true, false] {
        let hashes: Vec<String> = (0..2)
            .map(|_| {
                let daemon = program(name, path).arguments(words.iter().cloned());
                let settings = Settings {
                    pace: lockstep::guest::Pace {
                        late_poll: lockstep::guest::Cost::constant(100_000_000),
                        ..lockstep::guest::Pace::default()
                    },
                    ..Settings::default()
                };
                let ran = run(&[(Duration::ZERO, daemon)], SECONDS, with_peer, &settings);
                assert!(ran.failure.is_none(), "{ran:#?}");
                assert!(
                    !ran.waits.is_empty(),
                    "it ended: {} {}",
                    ran.output,
                    ran.error
                );
                assert_eq!(
                    ran.sessions,
                    u32::from(with_peer),
                    "{} {}",
                    ran.output,
                    ran.error
                );
                ran.hash
            })
            .collect();
        assert_eq!(hashes[0], hashes[1], "with a peer: {with_peer}");
    }
}

const BIRD: &str = "router id 10.0.0.1;
protocol device {}
protocol bgp session {
    local 10.0.0.1 as 65001; neighbor 10.0.0.9 as 65002;
    ipv4 { import all; export all; };
}
";

#[test]
fn bird() {
    let arguments = ["-f", "-c", "CONFIGURATION"];
    lives(
        "bird",
        Path::new("/usr/sbin/bird"),
        &arguments,
        ("bird.conf", BIRD),
    );
}

#[test]
fn frr() {
    let configuration = "router bgp 65001
 bgp router-id 10.0.0.1
 neighbor 10.0.0.9 remote-as 65002
 no bgp ebgp-requires-policy
";
    let arguments = ["-f", "CONFIGURATION", "-Z", "-S", "--log", "stdout"];
    lives(
        "frr",
        Path::new("/usr/lib/frr/bgpd"),
        &arguments,
        ("frr.conf", configuration),
    );
}

#[test]
fn gobgpd() {
    let configuration = "[global.config]
as = 65001
router-id = \"10.0.0.1\"
[[neighbors]]
[neighbors.config]
neighbor-address = \"10.0.0.9\"
peer-as = 65002
";
    let arguments = ["-f", "CONFIGURATION"];
    lives(
        "gobgpd",
        Path::new("/usr/bin/gobgpd"),
        &arguments,
        ("gobgp.toml", configuration),
    );
}

#[test]
fn openbgpd() {
    let configuration = "AS 65001
router-id 10.0.0.1
listen on 10.0.0.1
fib-update no
neighbor 10.0.0.9 { remote-as 65002 }
allow from any
allow to any
";
    let arguments = ["-d", "-f", "CONFIGURATION"];
    lives(
        "openbgpd",
        Path::new("/usr/sbin/bgpd"),
        &arguments,
        ("bgpd.conf", configuration),
    );
}

/// Where qa/record/install puts it.
fn reference() -> PathBuf {
    let installed = std::env::var_os("LOCKSTEP_REFERENCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/reference/exabgp-5.0.15"),
        PathBuf::from,
    );
    installed.join("bin/exabgp")
}

#[test]
fn exabgp() {
    let configuration = "neighbor 10.0.0.9 {
    router-id 10.0.0.1; local-address 10.0.0.1; local-as 65001; peer-as 65002;
    family { ipv4 unicast; }
    static { route 192.0.2.0/24 next-hop self; }
}
";
    lives(
        "exabgp",
        &reference(),
        &["server", "CONFIGURATION"],
        ("exabgp.conf", configuration),
    );
}

#[test]
fn a_control_program_is_a_second_guest_of_the_host() {
    let (bird, birdc) = (Path::new("/usr/sbin/bird"), Path::new("/usr/sbin/birdc"));
    if refused().is_some() {
        return;
    }
    if !bird.exists() || !birdc.exists() {
        crate::skipped::skip("BIRD is not installed");
        return;
    }
    let daemon = program("control", bird);
    let own = daemon.directory.clone();
    fs::write(own.join("bird.conf"), BIRD).expect("written");
    let daemon = daemon.arguments(["-f", "-c", "bird.conf", "-s", "control.sock"]);
    let ask = |words: &[&str]| Program {
        directory: own.clone(),
        ..program("control-program", birdc)
            .arguments(["-s", "control.sock"])
            .arguments(words.to_vec())
    };
    let programs = [
        (Duration::ZERO, daemon),
        (Duration::from_secs(20), ask(&["show", "protocols"])),
        (Duration::from_secs(21), ask(&["show", "route", "count"])),
        (Duration::from_secs(22), ask(&["down"])),
    ];
    let ran = run(&programs, 60, true, &Settings::default());
    assert!(ran.failure.is_none(), "{ran:#?}");
    assert!(ran.output.contains("Established"), "{}", ran.output);
    assert!(ran.output.contains("3 of 3 routes"), "{}", ran.output);
    assert_eq!(
        ran.waits,
        Vec::<String>::new(),
        "it ended when it was told to"
    );
}
