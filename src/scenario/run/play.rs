//! Runs a scenario with a subject under test, on any network.

use std::net::IpAddr;
use std::rc::Rc;

use tokio::task::LocalSet;

use crate::guest::Identity;
use crate::net::clock::Clock;
use crate::os::kernel::KernelNetwork;
use crate::os::namespace::{self, SpeakerNamespace};
use crate::reactor::defects::{Defect, DefectSet, Defects, NoDefects};
use crate::scenario::format::script::{Scenario, SpeakerScript};
use crate::scenario::run::error::PlayError;
use crate::scenario::run::network::NetworkKind;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::prepare::{io_error, launcher, prepare, setup};
use crate::scenario::run::strict::{PORT, run_alone};
use crate::scenario::run::{simulated, turmoil};
use crate::subject::external::External;
use crate::subject::launcher::Launcher;
use crate::subject::own::OwnSpeaker;
use crate::subject::{Subject, Variant};

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
    refuse_declared_hosts(scenario, variant, network)?;
    if variant.own_mode().is_none() && !defects.is_empty() {
        return Err(PlayError::Unsupported {
            what: format!("{variant} with --defect"),
            help: "defects are switches of our own speaker",
        });
    }
    match network {
        NetworkKind::Sim if defects.is_empty() => {
            // Without defects the reactor is the one compiled without their branches.
            simulated::play(scenario, variant, |_| NoDefects, false)
        }
        NetworkKind::Sim => {
            let pauses = defects.has(Defect::EarlyAnswer);
            simulated::play(scenario, variant, |mode| defects.at_home(mode), pauses)
        }
        _ if !defects.is_empty() => Err(PlayError::Unsupported {
            what: format!("--defect on the network {network}"),
            help: "defects can be switched on with --network sim",
        }),
        NetworkKind::Kernel | NetworkKind::Turmoil => in_real_sockets(scenario, variant, network),
    }
}

/// Hosts of their own are on the simulated network, or on the kernel's where the one under test is a process of its own.
fn refuse_declared_hosts(
    scenario: &Scenario,
    variant: &Variant,
    network: NetworkKind,
) -> Result<(), PlayError> {
    let is_process = variant.own_mode().is_none() && network == NetworkKind::Kernel;
    if scenario.topology.is_declared && network != NetworkKind::Sim && !is_process {
        return Err(PlayError::Unsupported {
            what: format!(
                "network {network} for scenario `{}`, which declares its hosts",
                scenario.name
            ),
            help: "hosts, links and partitions are simulated: pass --network sim",
        });
    }
    Ok(())
}

/// Plays `scenario`, which declares no hosts, on the kernel's loopback or on turmoil.
fn in_real_sockets(
    scenario: &Rc<Scenario>,
    variant: &Variant,
    network: NetworkKind,
) -> Result<RunResult, PlayError> {
    let speaker = only_speaker(scenario)?;
    if let Some(mode) = variant.own_mode() {
        let (configurations, settings) = prepare(scenario, speaker)?;
        let subject = OwnSpeaker::new(mode, configurations, settings, NoDefects);
        return match network {
            NetworkKind::Turmoil => turmoil::play(scenario.clone(), subject),
            _ => on_the_kernel(scenario.clone(), subject, 0),
        };
    }
    let launcher = launcher(scenario, speaker, variant)?;
    if network == NetworkKind::Turmoil {
        return Err(PlayError::Unsupported {
            what: format!("{variant} on the network {network}"),
            help: "pass --network sim (virtual time) or kernel (real time)",
        });
    }
    Ok(to_process(scenario, variant, launcher)?.0)
}

/// The speaker of a scenario that has one.
fn only_speaker(scenario: &Scenario) -> Result<&SpeakerScript, PlayError> {
    match scenario.speakers.as_slice() {
        [only] => Ok(only),
        [] => Err(PlayError::Unsupported {
            what: format!("speaker in scenario `{}`", scenario.name),
            help: "add a section `speaker HOST`",
        }),
        _ => Err(PlayError::Unsupported {
            what: format!("several speakers in scenario `{}`", scenario.name),
            help: "they run on the simulated network: pass --network sim",
        }),
    }
}

/// The host of `speaker` on the kernel's network; this process is the hosts of the peers.
fn namespace(scenario: &Scenario, speaker: &SpeakerScript) -> Result<SpeakerNamespace, PlayError> {
    if !namespace::is_own() {
        return Err(PlayError::Unsupported {
            what: format!("network kernel for scenario `{}` here", scenario.name),
            help: "its hosts need a network namespace that lockstep::os::namespace::again makes",
        });
    }
    if !scenario.topology.partitions.is_empty() {
        return Err(PlayError::Unsupported {
            what: format!(
                "network kernel for scenario `{}`, which has partitions",
                scenario.name
            ),
            help: "partitions are simulated: pass --network sim",
        });
    }
    let host = scenario.topology.host(speaker.host);
    let of_speaker = host.map_or(&[][..], |host| &host.addresses);
    let peers: Vec<IpAddr> = scenario.peers.iter().map(|peer| peer.address).collect();
    // Some speakers say it in their OPEN: as in the simulation.
    let host_name = Identity::default().host_name;
    SpeakerNamespace::new(&host_name, &peers, of_speaker).map_err(io_error("a network namespace"))
}

/// Runs `scenario` on the kernel's network, peers listening at `port` (0: any that is free).
fn on_the_kernel(
    scenario: Rc<Scenario>,
    subject: impl Subject<KernelNetwork> + 'static,
    port: u16,
) -> Result<RunResult, PlayError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("a runtime"))?;
    LocalSet::new().block_on(&runtime, async move {
        let clock = Clock::start();
        let networks = (KernelNetwork::default(), KernelNetwork::default());
        run_alone(scenario, subject, networks, clock, port).await
    })
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
    let speaker = only_speaker(scenario)?;
    let scratch = std::env::temp_dir();
    let files = setup(scenario, speaker, variant);
    let mut subject = External::new(variant.clone(), launcher, files, &scratch);
    let mut port = 0;
    if scenario.topology.is_declared {
        subject = subject.on(namespace(scenario, speaker)?);
        port = PORT;
    }
    let subject = Rc::new(subject);
    let result = on_the_kernel(scenario.clone(), subject.clone(), port)?;
    let log = subject.log();
    Ok((result, log))
}
