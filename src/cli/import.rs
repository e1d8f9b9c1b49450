//! `lockstep import`: a capture of a session that ended becomes a scenario and a plan.

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::encoding::Encoding;
use super::output::complain;
use super::subject::check_speaker;
use crate::field::import::against::{Against, Played, play};
use crate::field::import::timeline::Timeline;
use crate::field::import::{Choice, Ended, Import, Trace};
use crate::sim::Direction;
use crate::subject::{SpeakerName, Variant};

/// The capture, the session in it, and the output directory.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A pcap or pcapng file, compressed or not, with a BGP session that ended, by NOTIFICATION, FIN or RST; `-` for standard input.
    capture: PathBuf,
    /// Number of the session in the capture, from 1 (default: the one that ended).
    #[arg(long, visible_alias = "connection", value_name = "N")]
    session: Option<usize>,
    /// Address of the end that the speaker under test takes (default: the end that did not end the session,
    /// or that complains of the other in a NOTIFICATION).
    #[arg(long, value_name = "ADDRESS")]
    local: Option<IpAddr>,
    /// Speaker that the recorded peer is played to: NAME, NAME=VERSION or NAME=PATH (default: Lockstep's own in both
    /// reactors); an address here is read as --local.
    #[arg(long, value_name = "NAME[=VERSION|PATH]")]
    speaker: Option<String>,
    /// Play the recorded peer to the speaker with this configuration, and compare what it does (default: one made from
    /// the captured OPEN).
    #[arg(long, value_name = "FILE", conflicts_with = "verbatim")]
    configuration: Option<PathBuf>,
    /// Replay the captured bytes as they are, even if the speaker can generate them from a configuration.
    #[arg(long)]
    verbatim: bool,
    /// Output directory (default: `target/import/` and the capture's name).
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    encoding: Encoding,
}

/// Imports.
///
/// # Errors
/// Bad input: not a capture, no BGP in it, no end or several, a session with a gap.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let directory = arguments.out.unwrap_or_else(|| {
        let stem = arguments.capture.file_stem().unwrap_or_default();
        let stem = if stem == "-" { "trace".as_ref() } else { stem };
        PathBuf::from("target/import").join(stem)
    });
    let (local, speaker) = match (arguments.local, arguments.speaker.as_deref()) {
        (local, None) => (local, None),
        (None, Some(text)) if text.parse::<IpAddr>().is_ok() => (text.parse().ok(), None),
        (local, Some(text)) => {
            let speaker: SpeakerName = text.parse().map_err(|error| miette!("{error}"))?;
            check_speaker(&speaker)?;
            (local, Some(speaker))
        }
    };
    let choice = Choice {
        connection: arguments.session,
        speaker: local,
    };
    let declared = arguments.encoding.declared()?;
    let guest = speaker.as_ref().filter(|speaker| !speaker.is_own());
    if let (true, true) = (guest.is_some(), arguments.verbatim) {
        return Err(miette!(
            help = "leave --verbatim out: another speaker says what its configuration makes it say",
            "--verbatim is for Lockstep's own speaker"
        ));
    }
    if guest.is_some() || arguments.configuration.is_some() {
        let against = Against {
            variants: Variant::all(guest, None),
            configuration: arguments.configuration,
        };
        let trace = Trace::read(&arguments.capture, &declared)?;
        let played = play(&trace, &arguments.capture, &choice, &against, &directory)?;
        note_unused(&arguments.encoding, &played.timeline);
        let out = io::stdout().lock();
        return compared(&played, &directory.display().to_string(), out).into_diagnostic();
    }
    let import = Import::of(
        &arguments.capture,
        &choice,
        arguments.verbatim,
        &declared,
        &directory,
    )?;
    note_unused(&arguments.encoding, &import.timeline);
    report(
        &import,
        &directory.display().to_string(),
        io::stdout().lock(),
    )
    .into_diagnostic()?;
    Ok(Status::Passed)
}

/// Says that a declared encoding changed nothing: where both OPENs were captured they decide.
fn note_unused(encoding: &Encoding, timeline: &Timeline) {
    if let Some(option) = encoding.option()
        && timeline.substitutes.is_empty()
    {
        complain!("{option} has no effect: both OPENs are in the capture, and they decide");
    }
}

