//! `captures/pending`: captures of runs that differ from their goldens, until a person accepts or rejects them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::capture::{Canonical, CaptureError, Item, StreamDirection};
use crate::compare::{self, Options};
use crate::os::small_file::{self, GOLDEN};
use crate::scenario::format::message::OPEN;
use crate::scenario::golden::Golden;
use crate::scenario::golden::manifest::{
    Manifest, ManifestEntry, ManifestError, digest, write_whole,
};
use crate::scenario::run::record::pcap;
use crate::scenario::run::suite::Report;
use crate::subject::Variant;

/// Name of the directory, below that of the goldens.
pub const DIRECTORY: &str = "pending";
/// The speaker of a golden that was accepted and not recorded.
pub const OURS: &str = "lockstep";

/// A capture awaiting review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The scenario's name.
    pub scenario: String,
    /// Path of the capture.
    pub path: PathBuf,
}

/// What [`leave`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The pending capture.
    pub pending: Pending,
    /// The variant whose run it is.
    pub variant: Variant,
    /// Whether another mode of the same scenario sent something else.
    pub contested: bool,
}

/// Why a pending capture cannot be used. The golden is then as it was.
#[derive(Debug, Error)]
pub enum PendingError {
    /// The manifest, or a file.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The file is not a capture.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// There is nothing in it.
    #[error("{} has no message of the speaker; run the scenario again", .0.display())]
    Empty(PathBuf),
    /// A file or directory cannot be read, written or removed.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory of the pending golden.
        path: PathBuf,
        /// The operating system's error.
        error: io::Error,
    },
}

/// The pending captures beside the goldens of `captures`, by name.
///
/// # Errors
/// A directory that is there and cannot be read.
pub fn all(captures: &Path) -> Result<Vec<Pending>, PendingError> {
    let directory = captures.join(DIRECTORY);
    let failed = |error| PendingError::Io {
        path: directory.clone(),
        error,
    };
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "pcap")
            && let Some(stem) = path.file_stem()
        {
            let scenario = stem.to_string_lossy().into_owned();
            found.push(Pending { scenario, path });
        }
    }
    found.sort_by(|one, other| one.scenario.cmp(&other.scenario));
    Ok(found)
}

/// Leaves the capture of the first of `reports`, all of one scenario, that is not the golden's.
/// Where none differs and `every_mode` ran, what an earlier run left is out of date and goes.
///
/// # Errors
/// Files that cannot be written or removed.
pub fn leave(
    captures: &Path,
    reports: &[&Report],
    every_mode: bool,
) -> Result<Option<Left>, PendingError> {
    let Some(first) = reports.first() else {
        return Ok(None);
    };
    let directory = captures.join(DIRECTORY);
    let pending = Pending {
        scenario: first.scenario.clone(),
        path: directory.join(format!("{}.pcap", first.scenario)),
    };
    let differs = |report: &&&Report| report.verdict.faults.divergence.is_some();
    let Some(differing) = reports.iter().find(differs) else {
        if every_mode && pending.path.exists() {
            pending.reject()?;
        }
        return Ok(None);
    };
    let failed = |error| PendingError::Io {
        path: pending.path.clone(),
        error,
    };
    let bytes = pcap(&differing.played.transcripts, Duration::ZERO).map_err(failed)?;
    std::fs::create_dir_all(&directory).map_err(failed)?;
    write_whole(&pending.path, &bytes)?;
    let sent = Golden::of(&differing.played.transcripts);
    Ok(Some(Left {
        variant: differing.variant.clone(),
        contested: reports
            .iter()
            .any(|report| Golden::of(&report.played.transcripts) != sent),
        pending,
    }))
}

impl Pending {
    /// How the golden (left) and this capture (right) differ in what the speaker sent.
    ///
    /// # Errors
    /// Either cannot be read.
    pub fn compare(
        &self,
        captures: &Path,
        manifest: &Manifest,
    ) -> Result<compare::Report, PendingError> {
        let pending = self.read()?;
        let right = Canonical::read(self.name(), &pending[..])?;
        let left = match manifest.entry(&self.scenario) {
            Some(entry) => Canonical::read(
                captures.join(&entry.file).display().to_string(),
                &manifest.read(captures, &self.scenario)?[..],
            )?,
            None => Canonical::default(),
        };
        let options = Options {
            endings: false,
            ..Options::default()
        };
        Ok(compare::canonical(
            &heard_by_same(left, &right),
            &right,
            options,
        ))
    }

    /// Puts this capture in the golden's place, and says in the manifest that our own speaker made it, on `date`
    /// (2026-11-23).
    ///
    /// # Errors
    /// It is not a capture, or a file cannot be written.
    pub fn accept(
        &self,
        captures: &Path,
        manifest: &mut Manifest,
        date: String,
    ) -> Result<(), PendingError> {
        let bytes = self.read()?;
        let file = manifest.entry(&self.scenario).map_or_else(
            || format!("{}.pcap", self.scenario),
            |entry| entry.file.clone(),
        );
        let entry = ManifestEntry {
            kernel: None,
            network: None,
            scenario: self.scenario.clone(),
            file,
            speaker: OURS.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            command: format!("lockstep accept {}", self.scenario),
            date,
            sha256: digest(&bytes),
        };
        manifest.replace(captures, entry, &bytes)?;
        self.reject()
    }

    /// Removes the capture; the golden stays.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn reject(&self) -> Result<(), PendingError> {
        std::fs::remove_file(&self.path).map_err(|error| self.failed(error))
    }

    /// The content of a capture that may become a golden.
    fn read(&self) -> Result<Vec<u8>, PendingError> {
        let bytes = small_file::read(&self.path, GOLDEN).map_err(|error| self.failed(error))?;
        match Golden::read(&self.name(), &bytes)?.messages() {
            0 => Err(PendingError::Empty(self.path.clone())),
            _ => Ok(bytes),
        }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, error: io::Error) -> PendingError {
        PendingError::Io {
            path: self.path.clone(),
            error,
        }
    }
}

/// `golden` with what `run` has and goldens do not fix: the peers' messages, and OPENs where the golden was made of
/// messages.
fn heard_by_same(mut golden: Canonical, run: &Canonical) -> Canonical {
    for (id, stream) in &run.streams {
        let Some(held) = golden.streams.get_mut(id) else {
            continue;
        };
        if id.direction == StreamDirection::FromServer {
            held.clone_from(stream);
            continue;
        }
        let is_open = |item: Option<&(u64, Item)>| matches!(item, Some((_, Item::Message(octets))) if octets.get(18) == Some(&OPEN));
        if let Some(open) = stream.items.first().filter(|first| is_open(Some(first)))
            && !is_open(held.items.first())
        {
            held.items.insert(0, open.clone());
        }
    }
    golden
}
