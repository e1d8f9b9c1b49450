//! `lockstep import`: a capture of a session that was reset becomes a scenario and a plan.

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use miette::IntoDiagnostic;

use super::Status;
use crate::field::import::{Choice, Import};
use crate::sim::Direction;

/// Which capture, which session in it, and where to put what becomes of it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A pcap or pcapng file with a BGP session that ended in a TCP reset.
    capture: PathBuf,
    /// The number of the connection in the capture, from 1; the one that was reset unless given.
    #[arg(long, value_name = "N")]
    connection: Option<usize>,
    /// The address of the end that our speaker takes; the end that was reset by the other unless given.
    #[arg(long, value_name = "ADDRESS")]
    speaker: Option<IpAddr>,
    /// Let the speaker recite what was captured, octet for octet, even where it could say it by its own work.
    #[arg(long)]
    verbatim: bool,
    /// The directory to write to; `target/import/` and the capture's name unless given.
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Imports.
///
/// # Errors
/// Bad input: no capture, no BGP in it, no reset, several; a session of which something is missing.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let directory = arguments.out.unwrap_or_else(|| {
        let stem = arguments.capture.file_stem().unwrap_or_default();
        PathBuf::from("target/import").join(stem)
    });
    let choice = Choice {
        connection: arguments.connection,
        speaker: arguments.speaker,
    };
    let import = Import::of(&arguments.capture, &choice, arguments.verbatim, &directory)?;
    report(
        &import,
        &directory.display().to_string(),
        io::stdout().lock(),
    )
    .into_diagnostic()?;
    Ok(Status::Passed)
}

fn report(import: &Import, directory: &str, mut out: impl Write) -> io::Result<()> {
    let timeline = &import.timeline;
    let (name, sent) = (&import.name, timeline.octets(Direction::Sent));
    let received = timeline.octets(Direction::Received);
    let (at, by) = timeline.reset;
    let (speaker, peer) = (timeline.speaker, timeline.peer);
    let resetter = if by == Direction::Sent { speaker } else { peer };
    let stage = timeline.stage();
    writeln!(out, "connection  {}", timeline.connection)?;
    writeln!(out, "speaker     {speaker} {}", import.voice)?;
    writeln!(
        out,
        "peer        {peer} recites what was captured; {stage} stands for both"
    )?;
    writeln!(
        out,
        "reset       by {resetter} after {:.6} s, {sent} octet(s) sent by the speaker and {received} received",
        at.as_secs_f64()
    )?;
    writeln!(
        out,
        "played      in both modes: the same octets in the same milliseconds, the reset on the same octet"
    )?;
    if !timeline.rest.is_empty() {
        writeln!(
            out,
            "made up     the end of what the reset cut off, which the plan never lets through"
        )?;
    }
    if !import.left_out.is_empty() {
        writeln!(out, "left out\n{}", import.left_out)?;
    }
    writeln!(
        out,
        "\nlockstep replay {directory}/plan --verbose\nlockstep run {name} --scenario-dir {directory} --captures {directory}\nlockstep explore {name} --scenario-dir {directory} --every-byte"
    )
}
