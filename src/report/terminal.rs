//! Verdicts for a terminal: one line each, and for a failure the cause and the command that reproduces it.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use super::style::style;

use crate::bgp::hex;
use crate::report::field;
use crate::report::hexdump;
use crate::report::summary::summary;
use crate::scenario::golden::Divergence;
use crate::scenario::run::mark::{Mark, MarkKind};
use crate::scenario::run::suite::Report;

/// Writes a line for `report`, and more where it failed.
///
/// # Errors
/// Errors of `out`.
pub fn verdict(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let word = if report.passed() {
        style("passed").green()
    } else {
        style("FAILED").red().bold()
    };
    writeln!(
        out,
        "{:5} {:32} {word}  {:>4} messages  {:>10} {:7}  {:>9} wall",
        report.variant.to_string(),
        report.scenario,
        report.verdict.messages,
        time(report.verdict.elapsed),
        report.network.clock(),
        time(report.wall),
    )?;
    if report.passed() {
        return Ok(());
    }
    out.write_all(explanation(report).as_bytes())
}

/// What was wrong with a run, and the command that reproduces it, in indented lines.
#[must_use]
pub fn explanation(report: &Report) -> String {
    let mut text = String::new();
    let again = ("again".to_owned(), report.command());
    for (label, text_of) in findings(report).iter().chain([&again]) {
        let _ = writeln!(text, "      {label:9} {}", text_of.trim_end());
    }
    text
}

/// How many of the last things that a speaker printed are shown where a run fails.
const LAST_PRINTED: usize = 6;

/// What was wrong with a run, as labels and texts.
#[must_use]
pub fn findings(report: &Report) -> Vec<(String, String)> {
    let faults = &report.verdict.faults;
    let mut found = faults
        .divergence
        .as_ref()
        .map(divergent)
        .unwrap_or_default();
    if let Some(step) = &faults.step {
        let place = step.step.as_ref().map_or_else(String::new, |(_, line)| {
            format!(" ({}:{line})", report.script().display())
        });
        found.push(("step".into(), format!("{}{place}", step.message)));
    }
    let table = faults.table.iter();
    found.extend(table.map(|sentence| ("table".into(), sentence.clone())));
    found.extend(notable(&report.played.marks).map(|mark| {
        let text = format!(
            "{:.6} s {}",
            mark.at.as_secs_f64(),
            mark.text.escape_debug()
        );
        ("printed".into(), text)
    }));
    found
}

/// Whether a speaker of somebody else printed what `mark` says.
fn is_printed(mark: &Mark) -> bool {
    matches!(mark.kind, MarkKind::Printed | MarkKind::Warning)
}

/// What a speaker printed that may tell why a run failed: its first warnings and errors, and what it printed last.
fn notable(marks: &[Mark]) -> impl Iterator<Item = &Mark> {
    let printed: Vec<&Mark> = marks.iter().filter(|mark| is_printed(mark)).collect();
    let last = printed.len().saturating_sub(LAST_PRINTED);
    let mut warnings = 0;
    let shown = printed.into_iter().enumerate().filter(move |(at, mark)| {
        let warns = mark.kind == MarkKind::Warning;
        warnings += usize::from(warns);
        *at >= last || (warns && warnings <= LAST_PRINTED)
    });
    shown.map(|(_, mark)| mark)
}

