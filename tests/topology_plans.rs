//! Plans for scenarios with several hosts: partitions, crashes and faults that name their host.

use std::path::Path;
use std::time::Duration;

use lockstep::explore::feasible;
use lockstep::explore::generate::{Class, generate};
use lockstep::explore::parse::parse;
use lockstep::explore::plan::Plan;
use lockstep::explore::shrink::shrink;
use lockstep::explore::trial::Trier;
use lockstep::scenario::format::parse as scenario;
use lockstep::scenario::format::script::Scenario;
use lockstep::sim::Keep;
use lockstep::subject::Variant;

fn load(name: &str) -> Scenario {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/topologies");
    scenario::load(&root.join(name)).expect(name)
}

fn trier(name: &str) -> Trier {
    Trier::new(load(name), None, &Variant::both()).expect(name)
}

fn plan(lines: &str) -> Plan {
    parse(&format!("scenario x\nseed 0\n{lines}")).expect(lines)
}

#[test]
fn sessions_recover_from_partitions_and_crashes_of_hosts() {
    let trier = trier("learned-and-told");
    for lines in [
        "partition transit border at 1s for 200s\n",
        "partition border sink at 10ms for 5s\npartition sink border at 2s for 300s\n",
        "crash border at 1s for 3s\n",
        "fault transit/10.0.2.2#1 sent byte 60: reset\n",
        "fault border/10.0.2.1<1 received byte 100: silence 200s\n",
    ] {
        let plan = plan(lines);
        assert_eq!(plan.to_string(), format!("scenario x\nseed 0\n{lines}"));
        for variant in Variant::both() {
            let [first, second] =
                [(); 2].map(|()| trier.try_variant(&plan, &variant, Keep::All).expect(lines));
            let (trial, ran) = first;
            assert!(
                trial.failures.is_empty(),
                "{lines} {variant}: {:?}",
                trial.failures
            );
            assert_eq!(trial.missed, 0, "{lines} {variant}");
            assert_eq!(trial.hash, second.0.hash, "{lines} {variant}");
            let marks = ran.expect("it ends").played.marks;
            let first = lines.lines().next().expect("a line");
            let told = first.trim_start_matches("fault ");
            assert!(
                marks.iter().any(|mark| mark.text == told),
                "{told}: {marks:#?}"
            );
        }
    }
}

#[test]
fn seeds_draw_partitions_and_the_hosts_that_crash() {
    let trier = trier("learned-and-told");
    let classes = [Class::Partition, Class::CrashSpeaker];
    let plans = (1..=60).map(|seed| generate(trier.profile(), seed, &classes).to_string());
    let plans: String = plans.collect();
    for line in [
        "\npartition source transit at ",
        "\npartition transit border at ",
        "\npartition border sink at ",
        "\ncrash transit at ",
        "\ncrash border at ",
    ] {
        assert!(plans.contains(line), "never drawn: {line}");
    }
    for seed in 1..=20 {
        let plan = generate(trier.profile(), seed, Class::ALL);
        for trial in trier
            .try_plan(&plan, &trier.variants())
            .expect("it is feasible")
        {
            assert!(trial.failures.is_empty(), "{plan}: {:?}", trial.failures);
        }
    }
}

#[test]
fn a_partition_ends_sessions_only_where_it_is_long_enough() {
    let trier = trier("learned-and-told");
    let plan = plan("partition transit border at 1s for 400s\ncrash border at 700s for 1ms\n");
    let variant = &Variant::both()[1];
    let ends = |candidate: &Plan| {
        let (_, ran) = trier
            .try_variant(candidate, variant, Keep::Hash)
            .expect("it runs");
        let ran = ran.expect("it ends");
        let mut connections = ran.wire.connections.iter();
        let first = connections.find(|it| it.name.to_string() == "transit/10.0.2.2#1");
        let ended = first.expect("it is opened").ended;
        ended.is_some_and(|(at, _)| at < ran.played.over.min(Duration::from_secs(600)))
    };
    let shrunk = shrink(&plan, &ends, |_, _| ()).plan;
    let [partition] = shrunk.partitions().collect::<Vec<_>>()[..] else {
        panic!("{shrunk}");
    };
    assert_eq!(shrunk.host_faults.len(), 1, "{shrunk}");
    assert!((60..=181).contains(&partition.time.as_secs()), "{shrunk}");
}

#[test]
fn a_plan_that_its_topology_cannot_carry_out_says_what_would_be_right() {
    let scenario = load("learned-and-told");
    let neighbors = scenario
        .topology
        .hosts
        .iter()
        .flat_map(|it| it.addresses.clone())
        .collect();
    let mistakes: Vec<String> = [
        "partition transit bordr at 1s for 2s\n",
        "partition source sink at 1s for 2s\n",
        "partition sink sink at 1s for 2s\n",
        "crash speaker at 1s for 2s\n",
        "crash sink at 1s for 2s\n",
        "crash nobody at 1s for 2s\n",
        "fault 10.0.2.2#1 sent byte 1: reset\n",
        "fault trnsit/10.0.2.2#1 sent byte 1: reset\n",
    ]
    .iter()
    .map(|line| {
        let mistake = feasible::check(&plan(line), &scenario, &neighbors).expect_err(line);
        let word = mistake.word.unwrap_or_default();
        format!("{line}  {word}: {}\n  {}\n", mistake.message, mistake.help)
    })
    .collect();
    insta::assert_snapshot!(mistakes.join("\n"));
}

#[test]
fn a_scenario_without_hosts_has_no_partitions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/conf-ebgp");
    let scenario = scenario::load(&root).expect("it is there");
    let line = "partition speaker peer at 1s for 2s\n";
    let neighbors = std::collections::BTreeSet::new();
    let mistake = feasible::check(&plan(line), &scenario, &neighbors).expect_err(line);
    assert_eq!(mistake.message, "scenario `conf-ebgp` declares no hosts");
}

#[test]
fn the_pace_of_a_guest_is_printed_as_it_is_read() {
    let lines = "pace call 2us\npace empty-poll 3ms\npace late-poll 50s\n";
    let plan = parse(&format!("scenario x\nspeaker bird\n{lines}")).unwrap();
    assert!(plan.to_string().contains(lines), "{plan}");
    let error = parse("scenario x\nspeaker bird\npace late-poll 2min\n").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`pace late-poll` cannot be 120s"),
        "{error}"
    );
}
