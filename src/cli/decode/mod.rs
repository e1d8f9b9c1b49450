//! `lockstep decode`: octets to ExaBGP's JSON, or to a table that says what each of them is.

mod ends;
mod input;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};

use super::Status;
use super::encoding::Encoding;
use super::host::host;
use super::output::complain;
use crate::api::{ApiEvent, Events};
use crate::bgp::attribute::WireContext;
use crate::bgp::dissect;
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::message::{Message, MessageError};
use crate::bgp::nlri::Nlri;
use crate::bgp::wire::Reader;
use crate::config;
use crate::os::small_file;
use crate::report;
use ends::Ends;
use input::{Item, Piece};

/// Octets of output that are written at a time, where nobody waits for each line.
const BUFFER: usize = 256 * 1024;

/// What to decode, and how to show it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Hexadecimal digits, or a file: pcap, pcapng, or lines of hexadecimal digits; `-` reads standard input.
    ///
    /// Digits that do not start with a marker are the body of an UPDATE.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// Show a table of fields instead of JSON.
    #[arg(short, long)]
    table: bool,
    /// Show each message as a line of hexadecimal digits instead of JSON, even if it does not decode.
    #[arg(short = 'x', long, conflicts_with = "table")]
    hex: bool,
    /// The octets are bare NLRI of the family given with --family.
    #[arg(short, long, conflicts_with_all = ["update", "open", "hex", "configuration"])]
    nlri: bool,
    /// The octets are an UPDATE (auto-detected).
    #[arg(short, long, conflicts_with = "open")]
    update: bool,
    /// The octets are an OPEN (auto-detected).
    #[arg(short, long)]
    open: bool,
    /// Address family of the NLRI, such as "ipv4 unicast".
    #[arg(short, long, value_name = "FAMILY", requires = "nlri")]
    family: Option<String>,
    #[command(flatten)]
    encoding: Encoding,
    /// Take the neighbor in the JSON from this configuration.
    #[arg(short, long, value_name = "CONFIG", conflicts_with_all = ["table", "hex"])]
    configuration: Option<PathBuf>,
}

/// Decodes each input.
///
/// # Errors
/// An input that cannot be read. Messages that cannot be decoded are told on standard error, and the others are shown
/// all the same.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let mut shower = MessagePrinter {
        table: arguments.table,
        hex: arguments.hex,
        events: Events::new(host(false)),
        out: BufWriter::with_capacity(BUFFER, io::stdout().lock()),
        live: io::stdout().is_terminal() || arguments.inputs.iter().any(|input| input == "-"),
        messages: 0,
        failed: 0,
        closed: false,
    };
    let ends = ends(&arguments)?;
    let mut incomplete = false;
    let context = arguments.encoding.context()?;
    let declared = arguments.encoding.declared()?;
    for input in &arguments.inputs {
        if arguments.nlri {
            let family = family(arguments.family.as_deref())?;
            shower.routes(family, &context, &input::octets(input)?)?;
            continue;
        }
        let tally = input::read(input, &declared, |item| shower.item(&ends, &context, item))?;
        shower.flush()?;
        if shower.closed {
            return Ok(Status::Passed);
        }
        if let Some(tally) = tally
            && !tally.is_complete()
        {
            incomplete = true;
            let text = report::tally::text(&tally, shower.messages as u64);
            complain!("{input}: {}", text.trim_end());
        }
    }
    if shower.failed > 0 {
        return Err(miette!(
            "{} of {} message(s) could not be decoded",
            shower.failed,
            shower.messages
        ));
    }
    if shower.messages == 0 && !arguments.nlri {
        return Err(miette!("there is no BGP message in the input"));
    }
    Ok(if incomplete {
        Status::Invalid
    } else {
        Status::Passed
    })
}

