//! The real ExaBGP as a guest in virtual time puts on the wire what it put there in real time.

use std::path::Path;

use lockstep::net::clock::Clock;
use lockstep::scenario::format::directory;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::suite::Case;
use lockstep::subject::{Variant, locate};

use crate::program::{lockstep, one_line};

/// Where `qa/record/install` puts it.
const REFERENCE: &str = "target/reference/exabgp-5.0.15/bin/exabgp";

#[test]
fn the_real_exabgp_in_virtual_time_gives_its_goldens_twice_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(REFERENCE).is_file() {
        crate::skipped::skip("ExaBGP is not installed; qa/record/install does it");
        return;
    }
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    let names = ["conf-ebgp", "api-rib", "api-reload"].map(str::to_owned);
    let variant: Variant = format!("exabgp={}", root.join(REFERENCE).display())
        .parse()
        .unwrap();
    for scenario in directory::select(&root.join("scenarios"), &names).unwrap() {
        let case = Case::new(scenario, &captures, &manifest).unwrap();
        let wall = Clock::start();
        let runs = [(); 2].map(|()| case.run(&variant, NetworkKind::Sim, &[]).unwrap());
        for run in &runs {
            assert!(run.passed(), "{}: {:?}", run.scenario, run.verdict);
        }
        assert_eq!(runs[0].played.hash, runs[1].played.hash);
        eprintln!("{} in {:?}", runs[0].scenario, wall.now());
    }
}

fn bird_is_installed() -> bool {
    let installed = Path::new("/usr/sbin/bird").is_file();
    if !installed {
        crate::skipped::skip("BIRD is not installed; apt-get install bird2 does it");
    }
    installed
}

fn scratch(name: &str) -> std::path::PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("subject-guest")
        .join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Plays every scenario of scenarios/daemons that is for `speaker`, twice: the same messages as in its golden, and the same
/// trace. `least` is how many there are at least.
fn plays_the_scenarios_of_daemons(speaker: &str, named: &str, least: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let captures = root.join("captures/daemons").join(speaker);
    let manifest = Manifest::load(&captures).unwrap();
    let variant: Variant = named.parse().unwrap();
    if let Err(missing) = locate::locate(&variant, None) {
        crate::skipped::skip(missing);
        return;
    }
    let mut played = 0;
    for scenario in directory::select(&root.join("scenarios/daemons"), &[]).unwrap() {
        if scenario.why_not(speaker).is_some() {
            continue;
        }
        assert!(
            manifest.entry(&scenario.name).is_some(),
            "{speaker} has no golden of {}, and no reason in the scenario",
            scenario.name
        );
        let case = Case::new(scenario, &captures, &manifest).unwrap();
        let runs = [(); 2].map(|()| case.run(&variant, NetworkKind::Sim, &[]).unwrap());
        for run in &runs {
            assert!(run.passed(), "{}: {:?}", run.scenario, run.verdict);
        }
        assert_eq!(runs[0].played.hash, runs[1].played.hash);
        played += 1;
    }
    assert!(played >= least, "{speaker}: {played}");
}

#[test]
fn bird_plays_the_scenarios_of_daemons() {
    plays_the_scenarios_of_daemons("bird", "bird", 22);
}

#[test]
fn frr_plays_the_scenarios_of_daemons() {
    plays_the_scenarios_of_daemons("frr", "frr", 21);
}

#[test]
fn gobgp_plays_the_scenarios_of_daemons() {
    plays_the_scenarios_of_daemons("gobgp", "gobgp", 19);
}

#[test]
fn openbgpd_plays_the_scenarios_of_daemons() {
    plays_the_scenarios_of_daemons("openbgpd", "openbgpd", 19);
}

#[test]
fn exabgp_plays_the_scenarios_of_daemons() {
    plays_the_scenarios_of_daemons("exabgp", &format!("exabgp={REFERENCE}"), 19);
}

