//! `lockstep review`: shows each capture that differs from its golden and asks which is right.

use std::io::{self, BufRead, Write};
use std::path::Path;

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::accept::{ACCEPTED, today};
use super::captures::Captures;
use super::output::{output, say};
use crate::report::diff_text::{self, TextOptions};
use crate::scenario::golden::manifest::Manifest;
use crate::scenario::golden::pending::{self, Pending};

/// The pending captures to review.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scenario names (default: all with a pending capture).
    scenarios: Vec<String>,
    /// Number of differences of each scenario to show in full.
    #[arg(long, value_name = "N", default_value_t = 1)]
    full: usize,
    #[command(flatten)]
    captures: Captures,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Reject,
    Skip,
    Quit,
}

/// Shows and asks. The status is 1 if a capture is still pending at the end.
///
/// # Errors
/// Files that cannot be read or written, a pending file that is not a capture.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let captures = arguments.captures.existing()?;
    let mut waiting = pending::all(&captures).into_diagnostic()?;
    for name in &arguments.scenarios {
        if waiting.iter().all(|pending| pending.scenario != *name) {
            return Err(miette!(
                help = "`lockstep run` leaves one where the octets differ from the golden",
                "no capture of `{name}` is pending"
            ));
        }
    }
    if !arguments.scenarios.is_empty() {
        waiting.retain(|pending| arguments.scenarios.contains(&pending.scenario));
    }
    if waiting.is_empty() {
        say!("no capture is pending");
        return Ok(Status::Passed);
    }
    let mut manifest = Manifest::load(&captures).into_diagnostic()?;
    let mut input = io::stdin().lock();
    let mut left = 0;
    for (at, pending) in waiting.iter().enumerate() {
        say!(
            "{}/{}  {}",
            at + 1,
            waiting.len(),
            heading(pending, &manifest)
        );
        show(pending, &manifest, &captures, arguments.full)?;
        match ask(&mut input)? {
            Answer::Accept => {
                pending
                    .accept(&captures, &mut manifest, today())
                    .into_diagnostic()?;
                say!("{ACCEPTED}\n");
            }
            Answer::Reject => {
                pending.reject().into_diagnostic()?;
                say!("rejected: the golden stays\n");
            }
            Answer::Skip => {
                left += 1;
                say!("skipped: still pending\n");
            }
            Answer::Quit => {
                left += waiting.len() - at;
                say!("{} still pending", waiting.len() - at);
                break;
            }
        }
    }
    Ok(if left == 0 {
        Status::Passed
    } else {
        Status::Failed
    })
}

fn heading(pending: &Pending, manifest: &Manifest) -> String {
    let golden = manifest.entry(&pending.scenario).map_or_else(
        || "there is no golden yet".to_owned(),
        |entry| {
            format!(
                "the golden is by {} {}, {}",
                entry.speaker, entry.version, entry.date
            )
        },
    );
    format!("{}: {golden}", pending.scenario)
}

fn show(
    pending: &Pending,
    manifest: &Manifest,
    captures: &Path,
    full: usize,
) -> miette::Result<()> {
    let report = pending.compare(captures, manifest).into_diagnostic()?;
    let options = TextOptions {
        full,
        limit: 20,
        colours: console::colors_enabled(),
    };
    super::diff::print(&diff_text::text(&report, ["golden", "pending"], options))
}

/// Asks until there is a valid answer; end of input quits.
fn ask(input: &mut impl BufRead) -> miette::Result<Answer> {
    loop {
        write!(
            output(),
            "[a]ccept (A, the golden, is wrong), [r]eject (B, this run, is wrong), [s]kip, [q]uit? "
        )
        .into_diagnostic()?;
        output().flush().into_diagnostic()?;
        let mut line = String::new();
        if input.read_line(&mut line).into_diagnostic()? == 0 {
            say!();
            return Ok(Answer::Quit);
        }
        match line.trim() {
            "a" | "accept" => return Ok(Answer::Accept),
            "r" | "reject" => return Ok(Answer::Reject),
            "s" | "skip" => return Ok(Answer::Skip),
            "q" | "quit" => return Ok(Answer::Quit),
            other => say!("invalid choice `{other}`; enter a, r, s or q"),
        }
    }
}
