//! `lockstep diff`: whether two captures say the same, and where they part.

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, WrapErr};

use super::Status;
use super::encoding::Encoding;
use super::input::Places;
use super::output::output;
use crate::capture::Canonical;
use crate::compare::{Input, Options, captures};
use crate::report::diff_text::{self, TextOptions};
use crate::report::{diff_json, html};

/// Octets from which a progress bar is worth its place.
const LARGE: u64 = 64 * 1024 * 1024;

/// Which captures, how to compare them, and how to tell.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Arguments {
    /// What ought to be: a capture (pcap or pcapng), `-`, a scenario in a mode (`api-rib@async`), or its golden (`api-rib`).
    #[arg(value_name = "A")]
    left: String,
    /// What is.
    #[arg(value_name = "B")]
    right: String,
    /// Compare meaning, not octets: routes with their attributes, however they are packed.
    #[arg(long)]
    canonical: bool,
    /// Compare times too: how many milliseconds a message may come earlier or later.
    #[arg(long, value_name = "MS", num_args = 0..=1, default_missing_value = "1")]
    timing: Option<u64>,
    /// Compare KEEPALIVEs as other messages, in count and place.
    #[arg(long)]
    keepalives: bool,
    /// Do not compare how connections end.
    #[arg(long)]
    ignore_endings: bool,
    /// Show so many differences in full.
    #[arg(long, value_name = "N", default_value_t = 1)]
    full: usize,
    /// Show at most so many differences.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Write JSON.
    #[arg(long)]
    json: bool,
    /// Write an HTML page to this file too; both captures are then held in memory.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write nothing: the exit status tells.
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    #[command(flatten)]
    encoding: Encoding,
    #[command(flatten)]
    places: Places,
}

/// Compares two captures.
///
/// # Errors
/// One of them cannot be read.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    if arguments.left == "-" && arguments.right == "-" {
        return Err(miette::miette!(
            "standard input can be read once, not as both A and B"
        ));
    }
    let (mut left, left_marks) = arguments.places.told(&arguments.left)?;
    let (mut right, right_marks) = arguments.places.told(&arguments.right)?;
    let held = match &arguments.html {
        Some(_) => Some([hold(&mut left)?, hold(&mut right)?]),
        None => None,
    };
    let options = Options {
        canonical: arguments.canonical,
        timing: arguments.timing.map(Duration::from_millis),
        keepalives: arguments.keepalives,
        endings: !arguments.ignore_endings,
        declared: arguments.encoding.declared()?,
        keep: arguments.limit.max(arguments.full),
    };
    let bar = progress(&left, &right);
    let report = captures(&mut left, &mut right, options.clone(), &mut |octets| {
        if let Some(bar) = &bar {
            bar.set_position(octets);
        }
    })
    .into_diagnostic()?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let names = [&arguments.left[..], &arguments.right[..]];
    if let (Some(path), Some(held)) = (&arguments.html, &held) {
        let marks = [&left_marks, &right_marks];
        let sides = [0, 1].map(|side| html::Side {
            name: names[side],
            capture: &held[side],
            marks: marks[side],
        });
        let page = html::comparison(sides, &report, &options);
        std::fs::write(path, page)
            .into_diagnostic()
            .wrap_err_with(|| format!("{} cannot be written", path.display()))?;
    }
    if !arguments.quiet {
        let text = if arguments.json {
            format!("{:#}\n", diff_json::json(&report, names))
        } else {
            let shown = TextOptions {
                full: arguments.full,
                limit: arguments.limit,
                colours: console::colors_enabled(),
            };
            diff_text::text(&report, names, shown)
        };
        print(&text)?;
    }
    let has_both = report.tallies.iter().all(|tally| tally.connections > 0);
    Ok(if !report.troubles.is_empty() || !has_both {
        Status::Invalid
    } else if !report.is_same() {
        Status::Failed
    } else if report.is_complete() {
        Status::Passed
    } else {
        Status::Invalid
    })
}

/// Reads a capture as far as it goes; that it breaks off is for the comparison to say.
fn hold(input: &mut Input) -> miette::Result<Canonical> {
    if let Input::Once(name, stream) = input {
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).into_diagnostic()?;
        *input = Input::Memory(std::mem::take(name), octets);
    }
    let mut canonical = Canonical::default();
    let mut capture = input.open().into_diagnostic()?;
    while let Ok(true) = capture.step(|event| canonical.push(&event)) {}
    Ok(canonical)
}

/// Writes to standard output.
///
/// # Errors
/// What the operating system says, but that nobody reads on.
pub fn print(text: &str) -> miette::Result<()> {
    output().write_all(text.as_bytes()).into_diagnostic()
}

fn progress(left: &Input, right: &Input) -> Option<ProgressBar> {
    let size = |input: &Input| match input {
        Input::File(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
        _ => 0,
    };
    let size = size(left) + size(right);
    if size < LARGE || !io::stderr().is_terminal() {
        return None;
    }
    let template = "{bar:40} {bytes} of {total_bytes}, {eta} left";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    Some(ProgressBar::new(size).with_style(style))
}
