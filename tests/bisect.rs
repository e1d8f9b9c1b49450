//! Where the modes part, for a defect of one of them, and that they do not without it.

use std::path::Path;

use lockstep::explore::bisect::Bisection;
use lockstep::explore::plan::Plan;
use lockstep::explore::trial::Trier;
use lockstep::reactor::defects::Defect;
use lockstep::scenario::format::parse;
use lockstep::subject::Variant;

fn trier() -> Trier {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/api-rib");
    Trier::new(parse::load(&directory).unwrap(), None, &Variant::both()).unwrap()
}

fn plan(defects: Vec<Defect>) -> Plan {
    Plan {
        defects,
        ..Plan::quiet("api-rib")
    }
}

fn bisect(defects: Vec<Defect>) -> Bisection {
    Bisection::of(&trier(), &plan(defects), &Variant::both()).unwrap()
}

#[test]
fn sound_reactors_do_not_part_in_octets() {
    assert_eq!(bisect(Vec::new()).octets, None);
}

/// A task that sleeps in its read is late long before it sends anything else.
#[test]
fn a_sleep_in_the_read_shows_in_time() {
    let found = bisect(vec![Defect::SleepInRead]);
    let time = found.time.as_ref().unwrap();
    let [sync, tasks] = time
        .passed
        .each_ref()
        .map(|passed| passed.as_ref().unwrap());
    assert!(tasks.at > sync.at + std::time::Duration::from_millis(50));
    assert!(time.before.is_some());
    for (last, next) in found.around(time.at()) {
        assert!(last.iter().all(|record| record.time < time.at()));
        assert!(next.iter().all(|record| record.time >= time.at()));
        assert!(!last.is_empty());
    }
    let [sync, tasks] = Bisection::pending(
        &trier(),
        &plan(vec![Defect::SleepInRead]),
        &Variant::both(),
        time.at(),
    );
    assert!(!sync.iter().any(|it| it.contains("not taken")), "{sync:?}");
    assert!(tasks.iter().any(|it| it.contains("not taken")), "{tasks:?}");
    assert!(
        tasks.iter().any(|it| it.contains("not answered")),
        "{tasks:?}"
    );
}