#[test]
fn fifteen_scenarios_are_for_all_five() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenarios = directory::select(&root.join("scenarios/daemons"), &[]).unwrap();
    let of_all = scenarios
        .iter()
        .filter(|scenario| scenario.not_applicable.is_empty());
    assert!(of_all.count() >= 15);
}

#[test]
fn a_scenario_that_is_not_for_a_speaker_says_why() {
    let run = ["run", "configuration-reload", "--speaker", "frr"];
    let (status, out, error) = lockstep(&run);
    if error.contains("is not installed") {
        crate::skipped::skip(error);
        return;
    }
    assert_eq!(status, Some(2), "{out}");
    assert!(
        one_line(&error).contains("FRR 8.4 ignores SIGHUP"),
        "{error}"
    );
}

/// OpenBGPD 7.7 takes a hold time of 1 s where its own minimum is not configured, and then sends KEEPALIVEs for ever.
#[test]
fn a_speaker_that_floods_its_peer_with_keepalives_fails_at_once() {
    let openbgpd: Variant = "openbgpd=7.7".parse().unwrap();
    if let Err(error) = locate::locate(&openbgpd, None) {
        crate::skipped::skip(error);
        return;
    }
    let directory = scratch("flood");
    let scenario = directory.join("flood");
    std::fs::create_dir_all(&scenario).unwrap();
    for file in ["scenario", "bgpd.conf"] {
        let from = Path::new("scenarios/daemons/open-refused-hold-time").join(file);
        let text = std::fs::read_to_string(from).unwrap();
        std::fs::write(scenario.join(file), text.replace("holdtime min 3", "")).unwrap();
    }
    let (status, out, error) = lockstep(&[
        "run",
        "flood",
        "--speaker",
        "openbgpd=7.7",
        "--scenario-dir",
        directory.to_str().unwrap(),
    ]);
    assert_eq!(status, Some(1), "{out}{error}");
    assert!(out.contains("KEEPALIVEs within a second"), "{out}");
}

#[test]
fn a_search_replays_and_verifies_what_it_did_to_the_real_bird() {
    if !bird_is_installed() {
        return;
    }
    let (status, out, error) = lockstep(&[
        "verify",
        "session-ipv4",
        "--speaker",
        "bird",
        "--plans",
        "5",
    ]);
    assert_eq!(status, Some(0), "{out}{error}");
    let plan = scratch("plan").join("plan");
    let text = "scenario session-ipv4\nspeaker bird\npace call 2us\npace late-poll 5ms\nfault 10.0.0.2#1 sent byte 80: reset\n";
    std::fs::write(&plan, text).unwrap();
    let replay = || lockstep(&["replay", plan.to_str().unwrap()]);
    let (status, out, error) = replay();
    assert_eq!(status, Some(0), "{out}{error}");
    assert!(out.contains("10.0.0.2#1 sent byte 80: reset"), "{out}");
    assert_eq!(replay().1, out);
}

#[test]
fn a_speaker_that_a_file_describes_is_run_and_replayed() {
    let speaker = "minimal=qa/speakers/minimal.toml";
    let directory = ["--scenario-dir", "qa/speakers/scenarios"];
    let run = [
        "run",
        "announce",
        "--speaker",
        speaker,
        "--verbose",
        directory[0],
        directory[1],
    ];
    let (status, out, error) = lockstep(&run);
    assert_eq!(status, Some(0), "{out}{error}");
    assert!(out.contains("printed established"), "{out}");
    let plan = scratch("described").join("plan");
    let text =
        format!("scenario announce\nspeaker {speaker}\nfault 10.0.0.2#1 sent byte 60: reset\n");
    std::fs::write(&plan, text).unwrap();
    let (status, out, error) = lockstep(&[
        "replay",
        "--trust",
        plan.to_str().unwrap(),
        directory[0],
        directory[1],
    ]);
    assert_eq!(status, Some(0), "{out}{error}");
    let (status, out, error) = lockstep(&["speakers", speaker]);
    assert_eq!(status, Some(0), "{out}{error}");
    assert!(out.contains("1.0") && out.contains("minimal.py"), "{out}");
}

