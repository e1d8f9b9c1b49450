//! `lockstep accept`: accepts pending captures as goldens without asking, for scripts.

use chrono::{DateTime, Utc};
use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::captures::Captures;
use super::output::say;
use crate::net::clock;
use crate::scenario::golden::manifest::Manifest;
use crate::scenario::golden::pending;

/// The pending captures to accept.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scenario names.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    scenarios: Vec<String>,
    /// Accept every pending capture.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    captures: Captures,
}

/// Accepts them. All names are looked up before the first golden is touched.
///
/// # Errors
/// A scenario without a pending capture, a pending file that is not a capture, files that cannot be written.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let captures = arguments.captures.existing()?;
    let mut chosen = pending::all(&captures).into_diagnostic()?;
    for name in &arguments.scenarios {
        if chosen.iter().all(|pending| pending.scenario != *name) {
            return Err(miette!(
                help = "`lockstep run` leaves one where the octets differ from the golden; `lockstep review` shows all",
                "no capture of `{name}` is pending"
            ));
        }
    }
    chosen.retain(|pending| arguments.all || arguments.scenarios.contains(&pending.scenario));
    if chosen.is_empty() {
        say!("no capture is pending");
    }
    let mut manifest = Manifest::load(&captures).into_diagnostic()?;
    manifest.complete(&captures).into_diagnostic()?;
    for pending in &chosen {
        pending
            .accept(&captures, &mut manifest, today())
            .into_diagnostic()?;
        say!("{:32} {ACCEPTED}", pending.scenario);
    }
    Ok(Status::Passed)
}

/// The line printed for an accepted golden.
pub(super) const ACCEPTED: &str =
    "accepted: the golden is now Lockstep's own, which the manifest says";

/// Today, YYYY-MM-DD.
pub(super) fn today() -> String {
    DateTime::<Utc>::from_timestamp(clock::since_1970().as_secs().cast_signed(), 0)
        .unwrap_or_default()
        .format("%F")
        .to_string()
}
