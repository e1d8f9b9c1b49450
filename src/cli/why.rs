//! `lockstep why`: why the sessions of a capture ended.

use std::net::IpAddr;

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::Status;
use super::diff::print;
use super::encoding::Encoding;
use super::input::Places;
use crate::field::why::{Explanation, Why};
use crate::report::why as report;

/// The captures, and which of their sessions.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Captures (pcap, pcapng or MRT, compressed or not), `-` for standard input, or a scenario in a mode.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Only this session: its number in the capture, from 1.
    #[arg(long, value_name = "N")]
    session: Option<usize>,
    /// Only sessions of this address.
    #[arg(long, value_name = "ADDRESS")]
    peer: Option<IpAddr>,
    /// Write JSON, an object for each capture.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    encoding: Encoding,
    #[command(flatten)]
    places: Places,
}

/// Explains.
///
/// # Errors
/// A capture that cannot be read, or has no session of that number.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let declared = arguments.encoding.declared()?;
    let mut has_end = true;
    let several = arguments.files.len() > 1;
    for name in &arguments.files {
        let mut input = arguments.places.input(name)?;
        let why = Why::read(&mut input, declared.clone()).into_diagnostic()?;
        let shown = arguments.chosen(name, &why)?;
        has_end &= shown.iter().any(|one| one.is_ended());
        if arguments.json {
            print(&format!("{}\n", report::json(&why, &shown, name)))?;
            continue;
        }
        if several {
            print(&format!("{name}\n"))?;
        }
        print(&report::text(&why, &shown, name, console::colors_enabled()))?;
    }
    Ok(if has_end {
        Status::Passed
    } else {
        Status::Invalid
    })
}

impl Arguments {
    fn chosen<'w>(&self, name: &str, why: &'w Why) -> miette::Result<Vec<&'w Explanation>> {
        let is_of = |explanation: &Explanation| {
            let peer = explanation.connection.id.peer;
            self.peer
                .is_none_or(|address| [peer.client, peer.server].contains(&address))
                && self
                    .session
                    .is_none_or(|session| explanation.session == Some(session))
        };
        let shown: Vec<&Explanation> = why.sessions.iter().filter(|one| is_of(one)).collect();
        if let (Some(session), true) = (self.session, shown.is_empty()) {
            let count = why
                .sessions
                .iter()
                .filter(|one| one.session.is_some())
                .count();
            return Err(miette!(
                help = "leave --session out to see all of them",
                "{name} has no session {session}: it has {count}"
            ));
        }
        Ok(shown)
    }
}