fn ends(arguments: &Arguments) -> miette::Result<Vec<Ends>> {
    let Some(path) = &arguments.configuration else {
        return Ok(vec![Ends::default()]);
    };
    let name = path.display().to_string();
    let text = small_file::read_text(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {name}"))?;
    let configuration = config::parse(&name, &text)?;
    Ok(configuration.neighbors.iter().map(Ends::of).collect())
}

fn family(name: Option<&str>) -> miette::Result<Family> {
    name.map_or(Ok(Family::IPV4_UNICAST), super::encoding::family)
}

/// Shows messages on standard output.
struct MessagePrinter<W> {
    table: bool,
    hex: bool,
    events: Events,
    out: W,
    /// Somebody waits for each line.
    live: bool,
    messages: usize,
    failed: usize,
    /// Nobody reads any more.
    closed: bool,
}

impl<W: Write> MessagePrinter<W> {
    fn write(&mut self, text: &str) -> miette::Result<()> {
        let mut written = writeln!(self.out, "{text}");
        if self.live && written.is_ok() {
            written = self.out.flush();
        }
        self.check(written)
    }

    /// What is still in the buffer.
    fn flush(&mut self) -> miette::Result<()> {
        let flushed = self.out.flush();
        self.check(flushed)
    }

    /// A closed pipe is not an error.
    fn check(&mut self, written: io::Result<()>) -> miette::Result<()> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.closed = true,
            other => other.into_diagnostic()?,
        }
        Ok(())
    }

    fn item(
        &mut self,
        ends: &[Ends],
        fallback: &WireContext,
        item: Item<'_>,
    ) -> miette::Result<()> {
        if self.closed {
            return Ok(());
        }
        self.messages += 1;
        let context = item
            .session
            .as_ref()
            .and_then(|session| session.context)
            .unwrap_or(fallback);
        let bytes = match &item.piece {
            Piece::Message(bytes) => *bytes,
            Piece::Junk(bytes, why) => {
                self.failed += 1;
                self.flush()?;
                complain!("{}: {why}", item.place);
                if self.table {
                    let shown = dissect::hexadecimal(bytes);
                    self.write(&format!("{}\n{shown}\n", item.place))?;
                }
                return Ok(());
            }
        };
        if self.hex {
            return self.write(&hex::upper(bytes).to_string());
        }
        if self.table {
            self.table_of(context, &item.place.to_string(), bytes)?;
        }
        match Message::read(context, bytes) {
            Err(error) => {
                self.failed += 1;
                self.flush()?;
                complain!("{}: {}", item.place, explain(&error));
            }
            Ok(_) if self.table => {}
            Ok(message) => {
                let own = item.session.as_ref().map(Ends::of_session);
                for ends in own.as_ref().map_or(ends, std::slice::from_ref) {
                    let event = ApiEvent::Decoded(&message);
                    let line = self.events.json(ends.time(), &ends.peer, &event);
                    self.write(line.trim_end())?;
                }
            }
        }
        Ok(())
    }

    fn table_of(&mut self, context: &WireContext, place: &str, bytes: &[u8]) -> miette::Result<()> {
        let tree = dissect::message(context, bytes);
        self.write(&format!("{place}\n{}", tree.table()))?;
        let Ok(Message::Update(update)) = Message::read(context, bytes) else {
            return Ok(());
        };
        for malformed in &update.malformed {
            let name = malformed
                .code
                .map_or_else(String::new, |code| format!("attribute {code}: "));
            let cause = malformed
                .cause
                .map_or_else(String::new, |cause| format!(" ({cause})"));
            let kind = malformed.kind.name();
            let action = malformed.action;
            self.write(&format!(
                "malformed: {name}{kind}{cause}: {action:?} (RFC 7606)\n"
            ))?;
        }
        Ok(())
    }

    fn routes(
        &mut self,
        family: Family,
        context: &WireContext,
        bytes: &[u8],
    ) -> miette::Result<()> {
        let add_path = context.add_path.contains(family);
        let routes = Nlri::decode_all(family, add_path, Reader::new(bytes))
            .map_err(|error| miette!("the octets are not NLRI of {family}: {error}"))?;
        for nlri in routes {
            let shown = if self.table { nlri.text() } else { nlri.json() };
            self.write(&shown)?;
        }
        Ok(())
    }
}

fn explain(error: &MessageError) -> String {
    let notification = error.notification();
    let mut text = format!(
        "{error}; a session answers with NOTIFICATION {}/{} ({notification})",
        notification.code.0, notification.subcode
    );
    if !notification.data.is_empty() {
        text.push_str(", data ");
        text.push_str(&dissect::hexadecimal(&notification.data));
    }
    text
}

/// `text` as octets, its mistakes shown with their place.
fn digits(text: &str) -> miette::Result<Vec<u8>> {
    hex::parse(text).map_err(|error| {
        let label = miette::LabeledSpan::at(error.span.clone(), "here");
        let help = error.help.unwrap_or_default();
        miette!(labels = vec![label], help = help, "{}", error.message)
            .with_source_code(text.to_owned())
    })
}
