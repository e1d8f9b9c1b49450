//! Runs a scenario with a subject under test, on any network.

use std::io;
use std::rc::Rc;

use tokio::task::LocalSet;

use crate::config::environment;
use crate::config::{self, Configuration};
use crate::net::clock::Clock;
use crate::os::kernel::KernelNetwork;
use crate::reactor::Rotation;
use crate::reactor::defects::{Defect, DefectSet, Defects, NoDefects};
use crate::scenario::format::script::Scenario;
use crate::scenario::run::error::PlayError;
use crate::scenario::run::network::NetworkKind;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::runner::LIMIT;
use crate::scenario::run::strict::{PORT, run};
use crate::scenario::run::turmoil;
use crate::sim::{Settings, World};
use crate::speaker::settings;
use crate::subject::external::{External, Launcher, Setup};
use crate::subject::guest::GuestSpeaker;
use crate::subject::own::OwnSpeaker;
use crate::subject::{Subject, Variant, known};

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> PlayError {
    let what = what.into();
    |error| PlayError::Io { what, error }
}

/// Runs `scenario` with `variant` under test on `network`, with `defects` enabled in their own reactor.
///
/// If answers come early, the programs pause, whatever the reactor.
///
/// # Errors
/// The configuration, the operating system, or an unsupported combination: a speaker other than our own
/// runs on the kernel's network, defects are our own speaker's on the simulated one.
pub fn play(
    scenario: &Rc<Scenario>,
    variant: &Variant,
    network: NetworkKind,
    defects: Defects,
) -> Result<RunResult, PlayError> {
    let Some(mode) = variant.own_mode() else {
        if !defects.is_empty() {
            return Err(PlayError::Unsupported {
                what: format!("{variant} with --defect"),
                help: "defects are switches of our own speaker",
            });
        }
        return external(scenario, variant, network);
    };
    let (configurations, settings) = prepare(scenario)?;
    let pauses = defects.has(Defect::EarlyAnswer);
    if defects.is_empty() {
        // Without defects the reactor is the one compiled without their branches.
        let subject = OwnSpeaker::new(mode, configurations, settings, NoDefects);
        return on(scenario, subject, network, pauses);
    }
    if network != NetworkKind::Sim {
        return Err(PlayError::Unsupported {
            what: format!("--defect on the network {network}"),
            help: "defects can be switched on with --network sim",
        });
    }
    let subject = OwnSpeaker::new(mode, configurations, settings, defects.at_home(mode));
    on(scenario, subject, network, pauses)
}

/// Runs `scenario` with our own speaker on `network`.
fn on<D: DefectSet>(
    scenario: &Rc<Scenario>,
    subject: OwnSpeaker<D>,
    network: NetworkKind,
    pauses: bool,
) -> Result<RunResult, PlayError> {
    let limit = LIMIT * 2 + scenario.span();
    let scenario = scenario.clone();
    match network {
        NetworkKind::Sim => {
            let world = World::new(Settings::default()).map_err(io_error("a simulated world"))?;
            let host = world.host(&[]);
            let networks = (host.network(), host.network());
            let run = run(scenario, subject, networks, world.clock(), PORT, pauses);
            world.run(limit, run)?
        }
        NetworkKind::Kernel => on_the_kernel(scenario, subject),
        NetworkKind::Turmoil => turmoil::play(scenario, subject),
    }
}

/// Runs `scenario` on the kernel's loopback.
fn on_the_kernel(
    scenario: Rc<Scenario>,
    subject: impl Subject<KernelNetwork>,
) -> Result<RunResult, PlayError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("a runtime"))?;
    LocalSet::new().block_on(&runtime, async move {
        let clock = Clock::start();
        let networks = (KernelNetwork::default(), KernelNetwork::default());
        run(scenario, subject, networks, clock, 0, false).await
    })
}

