//! What tests of guests share.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use lockstep::guest::network::Simulated;
use lockstep::guest::{Failure, Host, Program, Settings, Stream, drive};
use lockstep::sim::{Faults, Keep, Settings as WorldSettings, Trace, World, instrument};

/// A directory of its own for a guest, emptied.
pub fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("guest")
        .join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory for a guest");
    path.canonicalize().expect("it is there")
}

/// The program at `path`, in a directory called `name`.
pub fn program(name: &str, path: &Path) -> Program {
    let launcher = Path::new(env!("CARGO_BIN_EXE_lockstep"));
    Program::new(launcher, &directory(name), path)
}

/// What came of a run in the world.
#[derive(Debug)]
pub struct Ran {
    pub failure: Option<Failure>,
    pub output: String,
    pub error: String,
    pub refusals: Vec<String>,
    pub waits: Vec<String>,
    pub calls: Vec<String>,
    pub stops: u64,
    /// Of the calls, and of what was on the wire.
    pub hash: String,
}

/// Runs programs as guests of one host, 10.0.0.1, with a BGP peer at 10.0.0.9, for so many virtual seconds.
pub fn run(programs: &[(Duration, Program)], seconds: u64, settings: &Settings) -> Ran {
    let world = World::new(WorldSettings::default()).expect("a world");
    let own = [
        "10.0.0.1".parse().expect("address"),
        "fe80::1".parse().expect("address"),
    ];
    let here = world.host(&own);
    let there = world.host(&["10.0.0.9".parse().expect("address")]);
    let clock = world.clock();
    let trace = Trace::new(clock, Keep::Hash);
    let network =
        instrument(here.network(), "guest", &trace, &Faults::default()).expect("no faults");
    let mut host = Host::new(settings, Box::new(Simulated::new(network, &own)));
    let later: Vec<(Duration, Program)> = programs.to_vec();
    let failure = Rc::new(RefCell::new(None));
    let host = {
        for (at, program) in &later {
            if at.is_zero() {
                host.start(program).expect("the program starts");
            }
        }
        Rc::new(RefCell::new(host))
    };
    let (inside, failed) = (host.clone(), failure.clone());
    let limit = Duration::from_secs(seconds);
    let _ = world.run(limit, async move {
        let at = "10.0.0.9:179".parse().expect("address");
        tokio::task::spawn_local(super::peer::listen(there.network(), at));
        for (at, program) in later.into_iter().filter(|(at, _)| !at.is_zero()) {
            let host = inside.clone();
            tokio::task::spawn_local(async move {
                tokio::time::sleep(at).await;
                host.borrow_mut()
                    .start(&program)
                    .expect("the program starts");
            });
        }
        *failed.borrow_mut() = drive(inside, clock).await.err();
    });
    let host = host.borrow();
    let (hash, _) = host.trace();
    let failure = failure.borrow_mut().take();
    Ran {
        failure,
        output: host.printed(Stream::Output),
        error: host.printed(Stream::Error),
        refusals: host.refusals().iter().map(ToString::to_string).collect(),
        waits: host.waits(),
        calls: host.calls().to_vec(),
        stops: host.stops(),
        hash: format!("{:02x?} {}", hash, trace.hash()),
    }
}
