//! The command line in the place of `exabgp`: ExaBGP's subcommands, with its options.

mod client;
mod environment;
mod validate;

use std::ffi::OsString;
use std::path::Path;

use clap::{CommandFactory, Parser, Subcommand};

use super::output::say;
use super::status::CommandError;
use super::{Status, decode, speak};

/// The BGP swiss army knife of networking (Lockstep in the place of ExaBGP 5.0.15).
///
/// A configuration file can be passed directly: `exabgp config.conf` is `exabgp server config.conf`.
/// An environment file is named by `exabgp --env-file FILE server config.conf`, or by EXABGP_ENVFILE.
#[derive(Debug, Parser)]
#[command(name = "exabgp", disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report the version.
    Version,
    /// Control a running server through its named pipes.
    Cli(client::Arguments),
    /// Monitor services and announce or withdraw routes: not provided here.
    Healthcheck {
        /// What ExaBGP's takes.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Show the settings of the environment.
    Env(environment::Arguments),
    /// Decode BGP messages in hexadecimal.
    Decode(decode::Arguments),
    /// Start the speaker.
    Server(speak::Arguments),
    /// Check configurations.
    Validate(validate::Arguments),
}

const SUBCOMMANDS: [&str; 7] = [
    "version",
    "cli",
    "healthcheck",
    "env",
    "decode",
    "server",
    "validate",
];

/// Whether the program was called in the place of `exabgp`.
pub(super) fn is_called(arguments: &[OsString]) -> bool {
    let name = arguments.first().map(Path::new).and_then(Path::file_name);
    name == Some("exabgp".as_ref())
}

/// Runs the command line.
pub(super) fn run(mut arguments: Vec<OsString>) -> Result<Status, CommandError> {
    let environment_file = take_environment_file(&mut arguments);
    if arguments.len() == 1 {
        // As in ExaBGP: the help, what the environment may say, and a status that says that nothing was done.
        say!("{}", CommandLine::command().render_help());
        say!("Environment values are:\n{}", environment::described());
        return Ok(Status::Failed);
    }
    let named = arguments
        .get(1)
        .and_then(|first| first.to_str())
        .is_some_and(|first| SUBCOMMANDS.contains(&first));
    let asks = |words: &[&str]| {
        arguments
            .iter()
            .any(|one| words.iter().any(|word| one == word))
    };
    if !named && !asks(&["-h", "--help"]) {
        if asks(&["-V", "--version"]) {
            arguments.truncate(1);
            arguments.push("version".into());
        } else {
            arguments.insert(1, "server".into());
        }
    }
    let line = CommandLine::try_parse_from(arguments)?;
    let outcome = match line.command {
        Command::Version => Ok(version()),
        Command::Cli(arguments) => client::run(&arguments, environment_file.as_deref()),
        Command::Healthcheck { .. } => Err(healthcheck()),
        Command::Env(arguments) => environment::run(&arguments, environment_file.as_deref()),
        Command::Decode(arguments) => decode::run(arguments),
        Command::Server(mut arguments) => {
            if let Some(file) = environment_file {
                arguments.read_environment_from(file.into());
            }
            speak::run(arguments)
        }
        Command::Validate(arguments) => validate::run(&arguments),
    };
    outcome.map_err(CommandError::Input)
}

/// Takes `--env-file FILE` out, wherever it stands.
fn take_environment_file(arguments: &mut Vec<OsString>) -> Option<OsString> {
    let at = arguments.iter().position(|argument| {
        argument == "--env-file"
            || argument
                .to_str()
                .is_some_and(|text| text.starts_with("--env-file="))
    })?;
    if arguments[at] != "--env-file" {
        let whole = arguments.remove(at).into_string().ok()?;
        return Some(whole["--env-file=".len()..].into());
    }
    if at + 1 == arguments.len() {
        return None;
    }
    arguments.remove(at);
    Some(arguments.remove(at))
}

fn version() -> Status {
    let system = rustix::system::uname();
    let part = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    say!("ExaBGP : 5.0.15");
    say!("Speaker: Lockstep {}", env!("CARGO_PKG_VERSION"));
    say!(
        "Uname  : {} {} {} {} {}",
        part(system.sysname()),
        part(system.nodename()),
        part(system.release()),
        part(system.version()),
        part(system.machine())
    );
    let program = std::env::current_exe().unwrap_or_default();
    say!("From   : {}", program.display());
    Status::Passed
}

fn healthcheck() -> miette::Report {
    miette::miette!(
        help = "it is a program of its own that needs no speaker: install ExaBGP 5.0.15 for Python (pip install exabgp==5.0.15), \
                and write `run python3 -m exabgp healthcheck …;` in the process section; it commands this speaker as it commands ExaBGP",
        "the health check of services is not part of this speaker"
    )
}
