//! TCP on a path that misbehaves: what Linux does in a network namespace, and what the simulator does.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lockstep::net::timer::sleep;
use lockstep::sim::{Settings, World};

use super::player::{Observation, observations, play, scripts};

const SCRIPTS: &str = include_str!("scripts.txt");
/// What Linux 6.18 gave, on a machine that did nothing else.
const RECORDED: &str = include_str!("linux.txt");

/// How far the simulator may be from the record, in seconds: a timer below two seconds rounds up to 32 ms.
const TOLERANCE: f64 = 0.05;
/// How much farther it may be where a window has closed, as a part of the time: Linux counts its buffers in pages, so that
/// how much was acknowledged late, and with it the pause before a probe, differs by some milliseconds, which then double.
const WINDOW_PART: f64 = 0.05;
/// How far from a kernel that has other things to do: a moment late, a timer may end in its next tick, an eighth later.
const LOOSE_TOLERANCE: f64 = 0.3;
const LOOSE_PART: f64 = 0.13;
/// Scripts that take longer are played on this kernel only by the test that is ignored.
const SHORT: f64 = 20.0;
/// What `play.py` says where namespaces or TUN devices are not allowed.
const NOT_ALLOWED: i32 = 77;

fn loose(at: f64) -> f64 {
    LOOSE_TOLERANCE + at * LOOSE_PART
}

/// What differs between the two, each in a line.
fn differences(
    name: &str,
    kernel: &[Observation],
    sim: &[Observation],
    allowed: impl Fn(f64) -> f64,
) -> Vec<String> {
    let mut lines = Vec::new();
    if kernel.len() != sim.len() {
        lines.push(format!("{name}: {} and {} calls", kernel.len(), sim.len()));
    }
    for (kernel, sim) in kernel.iter().zip(sim) {
        let agree = match (&kernel.outcome, &sim.outcome) {
            (None, None) => true,
            (Some((one, at)), Some((other, then))) => {
                one == other && (at - then).abs() <= allowed(*at)
            }
            _ => false,
        };
        if !agree || kernel.call != sim.call {
            lines.push(format!("{name}: kernel {kernel:?}\n    simulator {sim:?}"));
        }
    }
    lines
}

#[test]
fn every_script_gives_what_linux_gave() {
    let recorded = observations(RECORDED);
    let mut lines = Vec::new();
    for (name, steps) in scripts(SCRIPTS) {
        let kernel = recorded
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not recorded"));
        let allowed = |at: f64| match name {
            // It tries every 0.2 s.
            _ if name.starts_with("unreachable") => 0.22,
            _ if name.starts_with("window") => TOLERANCE + at * WINDOW_PART,
            _ => TOLERANCE,
        };
        lines.extend(differences(name, kernel, &play(&steps), allowed));
    }
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// Plays the scripts of these names on this kernel; `None` where that is not allowed.
fn on_this_kernel(names: &[&str]) -> Option<BTreeMap<String, Vec<Observation>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let played = Command::new("python3")
        .arg(root.join("qa/tcp/play.py"))
        .arg(root.join("tests/conformance/scripts.txt"))
        .args(names)
        .output();
    let Ok(played) = played else {
        crate::skipped::skip(format!("{} scripts: there is no python3", names.len()));
        return None;
    };
    if played.status.code() == Some(NOT_ALLOWED) {
        crate::skipped::skip(format!(
            "{} scripts: network namespaces are not allowed here",
            names.len()
        ));
        return None;
    }
    assert!(
        played.status.success(),
        "{}",
        String::from_utf8_lossy(&played.stderr)
    );
    Some(observations(&String::from_utf8(played.stdout).unwrap()))
}

/// Compares what this kernel gives with what the simulator gives; a script that differs gets another chance.
fn beside_this_kernel(wanted: impl Fn(f64) -> bool) {
    let stories: BTreeMap<&str, Vec<Observation>> = scripts(SCRIPTS)
        .into_iter()
        .map(|(name, steps)| (name, play(&steps)))
        .collect();
    let length = |story: &[Observation]| {
        let times = story.iter().filter_map(|it| it.outcome.as_ref());
        times.map(|(_, at)| *at).fold(0.0, f64::max)
    };
    let mut names: Vec<&str> = stories.keys().copied().collect();
    names.retain(|name| wanted(length(&stories[name])));
    let all = names.len();
    let mut lines = Vec::new();
    for _ in 0..3 {
        let Some(kernel) = on_this_kernel(&names) else {
            return;
        };
        lines.clear();
        names.retain(|name| {
            let found = differences(name, &kernel[*name], &stories[name], loose);
            lines.extend(found.iter().cloned());
            !found.is_empty()
        });
        if names.is_empty() {
            println!("{all} scripts agree with this kernel");
            return;
        }
    }
    panic!("{}", lines.join("\n"));
}

#[test]
fn short_scripts_give_what_this_kernel_gives() {
    beside_this_kernel(|seconds| seconds < SHORT);
}

#[test]
#[ignore = "takes three minutes, in which it does next to nothing: qa/nightly runs it"]
fn long_scripts_give_what_this_kernel_gives() {
    beside_this_kernel(|seconds| seconds >= SHORT);
}

#[test]
fn timers_are_exact_to_the_nanosecond() {
    let world = World::new(Settings::default()).unwrap();
    let clock = world.clock();
    let run = async move {
        for nanos in [1, 999, 150_001, 1_000_001, 2_345_678_901] {
            let begun = clock.now();
            sleep(Duration::from_nanos(nanos)).await;
            assert_eq!(clock.now() - begun, Duration::from_nanos(nanos));
        }
    };
    world.run(Duration::from_secs(60), run).unwrap();
}
