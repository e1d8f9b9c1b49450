//! A golden: the speaker's messages on every connection, as the reference sent them.

use std::collections::BTreeMap;
use std::path::Path;

use thiserror::Error;

use crate::bgp::attribute::WireContext;
use crate::capture::{Canonical, CaptureError, StreamDirection};
use crate::net::{ConnectionName, Opener};
use crate::scenario::format::message::{KEEPALIVE, OPEN};
use crate::scenario::golden::manifest::{Manifest, ManifestError};
use crate::scenario::scripted::table::agreed;
use crate::scenario::scripted::transcript::Transcript;

/// Why a golden cannot be used.
#[derive(Debug, Error)]
pub enum GoldenError {
    /// The manifest, or the file that it speaks of.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The file is not a capture.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

/// The messages of a golden by connection, KEEPALIVEs left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Golden {
    /// Messages, in the order sent.
    pub connections: BTreeMap<ConnectionName, Vec<Vec<u8>>>,
}

/// The first message that is not the golden's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The connection, by its name on the host under test.
    pub connection: ConnectionName,
    /// The message, from 1, KEEPALIVEs not counted.
    pub number: usize,
    /// The golden's message; `None` if it has no more.
    pub expected: Option<Vec<u8>>,
    /// The message found; `None` if there was no more.
    pub found: Option<Vec<u8>>,
    /// The message before it, which both have.
    pub before: Option<Vec<u8>>,
    /// The encoding of the connection, from the golden's OPEN.
    pub context: WireContext,
}

impl Golden {
    /// Reads `scenario`'s golden out of `captures`.
    ///
    /// # Errors
    /// Where there is none, or it is not what the manifest says, or no capture.
    pub fn load(captures: &Path, manifest: &Manifest, scenario: &str) -> Result<Self, GoldenError> {
        let bytes = manifest.read(captures, scenario)?;
        let name = manifest
            .entry(scenario)
            .map_or_else(|| scenario.to_owned(), |entry| entry.file.clone());
        Ok(Self::read(
            &captures.join(name).display().to_string(),
            &bytes,
        )?)
    }

    /// The same for a scenario that need not have a golden: `None` if the manifest has no entry for it.
    ///
    /// # Errors
    /// A golden that cannot be read, or is not what the manifest says: it is never left out silently.
    pub fn find(
        captures: &Path,
        manifest: &Manifest,
        scenario: &str,
    ) -> Result<Option<Self>, GoldenError> {
        match manifest.entry(scenario) {
            Some(_) => Self::load(captures, manifest, scenario).map(Some),
            None => Ok(None),
        }
    }

    /// Reads a capture; the end that opened the connections is the speaker.
    ///
    /// # Errors
    /// It is not a capture.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, CaptureError> {
        let canonical = Canonical::read(name, bytes)?;
        let mut connections = BTreeMap::new();
        for (id, stream) in &canonical.streams {
            if id.direction != StreamDirection::FromClient {
                continue;
            }
            let messages = stream
                .messages()
                .filter(|bytes| bytes.get(18) != Some(&KEEPALIVE))
                .map(<[u8]>::to_vec)
                .collect();
            let (peer, attempt) = (id.connection.peer.server, id.connection.attempt);
            let name = ConnectionName::new(peer, Opener::Us, attempt);
            connections.insert(name, messages);
        }
        Ok(Self { connections })
    }

    /// The speaker's messages in the transcripts of a run.
    #[must_use]
    pub fn of(transcripts: &[Transcript]) -> Self {
        let connections = transcripts
            .iter()
            .map(|transcript| {
                let messages = transcript.compared().map(|passed| passed.bytes.clone());
                (transcript.name, messages.collect())
            })
            .collect();
        Self { connections }
    }

    /// The first message, by connection and number, in which `run` is not this golden.
    #[must_use]
    pub fn divergence(&self, run: &Self) -> Option<Divergence> {
        let keys: std::collections::BTreeSet<_> = self
            .connections
            .keys()
            .chain(run.connections.keys())
            .copied()
            .collect();
        keys.into_iter().find_map(|key| self.diverges_on(run, key))
    }

    fn diverges_on(&self, run: &Self, connection: ConnectionName) -> Option<Divergence> {
        const NONE: &[Vec<u8>] = &[];
        let expected = self
            .connections
            .get(&connection)
            .map_or(NONE, Vec::as_slice);
        let mut found = run.connections.get(&connection).map_or(NONE, Vec::as_slice);
        // Goldens built from messages have no OPEN unless it is what they are about.
        if !expected.first().is_some_and(|first| is_open(first)) {
            found = match found {
                [open, rest @ ..] if is_open(open) && !expected.is_empty() => rest,
                all => all,
            };
        }
        let at =
            (0..expected.len().max(found.len())).find(|&at| expected.get(at) != found.get(at))?;
        Some(Divergence {
            connection,
            number: at + 1,
            expected: expected.get(at).cloned(),
            found: found.get(at).cloned(),
            before: at.checked_sub(1).and_then(|at| expected.get(at).cloned()),
            context: expected
                .first()
                .map(|open| agreed(open))
                .unwrap_or_default(),
        })
    }

    /// Number of messages.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.connections.values().map(Vec::len).sum()
    }
}

fn is_open(message: &[u8]) -> bool {
    message.get(18) == Some(&OPEN)
}
