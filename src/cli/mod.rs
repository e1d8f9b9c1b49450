//! The command line: one file per subcommand, thin.
//!
//! To add a subcommand: a file with `Arguments` and `run`, and one line in the table below.

pub mod accept;
pub mod anonymise;
pub mod bisect;
pub mod captures;
pub mod check;
pub mod completions;
pub mod decode;
pub mod encode;
pub mod encoding;
mod applicable;
mod exabgp;
pub mod host;
pub mod diff;
pub mod import;
pub mod input;
pub mod live;
mod log;
mod namespace;
pub mod output;
pub mod defects;
pub mod explore;
pub mod plan_file;
pub mod record;
pub mod replay;
pub mod review;
pub mod run;
pub mod show;
pub mod shrink;
pub mod speak;
pub mod speakers;
pub mod status;
mod stop;
pub mod subject;
pub mod trust;
pub mod values;
pub mod verify;
pub mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::speaker::parity;
use output::say;
pub use status::Status;

/// Deterministic simulation and wire-regression harness for BGP speakers.
///
/// Without a subcommand, replays every scenario in both reactor modes on the simulated network
/// and compares what is on the wire with the captures of the real ExaBGP.
#[derive(Debug, Parser)]
#[command(name = "lockstep", version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Arguments,
}

/// Declares the table of subcommands: `Variant(module)`, in the order of the help.
macro_rules! subcommands {
    ($($(#[$meta:meta])* $variant:ident($module:ident);)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[$meta])* $variant($module::Arguments),)*
        }

        impl Command {
            fn run(self) -> miette::Result<Status> {
                match self {
                    $(Self::$variant(arguments) => $module::run(arguments),)*
                }
            }
        }
    };
}

subcommands! {
    /// Check configurations, and show the neighbors, processes and routes found.
    Check(check);
    /// Replay scenarios and compare them with their goldens.
    Run(run);
    /// Decode BGP messages to ExaBGP's JSON, or to a table of fields.
    Decode(decode);
    /// Encode a route in ExaBGP's syntax as hexadecimal digits.
    Encode(encode);
    /// Compare two captures and show where they differ.
    Diff(diff);
    /// Show a capture as a ladder of messages, or one message byte by byte.
    Show(show);
    /// Show what differs from the goldens after a run and ask which is right.
    Review(review);
    /// Accept pending captures as goldens without asking.
    Accept(accept);
    /// Record goldens from the real ExaBGP.
    Record(record);
    /// Run scenarios under faults drawn from seeds, or at every byte.
    Explore(explore);
    /// Say why the sessions of a capture ended.
    Why(why);
    /// Replace addresses, AS numbers and names in captures.
    Anonymise(anonymise);
    /// Turn a capture of a session that ended into a scenario and a plan.
    Import(import);
    /// Reduce a failing plan to the least that still fails.
    Shrink(shrink);
    /// Run a plan again.
    Replay(replay);
    /// List the historical defects that can be enabled.
    Defects(defects);
    /// Find where the two reactors first differ under a plan, in bytes and in time.
    Bisect(bisect);
    /// Run plans twice, here and in a fresh process, and compare the trace hashes.
    Verify(verify);
    /// List the speakers that can be put under test, and how to install them.
    Speakers(speakers);
    /// Print what a shell needs to complete the command line.
    Completions(completions);
    /// Run the speaker as a daemon (ExaBGP's `server`).
    #[command(visible_alias = "server")]
    Speak(speak);
}

/// Runs the command line and gives its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Invalid usage counts too, so this is decided before the command line is parsed.
    let for_git_bisect = arguments.iter().any(|argument| argument == "--git-bisect");
    let status = status::of(&run_with(arguments));
    if for_git_bisect {
        status.for_git_bisect().into()
    } else {
        status.into()
    }
}

fn run_with(arguments: impl IntoIterator<Item = OsString>) -> Result<Status, status::CommandError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if exabgp::is_called(&arguments) {
        return exabgp::run(arguments);
    }
    if let [_, help, topic] = arguments.as_slice()
        && help == "help"
        && topic == "parity"
    {
        say!("{}", parity::text().trim_end());
        return Ok(Status::Passed);
    }
    let line = CommandLine::try_parse_from(arguments)?;
    if !matches!(line.command, Some(Command::Speak(_))) {
        log_as_asked();
    }
    let outcome = match line.command {
        Some(command) => command.run(),
        None => run::run(line.run),
    };
    outcome.map_err(status::CommandError::Input)
}

/// Logs to standard error what `RUST_LOG` asks for; the daemon uses ExaBGP's own settings for that.
fn log_as_asked() {
    // A second subscriber is refused; the first one stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .without_time()
        .try_init();
}
