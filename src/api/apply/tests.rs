use std::sync::Arc;

use super::*;
use crate::api::parse;

/// Peers of a configuration, all without a session.
struct Bench(Vec<Place>);

struct Place {
    name: String,
    peer: Peer,
    tally: Tally,
    teardown: Option<u8>,
    removed: bool,
}

impl Peers for Bench {
    fn for_each(&mut self, visit: &mut dyn FnMut(Subject<'_>)) {
        for place in &mut self.0 {
            visit(Subject {
                name: &place.name,
                peer: &mut place.peer,
                tally: &place.tally,
                teardown: &mut place.teardown,
                removed: &mut place.removed,
            });
        }
    }
}

fn bench() -> Bench {
    let neighbor = |address: &str, family: &str, api: &str| {
        format!(
            "neighbor {address} {{ local-address 10.0.0.1; router-id 1.2.3.4; local-as 1; peer-as 1;
                family {{ {family}; }} {api} }}\n"
        )
    };
    let text = [
        "process one { run ./one; encoder text; }\nprocess two { run ./two; encoder text; }\n"
            .to_owned(),
        neighbor("10.0.0.2", "ipv4 unicast", "api { processes [ one ]; }"),
        neighbor("10.0.0.3", "ipv4 unicast", "api { processes [ one two ]; }"),
        neighbor("10.0.0.4", "ipv6 unicast", "api { processes [ two ]; }"),
    ];
    let configuration = crate::config::parse("test", &text.concat()).unwrap();
    let place = |neighbor: Neighbor| Place {
        name: neighbor.name(),
        peer: Peer::new(Arc::new(neighbor)).0,
        tally: Tally::default(),
        teardown: None,
        removed: false,
    };
    Bench(configuration.neighbors.into_iter().map(place).collect())
}

fn command(bench: &mut Bench, program: &str, line: &str) -> Applied {
    let mut caller = Caller {
        program,
        acknowledgement: &mut Acknowledgement(true),
        identity: &Identity::default(),
        now: Duration::from_secs(5),
    };
    apply(&parse(line).unwrap(), &mut caller, bench)
}

/// How many routes each peer has been announced.
fn announced(bench: &Bench) -> Vec<usize> {
    bench
        .0
        .iter()
        .map(|place| place.peer.rib_out().len())
        .collect()
}

const DONE: Option<Answer> = Some(Answer::Done);
const ERROR: Option<Answer> = Some(Answer::Error);

#[test]
fn a_route_goes_to_the_peers_of_its_program_that_are_selected() {
    let mut bench = bench();
    let route = "announce route 10.9.0.0/24 next-hop 10.0.0.9";
    assert_eq!(command(&mut bench, "one", route).answer, DONE);
    assert_eq!(announced(&bench), [1, 1, 0]);
    let selected = "neighbor 10.0.0.3 announce route 10.9.1.0/24 next-hop 10.0.0.9";
    assert_eq!(command(&mut bench, "two", selected).answer, DONE);
    assert_eq!(announced(&bench), [1, 2, 0]);
}

#[test]
fn nobody_to_tell_is_an_error() {
    let mut bench = bench();
    for (program, line) in [
        ("three", "announce route 10.9.0.0/24 next-hop 10.0.0.9"),
        (
            "one",
            "neighbor 10.0.0.4 announce route 10.9.0.0/24 next-hop 10.0.0.9",
        ),
        ("one", "neighbor 9.9.9.9 clear adj-rib out"),
        // Nobody is established.
        ("one", "flush adj-rib out"),
        ("one", "announce eor"),
        ("one", "announce route-refresh ipv4 unicast"),
    ] {
        let applied = command(&mut bench, program, line);
        assert_eq!(applied.answer, ERROR, "{line}");
        assert!(!applied.changed && !applied.refusals.is_empty(), "{line}");
    }
    assert_eq!(announced(&bench), [0, 0, 0]);
}

#[test]
fn a_family_that_a_peer_does_not_have_is_passed_over_and_told() {
    let mut bench = bench();
    let applied = command(
        &mut bench,
        "two",
        "announce route 10.9.0.0/24 next-hop 10.0.0.9",
    );
    assert_eq!(applied.answer, DONE);
    assert_eq!(announced(&bench), [0, 1, 0]);
    assert_eq!(applied.refusals.len(), 1);
    assert!(applied.refusals[0].contains("10.0.0.4"));
}

#[test]
fn clear_is_for_every_peer_and_withdraw_forgets() {
    let mut bench = bench();
    command(
        &mut bench,
        "one",
        "announce route 10.9.0.0/24 next-hop 10.0.0.9",
    );
    command(
        &mut bench,
        "one",
        "announce route 10.9.1.0/24 next-hop 10.0.0.9",
    );
    command(
        &mut bench,
        "one",
        "neighbor 10.0.0.2 withdraw route 10.9.1.0/24 next-hop 10.0.0.9",
    );
    assert_eq!(announced(&bench), [1, 2, 0]);
    assert_eq!(
        command(&mut bench, "stranger", "clear adj-rib out").answer,
        DONE
    );
    assert_eq!(announced(&bench), [0, 0, 0]);
}

#[test]
fn what_concerns_the_speaker_is_left_to_the_reactor() {
    let mut bench = bench();
    for (line, effect) in [
        ("shutdown", Effect::Shutdown),
        ("reload", Effect::Reload),
        ("restart", Effect::Restart),
    ] {
        let applied = command(&mut bench, "one", line);
        assert_eq!(applied.effect, Some(effect));
        assert_eq!(applied.lines, [format!("{line} in progress")]);
        assert_eq!(applied.answer, DONE);
    }
    assert_eq!(
        command(&mut bench, "one", "delete neighbor 10.0.0.3").answer,
        DONE
    );
    assert!(bench.0[1].removed && !bench.0[0].removed);
}

#[test]
fn a_teardown_of_what_is_not_up_is_done_at_once() {
    let mut bench = bench();
    assert_eq!(
        command(&mut bench, "one", "neighbor 10.0.0.2 teardown 4").answer,
        DONE
    );
    assert_eq!(bench.0[0].teardown, None);
}

#[test]
fn neighbors_and_routes_are_shown() {
    let mut bench = bench();
    command(
        &mut bench,
        "one",
        "announce route 10.9.0.0/24 next-hop 10.0.0.9",
    );
    let shown = command(&mut bench, "two", "show adj-rib out");
    assert_eq!(shown.lines.len(), 2);
    assert!(
        shown.lines[0].starts_with("10.0.0.2 ipv4 unicast 10.9.0.0/24"),
        "{:?}",
        shown.lines
    );
    assert_eq!(
        command(&mut bench, "two", "show neighbor summary")
            .lines
            .len(),
        4
    );
}
