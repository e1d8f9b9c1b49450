//! Faults that only a real daemon can have, in virtual time: each is seen to act, and to act the same twice.

use std::path::{Path, PathBuf};

use lockstep::explore::generate::{Class, generate};
use lockstep::explore::parse::parse;
use lockstep::explore::trial::Trier;
use lockstep::scenario::format::directory;
use lockstep::subject::Variant;

use crate::program::{lockstep, one_line};

/// Daemons and where Debian has them.
const DAEMONS: &[(&str, &str)] = &[
    ("bird", "/usr/sbin/bird"),
    ("frr", "/usr/lib/frr/bgpd"),
    ("gobgp", "/usr/bin/gobgpd"),
    ("openbgpd", "/usr/sbin/bgpd"),
];

fn is_installed(speaker: &str) -> bool {
    let mut known = DAEMONS.iter();
    let found = known.any(|(name, path)| *name == speaker && Path::new(path).is_file());
    if !found {
        crate::skipped::skip(format!("{speaker} is not installed"));
    }
    found
}

fn written(name: &str, text: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest-faults");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// What `replay` prints of session-ipv4 on `speaker` with `lines`, every event; it passes every oracle.
fn story(speaker: &str, lines: &str) -> String {
    let text = format!("scenario session-ipv4\nspeaker {speaker}\nseed 3\n{lines}");
    let name = format!("{speaker}-{}", lines.replace([' ', '\n', '/'], "-"));
    let plan = written(&name, &text);
    let (status, out, error) = lockstep(&["replay", plan.to_str().unwrap(), "-vv"]);
    assert_eq!(status, Some(0), "{text}{out}{error}");
    out
}

/// The line of a story that has the number of calls and their hash.
fn calls(story: &str) -> &str {
    let mut lines = story.lines();
    lines.find(|line| line.contains(" speaker calls ")).unwrap()
}

#[test]
fn order_and_pace_are_drawn_from_the_seed_and_the_same_twice() {
    for speaker in ["frr", "gobgp", "openbgpd"] {
        if !is_installed(speaker) {
            continue;
        }
        let usual = story(speaker, "");
        for lines in [
            "order drawn\n",
            "pace call 1us..300us\n",
            "pace empty-poll 1us..5ms\n",
        ] {
            let changed = story(speaker, lines);
            assert_eq!(changed, story(speaker, lines), "{speaker} {lines}");
            let polls = lines.contains("empty-poll");
            assert!(
                polls || calls(&changed) != calls(&usual),
                "{speaker} {lines} has no effect"
            );
        }
    }
}

/// It says nothing while it stands still, its timers are late by as much, and the session goes on.
#[test]
fn a_daemon_that_stops_goes_on() {
    for (speaker, _) in DAEMONS {
        if !is_installed(speaker) {
            continue;
        }
        let line = "stop speaker at 1ms for 20s\n";
        let stopped = story(speaker, line);
        assert_eq!(stopped, story(speaker, line));
        let said = stopped.lines().filter(|line| line.contains(" sent "));
        let times: Vec<f64> = said
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .collect();
        assert!(!times.is_empty(), "{stopped}");
        assert!(times.iter().all(|at| *at > 20.0), "{speaker}: {times:?}");
    }
}

#[test]
fn a_daemon_is_told_to_read_its_configuration_again() {
    if !is_installed("bird") {
        return;
    }
    let line = "signal speaker reload at 3s\n";
    let reloaded = story("bird", line);
    assert_eq!(reloaded, story("bird", line));
    assert!(
        reloaded.contains("  3.000000 speaker control Reload") || reloaded.contains("econfigur"),
        "{reloaded}"
    );
}

#[test]
fn our_own_speaker_has_no_process_to_stop() {
    for line in ["stop speaker at 1s for 1s", "signal speaker reload at 1s"] {
        let plan = written("own", &format!("scenario api-rr\n{line}\n"));
        let (status, _, error) = lockstep(&["replay", plan.to_str().unwrap()]);
        let error = one_line(&error);
        assert_eq!(status, Some(2), "{error}");
        assert!(error.contains("own:2:1"), "{error}");
        assert!(
            error.contains("our own speaker is no process of its own"),
            "{error}"
        );
    }
}

/// The daemon writes its OPEN while the stall lasts, and reads on when it is over.
#[test]
fn a_stall_before_the_first_octet_ends() {
    if !is_installed("bird") {
        return;
    }
    let story = story("bird", "fault 10.0.0.2#1 received byte 0: stall 2s\n");
    assert!(story.contains("triggered at "), "{story}");
    assert!(!story.contains("Hold timer expired"), "{story}");
    assert!(!story.contains("10.0.0.2#2"), "{story}");
}

#[test]
fn a_pace_a_stop_and_a_reload_are_drawn_for_a_daemon_and_written_as_they_are_read() {
    if !is_installed("bird") {
        return;
    }
    let scenarios = Path::new("scenarios/daemons");
    let mut selected = directory::select(scenarios, &["session-ipv4".to_owned()]).unwrap();
    let bird: Variant = "bird".parse().unwrap();
    let trier = Trier::new(selected.remove(0), None, &[bird]).unwrap();
    let mut drawn = String::new();
    for seed in 1..=60 {
        let class = [Class::Pace, Class::Stop, Class::Reload][seed as usize % 3];
        let plan = generate(trier.profile(), seed, &[class]);
        assert!(!plan.changes_nothing(), "{plan}");
        assert_eq!(parse(&plan.to_string()).unwrap(), plan);
        drawn += &plan.to_string();
    }
    for word in [
        "pace call ",
        "pace empty-poll ",
        "..",
        "00us\n",
        "ms\n",
        "stop speaker at ",
        "signal speaker reload at ",
    ] {
        assert!(drawn.contains(word), "no line with `{word}`");
    }
}

#[test]
fn what_is_wrong_with_a_pace_is_marked() {
    for (line, message, help) in [
        (
            "pace call 3ms..1us",
            "3ms is longer than 1us",
            "write the shorter one first: 1us..3ms",
        ),
        (
            "pace empty-poll 1us..",
            "`` is not a time",
            "or two as a range: 1us..3ms",
        ),
    ] {
        let plan = written(
            "wrong",
            &format!("scenario session-ipv4\nspeaker bird\n{line}\n"),
        );
        let (status, _, error) = lockstep(&["replay", plan.to_str().unwrap()]);
        let error = one_line(&error);
        assert_eq!(status, Some(2), "{error}");
        assert!(error.contains(message), "{error}");
        assert!(error.contains(help), "{error}");
        assert!(error.contains("wrong:3:"), "{error}");
    }
}
