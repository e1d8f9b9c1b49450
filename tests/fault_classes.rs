//! Every class of faults: drawn from seeds, written as a line that is read back, and seen to act in both reactors.

use std::collections::BTreeSet;
use std::path::Path;

use lockstep::explore::generate::{Class, generate};
use lockstep::explore::parse::parse;
use lockstep::explore::probe::Probe;
use lockstep::explore::trial::Trier;
use lockstep::reactor::Mode;
use lockstep::scenario::format::parse as scenario;
use lockstep::sim::Keep;
use lockstep::subject::Variant;

/// A class, a plan of it for api-rr, and lines that the story must then have, as they begin after the host's name.
const TABLE: &[(Class, &str, &[&str])] = &[
    (
        Class::Reset,
        "fault 127.0.0.1#1 received byte 117: reset",
        &["0.007000 127.0.0.1#1 broken: connection reset"],
    ),
    (
        // The RST comes the way that octets come: it takes its time.
        Class::Reset,
        "fault 127.0.0.1#1 received byte 117: reset by peer",
        &["0.008000 127.0.0.1#1 broken: connection reset"],
    ),
    (
        Class::Reset,
        "fault 127.0.0.1#1 sent time 0.0065s: reset",
        &["0.006500 127.0.0.1#1 broken: connection reset"],
    ),
    (
        Class::Close,
        "fault 127.0.0.1#1 sent byte 117: close",
        &["0.005000 127.0.0.1#1 finished by the peer"],
    ),
    (
        Class::Close,
        "fault 127.0.0.1#1 received byte 117: half-close",
        &["0.007000 127.0.0.1#1 finished by the peer"],
    ),
    (
        Class::Close,
        "fault 127.0.0.1#1 sent byte 117: half-close",
        &["0.005000 127.0.0.1#1 broken: broken pipe"],
    ),
    (
        Class::Stall,
        "fault 127.0.0.1#1 sent byte 117: stall 2s",
        &[
            "0.005000 127.0.0.1#1 send buffer full",
            "2.005000 127.0.0.1#1 sent ",
        ],
    ),
    (
        Class::Stall,
        "fault 127.0.0.1#1 received byte 76: stall 2s",
        &["2.004000 127.0.0.1#1 received "],
    ),
    (
        Class::Slow,
        "fault 127.0.0.1#1 sent byte 10: slow 100",
        &[
            "0.002000 127.0.0.1#1 sent 5 ",
            "0.052000 127.0.0.1#1 sent 5 ",
        ],
    ),
    (
        // A slow reader.
        Class::Slow,
        "fault 127.0.0.1#1 received byte 10: slow 100",
        &[
            "0.004000 127.0.0.1#1 received 5 ",
            "0.054000 127.0.0.1#1 received 5 ",
        ],
    ),
    (
        Class::Latency,
        "latency 50ms",
        &["0.100000 127.0.0.1#1 open "],
    ),
    (
        Class::Bandwidth,
        "bandwidth 200",
        &["1.669000 127.0.0.1#1 received 76 "],
    ),
    (
        Class::Split,
        "fault 127.0.0.1#1 sent byte 0: split 1",
        &["0.002000 127.0.0.1#1 sent 1 ff"],
    ),
    (
        Class::Split,
        "fault 127.0.0.1#1 received byte 0: split 1",
        &["0.004000 127.0.0.1#1 received 1 ff"],
    ),
    (
        Class::Coalesce,
        "fault 127.0.0.1#1 received byte 50: coalesce 500 0.04s",
        &["0.044000 127.0.0.1#1 received 26 "],
    ),
    (
        Class::Coalesce,
        "fault 127.0.0.1#1 sent byte 57: coalesce 500 0.04s",
        // What was held comes to the peer so much later, and so does its answer here.
        &["0.046000 127.0.0.1#1 received "],
    ),
    (
        Class::Refuse,
        "fault 127.0.0.1#1 sent opening: refuse",
        &["0.000000 127.0.0.1#1 failed: connection refused"],
    ),
    (
        Class::Refuse,
        "fault 127.0.0.1#1 sent opening: ignore",
        &["135.168000 127.0.0.1#1 failed: timed out"],
    ),
    (
        Class::Silence,
        "fault 127.0.0.1#1 received byte 95: silence 300s",
        &["speaker expired 127.0.0.1#1 Hold"],
    ),
    (
        Class::Window,
        "window 20",
        &["0.008000 127.0.0.1#1 received 20 "],
    ),
    (
        Class::CrashSpeaker,
        "crash speaker at 6ms for 1s",
        &[
            "0.006000 speaker ended",
            "1.006000 speaker program-started announce-routes",
        ],
    ),
    (
        Class::CrashPeer,
        "crash peer 127.0.0.1 at 6ms for 1s",
        &[
            "0.007000 127.0.0.1#1 broken: connection reset",
            "127.0.0.1#2 failed: connection refused",
        ],
    ),
    (
        Class::Program,
        "program announce-routes late 500ms",
        &["0.500000 speaker command announce-routes announce route 192.168.0.0/32"],
    ),
    (
        Class::Program,
        "program announce-routes slow 500ms",
        &["1.000000 speaker command announce-routes announce route 192.168.0.0/32"],
    ),
    (
        Class::Program,
        "program announce-routes dies 4",
        &["0.005000 speaker program-ended announce-routes its output ended"],
    ),
    (
        Class::Program,
        "program announce-routes floods 100",
        &["0.000000 speaker command announce-routes # flood"],
    ),
    (
        // A clock that runs a fifth fast is due after 50 s.
        Class::Skew,
        "skew 200000\nwatch 70s",
        &["50.004000 127.0.0.1#1 sent 19 "],
    ),
    (
        Class::Collide,
        "peer 127.0.0.1 connects",
        &[
            "127.0.0.1<1 open 127.0.0.1:1179 ",
            "speaker collision 127.0.0.1#1 127.0.0.1<1",
        ],
    ),
    (
        Class::Deaf,
        "fault 127.0.0.1#1 sent byte 99: stall\npeer 127.0.0.1 patient",
        &["speaker expired 127.0.0.1#1 SendHold"],
    ),
    (
        // The second half of the KEEPALIVE that confirms the OPEN is lost; a tail loss probe makes it good.
        Class::Loss,
        "fault 127.0.0.1#1 sent byte 60: lose",
        &["0.022000 127.0.0.1#1 received 19 "],
    ),
    (Class::Loss, "loss 5%", &["127.0.0.1#1 open "]),
];

