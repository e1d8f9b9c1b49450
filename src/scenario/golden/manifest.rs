//! `captures/manifest.toml`: what each golden is, who made it, and its SHA-256.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::bgp::hex;
use crate::os::small_file::{self, GOLDEN};

/// The name of the file, beside the goldens.
pub const FILE: &str = "manifest.toml";
/// The entry of a golden that is being replaced, beside the manifest.
const NEXT: &str = "manifest.next.toml";

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
    /// The network that it ran on: `kernel`, in real time, or `sim`, in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The release of the kernel (uname(2)) on whose network the speaker put the same octets on the wire in real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
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
        /// The file of the golden or its manifest, relative to the working directory.
        path: PathBuf,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// The text is not a manifest.
    #[error("{}: {error}", path.display())]
    Syntax {
        /// The file of the golden or its manifest, relative to the working directory.
        path: PathBuf,
        /// What is wrong, with line and column.
        error: Box<toml::de::Error>,
    },
    /// A golden is to be a file beside the manifest.
    #[error("{}: the file `{file}` is outside its directory; write the file's name alone", path.display())]
    Outside {
        /// The file of the golden or its manifest, relative to the working directory.
        path: PathBuf,
        /// The file that it names.
        file: String,
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
        /// The name of the scenario that the golden belongs to.
        scenario: String,
    },
}

impl Manifest {
    /// Reads the manifest of `directory`; a directory without one has no goldens.
    ///
    /// Where [`Self::replace`] was cut off between the golden and the manifest, the entry of the golden that is there counts.
    ///
    /// # Errors
    /// Where it cannot be read or is no manifest, or names a file outside `directory`.
    pub fn load(directory: &Path) -> Result<Self, ManifestError> {
        let mut manifest = Self::read_file(&directory.join(FILE))?;
        for entry in Self::read_file(&directory.join(NEXT))?.captures {
            let is_there = small_file::read(&directory.join(&entry.file), GOLDEN)
                .is_ok_and(|bytes| digest(&bytes) == entry.sha256);
            if is_there {
                manifest.insert(entry);
            }
        }
        Ok(manifest)
    }

