//! The real ExaBGP as a guest in virtual time puts on the wire what it put there in real time.

use std::path::Path;

use lockstep::net::clock::Clock;
use lockstep::scenario::format::directory;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::suite::Case;
use lockstep::subject::Variant;

/// Where `qa/record/install` puts it.
const REFERENCE: &str = "target/reference/exabgp-5.0.15/bin/exabgp";

#[test]
fn the_real_exabgp_in_virtual_time_gives_its_goldens_twice_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(REFERENCE).is_file() {
        eprintln!("skipped: ExaBGP is not installed; qa/record/install does it");
        return;
    }
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    let names = ["conf-ebgp", "api-rib", "api-reload"].map(str::to_owned);
    let variant: Variant = format!("exabgp={}", root.join(REFERENCE).display())
        .parse()
        .unwrap();
    for scenario in directory::select(&root.join("scenarios"), &names).unwrap() {
        let case = Case::new(scenario, &captures, &manifest).unwrap();
        let wall = Clock::start();
        let runs = [(); 2].map(|()| case.run(&variant, NetworkKind::Sim, &[]).unwrap());
        for run in &runs {
            assert!(run.passed(), "{}: {:?}", run.scenario, run.verdict);
        }
        assert_eq!(runs[0].played.hash, runs[1].played.hash);
        eprintln!("{} in {:?}", runs[0].scenario, wall.now());
    }
}
