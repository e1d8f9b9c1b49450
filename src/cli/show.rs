//! `lockstep show`: a capture as a ladder of messages, or one message to the octet.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use clap::Args;
use miette::IntoDiagnostic;

use super::Status;
use super::input::Places;
use crate::bgp::dissect;
use crate::capture::{Event, EventKind};
use crate::compare::Opens;
use crate::report::{hexdump, ladder, tree};

/// Which capture, and what of it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A capture (pcap or pcapng), `-` for standard input, a scenario in a mode (`api-rib@async`), or its golden (`api-rib`).
    capture: String,
    /// Show these messages as field trees: their numbers in the ladder.
    #[arg(long, short, value_name = "N", num_args = 1..)]
    message: Vec<u64>,
    /// Only connections of this address.
    #[arg(long, value_name = "ADDRESS")]
    peer: Option<IpAddr>,
    /// Leave KEEPALIVEs out.
    #[arg(long)]
    no_keepalives: bool,
    /// Write JSON, a line for each event.
    #[arg(long, conflicts_with = "message")]
    json: bool,
    #[command(flatten)]
    places: Places,
}

/// Shows a capture.
///
/// # Errors
/// It cannot be read; there is no message of a number asked for.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let colours = console::colors_enabled();
    let mut source = arguments.places.input(&arguments.capture)?;
    let mut capture = source.open().into_diagnostic()?;
    let mut ladder = Ladder {
        arguments: &arguments,
        colours,
        opens: Opens::default(),
        number: 0,
        last: None,
        shown: Vec::new(),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut text = String::new();
    loop {
        text.clear();
        let more = capture.step(|event| ladder.take(&event, &mut text));
        if let Err(error) = out.write_all(text.as_bytes()) {
            // Nobody reads on.
            return if error.kind() == io::ErrorKind::BrokenPipe {
                Ok(Status::Passed)
            } else {
                Err(error).into_diagnostic()
            };
        }
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let _ = out.flush();
                return Err(error).into_diagnostic();
            }
        }
    }
    let _ = out.flush();
    if let Some(missing) = arguments
        .message
        .iter()
        .find(|number| !ladder.shown.contains(number))
    {
        return Err(miette::miette!(
            "there is no message {missing}: {} has {}",
            arguments.capture,
            ladder.number
        ));
    }
    if capture.tally().connections == 0 {
        eprintln!(
            "{}: no BGP in {} packets",
            arguments.capture,
            capture.tally().packets
        );
    }
    Ok(Status::Passed)
}

/// The ladder being written.
struct Ladder<'a> {
    arguments: &'a Arguments,
    colours: bool,
    opens: Opens,
    number: u64,
    /// Number of the connection that the last line was of.
    last: Option<usize>,
    shown: Vec<u64>,
}

impl Ladder<'_> {
    fn take(&mut self, event: &Event<'_>, out: &mut String) {
        self.opens.note(event);
        if let Some(address) = self.arguments.peer {
            let peer = event.connection.id.peer;
            if peer.client != address && peer.server != address {
                return;
            }
        }
        let octets = match event.kind {
            EventKind::Message { octets, .. } | EventKind::Junk { octets, .. } => {
                self.number += 1;
                octets
            }
            _ => &[],
        };
        let context = self.opens.context(event.connection.number, event.direction);
        if !self.arguments.message.is_empty() {
            if !octets.is_empty() && self.arguments.message.contains(&self.number) {
                self.shown.push(self.number);
                self.heading(event, out);
                let rung = ladder::rung(event, self.number, &context, self.colours);
                let _ = writeln!(out, "{rung}");
                match event.kind {
                    EventKind::Message { .. } => {
                        let node = dissect::message(&context, octets);
                        out.push_str(&tree::tree(&node, octets, &[], "", self.colours));
                    }
                    _ => out.push_str(&hexdump::rows(octets, &[], "  ", self.colours)),
                }
            }
            return;
        }
        let is_keepalive =
            matches!(event.kind, EventKind::Message { octets, .. } if octets[18] == 4);
        if self.arguments.no_keepalives && is_keepalive {
            return;
        }
        if self.arguments.json {
            let _ = writeln!(out, "{}", ladder::json(event, self.number, &context));
            return;
        }
        self.heading(event, out);
        if event.kind != EventKind::Opened {
            let rung = ladder::rung(event, self.number, &context, self.colours);
            let _ = writeln!(out, "{rung}");
        }
    }

    /// Names the connection wherever another one was the last.
    fn heading(&mut self, event: &Event<'_>, out: &mut String) {
        if self.last == Some(event.connection.number) {
            return;
        }
        self.last = Some(event.connection.number);
        let _ = writeln!(out, "{}", ladder::opening(event.connection, self.colours));
    }
}
