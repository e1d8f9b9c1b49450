//! `captures/manifest.toml`: what each golden is, who made it, and its SHA-256.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::bgp::hex;

/// The name of the file, beside the goldens.
pub const FILE: &str = "manifest.toml";

/// The goldens of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// One entry per golden, sorted by scenario.
    #[serde(default, rename = "capture")]
    pub captures: Vec<ManifestEntry>,
}

/// One golden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestEntry {
    /// The scenario's name.
    pub scenario: String,
    /// The file's name.
    pub file: String,
    /// Who put the messages on the wire: `exabgp`, `messages` (expected messages of its development branch),
    /// `lockstep`, or, in what `lockstep import` writes, the address of the captured speaker.
    pub speaker: String,
    /// The speaker's version.
    pub version: String,
    /// The command that made the file.
    pub command: String,
    /// Date, YYYY-MM-DD.
    pub date: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// Why the manifest cannot be used.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// The text is not a manifest.
    #[error("{}: {error}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        error: Box<toml::de::Error>,
    },
    /// A golden differs from its checksum in the manifest.
    #[error("{} does not match the manifest: its SHA-256 is {found}, not {expected}; restore it, or record it again with `lockstep record {scenario}`", path.display())]
    Checksum {
        /// Path of the golden.
        path: PathBuf,
        /// Name of its scenario.
        scenario: String,
        /// SHA-256 in the manifest.
        expected: String,
        /// SHA-256 of the file.
        found: String,
    },
    /// There is no golden.
    #[error(
        "{scenario} has no golden; make one with `lockstep record {scenario} --speaker exabgp`"
    )]
    Missing {
        /// The scenario.
        scenario: String,
    },
}

impl Manifest {
    /// Reads the manifest of `directory`; a directory without one has no goldens.
    ///
    /// # Errors
    /// Where it cannot be read or is no manifest.
    pub fn load(directory: &Path) -> Result<Self, ManifestError> {
        let path = directory.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => text.parse().map_err(|error| ManifestError::Syntax {
                path,
                error: Box::new(error),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ManifestError::Io { path, error }),
        }
    }

    /// The entry of `scenario`.
    #[must_use]
    pub fn entry(&self, scenario: &str) -> Option<&ManifestEntry> {
        self.captures
            .iter()
            .find(|entry| entry.scenario == scenario)
    }

    /// Adds `entry`, or replaces that of the same scenario.
    pub fn insert(&mut self, entry: ManifestEntry) {
        self.captures.retain(|held| held.scenario != entry.scenario);
        self.captures.push(entry);
        self.captures
            .sort_by(|one, other| one.scenario.cmp(&other.scenario));
    }

    /// Writes the manifest into `directory`: all of it or nothing.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn store(&self, directory: &Path) -> Result<(), ManifestError> {
        let path = directory.join(FILE);
        write_whole(&path, self.to_string().as_bytes())
    }

    /// The octets of `scenario`'s golden, checked against its SHA-256.
    ///
    /// # Errors
    /// Where there is none, it cannot be read, or it is another.
    pub fn read(&self, directory: &Path, scenario: &str) -> Result<Vec<u8>, ManifestError> {
        let entry = self.entry(scenario).ok_or_else(|| ManifestError::Missing {
            scenario: scenario.into(),
        })?;
        let path = directory.join(&entry.file);
        let bytes = std::fs::read(&path).map_err(|error| ManifestError::Io {
            path: path.clone(),
            error,
        })?;
        let found = digest(&bytes);
        if found == entry.sha256 {
            Ok(bytes)
        } else {
            Err(ManifestError::Checksum {
                path,
                scenario: scenario.into(),
                expected: entry.sha256.clone(),
                found,
            })
        }
    }
}

impl FromStr for Manifest {
    type Err = toml::de::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        toml::from_str(text)
    }
}

impl fmt::Display for Manifest {
    /// The file's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&toml::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex::text(&Sha256::digest(bytes))
}

/// Writes `bytes` to `path` by way of a file beside it, so that a failure leaves what was there.
///
/// # Errors
/// Where it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ManifestError> {
    let beside = path.with_extension("partial");
    std::fs::write(&beside, bytes)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|error| ManifestError::Io {
            path: path.to_owned(),
            error,
        })
}
