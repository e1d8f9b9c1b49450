//! ExaBGP's configuration: text to neighbors, processes and routes, every error with its position.
//!
//! Start at [`parse`]; one file per section. Pure: files are read by the caller.

mod announce;
mod api;
mod attribute;
mod capability;
pub mod environment;
mod error;
mod family;
mod flow;
mod flow_action;
pub mod fragment;
mod intern;
mod lexer;
mod links;
mod neighbor;
mod operational;
mod parser;
mod plain_route;
mod process;
mod route;
mod split;
mod suggest;
mod value;
mod vpls;
mod window;

pub use error::{ConfigError, Mistake};
pub use family::offered_by_default;
pub use process::{Encoder, Process, is_client};
pub(crate) use suggest::{nearest, unknown as did_you_mean};

use std::io::{self, Read};

use crate::bgp::text::TextError;
use crate::speaker::neighbor::Neighbor;

use intern::Interner;
use lexer::Lexer;
use parser::Parser;
use route::Purpose;
use window::Window;

/// Octets of a file that are read at once.
const PIECE: usize = 64 * 1024;

/// Octets of a text in which mistakes are shown.
const SHOWN: usize = 16 << 20;

/// Where the first mistake is behind so many octets, it is told without the text.
const MOST_SHOWN: u64 = 128 << 20;

/// What a configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The neighbors, in the order of the text.
    pub neighbors: Vec<Neighbor>,
    /// The API processes, in the order of the text.
    pub processes: Vec<Process>,
    /// What was passed over as ExaBGP passes over it, in the order of the text.
    pub warnings: Vec<TextError>,
}

/// Reads a configuration; `name` is that of its file, for errors.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str) -> Result<Configuration, ConfigError> {
    let mut lexer = Lexer::new(Window::whole(text));
    understand(&mut lexer).map_err(|mistakes| ConfigError::new(name, text, mistakes))
}

/// Reads a configuration from what `open` gives, a piece at a time: the text is never held whole. Only where it has
/// errors is it opened once more, to show them in it.
///
/// # Errors
/// Where it cannot be read; within, everything that is wrong with it.
pub fn read<R: Read>(
    name: &str,
    mut open: impl FnMut() -> io::Result<R>,
) -> io::Result<Result<Configuration, ConfigError>> {
    let mut source = open()?;
    let mut lexer = Lexer::new(Window::sliding(&mut source, PIECE));
    let understood = understand(&mut lexer);
    if let Some(failure) = lexer.failure() {
        return Err(failure);
    }
    let mistakes = match understood {
        Ok(configuration) => return Ok(Ok(configuration)),
        Err(mistakes) => mistakes,
    };
    place(name, open, mistakes, ConfigError::new).map(Err)
}

/// What is wrong beyond the text with what [`read`] read, from what `open` gives once more.
///
/// # Errors
/// Where it cannot be read.
pub fn mistakes<R: Read>(
    name: &str,
    open: impl FnMut() -> io::Result<R>,
    mistakes: Vec<TextError>,
) -> io::Result<ConfigError> {
    place(name, open, mistakes, ConfigError::new)
}

/// The warnings of what [`read`] read, from what `open` gives once more.
///
/// # Errors
/// Where it cannot be read.
pub fn warnings<R: Read>(
    name: &str,
    open: impl FnMut() -> io::Result<R>,
    warnings: Vec<TextError>,
) -> io::Result<ConfigError> {
    place(name, open, warnings, ConfigError::warnings)
}

/// Shows `told` in the text, as far as it is needed for that.
fn place<R: Read>(
    name: &str,
    mut open: impl FnMut() -> io::Result<R>,
    mut told: Vec<TextError>,
    report: impl FnOnce(&str, &str, Vec<TextError>) -> ConfigError,
) -> io::Result<ConfigError> {
    told.sort_by_key(|error| error.span.start);
    // Those far behind are left out, unless there are no others.
    let first = told.first().map_or(0, |error| error.span.end);
    told.retain(|error| error.span.end <= first.max(SHOWN));
    let end = told.iter().map(|error| error.span.end).max();
    let needed = (end.unwrap_or(0) + PIECE) as u64;
    let mut octets = Vec::new();
    if needed <= MOST_SHOWN {
        open()?.take(needed).read_to_end(&mut octets)?;
    } else {
        for error in &mut told {
            error.message = format!("{} (octet {})", error.message, error.span.start);
        }
    }
    // What was cut in two is behind what is shown.
    let text = match std::str::from_utf8(&octets) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&octets[..error.valid_up_to()]).unwrap_or_default(),
    };
    Ok(report(name, text, told))
}

/// The configuration that `lexer` cuts into statements, or all that is wrong with it.
fn understand(lexer: &mut Lexer<'_>) -> Result<Configuration, Vec<TextError>> {
    let mut interner = Interner::default();
    let mut parser = Parser::new(lexer, &mut interner, Purpose::Announce);
    let sections = parser.root();
    let mut mistakes: Vec<TextError> = std::mem::take(&mut parser.mistakes);
    let mut configuration = Configuration {
        neighbors: Vec::with_capacity(sections.neighbors.len()),
        processes: sections.processes,
        warnings: Vec::new(),
    };
    for (mut neighbor, api, at) in sections.neighbors {
        match links::resolve(api, &at, &configuration.processes, &parser.broken) {
            Ok(api) => {
                neighbor.api = api;
                configuration.neighbors.push(neighbor);
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        configuration.warnings = std::mem::take(&mut lexer.warnings);
        Ok(configuration)
    } else {
        Err(mistakes)
    }
}
