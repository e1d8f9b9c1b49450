//! Which subject a result is of, and how a person says which.
//!
//! ```text
//! sync, async            our own speaker in that reactor
//! exabgp                 the ExaBGP that is installed
//! exabgp=5.0.15          that version
//! exabgp=./venv+async    the one at that path, in its async reactor
//! ```

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::reactor::Mode;

/// The name of our own speaker.
pub const OWN: &str = "lockstep";

/// A speaker: its name, and which of those that have the name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpeakerName {
    name: Arc<str>,
    which: Option<Arc<str>>,
}

impl SpeakerName {
    /// The speaker `name`, in the version or at the path `which`; the one that is installed where it is `None`.
    #[must_use]
    pub fn new(name: &str, which: Option<&str>) -> Self {
        Self {
            name: name.into(),
            which: which.map(Into::into),
        }
    }

    /// Our own speaker.
    #[must_use]
    pub fn own() -> Self {
        Self::new(OWN, None)
    }

    /// Its name: `lockstep`, `exabgp`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of an executable, or of a virtual environment, that was asked for: what contains a `/`.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        let which = self.which.as_deref();
        which.filter(|which| which.contains('/') && !is_description(which))
    }

    /// The file in which a user describes the speaker: a path that ends in `.toml`.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.which.as_deref().filter(|which| is_description(which))
    }

    /// The version that was asked for.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        let which = self.which.as_deref();
        which.filter(|which| !which.contains('/') && !is_description(which))
    }

    /// Whether it is our own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        *self.name == *OWN
    }
}

fn is_description(which: &str) -> bool {
    which.ends_with(".toml")
}

impl fmt::Display for SpeakerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.which {
            None => f.pad(&self.name),
            Some(which) => write!(f, "{}={which}", self.name),
        }
    }
}

/// What is wrong with the words for a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariantError {
    /// Nothing stands before or behind a `=`.
    #[error("`{0}` names no speaker: write NAME, NAME=VERSION or NAME=PATH, as in exabgp=5.0.15")]
    NoName(String),
    /// A reactor that there is not.
    #[error("`{0}` is not a mode: write `sync` or `async`")]
    NoMode(String),
    /// Our own speaker has one version, the one that runs.
    #[error(
        "`{0}`: our own speaker is the one that runs; only other speakers have a version or path"
    )]
    OwnVersion(String),
}

impl FromStr for SpeakerName {
    type Err = VariantError;

    /// `NAME`, `NAME=VERSION` or `NAME=PATH`, where a path contains a `/`.
    fn from_str(text: &str) -> Result<Self, VariantError> {
        let (name, which) = match text.split_once('=') {
            Some((name, which)) => (name, Some(which)),
            None => (text, None),
        };
        let is_word = |name: &str| {
            name.chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        if name.is_empty() || which == Some("") || !is_word(name) {
            return Err(VariantError::NoName(text.to_owned()));
        }
        if name == OWN && which.is_some() {
            return Err(VariantError::OwnVersion(text.to_owned()));
        }
        Ok(Self::new(name, which))
    }
}

/// A speaker in one of its reactors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant {
    /// Which speaker, and which version or path of it.
    pub speaker: SpeakerName,
    /// The reactor, where the speaker has several.
    pub mode: Option<Mode>,
}

impl Variant {
    /// Our own speaker in `mode`.
    #[must_use]
    pub fn own(mode: Mode) -> Self {
        Self {
            speaker: SpeakerName::own(),
            mode: Some(mode),
        }
    }

    /// Our own speaker in both reactors, sync first.
    #[must_use]
    pub fn both() -> [Self; 2] {
        Mode::ALL.map(Self::own)
    }

    /// `speaker` in `mode`: our own speaker where it is `None`, in each reactor where `mode` is `None`.
    #[must_use]
    pub fn all(speaker: Option<&SpeakerName>, mode: Option<Mode>) -> Vec<Self> {
        match (speaker.filter(|speaker| !speaker.is_own()), mode) {
            (None, None) => Self::both().to_vec(),
            (None, Some(mode)) => vec![Self::own(mode)],
            (Some(speaker), mode) => vec![Self {
                speaker: speaker.clone(),
                mode,
            }],
        }
    }

    /// The reactor of our own speaker; `None` for every other one.
    #[must_use]
    pub fn own_mode(&self) -> Option<Mode> {
        self.mode.filter(|_| self.speaker.is_own())
    }

    /// Its text as part of a file name: a path's `/` is `_`.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.to_string().replace('/', "_")
    }

    /// The options of a command line that choose it.
    #[must_use]
    pub fn options(&self) -> String {
        let speaker = (!self.speaker.is_own()).then(|| format!("--speaker {}", self.speaker));
        let mode = self.mode.map(|mode| format!("--mode {mode}"));
        let options: Vec<String> = speaker.into_iter().chain(mode).collect();
        options.join(" ")
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            Some(mode) if self.speaker.is_own() => f.pad(&mode.to_string()),
            Some(mode) => f.pad(&format!("{}+{mode}", self.speaker)),
            None => f.pad(&self.speaker.to_string()),
        }
    }
}

impl FromStr for Variant {
    type Err = VariantError;

    /// `sync`, `async`, or `SPEAKER[=…][+MODE]`.
    fn from_str(text: &str) -> Result<Self, VariantError> {
        if let Ok(mode) = text.parse::<Mode>() {
            return Ok(Self::own(mode));
        }
        let (speaker, mode) = match text.rsplit_once('+') {
            Some((speaker, mode)) => {
                let mode = mode
                    .parse()
                    .map_err(|_| VariantError::NoMode(mode.to_owned()))?;
                (speaker, Some(mode))
            }
            None => (text, None),
        };
        Ok(Self {
            speaker: speaker.parse()?,
            mode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_read_back_from_its_text() {
        for text in [
            "sync",
            "async",
            "exabgp",
            "exabgp=5.0.15",
            "exabgp=5.0.15+async",
            "bird=/usr/sbin/bird",
            "exabgp=./venv+sync",
        ] {
            let variant: Variant = text.parse().unwrap();
            assert_eq!(variant.to_string(), text);
        }
        assert_eq!("lockstep+async".parse(), Ok(Variant::own(Mode::Async)));
    }

    #[test]
    fn a_path_contains_a_slash_and_a_version_none() {
        let path: SpeakerName = "exabgp=./venv".parse().unwrap();
        assert_eq!((path.path(), path.version()), (Some("./venv"), None));
        let version: SpeakerName = "exabgp=5.0.15".parse().unwrap();
        assert_eq!((version.path(), version.version()), (None, Some("5.0.15")));
    }

    #[test]
    fn what_names_no_speaker_is_refused() {
        for text in [
            "",
            "=5.0.15",
            "exabgp=",
            "a b",
            "exabgp=1+both",
            "lockstep=1",
        ] {
            assert!(text.parse::<Variant>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_options_choose_the_variant() {
        assert_eq!(Variant::own(Mode::Sync).options(), "--mode sync");
        let other: Variant = "exabgp=5.0.15+async".parse().unwrap();
        assert_eq!(other.options(), "--speaker exabgp=5.0.15 --mode async");
    }
}
