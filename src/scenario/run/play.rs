//! A scenario played to our own speaker, on any network.

use std::io;
use std::rc::Rc;

use miette::Diagnostic;
use thiserror::Error;
use tokio::task::LocalSet;

use crate::config::environment::{self, EnvironmentError};
use crate::config::{self, ConfigError, Configuration};
use crate::net::Network;
use crate::net::clock::Clock;
use crate::os::kernel::KernelNetwork;
use crate::reactor::defects::{Defect, DefectSet, Defects, NoDefects};
use crate::reactor::order::Arrival;
use crate::reactor::{Mode, Rotation};
use crate::scenario::format::script::Scenario;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::runner::{Conditions, LIMIT, Run};
use crate::scenario::run::story::Story;
use crate::scenario::run::suite::NetworkKind;
use crate::scenario::run::turmoil;
use crate::sim::turmoil::TurmoilFailure;
use crate::sim::{OutOfTime, Settings, World};
use crate::speaker::settings;

/// A simulated host has the port to itself.
const PORT: u16 = 179;

/// Why a scenario could not be played.
#[derive(Debug, Error, Diagnostic)]
pub enum PlayError {
    /// The speaker's configuration.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Configuration(#[from] ConfigError),
    /// A file, a socket.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
    /// A plan that cannot be carried out.
    #[error("invalid plan: {0}")]
    Plan(String),
    /// A run that does not end.
    #[error(transparent)]
    OutOfTime(#[from] OutOfTime),
    /// A run that turmoil gave up.
    #[error(transparent)]
    Turmoil(#[from] TurmoilFailure),
    /// The scenario's environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
}

fn trouble(what: impl Into<String>) -> impl FnOnce(io::Error) -> PlayError {
    let what = what.into();
    |error| PlayError::Io { what, error }
}

/// Plays `scenario` in `mode` on `network`.
///
/// # Errors
/// The configuration, or what the operating system says.
pub fn play(
    scenario: &Rc<Scenario>,
    mode: Mode,
    network: NetworkKind,
) -> Result<RunResult, PlayError> {
    let speaker = prepare(scenario)?;
    let limit = LIMIT * 2 + scenario.span();
    match network {
        NetworkKind::Sim => {
            let world = World::new(Settings::default()).map_err(trouble("a simulated world"))?;
            let host = world.host(&[]).network();
            let clock = world.clock();
            let manner = Manner::sound(mode);
            let run = run(scenario.clone(), manner, speaker, host, clock, PORT);
            world.run(limit, run)?
        }
        NetworkKind::Kernel => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(trouble("a runtime"))?;
            let scenario = scenario.clone();
            LocalSet::new().block_on(&runtime, async move {
                let clock = Clock::start();
                let manner = Manner::sound(mode);
                run(scenario, manner, speaker, KernelNetwork, clock, 0).await
            })
        }
        NetworkKind::Turmoil => turmoil::play(scenario.clone(), mode, speaker),
    }
}

/// How the two sides of a run go about it.
pub(super) struct Manner<C> {
    /// The reactor.
    pub mode: Mode,
    /// How it conducts itself.
    pub conduct: C,
    /// Whether programs pause where their scripts say so.
    pub pauses: bool,
}

impl Manner<NoDefects> {
    /// A speaker whose answers hold what they promise, and programs that trust them.
    pub const fn sound(mode: Mode) -> Self {
        Self {
            mode,
            conduct: NoDefects,
            pauses: false,
        }
    }
}

/// The same with defects switched on, each in the reactor that it comes from. Where answers come early, the programs
/// pause, in either mode.
///
/// # Errors
/// As for [`play`], and any network but the simulated one.
pub fn play_with(
    scenario: &Rc<Scenario>,
    mode: Mode,
    network: NetworkKind,
    defects: Defects,
) -> Result<RunResult, PlayError> {
    if network != NetworkKind::Sim {
        return Err(PlayError::Plan(
            "defects can be enabled only with --network sim".into(),
        ));
    }
    let speaker = prepare(scenario)?;
    let world = World::new(Settings::default()).map_err(trouble("a simulated world"))?;
    let (host, clock) = (world.host(&[]).network(), world.clock());
    let manner = Manner {
        mode,
        conduct: defects.at_home(mode),
        pauses: defects.has(Defect::EarlyAnswer),
    };
    let run = run(scenario.clone(), manner, speaker, host, clock, PORT);
    // A deadlocked run reaches this limit too.
    world.run(LIMIT * 2 + scenario.span(), run)?
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
            let text = std::fs::read_to_string(&path).map_err(trouble(name.clone()))?;
            let mut configuration = config::parse(&name, &text)?;
            recite(scenario, &mut configuration);
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

/// Gives neighbors what the scenario has them say.
fn recite(scenario: &Scenario, configuration: &mut Configuration) {
    for (peer, verbatim) in &scenario.verbatims {
        let neighbors = configuration.neighbors.iter_mut();
        for neighbor in neighbors.filter(|neighbor| neighbor.peer_address == *peer) {
            neighbor.verbatim = Some(verbatim.clone());
        }
    }
}

/// Plays `scenario` on `network`, the peers listening at `port` (0: any that is free).
pub(super) async fn run<N: Network>(
    scenario: Rc<Scenario>,
    manner: Manner<impl DefectSet>,
    (rotation, settings): Prepared,
    network: N,
    clock: Clock,
    port: u16,
) -> Result<RunResult, PlayError> {
    let story = Rc::new(Story::default());
    let production = Run {
        scenario,
        mode: manner.mode,
        rotation,
        settings,
        speaker_network: network.clone(),
        peer_network: network,
        port,
        clock,
        speaker_clock: clock,
        observer: story.clone(),
        order: Box::new(|| Box::new(Arrival)),
        conduct: manner.conduct,
        pauses: manner.pauses,
        conditions: Conditions::Strict,
    };
    let played = production.play(Box::new(|_| true)).await?;
    Ok(RunResult {
        hash: Some(story.hash()),
        marks: story.take_marks(),
        ..played
    })
}
