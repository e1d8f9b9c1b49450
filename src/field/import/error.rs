//! Why a capture does not become a plan: what was found, and what to do.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::capture::{CaptureError, ConnectionId};
use crate::compare::CompareError;
use crate::scenario::format::error::ScenarioError;
use crate::scenario::golden::manifest::ManifestError;
use crate::scenario::run::error::PlayError;

/// Why a capture does not become a plan.
#[derive(Debug, Error, Diagnostic)]
pub enum ImportError {
    /// It cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It cannot be read twice.
    #[error(transparent)]
    Input(#[from] CompareError),
    /// Nobody speaks BGP in it.
    #[error("no BGP in this capture: {packets} packet(s), {segments} TCP segment(s)")]
    #[diagnostic(help(
        "BGP is recognised by TCP port 179 or by its marker; capture a session inside IPsec or another tunnel before it enters the tunnel"
    ))]
    NoBgp {
        /// Number of packets read.
        packets: u64,
        /// Number of packets with a TCP segment.
        segments: u64,
    },
    /// Nothing but attempts to connect.
    #[error("no session of this capture came up, so that there is nothing to replay:\n{attempts}")]
    #[diagnostic(help(
        "`lockstep why` says what speaks for each cause, and what would confirm it"
    ))]
    NoSession {
        /// The attempts, one per line.
        attempts: String,
    },
    /// No session ended.
    #[error("no session of this capture ended in it:\n{connections}")]
    #[diagnostic(help(
        "import needs a session that ended in the capture: by NOTIFICATION, FIN or RST, or by silence while octets were sent again in vain; `lockstep show` prints what is in this one"
    ))]
    NoReset {
        /// The connections of the capture, one per line.
        connections: String,
    },
    /// Several sessions ended; one must be chosen.
    #[error("several sessions of this capture ended:\n{connections}")]
    #[diagnostic(help("choose one by its number, as in `--session {first}`"))]
    Several {
        /// The connections of the capture, one per line.
        connections: String,
        /// The number of the first.
        first: usize,
    },
    /// There is no connection with that number.
    #[error("this capture has no connection {wanted}; it has\n{connections}")]
    #[diagnostic(help("leave `--session` out to take the one that ended"))]
    NoSuchConnection {
        /// The value given.
        wanted: usize,
        /// The connections of the capture, one per line.
        connections: String,
    },
    /// The one chosen did not end.
    #[error("session {number} did not end in the capture: {connection}")]
    #[diagnostic(help("these are its connections:\n{connections}"))]
    NotReset {
        /// Its number.
        number: usize,
        /// Its description, one line.
        connection: String,
        /// The connections of the capture, one per line.
        connections: String,
    },
    /// The address of neither end.
    #[error("{wanted} is at neither end of {connection}")]
    #[diagnostic(help("`--local` is one of the two"))]
    NoSuchSpeaker {
        /// The value given.
        wanted: IpAddr,
        /// The connection, one line.
        connection: ConnectionId,
    },
    /// The speaker sent nothing.
    #[error("{connection}: {by} sent no OPEN before the session ended")]
    #[diagnostic(help("take the other end as the speaker: `--local {other}`"))]
    Unsaid {
        /// The connection, one line.
        connection: ConnectionId,
        /// The end that sent nothing.
        by: IpAddr,
        /// The other end.
        other: IpAddr,
    },
    /// Octets of the session are not in the capture.
    #[error("{connection}: {} of {by} after octet {offset} are not in the capture", format_args!("{lost} octet(s)"))]
    #[diagnostic(help(
        "the session cannot be reproduced without them: capture whole packets (`tcpdump -s 0 -B 65536`), where both directions pass"
    ))]
    Lost {
        /// The connection, one line.
        connection: ConnectionId,
        /// The end that sent them.
        by: IpAddr,
        /// Octets of the stream before them.
        offset: u64,
        /// Number of missing octets.
        lost: u64,
    },
    /// The speaker cannot be made to do the same.
    #[error(
        "what was written does not do what the capture shows, with {variant} as the speaker: {what}"
    )]
    #[diagnostic(help("{help}"))]
    Differs {
        /// The variant that ran it.
        variant: crate::subject::Variant,
        /// The first difference.
        what: String,
        /// What to do about it.
        help: String,
    },
    /// No configuration can be made for this speaker.
    #[error("{speaker} needs a configuration, and none can be made from the capture")]
    #[diagnostic(help(
        "name one with --configuration FILE; for BIRD one is made from the OPEN of the captured speaker"
    ))]
    NoConfiguration {
        /// The speaker.
        speaker: String,
    },
    /// The configuration does not have the peer.
    #[error("{} has no neighbor {peer}: it has {known}", path.display())]
    #[diagnostic(help(
        "the peer of the session must be a neighbor of the configuration; `--local` chooses the other end"
    ))]
    NoNeighbor {
        /// The file.
        path: PathBuf,
        /// The captured peer.
        peer: IpAddr,
        /// The neighbors.
        known: String,
    },
    /// A file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        error: io::Error,
    },
    /// The replay failed.
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
        /// The capture, as it was given on the command line.
        path: PathBuf,
        /// The operating system's error.
        error: io::Error,
    },
}
