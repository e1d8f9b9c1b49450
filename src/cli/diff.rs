//! `lockstep diff`: whether two captures say the same, and where they part.

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, WrapErr, miette};

use super::Status;
use super::encoding::Encoding;
use super::input::Places;
use super::output::output;
use crate::capture::{Canonical, ConnectionId, StreamId};
use crate::compare::{Ignored, Input, Options, Pairing, UnknownField, captures};
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
    /// What ought to be: a capture (pcap or pcapng), `-`, a scenario in a mode (`api-rib@async`), or its golden
    /// (`api-rib`).
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
    /// Do not compare these fields, comma-separated: identifier, hold-time, as-number, capabilities, next-hop, origin,
    /// as-path, med, local-preference, communities, timestamps, attribute-N …; `addresses` is all fields that hold one.
    #[arg(long, value_name = "FIELD[,…]", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Address ADDRESS of A is ADDRESS of B: pairs sessions by it, and compares identifiers and next hops by it.
    #[arg(long, value_name = "ADDRESS=ADDRESS", value_delimiter = ',')]
    map: Vec<String>,
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
        return Err(miette!(
            "standard input can be read once, not as both A and B"
        ));
    }
    let (mut left, left_marks) = arguments.places.told(&arguments.left)?;
    let (mut right, right_marks) = arguments.places.told(&arguments.right)?;
    let mut held = match &arguments.html {
        Some(_) => Some([hold(&mut left)?, hold(&mut right)?]),
        None => None,
    };
    let options = Options {
        canonical: arguments.canonical,
        timing: arguments.timing.map(Duration::from_millis),
        keepalives: arguments.keepalives,
        endings: !arguments.ignore_endings,
        declared: arguments.encoding.declared()?,
        ignored: arguments.ignored()?,
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
    if let (Some(path), Some(held)) = (&arguments.html, &mut held) {
        rename(&mut held[1], &report.pairings);
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
    Ok(if !report.problems.is_empty() || !has_both {
        Status::Invalid
    } else if !report.is_same() {
        Status::Failed
    } else if report.is_complete() {
        Status::Passed
    } else {
        Status::Invalid
    })
}

impl Arguments {
    /// What is not compared, and which addresses stand for each other.
    fn ignored(&self) -> miette::Result<Ignored> {
        let mut addresses = Vec::new();
        for pair in &self.map {
            let halves = pair.split_once('=');
            let parsed = halves.map(|(left, right)| (left.trim().parse(), right.trim().parse()));
            let Some((Ok(left), Ok(right))) = parsed else {
                return Err(miette!(
                    help = "an IP address of A and one of B, for example --map 10.0.0.1=192.0.2.1",
                    "--map {pair}: not ADDRESS=ADDRESS"
                ));
            };
            addresses.push((left, right));
        }
        Ignored::new(&self.ignore, addresses).map_err(|error| {
            miette!(
                help = format!("the fields are {}", UnknownField::known()),
                "--ignore: {error}"
            )
        })
    }
}

/// Gives the right's connections the names of those that they were compared with.
fn rename(right: &mut Canonical, pairings: &[Pairing]) {
    let taken: Vec<ConnectionId> = pairings.iter().map(|pairing| pairing.left).collect();
    let name = |id: ConnectionId| match pairings.iter().find(|pairing| pairing.right == id) {
        Some(pairing) => (pairing.left, pairing.swapped),
        // One that is compared with none makes room.
        None if taken.contains(&id) => {
            let attempt = id.attempt.saturating_add(1_000_000);
            (ConnectionId { attempt, ..id }, false)
        }
        None => (id, false),
    };
    let streams = std::mem::take(&mut right.streams);
    right
        .streams
        .extend(streams.into_iter().map(|(id, stream)| {
            let (connection, swapped) = name(id.connection);
            let direction = match swapped {
                true => id.direction.opposite(),
                false => id.direction,
            };
            (
                StreamId {
                    connection,
                    direction,
                },
                stream,
            )
        }));
    let opened = std::mem::take(&mut right.opened);
    right
        .opened
        .extend(opened.into_iter().map(|(id, time)| (name(id).0, time)));
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
