//! `lockstep show`: a capture as a ladder of messages, or one message to the octet.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;

use clap::Args;
use miette::{IntoDiagnostic, miette};
use serde_json::json;

use super::Status;
use super::encoding::Encoding;
use super::input::Places;
use super::live::{Live, Stop};
use crate::bgp::attribute::WireContext;
use crate::bgp::dissect;
use crate::bgp::iana::MessageType;
use crate::capture::{Attempt, CaptureEvent, EventKind, Note, Tally};
use crate::compare::{Contexts, Input, survey};
use crate::report::{hexdump, ladder, tally, tree};

/// Which capture, and what of it.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Arguments {
    /// A capture (pcap, pcapng or MRT, compressed or not), `-` for standard input, a scenario in a mode
    /// (`api-rib@async`), or its golden (`api-rib`).
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
    /// Write JSON, a line for each event, and one with what was not read.
    #[arg(long, conflicts_with = "message")]
    json: bool,
    /// Wait at the end of the file for what is written to it, until interrupted.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    encoding: Encoding,
    #[command(flatten)]
    places: Places,
}

/// Shows a capture.
///
/// # Errors
/// It cannot be read; there is no message of a number asked for.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let stop = (arguments.follow || arguments.capture == "-")
        .then(Stop::on_signals)
        .transpose()?;
    let mut source = arguments.input(stop.as_ref())?;
    let mut ladder = Ladder {
        again: source.again(),
        arguments: &arguments,
        colours: console::colors_enabled(),
        contexts: Contexts::new(arguments.encoding.declared()?),
        number: 0,
        last: None,
        told: BTreeMap::new(),
        shown: Vec::new(),
        out: String::new(),
    };
    let mut capture = source.open().into_diagnostic()?;
    let out = io::stdout().lock();
    let mut out = io::BufWriter::with_capacity(256 * 1024, out);
    let outcome = loop {
        let more = capture.step(|event| ladder.take(&event));
        if !ladder.write(&mut out, stop.is_some())? {
            return Ok(Status::Passed);
        }
        match more {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            // What is cut off when the user stops is no fault of the file.
            Err(_) if stop.as_ref().is_some_and(Stop::is_asked) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let status = ladder.close(capture.tally());
    if !ladder.write(&mut out, true)? {
        return Ok(Status::Passed);
    }
    outcome.into_diagnostic()?;
    let missing = arguments
        .message
        .iter()
        .find(|number| !ladder.shown.contains(number));
    if let Some(missing) = missing {
        return Err(miette!(
            "there is no message {missing}: {} has {}",
            arguments.capture,
            ladder.number
        ));
    }
    Ok(status)
}

impl Arguments {
    /// The capture to show; read as it comes where it can be interrupted.
    fn input(&self, stop: Option<&Stop>) -> miette::Result<Input> {
        let Some(stop) = stop else {
            return self.places.input(&self.capture);
        };
        let name = self.capture.clone();
        if name == "-" {
            // That it is no terminal.
            self.places.input(&name)?;
            let live = Live::standard_input(stop.clone());
            return Ok(Input::Once(name, Box::new(live)));
        }
        let live = Live::follow(Path::new(&name), stop.clone())?;
        Ok(Input::Once(name, Box::new(live)))
    }
}

/// The ladder being written.
struct Ladder<'a> {
    arguments: &'a Arguments,
    colours: bool,
    contexts: Contexts,
    /// The capture once more, to be read to its end where a session's OPENs are not in it.
    again: Option<Input>,
    number: u64,
    /// Number of the connection that the last line was of.
    last: Option<usize>,
    /// What was told last of how each connection is read.
    told: BTreeMap<usize, String>,
    shown: Vec<u64>,
    /// What is still to be written.
    out: String,
}

