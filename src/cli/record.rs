//! `lockstep record`: a golden from the real thing.

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic, WrapErr, miette};

use super::Status;
use super::output::say;
use crate::net::clock;
use crate::scenario::format::directory;
use crate::scenario::format::script::{GoldenSource, Scenario};
use crate::scenario::golden::Golden;
use crate::scenario::golden::expected;
use crate::scenario::golden::manifest::{Manifest, ManifestEntry, digest, write_whole};
use crate::scenario::run::external::Launcher;
use crate::scenario::run::record;

const VERSION: &str = "import importlib.metadata as m; print(m.version('exabgp'))";

/// What to record, and from whom.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scenario names (default: all).
    scenarios: Vec<String>,
    /// Speaker to record.
    #[arg(long, value_enum, default_value_t = Speaker::Exabgp)]
    speaker: Speaker,
    /// Print what differs from the golden instead of replacing it.
    #[arg(long)]
    check: bool,
    /// Directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
    /// Directory of the goldens.
    #[arg(long, default_value = "captures", value_name = "DIR")]
    captures: PathBuf,
    /// Virtual environment of the reference; qa/record/install installs it.
    #[arg(
        long,
        env = "LOCKSTEP_REFERENCE",
        default_value = "target/reference/exabgp-5.0.15",
        value_name = "DIR"
    )]
    reference: PathBuf,
}

/// A speaker that can be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Speaker {
    /// The reference, ExaBGP.
    Exabgp,
}

/// Records the scenarios.
///
/// # Errors
/// A scenario that says what none says, a reference that is not there, files that cannot be written.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let Speaker::Exabgp = arguments.speaker;
    let scenarios = directory::select(&arguments.scenario_dir, &arguments.scenarios)?;
    let launcher = launcher(&arguments.reference)?;
    let mut manifest = Manifest::load(&arguments.captures).into_diagnostic()?;
    let mut status = Status::Passed;
    for scenario in &scenarios {
        match golden(scenario, &launcher)? {
            Err(why) => {
                say!("{:32} NOT RECORDED  {why}", scenario.name);
                status = Status::Failed;
            }
            Ok((entry, bytes)) => {
                let file = arguments.captures.join(&entry.file);
                let same = differs(&file, &bytes)?;
                say!(
                    "{:32} {}",
                    scenario.name,
                    same.as_deref().unwrap_or("same as the golden")
                );
                if same.is_none() {
                    continue;
                }
                if arguments.check {
                    status = Status::Failed;
                    continue;
                }
                write_whole(&file, &bytes).into_diagnostic()?;
                manifest.insert(entry);
                manifest.store(&arguments.captures).into_diagnostic()?;
            }
        }
    }
    Ok(status)
}

/// What differs between the golden in `file` and `bytes`, if anything does.
fn differs(file: &Path, bytes: &[u8]) -> miette::Result<Option<String>> {
    let name = file.display().to_string();
    let recorded = Golden::read(&name, bytes).into_diagnostic()?;
    let Ok(held) = std::fs::read(file) else {
        return Ok(Some(format!(
            "new golden, {} messages",
            recorded.messages()
        )));
    };
    let held = Golden::read(&name, &held).into_diagnostic()?;
    Ok(held.divergence(&recorded).map(|divergence| {
        format!(
            "differs from the golden at connection {} message {}",
            divergence.attempt, divergence.number
        )
    }))
}

/// The golden of `scenario`, or in a sentence why there is none.
fn golden(
    scenario: &Scenario,
    launcher: &Launcher,
) -> miette::Result<Result<(ManifestEntry, Vec<u8>), String>> {
    let now = clock::since_1970();
    let (speaker, version, command, bytes) = match scenario.golden {
        GoldenSource::Messages => {
            let transcripts = expected::load(scenario)?;
            let bytes = record::pcap(&transcripts, now).into_diagnostic()?;
            (
                "messages",
                "expected messages of ExaBGP's development branch",
                "",
                bytes,
            )
        }
        GoldenSource::ExaBgp => {
            let scratch = std::env::temp_dir();
            let (played, log) = record::play(scenario, launcher, &scratch).into_diagnostic()?;
            if let Some(failure) = played.failure {
                tracing::debug!("{log}");
                let line = failure
                    .step
                    .map_or(String::new(), |(_, line)| format!(" (line {line})"));
                return Ok(Err(format!("{}{line}", failure.message)));
            }
            let bytes = record::pcap(&played.transcripts, now).into_diagnostic()?;
            (
                "exabgp",
                launcher.version.as_str(),
                " --speaker exabgp",
                bytes,
            )
        }
    };
    let date = DateTime::<Utc>::from_timestamp(now.as_secs().cast_signed(), 0)
        .unwrap_or_default()
        .format("%F");
    let entry = ManifestEntry {
        scenario: scenario.name.clone(),
        file: format!("{}.pcap", scenario.name),
        speaker: speaker.into(),
        version: version.into(),
        command: format!("lockstep record {}{command}", scenario.name),
        date: date.to_string(),
        sha256: digest(&bytes),
    };
    Ok(Ok((entry, bytes)))
}

/// How the reference of the virtual environment `directory` is started.
fn launcher(directory: &Path) -> miette::Result<Launcher> {
    let directory = directory
        .canonicalize()
        .into_diagnostic()
        .wrap_err_with(|| format!("the reference is not in {}", directory.display()))
        .map_err(|error| miette!(help = "install it with qa/record/install", "{error:?}"))?;
    let python = directory.join("bin/python");
    // Told to become who it is, ExaBGP does not give up root, which would cost it its own files.
    let user = said(Command::new("id").arg("-un"))?;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Ok(Launcher {
        command: vec![
            directory.join("bin/exabgp").display().to_string(),
            "server".into(),
        ],
        version: said(Command::new(&python).args(["-c", VERSION]))?,
        python,
        environment: vec![
            pair("exabgp_daemon_user", &user),
            pair("exabgp_api_cli", "false"),
            pair("exabgp_debug_rotate", "true"),
        ],
    })
}

/// What a command prints, on one line.
fn said(command: &mut Command) -> miette::Result<String> {
    let output = command.output().into_diagnostic()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
