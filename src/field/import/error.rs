//! Why a capture does not become a plan: what was found in it, and what to do.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::capture::{CaptureError, ConnectionId};
use crate::scenario::format::error::ScenarioError;
use crate::scenario::golden::manifest::ManifestError;
use crate::scenario::run::error::PlayError;

/// Why a capture does not become a plan.
#[derive(Debug, Error, Diagnostic)]
pub enum ImportError {
    /// It cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// Nobody speaks BGP in it.
    #[error("no BGP in this capture: {packets} packet(s), {segments} TCP segment(s)")]
    #[diagnostic(help(
        "BGP is recognised by TCP port 179 or by its marker; capture a session inside IPsec or another tunnel before it enters the tunnel"
    ))]
    NoBgp {
        /// Packets read.
        packets: u64,
        /// Those with a TCP segment.
        segments: u64,
    },
    /// No connection was reset.
    #[error("no connection of this capture was reset:\n{connections}")]
    #[diagnostic(help(
        "import needs a capture of a session that ended in RST; `lockstep show` prints what is in this one"
    ))]
    NoReset {
        /// A line each.
        connections: String,
    },
    /// Which one is meant has to be said.
    #[error("several connections of this capture were reset:\n{connections}")]
    #[diagnostic(help("choose one by its number, as in `--connection {first}`"))]
    Several {
        /// A line each.
        connections: String,
        /// The number of the first.
        first: usize,
    },
    /// There is none of that number.
    #[error("this capture has no connection {wanted}; it has\n{connections}")]
    #[diagnostic(help("leave `--connection` out to take the one that was reset"))]
    NoSuchConnection {
        /// What was asked for.
        wanted: usize,
        /// A line each.
        connections: String,
    },
    /// The one chosen was not reset.
    #[error("connection {number} was not reset: {connection}")]
    #[diagnostic(help("these are its connections:\n{connections}"))]
    NotReset {
        /// Its number.
        number: usize,
        /// Its line.
        connection: String,
        /// A line each.
        connections: String,
    },
    /// An address that is at neither end.
    #[error("{wanted} is at neither end of {connection}")]
    #[diagnostic(help(
        "`--speaker` is one of the two; without it, the end that was reset by the other"
    ))]
    NoSuchSpeaker {
        /// What was asked for.
        wanted: IpAddr,
        /// The connection.
        connection: ConnectionId,
    },
    /// The capture begins when the session was up.
    #[error(
        "{connection}: the capture has no OPEN of {by}: it starts in the middle of the session"
    )]
    #[diagnostic(help(
        "a session can be replayed only from its OPEN messages: start the capture before the session comes up"
    ))]
    MidSession {
        /// The connection.
        connection: ConnectionId,
        /// Whose OPEN is missing.
        by: IpAddr,
    },
    /// The speaker did not get to say anything.
    #[error("{connection}: {by} was reset before it sent an OPEN")]
    #[diagnostic(help("take the other end as the speaker: `--speaker {other}`"))]
    Unsaid {
        /// The connection.
        connection: ConnectionId,
        /// Who said nothing.
        by: IpAddr,
        /// The other end.
        other: IpAddr,
    },
    /// Octets of the session are not in the capture.
    #[error("{connection}: {} of {by} after octet {offset} are not in the capture", amount(.lost))]
    #[diagnostic(help(
        "the session cannot be reproduced without them: capture whole packets (`tcpdump -s 0 -B 65536`), where both directions pass"
    ))]
    Lost {
        /// The connection.
        connection: ConnectionId,
        /// Whose octets.
        by: IpAddr,
        /// Octets of the stream before them.
        offset: u64,
        /// How many.
        lost: Option<u64>,
    },
    /// The speaker cannot be made to do the same.
    #[error(
        "what was written does not do what the capture shows, with {variant} as the speaker: {what}"
    )]
    #[diagnostic(help("{help}"))]
    Differs {
        /// The speaker that plays it.
        variant: crate::subject::Variant,
        /// Where it parts.
        what: String,
        /// What may be done.
        help: String,
    },
    /// Playing it failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Play(#[from] PlayError),
    /// The scenario that was written cannot be read back.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scenario(#[from] ScenarioError),
    /// The golden could not be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file could not be written.
    #[error("cannot write {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

fn amount(lost: &Option<u64>) -> String {
    match lost {
        Some(lost) => format!("{lost} octet(s)"),
        None => String::from("octets"),
    }
}