impl Ladder<'_> {
    /// Writes what was told; `false` where nobody reads on.
    fn write(&mut self, out: &mut impl Write, at_once: bool) -> miette::Result<bool> {
        if self.out.is_empty() {
            return Ok(true);
        }
        let mut written = out.write_all(self.out.as_bytes());
        if at_once && written.is_ok() {
            written = out.flush();
        }
        self.out.clear();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            other => other.into_diagnostic().map(|()| true),
        }
    }

    /// Ends with what was passed over, and says whether all was read.
    fn close(&mut self, tally: &Tally) -> Status {
        if self.arguments.json {
            let mut object = json!({ "kind": "summary", "messages": self.number });
            if let (Some(object), serde_json::Value::Object(told)) =
                (object.as_object_mut(), tally::json(tally))
            {
                object.extend(told);
            }
            let _ = writeln!(self.out, "{object}");
        } else if self.arguments.message.is_empty() || tally.connections == 0 {
            if self.number > 0 {
                self.out.push('\n');
            }
            self.out.push_str(&tally::text(tally, self.number));
        }
        if tally.is_complete() {
            Status::Passed
        } else {
            Status::Invalid
        }
    }

    fn take(&mut self, event: &CaptureEvent<'_>) {
        self.contexts.note(event);
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
            EventKind::Noted(Note::Attempt(attempt)) => return self.attempt(event, attempt),
            _ => &[],
        };
        if !self.arguments.message.is_empty() {
            if !octets.is_empty() && self.arguments.message.contains(&self.number) {
                self.shown.push(self.number);
                self.explain(event, octets);
            }
            return;
        }
        let kind = match event.kind {
            EventKind::Message { octets, .. } => Some(MessageType(octets[18])),
            _ => None,
        };
        if self.arguments.no_keepalives && kind == Some(MessageType::KEEPALIVE) {
            return;
        }
        if kind == Some(MessageType::UPDATE) && self.contexts.is_open(event.connection.number) {
            self.infer(event);
        }
        let number = event.connection.number;
        if self.arguments.json {
            let context = self.contexts.context(number, event.direction);
            let line = ladder::json(event, self.number, context);
            let _ = writeln!(self.out, "{line}");
            return;
        }
        self.heading(event);
        if event.kind != EventKind::Opened {
            let context = self.contexts.context(number, event.direction);
            ladder::write_rung(&mut self.out, event, self.number, context, self.colours);
        }
    }

    /// A message as a field tree.
    fn explain(&mut self, event: &CaptureEvent<'_>, octets: &[u8]) {
        self.infer(event);
        self.heading(event);
        let context = self
            .contexts
            .context(event.connection.number, event.direction);
        ladder::write_rung(&mut self.out, event, self.number, context, self.colours);
        match event.kind {
            EventKind::Message { .. } => {
                let node = dissect::message(context, octets);
                let tree = tree::tree(&node, octets, &[], "", self.colours);
                self.out.push_str(&tree);
            }
            _ => {
                let rows = hexdump::rows(octets, &[], "  ", self.colours);
                self.out.push_str(&rows);
            }
        }
    }

    /// Where the OPENs are not in the capture, asks the whole of it once, and says what it says.
    fn infer(&mut self, event: &CaptureEvent<'_>) {
        let number = event.connection.number;
        if !self.contexts.is_open(number) {
            return;
        }
        if let Some(mut again) = self.again.take() {
            self.contexts.adopt(survey(&mut again));
        }
        let told = self.contexts.told(number);
        if told.is_empty() || self.told.get(&number) == Some(&told) {
            return;
        }
        if self.arguments.json {
            let line = ladder::encoding_json(event, &told);
            let _ = writeln!(self.out, "{line}");
        } else {
            self.heading(event);
            let _ = writeln!(self.out, "        UPDATEs read with {told}");
        }
        self.told.insert(number, told);
    }

    /// A connection that came to nothing.
    fn attempt(&mut self, event: &CaptureEvent<'_>, attempt: Attempt) {
        if !self.arguments.message.is_empty() {
            return;
        }
        let line = if self.arguments.json {
            let context = WireContext::default();
            ladder::json(event, self.number, &context).to_string()
        } else {
            self.last = None;
            ladder::attempt(event, attempt)
        };
        let _ = writeln!(self.out, "{line}");
    }

    /// Names the connection wherever another one was the last.
    fn heading(&mut self, event: &CaptureEvent<'_>) {
        if self.last == Some(event.connection.number) {
            return;
        }
        self.last = Some(event.connection.number);
        let line = ladder::opening(event.connection, self.colours);
        let _ = writeln!(self.out, "{line}");
    }
}
