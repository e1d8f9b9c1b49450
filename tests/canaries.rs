//! The seventeen defects of real reactors, each caught by its canary; and the suite with those of the origin.

use std::path::Path;

use lockstep::explore::canary::{CANARIES, Canary};
use lockstep::explore::trial::Trier;
use lockstep::reactor::Mode;
use lockstep::reactor::defects::Defect;
use lockstep::scenario::format::directory;
use lockstep::scenario::format::parse;
use lockstep::scenario::golden::Golden;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::suite::{Case, Report};
use lockstep::sim::Keep;
use lockstep::subject::Variant;

/// More than the worst of the README's sweeps took.
const SEEDS: usize = 100;

fn trier(canary: &Canary) -> Trier {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = parse::load(&root.join(canary.directory).join(canary.scenario)).unwrap();
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    let golden = Golden::load(&captures, &manifest, &scenario.name).ok();
    Trier::new(scenario, golden, &Variant::both()).unwrap()
}

#[test]
fn every_defect_is_caught_and_its_absence_passes() {
    let mut wrong = Vec::new();
    for canary in CANARIES {
        let trier = trier(canary);
        let Some(catch) = canary.hunt(&trier, 1, SEEDS) else {
            wrong.push(format!("{} lives", canary.defect));
            continue;
        };
        for seed in 1..=catch.seeds as u64 {
            let plan = canary.plan(&trier, seed);
            for mode in Mode::ALL {
                let (trial, _) = trier
                    .try_variant(&plan, &Variant::own(mode), Keep::Hash)
                    .unwrap();
                if !trial.failures.is_empty() {
                    wrong.push(format!(
                        "without {} {mode} seed {seed}: {:?}",
                        canary.defect, trial.failures
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The set that ExaBGP's port to async had on 2025-11-18.
const ORIGIN: [Defect; 3] = [
    Defect::OneCommandPerLoop,
    Defect::EarlyAnswer,
    Defect::SleepInRead,
];

/// How many scenarios there are, and what fails of them in `mode` with `defects`: the name, and the first divergence.
fn failing(mode: Mode, defects: &[Defect]) -> (usize, Vec<(String, Vec<u8>)>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    let mut failing = Vec::new();
    let mut count = 0;
    for scenario in directory::select(&root.join("scenarios"), &[]).unwrap() {
        let case = Case::new(scenario, &captures, &manifest).unwrap();
        let report = case
            .run(&Variant::own(mode), NetworkKind::Sim, defects)
            .unwrap();
        count += 1;
        if !report.passed() {
            let again = case
                .run(&Variant::own(mode), NetworkKind::Sim, defects)
                .unwrap();
            assert_eq!(again.played.hash, report.played.hash);
            failing.push((report.scenario.clone(), found(&report)));
        }
    }
    failing.sort();
    (count, failing)
}

/// What the speaker sent instead of the golden's message.
fn found(report: &Report) -> Vec<u8> {
    let divergence = report.verdict.faults.divergence.as_ref();
    divergence
        .and_then(|divergence| divergence.found.clone())
        .unwrap_or_default()
}

fn names(failing: &[(String, Vec<u8>)]) -> Vec<&str> {
    failing.iter().map(|(name, _)| name.as_str()).collect()
}

/// ExaBGP's own figure of that day: in async all but api-rib and api-rr-rib, in sync all; and in api-rib the message
/// that its test peer complained of, 192.168.0.5 where 192.168.0.1 was due.
#[test]
fn the_defects_of_the_origin_give_its_own_figure() {
    let (count, sync) = failing(Mode::Sync, &ORIGIN);
    assert_eq!((count, names(&sync)), (80, vec![]));
    let (_, tasks) = failing(Mode::Async, &ORIGIN);
    assert_eq!(names(&tasks), ["api-rib", "api-rr-rib"]);
    assert!(
        tasks[0].1.ends_with(&[32, 192, 168, 0, 5]),
        "{:02x?}",
        tasks[0].1
    );
}

/// Programs that trust the answers are failed by more: a split batch is seen wherever batches are.
#[test]
fn one_command_per_loop_alone_splits_every_batch() {
    let (_, tasks) = failing(Mode::Async, &ORIGIN[..1]);
    assert_eq!(names(&tasks), ["api-fast", "api-rib", "api-rr-rib"]);
}
