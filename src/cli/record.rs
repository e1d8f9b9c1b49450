//! `lockstep record`: records goldens from the real ExaBGP.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::applicable::applicable;
use super::captures::Captures;
use super::namespace::again;
use super::output::say;
use super::subject::{captures_of, check_speaker, selected};
use super::trust::Trust;
use crate::net::clock;
use crate::os::small_file::{self, GOLDEN};
use crate::reactor::defects::Defects;
use crate::scenario::format::directory::is_for_daemons;
use crate::scenario::format::script::{GoldenSource, Scenario};
use crate::scenario::golden::Golden;
use crate::scenario::golden::expected;
use crate::scenario::golden::manifest::{Manifest, ManifestEntry, digest};
use crate::scenario::run::network::NetworkKind;
use crate::scenario::run::play;
use crate::scenario::run::record;
use crate::subject::launcher::Launcher;
use crate::subject::{SpeakerName, Variant, locate};

/// The scenarios and the speaker to record.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scenario names (default: all).
    scenarios: Vec<String>,
    /// Speaker to record: NAME, NAME=VERSION or NAME=PATH.
    #[arg(long, default_value = "exabgp", value_name = "NAME[=VERSION|PATH]")]
    speaker: SpeakerName,
    /// Network to record on: `kernel` in real time (default), `sim` in virtual time (default where the scenario has hosts of
    /// its own). A golden of virtual time is not replaced by one of real time: it is confirmed, or what differs is printed.
    #[arg(long, value_enum)]
    network: Option<NetworkKind>,
    /// Print what differs from the golden instead of replacing it.
    #[arg(long)]
    check: bool,
    /// Directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
    #[command(flatten)]
    captures: Captures,
    /// Virtual environment of the reference; qa/record/install installs it.
    #[arg(long, env = "LOCKSTEP_REFERENCE", value_name = "DIR")]
    reference: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
}

/// Records the scenarios.
///
/// # Errors
/// An invalid scenario, a reference that is not installed, files that cannot be written.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    check_speaker(&arguments.speaker)?;
    if arguments.speaker.is_own() {
        return Err(miette!(
            help = "a golden is what another speaker says: --speaker exabgp",
            "a golden is never recorded from our own speaker"
        ));
    }
    if let (Some(path), Some(reference)) = (arguments.speaker.path(), &arguments.reference)
        && std::env::var_os("LOCKSTEP_REFERENCE").as_ref()
            != Some(&reference.clone().into_os_string())
    {
        return Err(miette!(
            help = "leave one of them out",
            "--speaker already names the path {path}: --reference has no effect"
        ));
    }
    let variant = Variant {
        speaker: arguments.speaker.clone(),
        mode: None,
    };
    let variants = [variant.clone()];
    let scenarios = selected(&arguments.scenario_dir, &arguments.scenarios, &variants)?;
    let captures = captures_of(&arguments.captures.existing()?, &variants, &scenarios)?;
    std::fs::create_dir_all(&captures).into_diagnostic()?;
    let declares = |scenario: &Scenario| scenario.topology.is_declared;
    let network = arguments
        .network
        .unwrap_or(match scenarios.iter().all(declares) {
            true => NetworkKind::Sim,
            false => NetworkKind::Kernel,
        });
    arguments.trust.check(&scenarios, &variants, network)?;
    if let Some(network) = arguments.network
        && let Some(status) = again(&scenarios, network)?
    {
        return Ok(status);
    }
    let launcher = locate::locate(&variant, arguments.reference.as_deref())?;
    let mut manifest = Manifest::load(&captures).into_diagnostic()?;
    manifest.complete(&captures).into_diagnostic()?;
    let mut status = Status::Passed;
    let (scenarios, left_out) = applicable(scenarios, &arguments.scenarios, &variants)?;
    for line in left_out {
        say!("{line}");
    }
    for scenario in scenarios.into_iter().map(Rc::new) {
        match golden(&scenario, &variant, &launcher, arguments.network)? {
            Err(why) => {
                say!("{:32} NOT RECORDED  {why}", scenario.name);
                status = Status::Failed;
            }
            Ok((entry, bytes)) => {
                let file = captures.join(&entry.file);
                let same = differs(&file, &bytes)?;
                say!(
                    "{:32} {}",
                    scenario.name,
                    same.as_deref().unwrap_or("same as the golden")
                );
                if same.is_none() {
                    if let (Some(kernel), false) = (&entry.kernel, arguments.check)
                        && manifest.confirm(&scenario.name, kernel)
                    {
                        manifest.store(&captures).into_diagnostic()?;
                    }
                    continue;
                }
                let held = manifest.entry(&scenario.name);
                let held = held.and_then(|held| held.network.as_deref());
                let is_confirmed = entry.kernel.is_some() && held == Some("sim");
                if arguments.check || is_confirmed {
                    status = Status::Failed;
                    continue;
                }
                manifest
                    .replace(&captures, entry, &bytes)
                    .into_diagnostic()?;
            }
        }
    }
    Ok(status)
}

