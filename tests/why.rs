//! `lockstep why`: the right cause of sessions that real daemons and the kernel ended, each for a reason that is known.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lockstep::capture::{Happening, StreamDirection};
use lockstep::compare::{Declared, Input};
use lockstep::explore::trial::Trier;
use lockstep::field::why::run::{RunEnd, ends};
use lockstep::field::why::{Confidence, EndCause, Explanation, Why};
use lockstep::reactor::Mode;
use lockstep::report::story::{StoryOptions, story};
use lockstep::report::why as report;
use lockstep::sim::Keep;
use lockstep::subject::Variant;
use proptest::prelude::*;

use crate::capture::{keepalive, message, record, wire};

const CORPUS: &str = "captures/why";

/// Captures that look alike and differ in cause.
const ALIKE: [(&str, &str); 8] = [
    ("process-stopped", "host-unreachable"),
    ("loss-one-way", "mtu-black-hole"),
    ("not-read", "process-stopped"),
    ("send-hold-timer", "unread-input"),
    ("killed", "restarted"),
    ("killed-unread", "unread-input"),
    ("overtaken", "unread-input"),
    ("md5-mismatch", "filtered"),
];

/// The captures of the corpus and the causes that they were made with.
fn corpus() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(format!("{CORPUS}/causes")).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut words = line.split(' ');
            let mut next = || words.next().unwrap().to_owned();
            (next(), next())
        })
        .collect()
}

fn read(mut input: Input) -> Why {
    Why::read(&mut input, Declared::default()).unwrap()
}

fn of_corpus(name: &str) -> Why {
    read(Input::File(format!("{CORPUS}/{name}.pcap").into()))
}

/// The first session that ended: later ones are what came of it.
fn first(why: &Why) -> &Explanation {
    why.sessions.iter().find(|one| one.is_ended()).unwrap()
}

#[test]
fn the_cause_is_right_and_never_certain_and_wrong() {
    let corpus = corpus();
    assert!(corpus.len() >= 20, "{} captures", corpus.len());
    let mut wrong = Vec::new();
    for (name, cause) in &corpus {
        let why = of_corpus(name);
        let answer = first(&why);
        if answer.cause.name() != cause {
            wrong.push(format!("{name}: {} for {cause}", answer.cause.name()));
            assert_ne!(answer.certainty, Confidence::Certain, "{wrong:?}");
        }
        assert!(!answer.story.is_empty(), "{name} has no story");
        assert!(
            !answer.evidence.is_empty() || answer.cause == EndCause::Refused,
            "{name}"
        );
    }
    assert!(wrong.len() * 10 <= corpus.len(), "{wrong:#?}");
}

#[test]
fn what_looks_alike_is_told_apart() {
    let corpus = corpus();
    for (one, other) in ALIKE {
        assert_ne!(corpus[one], corpus[other], "{one} and {other} are the same");
        for name in [one, other] {
            let why = of_corpus(name);
            assert_eq!(first(&why).cause.name(), corpus[name], "{name}");
        }
    }
}