#[test]
fn what_cannot_be_put_under_test_is_invalid_and_says_why() {
    let directory = scratch("invalid");
    let scenario = directory.join("refused");
    std::fs::create_dir_all(&scenario).unwrap();
    let text = std::fs::read_to_string("qa/speakers/scenarios/announce/scenario").unwrap();
    std::fs::write(scenario.join("scenario"), text).unwrap();
    std::fs::write(
        scenario.join("bird.conf"),
        "router id 10.0.0.1;\nprotocol bgp {\n",
    )
    .unwrap();
    std::fs::write(scenario.join("minimal.json"), "{\n").unwrap();
    let broken = directory.join("broken.toml");
    std::fs::write(
        &broken,
        "title = \"broken\"\nexecutable = [\"./broken\"]\nstrat = []\n",
    )
    .unwrap();
    let absent = directory.join("absent.toml");
    std::fs::write(
        &absent,
        "title = \"absent\"\nexecutable = [\"./absent\"]\nstart = []\n",
    )
    .unwrap();
    let refuses = |speaker: &str, expected: &str| {
        let (status, out, error) = lockstep(&[
            "run",
            "refused",
            "--speaker",
            speaker,
            "--scenario-dir",
            directory.to_str().unwrap(),
        ]);
        assert_eq!(status, Some(2), "{speaker}: {out}{error}");
        assert!(one_line(&error).contains(expected), "{speaker}: {error}");
    };
    if bird_is_installed() {
        refuses("bird", "syntax error");
    }
    refuses("minimal=qa/speakers/minimal.toml", "JSONDecodeError");
    refuses("exabgp=./none", "is not installed");
    refuses(
        &format!("broken={}", broken.display()),
        "unknown field `strat`",
    );
    refuses(&format!("absent={}", absent.display()), "is not installed");
    refuses("birt", "did you mean `bird`?");
}

#[test]
fn what_a_plan_names_is_not_started_without_trust() {
    let directory = scratch("untrusted");
    let started = directory.join("started");
    let description = directory.join("theirs.toml");
    let text = format!(
        "title = \"theirs\"\nexecutable = [\"/bin/true\"]\nstart = []\nversion = [\"touch\", \"{}\"]\n",
        started.display()
    );
    std::fs::write(&description, text).unwrap();
    let plan = directory.join("plan");
    let refuses = |speaker: &str| {
        std::fs::write(&plan, format!("scenario conf-ebgp\nspeaker {speaker}\n")).unwrap();
        for command in ["replay", "shrink", "bisect"] {
            let (status, out, error) = lockstep(&[command, plan.to_str().unwrap()]);
            assert_eq!(status, Some(2), "{command}: {out}{error}");
            assert!(one_line(&error).contains("--trust"), "{command}: {error}");
            assert!(!started.exists(), "{command} started it");
        }
    };
    refuses(&format!("theirs={}", description.display()));
    refuses("exabgp=/bin/true");
    // What the user names is the user's: no word of trust is needed, and the command does run.
    let (_, out, _) = lockstep(&["speakers", &format!("theirs={}", description.display())]);
    assert!(started.exists(), "{out}");
}

/// The process numbers that `replay --stop-at` printed.
fn stopped_processes(out: &str) -> Vec<u32> {
    let lines = out.lines().filter_map(|line| line.split_once(": process "));
    let numbers = lines.filter_map(|(_, rest)| rest.split(',').next()?.parse().ok());
    numbers.collect()
}

