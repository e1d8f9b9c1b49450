//! What tests of guests share.

use std::cell::{Cell, RefCell};
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
    /// Sessions that were established with the peer.
    pub sessions: u32,
    pub output: String,
    pub error: String,
    pub refusals: Vec<String>,
    pub waits: Vec<String>,
    /// Of the calls, and of what was on the wire.
    pub hash: String,
}

/// Runs programs as guests of one host, 10.0.0.1, for so many virtual seconds; at 10.0.0.9 there may be a BGP peer.
pub fn run(
    programs: &[(Duration, Program)],
    seconds: u64,
    with_peer: bool,
    settings: &Settings,
) -> Ran {
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
    let sessions = Rc::new(Cell::new(0));
    let counted = sessions.clone();
    let limit = Duration::from_secs(seconds);
    let _ = world.run(limit, async move {
        let at = "10.0.0.9:179".parse().expect("address");
        if with_peer {
            tokio::task::spawn_local(super::peer::listen(there.network(), at, counted));
        }
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
        sessions: sessions.get(),
        output: host.printed(Stream::Output),
        error: host.printed(Stream::Error),
        refusals: host.refusals().iter().map(ToString::to_string).collect(),
        waits: host.waits(),
        hash: format!("{:02x?} {}", hash, trace.hash()),
    }
}

/// Why no guest can run here: ptrace or Landlock is refused, or this is no x86-64 Linux.
pub fn refused() -> Option<String> {
    static REFUSED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    REFUSED
        .get_or_init(|| {
            let mut host = Host::new(
                &Settings::default(),
                Box::new(lockstep::guest::network::Alone),
            );
            let failure = host
                .start(&program("refused", Path::new("/bin/true")))
                .err()?;
            crate::skipped::skip(&failure);
            Some(failure.to_string())
        })
        .clone()
}

/// The programs of qa/guests, built once; the path of one.
pub fn built(name: &str) -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let directory = BUILT.get_or_init(|| {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("qa/guests/Cargo.toml");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
        let built = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--bins"])
            .arg("--manifest-path")
            .arg(manifest)
            .arg("--target-dir")
            .arg(&target)
            .status();
        assert!(
            built.is_ok_and(|it| it.success()),
            "qa/guests does not build"
        );
        target.join("debug")
    });
    directory.join(name)
}
