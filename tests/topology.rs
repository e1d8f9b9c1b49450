//! Hosts, links and partitions: the scenarios that have them pass, and what is wrong with one is shown where it is.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use lockstep::reactor::defects::Defects;
use lockstep::report::html;
use lockstep::scenario::format::directory;
use lockstep::scenario::format::parse;
use lockstep::scenario::format::script::Scenario;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::play::play;
use lockstep::scenario::run::played::RunResult;
use lockstep::scenario::run::suite::Case;
use lockstep::scenario::run::verdict::judge;
use lockstep::subject::Variant;

use crate::scenario_files::rendered;

/// How the mistake in `text` is shown; a description and two hosts with a link stand before it.
fn mistake(text: &str) -> String {
    let text = format!(
        "about x\nhost edge 10.0.0.1 fd00::1\nhost core 10.0.0.2\nlink edge core latency 5ms\n{text}\n"
    );
    rendered(&text)
}

#[test]
fn a_host_that_is_wrong_is_shown() {
    insta::assert_snapshot!("a_host_without_address", mistake("host leaf"));
    insta::assert_snapshot!(
        "an_address_used_twice",
        mistake("host leaf 10.0.0.3 fd00::1")
    );
    insta::assert_snapshot!(
        "an_address_twice_on_one_host",
        mistake("host leaf 10.0.0.3 10.0.0.3")
    );
    insta::assert_snapshot!("a_name_used_twice", mistake("host edge 10.0.0.3"));
    insta::assert_snapshot!("a_host_without_name", mistake("host 10.0.0.3"));
    insta::assert_snapshot!("a_loopback_address", mistake("host leaf 127.0.0.1"));
    insta::assert_snapshot!("no_address", mistake("host leaf 10.0.0.300"));
    insta::assert_snapshot!("a_name_that_is_none", mistake("host le/af 10.0.0.3"));
}

#[test]
fn a_link_that_is_wrong_is_shown() {
    insta::assert_snapshot!("a_link_to_an_unknown_host", mistake("link edge croe"));
    insta::assert_snapshot!("a_link_to_itself", mistake("link edge edge latency 5ms"));
    insta::assert_snapshot!("a_link_declared_twice", mistake("link core edge loss 1%"));
    insta::assert_snapshot!(
        "a_setting_that_no_link_has",
        mistake("host leaf 10.0.0.3\nlink edge leaf latnecy 5ms")
    );
    insta::assert_snapshot!(
        "a_bandwidth_of_nothing",
        mistake("host leaf 10.0.0.3\nlink edge leaf bandwidth 0")
    );
}

#[test]
fn a_partition_that_is_wrong_is_shown() {
    insta::assert_snapshot!(
        "a_partition_of_an_unknown_host",
        mistake("partition edge leaf at 2s for 10s")
    );
    insta::assert_snapshot!(
        "a_partition_without_a_link",
        mistake("host leaf 10.0.0.3\npartition edge leaf at 2s for 10s")
    );
    insta::assert_snapshot!(
        "a_partition_of_one_host",
        mistake("partition core core at 2s for 10s")
    );
    insta::assert_snapshot!(
        "a_partition_without_end",
        mistake("partition edge core at 2s")
    );
}

#[test]
fn a_speaker_or_peer_on_the_wrong_host_is_shown() {
    insta::assert_snapshot!("a_speaker_on_an_unknown_host", mistake("speaker cor"));
    insta::assert_snapshot!(
        "two_speakers_on_a_host",
        mistake("speaker edge\nspeaker edge")
    );
    insta::assert_snapshot!(
        "a_peer_beside_a_speaker",
        mistake("speaker edge\npeer fd00::1")
    );
    insta::assert_snapshot!(
        "a_speaker_beside_a_peer",
        mistake("peer core\nspeaker core")
    );
    insta::assert_snapshot!("a_peer_on_no_host", mistake("peer 10.0.0.9"));
    insta::assert_snapshot!(
        "a_host_without_a_role",
        mistake("speaker edge\nspeaker edge2")
    );
    insta::assert_snapshot!(
        "an_idle_host",
        mistake("host leaf 10.0.0.3\nspeaker edge\npeer leaf")
    );
    insta::assert_snapshot!("no_host_for_the_speaker", mistake("peer edge\npeer core"));
    insta::assert_snapshot!(
        "a_speaker_that_is_unknown",
        mistake("speaker edge\n  is exabg")
    );
    insta::assert_snapshot!(
        "a_setting_that_no_speaker_has",
        mistake("speaker edge\n  confg a.conf")
    );
    insta::assert_snapshot!(
        "an_event_at_an_unknown_host",
        mistake("speaker edge\npeer core\n  wait up from leaf")
    );
}

#[test]
fn without_links_every_host_reaches_every_other() {
    let text = "about x\nhost edge 10.0.0.1\nhost core 10.0.0.2\npeer core\n  expect eor\n";
    let scenario = parse::parse(Path::new("x"), text).expect("it is a scenario");
    let [edge, core] = [0, 1].map(|number: usize| scenario.topology.hosts[number].name);
    assert!(scenario.topology.connects(edge, core));
    assert_eq!(scenario.speakers.len(), 1);
    assert_eq!(scenario.speakers[0].host, edge);
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/topologies")
}

fn played(scenario: &Rc<Scenario>, variant: &Variant) -> RunResult {
    play(scenario, variant, NetworkKind::Sim, Defects::default()).expect("it can be played")
}