/// Says what the speakers did, and whether it is what was captured.
fn compared(played: &Played, directory: &str, mut out: impl Write) -> io::Result<Status> {
    let timeline = &played.timeline;
    let [speaker, peer] = played.addresses;
    let by = if timeline.ended.by() == Direction::Sent {
        timeline.speaker
    } else {
        timeline.peer
    };
    writeln!(out, "connection  {}", timeline.connection)?;
    writeln!(
        out,
        "peer        {} says what was captured, at the same times; it runs at {peer}, the speaker at {speaker}",
        timeline.peer
    )?;
    writeln!(
        out,
        "ended       by {by} after {:.6} s: {}",
        timeline.end.as_secs_f64(),
        timeline.ended
    )?;
    let mut is_alike = true;
    for outcome in &played.outcomes {
        // Speakers write their messages each in a way of its own; how the session ends is the question.
        is_alike &= outcome.ends_alike;
        writeln!(
            out,
            "\n{}: {} of {} messages as captured (KEEPALIVEs not counted)",
            outcome.variant, outcome.alike, outcome.captured
        )?;
        if let Some(differs) = &outcome.differs {
            writeln!(out, "  first     {differs}")?;
        }
        let word = if outcome.ends_alike {
            "as captured"
        } else {
            "not as captured"
        };
        writeln!(out, "  ends      {word}: {}", outcome.ends)?;
    }
    // What is named by a path runs on this machine before it is a guest.
    let is_named = |variant: &Variant| {
        let speaker = &variant.speaker;
        speaker.path().or(speaker.description()).is_some()
    };
    let trust = match played.outcomes.iter().any(|it| is_named(&it.variant)) {
        true => " --trust",
        false => "",
    };
    writeln!(out, "\nlockstep replay {directory}/plan{trust}")?;
    Ok(if is_alike {
        Status::Passed
    } else {
        Status::Failed
    })
}

fn report(import: &Import, directory: &str, mut out: impl Write) -> io::Result<()> {
    let timeline = &import.timeline;
    let (name, sent) = (&import.name, timeline.octets(Direction::Sent));
    let received = timeline.octets(Direction::Received);
    let (speaker, peer) = (timeline.speaker, timeline.peer);
    let by = timeline.ended.by();
    let ender = if by == Direction::Sent { speaker } else { peer };
    let address = timeline.replay_address();
    writeln!(out, "connection  {}", timeline.connection)?;
    writeln!(out, "speaker     {speaker} {}", import.voice)?;
    writeln!(
        out,
        "peer        {peer} replays what was captured; both run at {address}"
    )?;
    writeln!(
        out,
        "ended       by {ender} after {:.6} s: {}, {sent} bytes sent by the speaker and {received} received",
        timeline.end.as_secs_f64(),
        timeline.ended
    )?;
    writeln!(
        out,
        "verified    in both modes: {}",
        match timeline.ended {
            Ended::Reset(_) =>
                "the same bytes in the same milliseconds, the reset at the same byte",
            Ended::Notified(Direction::Sent) =>
                "the speaker sends what the capture has, and a NOTIFICATION of the same code and subcode",
            Ended::Notified(Direction::Received) | Ended::Closed(_) | Ended::Silent(_) =>
                "the same bytes in the same milliseconds, up to the end",
        }
    )?;
    for substitute in &timeline.substitutes {
        let by = timeline.connection.peer.sender(substitute.by);
        writeln!(
            out,
            "substitute  the OPEN of {by} is not in the capture; in its place: {}",
            substitute.text
        )?;
    }
    if !timeline.rest.is_empty() {
        writeln!(
            out,
            "padded      the truncated last message; the padding is never sent"
        )?;
    }
    if !import.left_out.is_empty() {
        writeln!(out, "left out\n{}", import.left_out)?;
    }
    writeln!(out, "\nlockstep replay {directory}/plan --verbose")?;
    // What the speaker says of its own accord at the end is in other words.
    if timeline.ended != Ended::Notified(Direction::Sent) {
        writeln!(
            out,
            "lockstep run {name} --scenario-dir {directory} --captures {directory}"
        )?;
    }
    writeln!(
        out,
        "lockstep explore {name} --scenario-dir {directory} --every-byte"
    )
}