fn text(name: &str) -> String {
    let why = of_corpus(name);
    let answer = [first(&why)];
    let text = report::text(&why, &answer, &format!("{name}.pcap"), false);
    // Times and ports are of the day it was recorded.
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_answer_reads_as_a_paragraph_with_its_evidence() {
    insta::assert_snapshot!("administrative-shutdown", text("administrative-shutdown"));
    insta::assert_snapshot!("overtaken", text("overtaken"));
    insta::assert_snapshot!("process-stopped", text("process-stopped"));
    insta::assert_snapshot!("mtu-black-hole", text("mtu-black-hole"));
}

fn lockstep(arguments: &[&str]) -> (Option<i32>, String) {
    let done = Command::new(Path::new(env!("CARGO_BIN_EXE_lockstep")))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    (done.status.code(), text.into_owned())
}

#[test]
fn json_has_the_end_the_cause_and_the_evidence() {
    let file = format!("{CORPUS}/administrative-shutdown.pcap");
    let (status, text) = lockstep(&["why", "--json", &file]);
    assert_eq!(status, Some(0), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let session = &json["sessions"][0];
    assert_eq!(session["cause"], "administrative-shutdown");
    assert_eq!(session["certainty"], "certain");
    assert_eq!(session["ended"]["code"], 6);
    assert_eq!(session["ended"]["subcode"], 2);
    assert!(
        session["story"]
            .to_string()
            .contains("maintenance of the east line")
    );
    assert!(session["evidence"][0]["message"].is_u64(), "{session}");
    assert_eq!(
        session["replay"],
        format!("lockstep import {file} --session 1")
    );
}

fn open_session(end: &[(StreamDirection, Vec<u8>)]) -> Vec<u8> {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let open = message(1, &[4, 0xfd, 0xe9, 0, 90, 192, 0, 2, 1, 0]);
    let mut said = vec![
        (StreamDirection::FromClient, open.clone()),
        (StreamDirection::FromServer, open),
        (StreamDirection::FromClient, keepalive()),
        (StreamDirection::FromServer, keepalive()),
    ];
    said.extend(end.iter().cloned());
    let mut happenings = vec![(wire, Happening::Opened)];
    happenings.extend(
        said.iter()
            .map(|(way, octets)| (wire, Happening::Data(*way, octets))),
    );
    record(&happenings)
}

#[test]
fn a_capture_without_an_end_says_so() {
    let path = std::env::temp_dir().join(format!("lockstep-why-{}.pcap", std::process::id()));
    std::fs::write(&path, open_session(&[])).unwrap();
    let (status, text) = lockstep(&["why", path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(status, Some(2), "{text}");
    assert!(
        text.contains("no session of this capture ended in it"),
        "{text}"
    );
}

#[test]
fn what_a_terminal_would_act_on_is_escaped() {
    let words = "gone\u{1b}[31m\r\n\u{9b}\u{202e}<script>";
    let mut body = vec![6, 2, words.len() as u8];
    body.extend(words.as_bytes());
    let file = open_session(&[(StreamDirection::FromServer, message(3, &body))]);
    let why = read(Input::Memory("escapes".to_owned(), file));
    let shown: Vec<&Explanation> = why.sessions.iter().collect();
    let text = report::text(&why, &shown, "escapes", false);
    assert!(text.contains("gone"), "{text}");
    let is_bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!text.chars().any(is_bad), "{text:?}");
}

#[test]
fn a_malformed_update_is_named_with_what_rfc_7606_asks_for() {
    // ORIGIN 7: treated as withdrawn by RFC 7606 section 7.1, reset by a speaker that knows RFC 4271 alone.
    let mut attributes = vec![0x40, 1, 1, 7, 0x40, 2, 4, 2, 1, 0xfd, 0xe9];
    attributes.extend([0x40, 3, 4, 192, 0, 2, 1]);
    let mut body = vec![0, 0, 0, attributes.len() as u8];
    body.extend(&attributes);
    body.extend([24, 10, 0, 0]);
    let file = open_session(&[
        (StreamDirection::FromClient, message(2, &body)),
        (
            StreamDirection::FromServer,
            message(3, &[3, 6, 0x40, 1, 1, 7]),
        ),
    ]);
    let why = read(Input::Memory("origin".to_owned(), file));
    let answer = first(&why);
    assert_eq!(answer.cause, EndCause::MalformedMessage);
    let story = answer.story.join(" ");
    assert!(
        story.contains("Message 5") && story.contains("RFC 7606 section 7.1"),
        "{story}"
    );
    assert!(story.contains("RFC 7606 keeps the session"), "{story}");
}

#[test]
fn ends_that_repeat_at_the_same_octet_are_said() {
    let mut happenings = Vec::new();
    let open = message(1, &[4, 0xfd, 0xe9, 0, 90, 192, 0, 2, 1, 0]);
    let update = message(2, &[0; 4]);
    let alive = keepalive();
    for attempt in 1..=3 {
        let wire = wire(
            &format!("192.0.2.1:{}", 40_000 + attempt),
            "192.0.2.2:179",
            attempt,
        );
        happenings.push((wire, Happening::Opened));
        for way in [StreamDirection::FromClient, StreamDirection::FromServer] {
            happenings.push((wire, Happening::Data(way, &open)));
            happenings.push((wire, Happening::Data(way, &alive)));
        }
        happenings.push((wire, Happening::Data(StreamDirection::FromClient, &update)));
        happenings.push((wire, Happening::Reset(StreamDirection::FromServer)));
    }
    let why = read(Input::Memory("repeats".to_owned(), record(&happenings)));
    assert_eq!(why.sessions.len(), 3);
    for answer in &why.sessions {
        let pattern = answer.pattern.as_ref().unwrap();
        assert!(pattern.contains("the same 71 octets"), "{pattern}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_changed_capture_never_panics(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let names: Vec<String> = corpus().into_keys().collect();
        let name = which.get(&names);
        let mut octets = std::fs::read(format!("{CORPUS}/{name}.pcap")).unwrap();
        octets.truncate(20_000);
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets.truncate(24 + cut.index(octets.len()));
        let mut input = Input::Memory("changed".to_owned(), octets);
        if let Ok(why) = Why::read(&mut input, Declared::default()) {
            let shown: Vec<&Explanation> = why.sessions.iter().collect();
            let _ = report::text(&why, &shown, "changed", false);
            let _ = report::json(&why, &shown, "changed");
        }
    }
}

/// The story of `plan` with our own speaker's poll loop, and how its connections ended.
fn told_of(plan: &str) -> (String, Vec<RunEnd>) {
    let plan = lockstep::explore::parse::parse(plan).unwrap();
    let scenario = lockstep::scenario::format::parse::load(Path::new("scenarios/api-rr")).unwrap();
    let variant = Variant::own(Mode::Sync);
    let trier = Trier::new(scenario, None, std::slice::from_ref(&variant)).unwrap();
    let (_, ran) = trier.try_variant(&plan, &variant, Keep::All).unwrap();
    let ran = ran.unwrap();
    let options = StoryOptions {
        captured: None,
        until: Duration::MAX,
        lines: usize::MAX,
        colours: false,
    };
    (story(&ran.played, &options), ends(&plan, &ran))
}

#[test]
fn a_plan_is_refused_what_is_for_captures_and_says_which_fault_never_came() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("why-untriggered-plan");
    let late = "fault 127.0.0.1#1 sent byte 99999999: reset";
    let text =
        format!("scenario api-rr\nmode sync\nfault 127.0.0.1#1 sent byte 90: reset\n{late}\n");
    std::fs::write(&path, text).unwrap();
    let plan = path.to_str().unwrap();
    let (status, text) = lockstep(&["why", plan]);
    assert_eq!(status, Some(2), "{text}");
    assert!(
        text.contains("never triggered: 127.0.0.1#1 sent byte 99999999: reset"),
        "{text}"
    );
    let (status, text) = lockstep(&["why", plan, "--peer", "10.9.9.9"]);
    assert_eq!(status, Some(2), "{text}");
    assert!(
        text.contains("no connection with 10.9.9.9 of this run"),
        "{text}"
    );
    for option in [["--session", "1"], ["--as-width", "2"]] {
        let (status, text) = lockstep(&["why", plan, option[0], option[1]]);
        assert_eq!(status, Some(2), "{text}");
        assert!(text.contains("is for captures"), "{text}");
    }
}

#[test]
fn the_cause_of_a_run_is_the_one_that_its_plan_has() {
    let cases = [
        ("received byte 90: reset by peer", EndCause::PlanFault),
        ("sent byte 90: reset", EndCause::PlanFault),
        ("received time 1s: close", EndCause::PlanFault),
        ("received byte 90: silence", EndCause::HoldTimer),
        ("received byte 90: stall", EndCause::HoldTimer),
    ];
    for (fault, cause) in cases {
        let line = format!("fault 127.0.0.1#1 {fault}");
        let (_, ends) = told_of(&format!("scenario api-rr\n{line}\n"));
        let end = ends
            .first()
            .unwrap_or_else(|| panic!("{fault}: nothing ended"));
        assert_eq!(end.cause, cause, "{fault}: {end:?}");
        assert_eq!(end.certainty, Confidence::Certain, "{fault}");
        let (at, trigger) = end.trigger.as_ref().unwrap();
        assert_eq!(trigger, &line);
        assert!(*at <= end.at);
        assert!(end.consequences[0].1.contains("→ IDLE"), "{fault}: {end:?}");
    }
    let (_, ends) = told_of("scenario api-rr\n");
    assert!(ends.is_empty(), "{ends:?}");
}

#[test]
fn a_story_has_messages_states_and_faults_in_their_order() {
    let (story, _) =
        told_of("scenario api-rr\nfault 127.0.0.1#1 received byte 90: reset by peer\n");
    let places: Vec<usize> = [
        "127.0.0.1#1 opened by the speaker",
        "──▶  OPEN AS 1 ",
        "OPENCONFIRM → ESTABLISHED",
        "fault 127.0.0.1#1 received byte 90: reset by peer",
        "ESTABLISHED → IDLE",
        "127.0.0.1#2 opened by the speaker",
    ]
    .iter()
    .map(|part| {
        story
            .find(part)
            .unwrap_or_else(|| panic!("no {part} in\n{story}"))
    })
    .collect();
    assert!(places.is_sorted(), "{story}");
}
