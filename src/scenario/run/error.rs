//! Why a scenario could not be run.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

use crate::config::ConfigError;
use crate::config::environment::EnvironmentError;
use crate::sim::Endless;
use crate::sim::turmoil::TurmoilFailure;
use crate::subject::locate::LocateError;

/// Why a scenario could not be run.
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
    #[error("the plan cannot be carried out: {0}")]
    Plan(String),
    /// An unsupported combination of options.
    #[error("there is no {what}")]
    #[diagnostic(help("{help}"))]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What can be asked for instead.
        help: &'static str,
    },
    /// The program of a speaker.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Locate(#[from] LocateError),
    /// The scenario is not for this speaker.
    #[error("{scenario} is not applicable to {speaker}: {why}")]
    NotForSpeaker {
        /// The scenario's name.
        scenario: String,
        /// The speaker's name as its authors write it.
        speaker: String,
        /// What the scenario says.
        why: String,
    },
    /// The scenario has no configuration for this speaker.
    #[error("{scenario} is not applicable to {speaker}: there is no {}", file.display())]
    #[diagnostic(help("a speaker plays the scenarios that have a configuration for it"))]
    NotApplicable {
        /// The scenario's name.
        scenario: String,
        /// The speaker's name as its authors write it.
        speaker: String,
        /// The configuration that would make it so.
        file: std::path::PathBuf,
    },
    /// The subject could not be put under test; this says nothing about it.
    #[error("{0}")]
    Subject(String),
    /// A run that makes no progress.
    #[error(transparent)]
    Endless(#[from] Endless),
    /// A speaker and its peer that connect again and again, without a pause between.
    #[error(
        "{connections} connections with {peer} in {:.3} s: each ends at once and the next is opened without a pause",
        elapsed.as_secs_f64()
    )]
    Spinning {
        /// The address of the peer at the other end.
        peer: IpAddr,
        /// How many connections there were.
        connections: u64,
        /// Virtual time of the run.
        elapsed: Duration,
    },
    /// A run that turmoil gave up.
    #[error(transparent)]
    Turmoil(#[from] TurmoilFailure),
    /// The scenario's environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
}
