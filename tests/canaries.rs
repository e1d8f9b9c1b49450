//! The sixteen defects of real reactors, each caught by its canary; and the suite with those of the origin.

use std::path::Path;

use lockstep::explore::canary::{CANARIES, Canary};
use lockstep::explore::trial::Trier;
use lockstep::reactor::Mode;
use lockstep::reactor::conduct::Defect;
use lockstep::scenario::golden::Golden;
use lockstep::scenario::manifest::Manifest;
use lockstep::scenario::parse;
use lockstep::scenario::suite::{Case, NetworkKind};
use lockstep::sim::Keep;

/// More than the worst of the README's sweeps took.
const SEEDS: usize = 100;

fn trier(canary: &Canary) -> Trier {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = parse::load(&root.join(canary.directory).join(canary.scenario)).unwrap();
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    let golden = Golden::load(&captures, &manifest, &scenario.name).ok();
    Trier::new(scenario, golden).unwrap()
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
                let (trial, _) = trier.try_mode(&plan, mode, Keep::Hash);
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

/// Scenarios that fail in `mode` with `defects`.
fn failing(mode: Mode, defects: &[Defect]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    let mut failing = Vec::new();
    for entry in std::fs::read_dir(root.join("scenarios")).unwrap() {
        let scenario = parse::load(&entry.unwrap().path()).unwrap();
        let case = Case::new(scenario, &captures, &manifest).unwrap();
        let report = case.run_with(mode, NetworkKind::Sim, defects).unwrap();
        if !report.passed() {
            failing.push(report.scenario);
        }
    }
    failing.sort();
    failing
}

/// The origin had two failures in async, none in sync. Programs of the origin slept between commands where ours go on
/// as soon as they are answered, so more of ours notice; the two of the origin are among them.
#[test]
fn the_defects_of_the_origin_break_async_and_leave_sync_alone() {
    let origin = [
        Defect::OneCommandPerLoop,
        Defect::EarlyAnswer,
        Defect::SleepInRead,
    ];
    assert_eq!(failing(Mode::Sync, &origin), [""; 0]);
    let tasks = failing(Mode::Async, &origin);
    for scenario in ["api-rib", "api-rr-rib"] {
        assert!(tasks.iter().any(|failing| failing == scenario), "{tasks:?}");
    }
    assert_eq!(
        failing(Mode::Async, &origin[..1]),
        ["api-fast", "api-rib", "api-rr-rib"]
    );
}