    /// Writes the manifest of `directory` where [`Self::replace`] was cut off before it had.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn complete(&self, directory: &Path) -> Result<(), ManifestError> {
        match directory.join(NEXT).exists() {
            true => self.store(directory),
            false => Ok(()),
        }
    }

    fn read_file(path: &Path) -> Result<Self, ManifestError> {
        let manifest: Self = match small_file::read_text(path) {
            Ok(text) => text.parse().map_err(|error| ManifestError::Syntax {
                path: path.to_owned(),
                error: Box::new(error),
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(ManifestError::Io {
                    path: path.to_owned(),
                    error,
                });
            }
        };
        let outside = |entry: &&ManifestEntry| !is_file_name(&entry.file);
        match manifest.captures.iter().find(outside) {
            Some(entry) => Err(ManifestError::Outside {
                path: path.to_owned(),
                file: entry.file.clone(),
            }),
            None => Ok(manifest),
        }
    }

    /// Puts `bytes` in the place of the golden that `entry` describes, and the entry into the manifest of `directory`: at
    /// whatever point this is cut off, [`Self::load`] finds the old golden with its entry or the new one with its own.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn replace(
        &mut self,
        directory: &Path,
        entry: ManifestEntry,
        bytes: &[u8],
    ) -> Result<(), ManifestError> {
        let next = Self {
            captures: vec![entry.clone()],
        };
        write_whole(&directory.join(NEXT), next.to_string().as_bytes())?;
        write_whole(&directory.join(&entry.file), bytes)?;
        self.insert(entry);
        self.store(directory)
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

    /// Adds to the entry of `scenario` that `kernel` gave the same octets; whether that is new.
    pub fn confirm(&mut self, scenario: &str, kernel: &str) -> bool {
        let mut entries = self.captures.iter_mut();
        let entry = entries.find(|entry| entry.scenario == scenario);
        entry.is_some_and(|entry| {
            let before = entry.kernel.replace(kernel.to_owned());
            before.as_deref() != Some(kernel)
        })
    }

    /// Writes the manifest into `directory`: all of it or nothing.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn store(&self, directory: &Path) -> Result<(), ManifestError> {
        let path = directory.join(FILE);
        write_whole(&path, self.to_string().as_bytes())?;
        // All of it is in the manifest now; where it cannot be removed it says the same as the manifest.
        let _ = std::fs::remove_file(directory.join(NEXT));
        Ok(())
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
        let bytes = small_file::read(&path, GOLDEN).map_err(|error| ManifestError::Io {
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

/// Whether `name` is that of a file and of nothing outside a directory.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(only)), None) if only == name
    )
}

/// Writes `bytes` to `path` by way of a file beside it, so that a failure, even of the machine, leaves what was there.
///
/// # Errors
/// Where it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ManifestError> {
    let beside = path.with_extension("partial");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        match path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(|error| ManifestError::Io {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: &[u8]) -> ManifestEntry {
        ManifestEntry {
            network: None,
            kernel: None,
            scenario: "one".into(),
            file: "one.pcap".into(),
            speaker: "lockstep".into(),
            version: "1".into(),
            command: String::new(),
            date: "2026-12-01".into(),
            sha256: digest(bytes),
        }
    }

    /// Copies the files of `from` that `replace` may have left when it was cut off after `steps` of its writes.
    fn cut_off(from: &Path, to: &Path, old: &[u8], new: &[u8], steps: usize) {
        let _ = std::fs::remove_dir_all(to);
        std::fs::create_dir_all(to).unwrap();
        for name in [FILE, "one.pcap"] {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
        assert_eq!(std::fs::read(to.join("one.pcap")).unwrap(), old);
        let next = Manifest {
            captures: vec![entry(new)],
        };
        if steps > 0 {
            std::fs::write(to.join(NEXT), next.to_string()).unwrap();
        }
        if steps > 1 {
            std::fs::write(to.join("one.pcap"), new).unwrap();
        }
        if steps > 2 {
            std::fs::write(to.join(FILE), next.to_string()).unwrap();
        }
    }

    #[test]
    fn wherever_a_replacement_is_cut_off_golden_and_manifest_agree() {
        let root = std::env::temp_dir().join(format!("lockstep-manifest-{}", std::process::id()));
        let (whole, cut) = (root.join("whole"), root.join("cut"));
        std::fs::create_dir_all(&whole).unwrap();
        let mut manifest = Manifest::default();
        manifest.replace(&whole, entry(b"old"), b"old").unwrap();
        assert!(!whole.join(NEXT).exists());
        for (steps, expected) in [(0, "old"), (1, "old"), (2, "new"), (3, "new")] {
            cut_off(&whole, &cut, b"old", b"new", steps);
            let loaded = Manifest::load(&cut).unwrap();
            let golden = loaded.read(&cut, "one").unwrap();
            assert_eq!(golden, expected.as_bytes(), "after {steps} steps");
            // Whatever is stored next makes it last.
            loaded.store(&cut).unwrap();
            assert!(!cut.join(NEXT).exists());
            let again = Manifest::load(&cut).unwrap().read(&cut, "one").unwrap();
            assert_eq!(again, expected.as_bytes(), "after {steps} steps");
        }
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_golden_is_beside_its_manifest() {
        for name in [
            "../one.pcap",
            "/etc/passwd",
            "a/b.pcap",
            "..",
            ".",
            "",
            "one.pcap/",
        ] {
            assert!(!is_file_name(name), "{name}");
        }
        assert!(is_file_name("one.pcap"));
        let root = std::env::temp_dir().join(format!("lockstep-outside-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        let outside = Manifest {
            captures: vec![ManifestEntry {
                kernel: None,
                file: "../one.pcap".into(),
                ..entry(b"")
            }],
        };
        std::fs::write(root.join(FILE), outside.to_string()).unwrap();
        let told = Manifest::load(&root).unwrap_err().to_string();
        assert!(
            told.contains("`../one.pcap` is outside its directory"),
            "{told}"
        );
        std::fs::remove_dir_all(root).unwrap();
    }
}
