//! The same plan is the same run: in one process, in a fresh one that logs everything; and what is not is found out.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use lockstep::explore::generate::{Class, generate};
use lockstep::explore::plan::Plan;
use lockstep::explore::trial::Trier;
use lockstep::explore::verify::{apart, fingerprints};
use lockstep::scenario::format::parse;
use lockstep::subject::Variant;

fn trier(scenario: &str) -> Trier {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    Trier::new(
        parse::load(&directory.join(scenario)).unwrap(),
        None,
        &Variant::both(),
    )
    .unwrap()
}

fn lines(trier: &Trier, plans: impl Iterator<Item = Plan>) -> String {
    plans
        .flat_map(|plan| fingerprints(trier, &plan).unwrap())
        .map(|fingerprint| format!("{fingerprint}\n"))
        .collect()
}

#[test]
fn the_same_in_this_process_and_in_a_fresh_one_with_trace_logging() {
    let trier = trier("api-rr");
    let once = || {
        let plans = (1..=12).map(|seed| generate(trier.profile(), seed, Class::ALL));
        lines(&trier, plans)
    };
    let first = once();
    assert_eq!(first.lines().count(), 24);
    assert_eq!(apart(&first, &once()), None);
    let output = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(["verify", "api-rr", "--print", "--plans", "12"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    assert!(output.status.success());
    let fresh = String::from_utf8(output.stdout).unwrap();
    assert_eq!(apart(&first, &fresh), None);
}

/// The canary: an order drawn from what is left over from the last run, not from the seed.
#[test]
fn one_deliberate_nondeterminism_is_found() {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    let trier = trier("api-rr");
    let once = || {
        let mut plan = Plan::quiet("api-rr");
        plan.link.jitter = std::time::Duration::from_millis(3);
        let fingerprints = fingerprints(
            &trier,
            &Plan {
                seed: RUNS.fetch_add(1, Ordering::Relaxed),
                ..plan
            },
        )
        .unwrap();
        fingerprints
            .into_iter()
            .map(|fingerprint| format!("{:?}\n", fingerprint.hash))
            .collect::<String>()
    };
    assert!(apart(&once(), &once()).is_some());
}
