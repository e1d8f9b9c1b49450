//! Settings of a host's TCP, in scenarios and in plans.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use lockstep::explore::{feasible, parse as plan};
use lockstep::reactor::defects::Defects;
use lockstep::scenario::format::parse;
use lockstep::scenario::format::script::Scenario;
use lockstep::scenario::run::mark::MarkKind;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::play::play;
use lockstep::sim::TcpSettings;
use lockstep::subject::Variant;

use crate::scenario_files::rendered;

/// How the mistake in `lines` is shown, two hosts before them.
fn mistake(lines: &str) -> String {
    let text = format!("about x\nhost edge 10.0.0.1\n{lines}\nhost core 10.0.0.2\npeer core\n");
    rendered(&text)
}

#[test]
fn an_impossible_setting_names_its_bounds() {
    let mistakes = [
        "tcp retries2 256",
        "tcp core syn_retries 0",
        "tcp tcp_keepalive_time 7200s",
        "tcp rto_min_ms 5000\ntcp rto_max_ms 4999",
        "tcp edge local_port_last 40000\ntcp local_port_first 40001",
        "tcp core rto_min_ms 99999999999999999999",
        "tcp retires2 8",
        "tcp edge retires2 8",
        "tcp egde retries2 8",
        "tcp retries2",
        "tcp",
        "tcp edge retries2 8 9",
    ];
    insta::assert_snapshot!(mistakes.map(mistake).join("\n"));
}

/// The scenario in which a partition of 30 s outlives a hold time of 9 s, with `lines`.
fn partitioned(lines: &str) -> Rc<Scenario> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios/topologies/partition-outlives-hold-time");
    let text = std::fs::read_to_string(directory.join("scenario")).expect("it is there");
    let text = text.replace("golden none\n", &format!("golden none\n{lines}"));
    Rc::new(parse::parse(&directory, &text).expect("it is a scenario"))
}

/// When edge and core lost the first session, in seconds, in either mode.
fn lost(scenario: &Rc<Scenario>) -> [[f64; 2]; 2] {
    Variant::both().map(|variant| {
        let ran = play(scenario, &variant, NetworkKind::Sim, Defects::default());
        let ran = ran.expect("it can be played");
        assert_eq!(ran.failure.map(|failure| failure.message), None);
        ["edge-routes", "core-routes"].map(|program| {
            let mut marks = ran.marks.iter().filter(|mark| {
                mark.kind == MarkKind::Program
                    && mark.text.contains(program)
                    && mark.text.contains(" down")
            });
            marks
                .next()
                .expect("the session goes down")
                .at
                .as_secs_f64()
        })
    })
}

#[test]
fn a_host_has_settings_of_its_own() {
    for [edge, core] in lost(&partitioned("")) {
        // Their hold timers expire.
        assert!((9.0..10.0).contains(&edge), "{edge}");
        assert!((9.0..10.0).contains(&core), "{core}");
    }
    for [edge, core] in lost(&partitioned("tcp edge retries2 1\n")) {
        // It gives up what it sends at 3 s; the other hears nothing of it.
        assert!((3.0..5.0).contains(&edge), "{edge}");
        assert!((9.0..10.0).contains(&core), "{core}");
    }
    for ends in lost(&partitioned("tcp tcp_retries2 1\n")) {
        for end in ends {
            assert!((3.0..5.0).contains(&end), "{end}");
        }
    }
    let last = partitioned("tcp edge retries2 1\ntcp core retries2 1\ntcp retries2 15\n");
    assert_eq!(lost(&last), lost(&partitioned("")));
}

#[test]
fn a_plan_sets_what_is_not_as_the_scenario_has_it() {
    let scenario = partitioned("tcp edge rto_max_ms 30000\n");
    let check = |lines: &str| {
        let text = format!("scenario {}\n{lines}", scenario.name);
        let (plan, spans) = plan::parse_with_spans(&text).expect("it is a plan");
        assert_eq!(
            plan.to_string(),
            format!("scenario {}\nseed 0\n{lines}", scenario.name)
        );
        let checked = feasible::check(&plan, &scenario, &BTreeSet::new());
        checked.map_err(|mistake| {
            let line = &text[spans.of(mistake.line)];
            let word = mistake.word.unwrap_or_default();
            format!("{line}  {word}: {}\n  {}", mistake.message, mistake.help)
        })
    };
    assert_eq!(check("tcp core retries2 4\ntcp keepalive 1\n"), Ok(()));
    let mistakes = [
        "tcp coer retries2 4\n",
        "tcp core rto_min_ms 40000\ntcp edge rto_min_ms 40000\n",
    ];
    let mistakes = mistakes.map(|lines| check(lines).expect_err(lines));
    insta::assert_snapshot!(mistakes.join("\n"), @r"
    tcp coer retries2 4  coer: scenario `partition-outlives-hold-time` has no host `coer`
      did you mean `core`? write edge or core
    tcp edge rto_min_ms 40000  40000: `rto_min_ms` of host `edge` cannot be 40000
      write a whole number from 1 to 30000
    ");
}

#[test]
fn what_is_not_set_is_as_in_linux() {
    let usual = TcpSettings::default();
    assert_eq!((usual.syn_retries, usual.retries2), (6, 15));
    assert_eq!(
        Duration::from_millis(usual.rto_max.into()),
        Duration::from_secs(120)
    );
    assert_eq!(TcpSettings::of_host(None, &[]), usual);
}