/// Runs `scenario` with an external process under test.
fn external(
    scenario: &Rc<Scenario>,
    variant: &Variant,
    network: NetworkKind,
) -> Result<RunResult, PlayError> {
    known::check_name(&variant.speaker)?;
    let launcher = known::exabgp(&variant.speaker, None)?;
    match network {
        NetworkKind::Kernel => {}
        NetworkKind::Sim => return as_guest(scenario, variant, launcher),
        NetworkKind::Turmoil => {
            return Err(PlayError::Unsupported {
                what: format!("{variant} on the network {network}"),
                help: "pass --network sim (virtual time) or kernel (real time)",
            });
        }
    }
    Ok(to_process(scenario, variant, launcher)?.0)
}

/// Plays `scenario` to the program of `launcher` as a guest in virtual time.
fn as_guest(
    scenario: &Rc<Scenario>,
    variant: &Variant,
    launcher: Launcher,
) -> Result<RunResult, PlayError> {
    let scratch = std::env::temp_dir();
    let subject = GuestSpeaker::new(variant.clone(), launcher, setup(scenario), &scratch);
    let world = World::new(Settings::default()).map_err(io_error("a simulated world"))?;
    let host = world.host(&[]);
    let networks = (host.network(), host.network());
    let limit = LIMIT * 2 + scenario.span();
    // Its answers promise nothing of what its peers were sent (`reference.md` of ExaBGP's API: "done" follows the queue).
    let run = run(
        scenario.clone(),
        subject,
        networks,
        world.clock(),
        PORT,
        true,
    );
    world.run(limit, run)?
}

fn setup(scenario: &Scenario) -> Setup {
    Setup {
        name: scenario.name.clone(),
        directory: scenario.directory.clone(),
        configurations: scenario.config.clone(),
        environment: scenario.environment.clone(),
        attempts: scenario.attempts,
    }
}

/// Runs `scenario` with the process of `launcher` on the kernel's loopback, and returns its log too.
///
/// # Errors
/// What the operating system says of sockets and files.
pub fn to_process(
    scenario: &Rc<Scenario>,
    variant: &Variant,
    launcher: Launcher,
) -> Result<(RunResult, String), PlayError> {
    let scratch = std::env::temp_dir();
    let subject = Rc::new(External::new(
        variant.clone(),
        launcher,
        setup(scenario),
        &scratch,
    ));
    let result = on_the_kernel(scenario.clone(), subject.clone())?;
    let log = subject.log();
    Ok((result, log))
}

/// Our speaker as a scenario configures it.
pub type Prepared = (Rotation, settings::Settings);

/// Reads the configurations and the environment of `scenario`.
///
/// # Errors
/// A configuration that cannot be read or understood.
pub fn prepare(scenario: &Scenario) -> Result<Prepared, PlayError> {
    let configurations = scenario
        .config
        .iter()
        .map(|file| {
            let path = scenario.directory.join(file);
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).map_err(io_error(name.clone()))?;
            let mut configuration = config::parse(&name, &text)?;
            set_verbatim(scenario, &mut configuration);
            Ok(configuration)
        })
        .collect::<Result<Vec<Configuration>, PlayError>>()?;
    let environment = environment::parse(scenario.environment.iter().map(|(n, v)| (n, v)))?;
    let settings = settings::Settings {
        attempts: scenario.attempts,
        debug_rotate: true,
        ..environment.settings
    };
    Ok((
        Rotation::new(configurations, scenario.directory.clone()),
        settings,
    ))
}

/// Gives neighbors the verbatim bytes of the scenario.
fn set_verbatim(scenario: &Scenario, configuration: &mut Configuration) {
    for (peer, verbatim) in &scenario.verbatims {
        let neighbors = configuration.neighbors.iter_mut();
        for neighbor in neighbors.filter(|neighbor| neighbor.peer_address == *peer) {
            neighbor.verbatim = Some(verbatim.clone());
        }
    }
}
