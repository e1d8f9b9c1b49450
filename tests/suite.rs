//! Every scenario, in both modes, on all three networks, against its golden; and that a wrong octet does not pass.

use std::path::{Path, PathBuf};

use lockstep::reactor::Mode;
use lockstep::scenario::format::directory;
use lockstep::scenario::golden::Golden;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::suite::Case;
use lockstep::subject::Variant;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn cases() -> Vec<Case> {
    let captures = root().join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    directory::select(&root().join("scenarios"), &[])
        .unwrap()
        .into_iter()
        .map(|scenario| Case::new(scenario, &captures, &manifest).unwrap())
        .collect()
}

fn all_pass_on(network: NetworkKind) {
    let cases = cases();
    assert_eq!(cases.len(), 80);
    for case in cases {
        for mode in Mode::ALL {
            let report = case.run(&Variant::own(mode), network, &[]).unwrap();
            assert!(
                report.passed(),
                "{}: {:?}",
                report.command(),
                report.verdict.faults
            );
        }
    }
}

#[test]
fn every_scenario_passes_on_the_simulated_network() {
    all_pass_on(NetworkKind::Sim);
}

#[test]
fn every_scenario_passes_on_turmoil() {
    all_pass_on(NetworkKind::Turmoil);
}

#[test]
fn every_scenario_passes_on_the_kernel() {
    all_pass_on(NetworkKind::Kernel);
}

#[test]
fn one_octet_that_is_not_the_goldens_fails() {
    for mut case in cases() {
        let Some(message) = first_message(&mut case.golden) else {
            continue;
        };
        let last = message.len() - 1;
        message[last] ^= 1;
        let report = case
            .run(&Variant::own(Mode::Sync), NetworkKind::Sim, &[])
            .unwrap();
        assert!(!report.passed(), "{}", report.scenario);
        assert!(report.verdict.faults.divergence.is_some());
    }
}

fn first_message(golden: &mut Golden) -> Option<&mut Vec<u8>> {
    golden.connections.values_mut().next()?.first_mut()
}

#[test]
fn the_same_run_twice_has_the_same_trace() {
    for case in cases() {
        for mode in Mode::ALL {
            let hashes: Vec<_> = (0..2)
                .map(|_| {
                    case.run(&Variant::own(mode), NetworkKind::Sim, &[])
                        .unwrap()
                        .played
                        .hash
                })
                .collect();
            assert!(hashes[0].is_some());
            assert_eq!(hashes[0], hashes[1], "{} {mode}", case.scenario.name);
        }
    }
}