/// Describes how `bytes` differ from the golden in `file`, if they do.
fn differs(file: &Path, bytes: &[u8]) -> miette::Result<Option<String>> {
    let name = file.display().to_string();
    let recorded = Golden::read(&name, bytes).into_diagnostic()?;
    let Ok(held) = small_file::read(file, GOLDEN) else {
        return Ok(Some(format!(
            "new golden, {} messages",
            recorded.messages()
        )));
    };
    let held = Golden::read(&name, &held).into_diagnostic()?;
    Ok(held.divergence(&recorded).map(|divergence| {
        format!(
            "differs from the golden at message {} of {}",
            divergence.number, divergence.connection
        )
    }))
}

/// The golden of `scenario`, or why there is none.
fn golden(
    scenario: &Rc<Scenario>,
    variant: &Variant,
    launcher: &Launcher,
    network: Option<NetworkKind>,
) -> miette::Result<Result<(ManifestEntry, Vec<u8>), String>> {
    let now = clock::since_1970();
    let speaker = &variant.speaker;
    let has_own = launcher.description.configuration.is_some() || is_for_daemons(scenario);
    let network = network.unwrap_or(match scenario.topology.is_declared {
        true => NetworkKind::Sim,
        false => NetworkKind::Kernel,
    });
    let command = format!(" --speaker {}", speaker.name());
    let (recorded, version, command, bytes) = match scenario.golden {
        GoldenSource::None if !has_own => {
            return Ok(Err("it has `golden none`: its steps decide".into()));
        }
        GoldenSource::Messages => {
            let transcripts = expected::load(scenario)?;
            let bytes = record::pcap(&transcripts, now).into_diagnostic()?;
            (
                "messages",
                "expected messages of ExaBGP's development branch",
                String::new(),
                bytes,
            )
        }
        GoldenSource::ExaBgp | GoldenSource::None => {
            let played = match network {
                NetworkKind::Kernel => {
                    let (played, log) = play::to_process(scenario, variant, launcher.clone())?;
                    if played.failure.is_some() {
                        tracing::debug!("{log}");
                    }
                    played
                }
                _ => play::play(scenario, variant, network, Defects::default())?,
            };
            if let Some(failure) = played.failure {
                let line = failure
                    .step
                    .map_or(String::new(), |(_, line)| format!(" (line {line})"));
                return Ok(Err(format!("{}{line}", failure.message)));
            }
            let bytes = record::pcap(&played.transcripts, now).into_diagnostic()?;
            (speaker.name(), launcher.version.as_str(), command, bytes)
        }
    };
    let date = DateTime::<Utc>::from_timestamp(now.as_secs().cast_signed(), 0)
        .unwrap_or_default()
        .format("%F");
    let entry = ManifestEntry {
        scenario: scenario.name.clone(),
        file: format!("{}.pcap", scenario.name),
        speaker: recorded.into(),
        version: version.into(),
        command: format!("lockstep record {}{command}", scenario.name),
        network: (recorded != "messages").then(|| network.to_string()),
        kernel: (recorded != "messages" && network == NetworkKind::Kernel).then(kernel),
        date: date.to_string(),
        sha256: digest(&bytes),
    };
    Ok(Ok((entry, bytes)))
}

/// The release of this machine's kernel.
fn kernel() -> String {
    let release = rustix::system::uname().release().to_owned();
    release.to_string_lossy().into_owned()
}