fn trier(name: &str) -> Trier {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    Trier::new(
        scenario::load(&directory.join(name)).unwrap(),
        None,
        &Variant::both(),
    )
    .unwrap()
}

#[test]
fn every_class_acts_in_both_reactors_and_no_oracle_minds() {
    let trier = trier("api-rr");
    let mut wrong = Vec::new();
    for (class, lines, evidence) in TABLE {
        let plan = parse(&format!("scenario api-rr\n{lines}\n")).unwrap();
        assert!(plan.to_string().contains(lines), "{plan}");
        for mode in Mode::ALL {
            let (trial, ran) = trier
                .try_variant(&plan, &Variant::own(mode), Keep::All)
                .unwrap();
            let ran = ran.unwrap();
            let story: Vec<String> = ran
                .records
                .iter()
                .map(|record| record.to_string().replacen(" speaker ", " ", 1))
                .collect();
            for wanted in *evidence {
                if !story.iter().any(|line| line.contains(wanted)) {
                    wrong.push(format!("{class} {mode} `{lines}`: no line with `{wanted}`"));
                }
            }
            for failure in trial.failures {
                wrong.push(format!("{class} {mode} `{lines}`: {failure:?}"));
            }
            if trial.missed > 0 {
                wrong.push(format!("{class} {mode} `{lines}`: it did not strike"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let shown: BTreeSet<Class> = TABLE.iter().map(|(class, ..)| *class).collect();
    let all = Class::ALL.iter().copied();
    let missing: Vec<Class> = all.filter(|class| !shown.contains(class)).collect();
    let elsewhere = [
        Class::Order,
        Class::Partition,
        Class::Pace,
        Class::Stop,
        Class::Reload,
    ];
    assert_eq!(
        missing, elsewhere,
        "the next test, topology_plans, guest_faults"
    );
}

#[test]
fn an_order_drawn_from_the_seed_is_another_run() {
    let trier = trier("api-multiple-api");
    for mode in Mode::ALL {
        let hashes: BTreeSet<_> = (0..20)
            .map(|seed| {
                let plan = parse(&format!(
                    "scenario api-multiple-api\nseed {seed}\norder drawn\n"
                ));
                trier
                    .try_variant(&plan.unwrap(), &Variant::own(mode), Keep::Hash)
                    .unwrap()
                    .0
                    .hash
            })
            .collect();
        assert!(hashes.len() > 1, "{mode}");
    }
}

#[test]
fn seeds_switch_classes_on_and_off_and_draw_every_action() {
    let trier = trier("api-rr");
    let drawn = |classes: &[Class]| -> String {
        let plans = (1..=60).map(|seed| generate(trier.profile(), seed, classes).to_string());
        plans.collect()
    };
    let words: &[(Class, &[&str])] = &[
        (Class::Reset, &[": reset\n", ": reset by peer\n", " time "]),
        (Class::Close, &[": close\n", ": half-close\n"]),
        (Class::Stall, &["sent byte", "received byte", ": stall "]),
        (Class::Slow, &[": slow "]),
        (Class::Latency, &["\nlatency ", "\njitter "]),
        (Class::Bandwidth, &["\nbandwidth "]),
        (Class::Split, &["sent byte", "received byte", ": split "]),
        (
            Class::Coalesce,
            &["sent byte", "received byte", ": coalesce "],
        ),
        (Class::Refuse, &["opening: refuse", "opening: ignore"]),
        (Class::Silence, &[": silence "]),
        (Class::Window, &["\nwindow "]),
        (Class::CrashSpeaker, &["crash speaker "]),
        (Class::CrashPeer, &["crash peer "]),
        (Class::Program, &[" late ", " slow ", " dies ", " floods "]),
        (Class::Skew, &["\nskew "]),
        (Class::Order, &["\norder drawn"]),
        (Class::Collide, &["peer 127.0.0.1 connects"]),
        (Class::Deaf, &[": stall\n", "peer 127.0.0.1 patient"]),
        (Class::Loss, &["\nloss ", ": lose\n", ": lose 2\n"]),
        // Without links there is nothing to cut: topology_plans has some.
        (Class::Partition, &[]),
        // Our own speaker is no process: guest_faults draws these.
        (Class::Pace, &[]),
        (Class::Stop, &[]),
        (Class::Reload, &[]),
    ];
    let named: Vec<Class> = words.iter().map(|(class, _)| *class).collect();
    assert_eq!(named, Class::ALL);
    for (class, words) in words {
        let plans = drawn(&[*class]);
        for word in *words {
            assert!(plans.contains(word), "{class} never draws `{word}`");
        }
    }
    // A swarm: no plan has every class, and most classes are in some plans and not in others.
    let plan = |seed| generate(trier.profile(), seed, Class::ALL).to_string();
    let crashed = (1..=60)
        .filter(|seed| plan(*seed).contains("crash speaker"))
        .count();
    assert!((5..55).contains(&crashed), "{crashed}");
}

/// What the README says of probes: a sweep that reached none says so. One of all classes reaches all.
#[test]
fn a_sweep_of_every_class_reaches_every_rare_path() {
    let trier = trier("api-rr-rib");
    let mut reached = BTreeSet::new();
    for seed in 1..=400 {
        let plan = generate(trier.profile(), seed, Class::ALL);
        for trial in trier.try_plan(&plan, &Variant::both()).unwrap() {
            assert!(trial.failures.is_empty(), "{plan}{:?}", trial.failures);
            reached.extend(trial.probes);
        }
        if reached.len() == Probe::ALL.len() {
            return;
        }
    }
    let missed: Vec<String> = Probe::ALL
        .iter()
        .filter(|probe| !reached.contains(probe))
        .map(ToString::to_string)
        .collect();
    panic!("never reached: {}", missed.join("; "));
}
