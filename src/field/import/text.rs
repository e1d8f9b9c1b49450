//! The text of the scenario: what both ends send, step by step.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::bgp::hex;
use crate::bgp::iana::MessageType;
use crate::bgp::text::is_unsafe;
use crate::field::import::timeline::{Piece, Timeline};
use crate::scenario::format::message::{HEADER, frame};
use crate::sim::Direction as Way;

/// A time in a script, rounded up to whole microseconds.
struct Micros(Duration);

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}us", self.0.as_nanos().div_ceil(1_000))
    }
}

/// The name of a capture in a line of a scenario: characters that would end the line or begin something else give way to `_`.
#[must_use]
pub fn title(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let is_kept = |character| !is_unsafe(character) && !matches!(character, '"' | '#' | '\\');
    let characters = name.chars();
    characters
        .map(|character| if is_kept(character) { character } else { '_' })
        .collect()
}

/// `at` and `send` steps for everything sent in one direction.
#[must_use]
pub fn steps(timeline: &Timeline, way: Way) -> String {
    let mut out = String::new();
    let mut offset = 0;
    let mut last = None;
    for piece in timeline.pieces(way) {
        if last.replace(piece.at) != Some(piece.at) {
            let _ = writeln!(out, "    at {}", Micros(piece.at));
        }
        let _ = writeln!(out, "    # {}, after octet {offset}", what(piece));
        let _ = writeln!(out, "    send {}", words(&piece.octets));
        offset += piece.octets.len();
    }
    out
}

/// The step that waits for `time`; `of` is the peer whose connection counts, in a program.
#[must_use]
pub fn at(time: Duration, of: Option<&str>) -> String {
    match of {
        None => format!("    at {}\n", Micros(time)),
        Some(peer) => format!("    at {} of {peer}\n", Micros(time)),
    }
}

/// A short description of a piece.
#[must_use]
pub fn what(piece: &Piece) -> String {
    if frame(&piece.octets) == Ok(Some(piece.octets.len())) {
        return MessageType(piece.octets[HEADER - 1]).to_string();
    }
    String::from("no whole message")
}

fn words(octets: &[u8]) -> String {
    if frame(octets) != Ok(Some(octets.len())) {
        return format!("octets {}", hex::text(octets));
    }
    let words = format!(
        "message {} {}",
        octets[HEADER - 1],
        hex::text(&octets[HEADER..])
    );
    words.trim_end().to_owned()
}