/// Writes the trace hash of `report`'s run and every message that passed, in order of time.
///
/// # Errors
/// Errors of `out`.
pub fn story(out: &mut impl Write, report: &Report) -> io::Result<()> {
    if let Some(hash) = report.played.hash {
        writeln!(out, "      trace     {hash:016x}")?;
    }
    let messages = report.played.transcripts.iter().flat_map(|transcript| {
        transcript.messages.iter().map(move |passed| {
            let arrow = if passed.from_speaker {
                "──▶"
            } else {
                "◀──"
            };
            let octets = octets(&passed.bytes);
            (passed.at, format!("{} {arrow} {octets}", transcript.name))
        })
    });
    let marks = report.played.marks.iter();
    let printed = marks.filter(|mark| is_printed(mark)).flat_map(|mark| {
        let lines = mark.text.lines();
        lines.map(|line| (mark.at, format!("printed {}", line.escape_debug())))
    });
    let mut lines: Vec<(Duration, String)> = messages.chain(printed).collect();
    // Stable: what happened at one instant stays in its order.
    lines.sort_by_key(|(at, _)| *at);
    for (at, line) in lines {
        writeln!(out, "      {:>12.6} {line}", at.as_secs_f64())?;
    }
    Ok(())
}

fn divergent(divergence: &Divergence) -> Vec<(String, String)> {
    let mut found = vec![(
        "differs".into(),
        format!("message {} of {}", divergence.number, divergence.connection),
    )];
    let sides = [
        ("golden", &divergence.expected),
        ("found", &divergence.found),
    ];
    if let (Some(expected), Some(found_octets)) = (&divergence.expected, &divergence.found) {
        let at = first_difference(expected, found_octets);
        let name = field::at(&divergence.context, expected, at);
        found.push(("field".into(), format!("{name}, octet {at}")));
    }
    for (label, message) in sides {
        let shown = message
            .as_ref()
            .map_or_else(|| "nothing more".to_owned(), |message| octets(message));
        found.push((label.into(), shown));
    }
    if let (Some(expected), Some(found_octets)) = (&divergence.expected, &divergence.found) {
        found.push((String::new(), carets(expected, found_octets)));
    }
    for (label, message) in sides {
        let said = message
            .as_ref()
            .map(|message| summary(&divergence.context, message));
        found.extend(said.map(|said| (format!("{label}:"), said)));
    }
    found
}

/// The first octet in which two different messages differ.
#[must_use]
pub fn first_difference(one: &[u8], other: &[u8]) -> usize {
    one.iter()
        .zip(other)
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| one.len().min(other.len()))
}

/// Marker, length, type and body, separated by colons as in ExaBGP's own tools.
fn octets(message: &[u8]) -> String {
    let text = hex::upper(message).to_string();
    let mut parts: Vec<&str> = Vec::new();
    let mut from = 0;
    for at in [32, 36, 38] {
        let to = text.len().min(at);
        parts.push(&text[from..to]);
        from = to;
    }
    parts.push(&text[from..]);
    parts.retain(|part| !part.is_empty());
    parts.join(":")
}

/// Marks below the octets of `found` that `expected` has not.
fn carets(expected: &[u8], found: &[u8]) -> String {
    let [_, marks] = hexdump::marks(expected, found);
    let mut text = String::new();
    for (at, is_marked) in marks.into_iter().enumerate() {
        if matches!(at, 16 | 18 | 19) {
            text.push(' ');
        }
        text.push_str(if is_marked { "^^" } else { "  " });
    }
    text.truncate(text.trim_end().len());
    text
}

/// A duration in a readable unit.
#[must_use]
pub fn time(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", duration.as_secs_f64() * 1e3),
        _ => format!("{:.3} s", duration.as_secs_f64()),
    }
}

/// The closing line of a variant: how many ran, how many passed.
#[must_use]
pub fn closing(variant: &str, run: usize, passed: usize) -> String {
    format!(
        "{variant}: {run} test(s) run, {} passed",
        percentage(run, passed)
    )
}

/// `97.2%`.
#[must_use]
pub fn percentage(run: usize, passed: usize) -> String {
    // Rounded down, so that 100.0% means all.
    let tenths = (passed * 1000).checked_div(run).unwrap_or(1000);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_is_100_per_cent() {
        assert_eq!(
            closing("sync", 80, 80),
            "sync: 80 test(s) run, 100.0% passed"
        );
        assert_eq!(percentage(10_000, 9_999), "99.9%");
        assert_eq!(percentage(72, 70), "97.2%");
    }
}
