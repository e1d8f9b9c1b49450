//! The files that an import writes: the scenario directory, the plan, and the golden.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::DateTime;

use crate::field::import::error::ImportError;
use crate::field::import::own::Batch;
use crate::field::import::timeline::{Ended, Timeline, tick};
use crate::field::import::{Import, PROGRAM, text};
use crate::net::{ConnectionName, Opener};
use crate::scenario::format::message;
use crate::scenario::golden::manifest::{Manifest, ManifestEntry, digest};
use crate::scenario::run::record::pcap;
use crate::scenario::scripted::transcript::{Ending, Passed, Transcript};
use crate::sim::Direction as Way;

/// The section of a program that writes `batches` at their times.
#[must_use]
pub fn program(timeline: &Timeline, batches: &[Batch]) -> String {
    let peer = timeline.replay_address().to_string();
    // Under other faults the session may come up after its first command is due, so the program waits for it.
    let mut out = format!("process {PROGRAM}\n    read \"neighbor {peer} up\"\n");
    let mut last = None;
    for batch in batches {
        if last.replace(batch.at) != Some(batch.at) {
            out.push_str(&text::at(batch.at, Some(&peer)));
        }
        for (number, line) in batch.lines.iter().enumerate() {
            let keyword = if number == 0 { "write" } else { "also" };
            let _ = writeln!(out, "    {keyword} {line}");
        }
        // Its message must be sent before the next command.
        for _ in &batch.lines {
            out.push_str("    answer done\n");
        }
    }
    out.push_str(&text::at(timeline.span(), Some(&peer)));
    out
}

/// The `verbatim` section.
#[must_use]
pub fn verbatim(timeline: &Timeline, reason: &str) -> String {
    format!(
        "# What {} said, octet for octet: {reason}.\nverbatim {}\n{}",
        timeline.speaker,
        timeline.replay_address(),
        text::steps(timeline, Way::Sent)
    )
}

/// Writes the scenario's directory.
pub fn scenario(
    import: &Import,
    file: &Path,
    directory: &Path,
    configuration: &str,
    speaker: &str,
) -> Result<(), ImportError> {
    let timeline = &import.timeline;
    let ender = if timeline.ended.by() == Way::Sent {
        timeline.speaker
    } else {
        timeline.peer
    };
    let mut notes = String::new();
    for substitute in &timeline.substitutes {
        let by = timeline.connection.peer.sender(substitute.by);
        let _ = writeln!(
            notes,
            "# The OPEN of {by} is not in the capture. In its place: {}.",
            substitute.text
        );
    }
    let mut out = format!(
        "about    What {} and {} said on {} of {}, until {ender} ended it after {:.6} s: {}.\nconfig   speaker.conf\n\n",
        timeline.speaker,
        timeline.peer,
        timeline.connection,
        text::title(file),
        timeline.end.as_secs_f64(),
        timeline.ended
    );
    let _ = writeln!(
        out,
        "# Times are the capture's, from the SYN on.{}\n# {} stands for both addresses.",
        match timeline.ended {
            Ended::Reset(_) | Ended::Silent(_) =>
                " The end is not here but in the plan: without it the session lives on.",
            _ => "",
        },
        timeline.replay_address()
    );
    out.push_str(&notes);
    if !timeline.rest.is_empty() {
        out.push_str("# The message that the reset truncated is padded with zeros; the plan resets the connection before they are sent.\n");
    }
    let _ = write!(
        out,
        "\n{speaker}\n# What {} said.\npeer {}\n    open verbatim\n{}{}{}{}",
        timeline.peer,
        timeline.replay_address(),
        match timeline.ended {
            Ended::Reset(_) | Ended::Silent(_) => "",
            // What it says on a later connection is not in the capture.
            _ => "    connection 1\n",
        },
        text::steps(timeline, Way::Received),
        text::at(timeline.span(), None),
        match timeline.ended {
            Ended::Reset(_) | Ended::Silent(_) => "",
            Ended::Notified(_) | Ended::Closed(_) => "    close\n",
        }
    );
    let directory = directory.join(&import.name);
    fs::create_dir_all(&directory).map_err(unwritable(&directory))?;
    write(&directory.join("speaker.conf"), configuration)?;
    write(&directory.join("scenario"), &out)
}

/// Writes the plan.
pub fn plan(import: &Import, file: &Path, directory: &Path) -> Result<(), ImportError> {
    let timeline = &import.timeline;
    let plan = &import.plan;
    let text = format!(
        "# {} of {}: {} when the speaker had sent {} octet(s) and received {}\n# captured: speaker {}, peer {}\n{plan}",
        timeline.connection,
        text::title(file),
        timeline.ended,
        timeline.octets(Way::Sent),
        timeline.octets(Way::Received),
        timeline.speaker,
        timeline.peer,
    );
    write(&directory.join("plan"), &text)
}

/// Writes what the speaker sent as the golden of the scenario.
pub fn golden(
    timeline: &Timeline,
    file: &Path,
    name: &str,
    directory: &Path,
) -> Result<(), ImportError> {
    let transcript = Transcript {
        name: ConnectionName::new(timeline.replay_address(), Opener::Us, 1),
        opened: Duration::ZERO,
        messages: messages(timeline),
        ended: Some((
            timeline.span(),
            match timeline.ended {
                Ended::Reset(_) => Ending::Reset,
                // Its hold timer ends it, long after the last octet.
                Ended::Silent(_) => Ending::BySpeaker,
                ended if ended.by() == Way::Sent => Ending::BySpeaker,
                _ => Ending::ByPeer,
            },
        )),
    };
    let bytes = pcap(&[transcript], Duration::from_nanos(timeline.opened))
        .map_err(unwritable(directory))?;
    let path = directory.join(format!("{name}.pcap"));
    fs::write(&path, &bytes).map_err(unwritable(&path))?;
    let mut manifest = Manifest::load(directory)?;
    manifest.insert(ManifestEntry {
        kernel: None,
        network: None,
        scenario: name.to_owned(),
        file: format!("{name}.pcap"),
        speaker: timeline.speaker.to_string(),
        version: String::from("as captured"),
        command: format!("lockstep import {}", file.display()),
        date: day(timeline.opened),
        sha256: digest(&bytes),
    });
    Ok(manifest.store(directory)?)
}

/// Every message complete, with the padding of truncated ones.
fn messages(timeline: &Timeline) -> Vec<Passed> {
    let mut messages = Vec::new();
    for way in [Way::Sent, Way::Received] {
        let mut open: Vec<u8> = Vec::new();
        for piece in timeline.pieces(way) {
            open.extend_from_slice(&piece.octets);
            while let Ok(Some(length)) = message::frame(&open) {
                messages.push(Passed {
                    at: tick(piece.at),
                    from_speaker: way == Way::Sent,
                    bytes: open.drain(..length).collect(),
                });
            }
        }
    }
    messages
}

fn day(nanos: u64) -> String {
    DateTime::from_timestamp_nanos(nanos.cast_signed())
        .date_naive()
        .to_string()
}

fn write(path: &Path, text: &str) -> Result<(), ImportError> {
    fs::write(path, text).map_err(unwritable(path))
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> ImportError {
    let path: PathBuf = path.to_owned();
    |error| ImportError::Io { path, error }
}
