//! Simulation speed: the whole suite in both modes on the simulated network and on turmoil, api-rib over and over, and idle time.
//!
//! Usage: `cargo run --release --bin suite [SECONDS]`: how long to repeat what is repeated, 2 if not said.
//!
//! Rates are per second of this thread on a core, so that other work on the machine does not count; the wall's clock stands beside.

use std::error::Error;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use lockstep::config;
use lockstep::os::programs::ChildPrograms;
use lockstep::reactor::control::{Control, channel};
use lockstep::reactor::observer::{Observer, SpeakerEvent};
use lockstep::reactor::{Mode, Rotation, Speaker, run};
use lockstep::subject::Variant;
use lockstep::scenario::golden::GoldenError;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::format::parse;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::suite::Case;
use lockstep::sim::{Settings, SimHost, World};

type Anything = Box<dyn Error>;

fn main() -> Result<(), Anything> {
    let seconds = std::env::args().nth(1).map_or(Ok(2.0), |it| it.parse())?;
    let repeated = Duration::from_secs_f64(seconds);
    println!(
        "{:<54} {:>9} {:>9} {:>16}   expected",
        "", "core s", "wall s", ""
    );
    let (cases, loading) = measure(load)?;
    row("80 scenarios and goldens read", loading, "", "");
    let mut on_sim = None;
    for (network, expected) in [
        (NetworkKind::Sim, "within 1 s of one core"),
        (NetworkKind::Turmoil, ""),
    ] {
        let (runs, spent) = measure(|| suite(&cases, network))?;
        let sim = *on_sim.get_or_insert(spent.core);
        let of_sim = spent.core.as_secs_f64() / sim.as_secs_f64();
        row(
            &format!("suite, both modes, on {network}: {runs} runs"),
            spent,
            &format!("{of_sim:.1} x sim"),
            expected,
        );
    }
    let api_rib = cases
        .iter()
        .find(|case| case.scenario.name == "api-rib")
        .ok_or("there is no api-rib")?;
    for (network, expected) in [
        (NetworkKind::Sim, "1,000/s and core at least"),
        (NetworkKind::Turmoil, ""),
    ] {
        for mode in Mode::ALL {
            let (runs, spent) = measure(|| again(api_rib, mode, network, repeated))?;
            let rate = f64::from(runs) / spent.core.as_secs_f64();
            row(
                &format!("api-rib {mode} on {network}"),
                spent,
                &format!("{rate:.0} runs/s"),
                expected,
            );
        }
    }
    let day = 86_400;
    for (label, hold, days) in [
        ("hold time 0", 0, 1_000_000),
        ("hold time 65535", 65_535, 100_000),
        ("hold time 180", 180, 300),
    ] {
        for mode in Mode::ALL {
            let idle = Duration::from_secs(days * day);
            let (messages, spent) = measure(|| idle_session(mode, hold, idle))?;
            // What is too short for the scheduler's account counts by the wall's clock.
            let took = if spent.core.is_zero() {
                spent.wall
            } else {
                spent.core
            };
            let rate = idle.as_secs_f64() / took.as_secs_f64() / 1e6;
            row(
                &format!("idle session {mode}, {label}: {messages} messages"),
                spent,
                &format!("{rate:.0} M s/s"),
                "10 M s/s at least",
            );
        }
    }
    Ok(())
}

/// What something took.
#[derive(Clone, Copy)]
struct Spent {
    core: Duration,
    wall: Duration,
}

fn measure<T>(what: impl FnOnce() -> Result<T, Anything>) -> Result<(T, Spent), Anything> {
    let (core, wall) = (on_core()?, Instant::now());
    let result = what()?;
    let spent = Spent {
        core: on_core()?.saturating_sub(core),
        wall: wall.elapsed(),
    };
    Ok((result, spent))
}

/// How long this thread has been on a core. Linux.
fn on_core() -> Result<Duration, Anything> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn row(label: &str, spent: Spent, figure: &str, expected: &str) {
    let (core, wall) = (spent.core.as_secs_f64(), spent.wall.as_secs_f64());
    println!("{label:<54} {core:>9.3} {wall:>9.3} {figure:>16}   {expected}");
}

fn load() -> Result<Vec<Case>, Anything> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures)?;
    let mut paths = std::fs::read_dir(root.join("scenarios"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>, Anything>>()?;
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let case: Result<Case, GoldenError> =
                Case::new(parse::load(path)?, &captures, &manifest);
            Ok(case?)
        })
        .collect()
}

/// Every case in both modes; says how many runs there were.
fn suite(cases: &[Case], network: NetworkKind) -> Result<u32, Anything> {
    let mut runs = 0;
    for case in cases {
        for mode in Mode::ALL {
            once(case, mode, network)?;
            runs += 1;
        }
    }
    Ok(runs)
}

fn once(case: &Case, mode: Mode, network: NetworkKind) -> Result<(), Anything> {
    let report = case.run(&Variant::own(mode), network, &[])?;
    if !report.passed() {
        return Err(format!("this fails: {}", report.command()).into());
    }
    Ok(())
}

fn again(
    case: &Case,
    mode: Mode,
    network: NetworkKind,
    repeated: Duration,
) -> Result<u32, Anything> {
    let start = Instant::now();
    let mut runs = 0;
    while start.elapsed() < repeated {
        once(case, mode, network)?;
        runs += 1;
    }
    Ok(runs)
}

/// Counts the messages that are sent.
#[derive(Default)]
struct Sent(std::cell::Cell<usize>);

impl Observer for Sent {
    fn observe(&self, _: Duration, event: &SpeakerEvent<'_>) {
        if matches!(event, SpeakerEvent::Sent { .. }) {
            self.0.set(self.0.get() + 1);
        }
    }
}

/// Two speakers with nothing to say, in a world of their own; says how many messages keep their session alive.
fn idle_session(mode: Mode, hold: u16, idle: Duration) -> Result<usize, Anything> {
    let world = World::new(Settings::default())?;
    let sent = Rc::new(Sent::default());
    let (active, passive) = (["10.0.0.1", "10.0.0.2"], ["10.0.0.2", "10.0.0.1"]);
    let mut ends = Vec::new();
    for ([local, peer], listens) in [(active, false), (passive, true)] {
        let configuration = format!(
            "neighbor {peer} {{ router-id {local}; local-address {local}; local-as 65000; peer-as 65000; hold-time {hold}; {} }}",
            if listens {
                "passive true; listen 179;"
            } else {
                "connect 179;"
            }
        );
        let rotation = Rotation::new(vec![config::parse("idle", &configuration)?], PathBuf::new());
        let speaker = Speaker::new(rotation, lockstep::speaker::settings::Settings::default());
        let address: IpAddr = local.parse()?;
        let host: SimHost = world.host(&[address]);
        ends.push((speaker, host.network()));
    }
    let clock = world.clock();
    let observer: Rc<dyn Observer> = sent.clone();
    world.run(idle + Duration::from_secs(86_400), async move {
        let mut controls = Vec::new();
        let mut tasks = Vec::new();
        for (speaker, network) in ends {
            let (control, receiver) = channel();
            controls.push(control);
            let programs = ChildPrograms::default();
            let observer = observer.clone();
            tasks.push(tokio::task::spawn_local(run(
                mode, speaker, network, programs, clock, observer, receiver,
            )));
        }
        tokio::time::sleep_until(clock.at(idle)).await;
        for control in &controls {
            control.send(Control::Terminate);
        }
        for task in tasks {
            task.await?;
        }
        Ok::<_, tokio::task::JoinError>(())
    })??;
    Ok(sent.0.get())
}