#[test]
fn a_guest_is_left_where_a_message_was_sent() {
    if !bird_is_installed() {
        return;
    }
    let plan = scratch("stop").join("plan");
    std::fs::write(&plan, "scenario session-ipv4\nspeaker bird\n").unwrap();
    let stop = |place: &str| lockstep(&["replay", plan.to_str().unwrap(), "--stop-at", place]);
    let (status, out, error) = stop("message 2 of 10.0.0.2#1");
    let processes = stopped_processes(&out);
    let of_the_first = |file: &str| {
        let path = format!("/proc/{}/{file}", processes[0]);
        std::fs::read_to_string(path).unwrap()
    };
    assert_eq!(status, Some(0), "{out}{error}");
    assert_eq!(processes.len(), 1, "{out}");
    let (state, command) = (of_the_first("status"), of_the_first("comm"));
    let killed = std::process::Command::new("kill")
        .args(["-KILL", &processes[0].to_string()])
        .status();
    assert!(killed.unwrap().success());
    assert_eq!(command.trim(), "bird");
    assert!(state.contains("State:\tT"), "stopped, not traced: {state}");
    assert!(state.contains("TracerPid:\t0"), "{state}");
    for (place, expected) in [
        ("message 9 of 10.0.0.2#1", "the speaker sends 3 messages"),
        (
            "message 1 of 10.0.0.9#1",
            "there is no connection 10.0.0.9#1",
        ),
        ("900s", "nothing was stopped: the run was over"),
        ("soon", "is no place"),
    ] {
        let (status, out, error) = stop(place);
        assert_eq!(status, Some(2), "{out}{error}");
        assert!(one_line(&error).contains(expected), "{error}");
    }
}

#[test]
fn a_guest_that_dies_fails_the_run_with_its_last_words_and_its_stack() {
    let directory = scratch("dies");
    let program = directory.join("dies.py");
    let text = "#!/usr/bin/python3\n\
        import os, socket\n\
        socket.create_connection(('10.0.0.2', 179))\n\
        print('about to die', flush=True)\n\
        os.abort()\n";
    std::fs::write(&program, text).unwrap();
    let description = directory.join("dies.toml");
    let text =
        "title = \"dies\"\nexecutable = [\"/usr/bin/python3\"]\nconfiguration = \"minimal.json\"\n";
    let start = format!("start = [\"{}\"]\n", program.display());
    std::fs::write(&description, [text, &start].concat()).unwrap();
    let speaker = format!("dies={}", description.display());
    let directories = ["--scenario-dir", "qa/speakers/scenarios"];
    let plan = directory.join("plan");
    std::fs::write(&plan, format!("scenario announce\nspeaker {speaker}\n")).unwrap();
    let (status, out, error) = lockstep(
        &[
            &["replay", "--trust", plan.to_str().unwrap()],
            &directories[..],
        ]
        .concat(),
    );
    assert_eq!(status, Some(18), "{out}{error}");
    let (status, out, error) = lockstep(
        &[
            &["run", "announce", "--speaker", &speaker],
            &directories[..],
        ]
        .concat(),
    );
    assert_eq!(status, Some(1), "{out}{error}");
    assert!(out.contains("dies was ended by SIGABRT"), "{out}");
    assert!(out.contains("about to die"), "{out}");
    let has_gdb = std::process::Command::new("gdb")
        .arg("--version")
        .output()
        .is_ok();
    let expected = if has_gdb { "abort" } else { "install gdb" };
    assert!(out.contains(expected), "{out}");
    assert_eq!(out.contains("core file: "), has_gdb, "{out}");
}

/// Docker's default profile refuses personality(2) what turns address space randomisation off, and pidfd_getfd(2).
#[test]
fn a_guest_in_a_container_lives_as_outside_and_is_the_same_on_every_run() {
    let container = crate::guest::built("container");
    for speaker in ["bird", "openbgpd"] {
        let variant: Variant = speaker.parse().unwrap();
        if let Err(error) = locate::locate(&variant, None) {
            crate::skipped::skip(error);
            continue;
        }
        for arguments in [
            &["run", "session-ipv4", "--speaker", speaker][..],
            &[
                "verify",
                "session-ipv4",
                "--plans",
                "2",
                "--speaker",
                speaker,
            ],
        ] {
            let done = std::process::Command::new(&container)
                .arg(env!("CARGO_BIN_EXE_lockstep"))
                .args(arguments)
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&done.stdout).into_owned()
                + &String::from_utf8_lossy(&done.stderr);
            assert_eq!(done.status.code(), Some(0), "{speaker}: {said}");
        }
    }
}