/// The scenario `name`, its text changed by `change`.
fn changed(name: &str, change: impl Fn(&str) -> String) -> Rc<Scenario> {
    let directory = scenarios().join(name);
    let text = std::fs::read_to_string(directory.join("scenario")).expect("it is there");
    let changed = change(&text);
    assert_ne!(text, changed);
    Rc::new(parse::parse(&directory, &changed).expect("it is a scenario"))
}

#[test]
fn every_topology_passes_in_both_modes_and_gives_one_trace() {
    let all = directory::select(&scenarios(), &[]).expect("they can be read");
    let ours = all.into_iter().filter(|scenario| {
        let mut speakers = scenario.speakers.iter();
        speakers.all(|speaker| speaker.variant.is_none())
    });
    let ours: Vec<Scenario> = ours.collect();
    assert!(ours.len() >= 4);
    for scenario in ours.into_iter().map(Rc::new) {
        for variant in Variant::both() {
            let runs = [(); 2].map(|()| played(&scenario, &variant));
            let verdict = judge(&scenario, None, &runs[0]);
            assert!(
                verdict.faults.is_empty(),
                "{} {variant}: {verdict:?}",
                scenario.name
            );
            assert_eq!(runs[0].hash, runs[1].hash, "{} {variant}", scenario.name);
        }
    }
}

#[test]
fn without_its_partition_no_session_ends() {
    let scenario = changed("partition-outlives-hold-time", |text| {
        text.replace("partition edge core at 2s for 30s\n", "")
    });
    for variant in Variant::both() {
        let failure = played(&scenario, &variant)
            .failure
            .expect("it waits in vain");
        assert_eq!(failure.message, "the run did not end within 120 s");
    }
}

#[test]
fn a_partition_shorter_than_the_hold_time_ends_no_session() {
    let scenario = changed("partition-outlives-hold-time", |text| {
        text.replace("for 30s", "for 3s")
    });
    for variant in Variant::both() {
        assert!(played(&scenario, &variant).failure.is_some());
    }
}

#[test]
fn hosts_without_a_link_do_not_reach_each_other() {
    let scenario = changed("learned-and-told", |text| {
        text.replace("link border sink latency 1ms\n", "")
    });
    for variant in Variant::both() {
        let ran = played(&scenario, &variant);
        assert!(ran.failure.is_some());
        let mut reasons = ran
            .marks
            .iter()
            .filter(|mark| mark.text.contains("not opened"));
        let reason = &reasons.next().expect("connecting fails").text;
        assert!(
            reason.starts_with("border/10.0.3.2#1 not opened: "),
            "{reason}"
        );
        assert!(reason.to_lowercase().contains("unreachable"), "{reason}");
    }
}

#[test]
fn a_link_is_as_slow_as_it_says() {
    let scenario = changed("speaker-peer-speaker", |text| {
        text.replace(
            "link east middle latency 2ms",
            "link east middle latency 200ms",
        )
    });
    let opened = |scenario: &Rc<Scenario>| {
        let ran = played(scenario, &Variant::both()[0]);
        let mut transcripts = ran.transcripts.iter();
        let east = transcripts.find(|it| it.name.to_string() == "east/10.0.1.2#1");
        east.expect("east connects").opened
    };
    let as_it_is = changed("speaker-peer-speaker", |text| {
        text.replace("about    ", "about ")
    });
    let later = opened(&scenario) - opened(&as_it_is);
    // The SYN and its answer.
    assert!((396..=596).contains(&later.as_millis()), "{later:?}");
}

#[test]
fn the_page_has_a_ladder_for_each_pair_of_hosts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures).expect("it can be read");
    let names = ["learned-and-told".to_owned()];
    let mut scenarios = directory::select(&scenarios(), &names).expect("it is there");
    let case = Case::new(scenarios.remove(0), &captures, &manifest).expect("it has no golden");
    let reports = Variant::both().map(|variant| {
        case.run(&variant, NetworkKind::Sim, &[])
            .expect("it can be played")
    });
    let page = html::document(std::slice::from_ref(&case), &reports);
    for lane in ["transit – source", "border – transit", "border – sink"] {
        for mode in ["sync", "async"] {
            assert!(
                page.contains(&format!("\"label\":\"{mode} {lane}\"")),
                "{mode} {lane}"
            );
        }
    }
}

#[test]
fn what_two_speakers_say_to_each_other_is_in_the_story() {
    let scenario =
        Rc::new(parse::load(&scenarios().join("learned-and-told")).expect("it is there"));
    for variant in Variant::both() {
        let ran = played(&scenario, &variant);
        let [session] = ran.between.as_slice() else {
            panic!("{:?}", ran.between);
        };
        assert_eq!(session.name.to_string(), "transit/10.0.2.2#1");
        let opens = session.messages.iter().filter(|it| it.bytes[18] == 1);
        let opens: Vec<bool> = opens.map(|it| it.from_speaker).collect();
        assert_eq!(opens, [true, false]);
        // 203.0.113.0/24 from 10.0.2.1.
        let told = session.messages.iter().any(|it| {
            it.from_speaker
                && it.bytes.ends_with(&[24, 203, 0, 113])
                && it.bytes.windows(4).any(|it| it == [10, 0, 2, 1])
        });
        assert!(told, "{session:?}");
    }
}
