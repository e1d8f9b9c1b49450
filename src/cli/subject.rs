//! What is under test, as every command that runs something takes it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::miette;

use crate::config::nearest;
use crate::reactor::Mode;
use crate::scenario::format::directory::{self, DAEMONS};
use crate::scenario::format::script::Scenario;
use crate::subject::variant::VariantError;
use crate::subject::{SpeakerName, Variant, known, locate};

/// The words for reactors.
const MODES: &[&str] = &["sync", "async"];

/// The speaker under test.
#[derive(Debug, Clone, Args)]
pub struct SubjectArguments {
    /// Speaker under test: NAME, NAME=VERSION or NAME=PATH (a path contains a `/`; default: Lockstep's own).
    #[arg(long, value_name = "NAME[=VERSION|PATH]")]
    pub speaker: Option<SpeakerName>,
    /// Reactor, for a speaker that has two (default: both).
    #[arg(long, value_enum)]
    pub mode: Option<Modes>,
}

/// One reactor or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Modes {
    /// Single poll loop.
    Sync,
    /// One task per peer.
    Async,
    /// Run both.
    Both,
}

impl Modes {
    const fn one(self) -> Option<Mode> {
        match self {
            Self::Sync => Some(Mode::Sync),
            Self::Async => Some(Mode::Async),
            Self::Both => None,
        }
    }
}

/// Checks that `speaker` is known.
///
/// # Errors
/// It is not; the help names the nearest speaker, or the mode that may have been meant.
pub fn check_speaker(speaker: &SpeakerName) -> miette::Result<()> {
    locate::check_name(speaker).map_err(|error| match nearest(speaker.name(), MODES) {
        Some(mode) if speaker.name() == speaker.to_string() => miette!(
            help = format!(
                "did you mean the mode `{mode}` (--mode)? The speakers are {}",
                known::names().collect::<Vec<_>>().join(", ")
            ),
            "there is no speaker `{speaker}`"
        ),
        _ => error.into(),
    })
}

/// The subject that follows the `@` of `SCENARIO@SUBJECT`.
///
/// # Errors
/// It is not one; the help names the nearest mode or speaker.
pub fn subject_of(text: &str) -> miette::Result<Variant> {
    const FORMS: &str = "`sync`, `async`, `golden` or SPEAKER[=VERSION|PATH][+MODE] follows the @";
    let variant = match text.parse::<Variant>() {
        Ok(variant) => variant,
        Err(error) => {
            let near = match &error {
                VariantError::NoMode(mode) => nearest(mode, MODES),
                _ => None,
            };
            let near = near.map(|near| format!("did you mean `{near}`? "));
            let near = near.unwrap_or_default();
            return Err(miette!(help = format!("{near}{FORMS}"), "{error}"));
        }
    };
    if locate::check_name(&variant.speaker).is_err()
        && let Some(near) = nearest(text, &[MODES, &["golden"]].concat())
    {
        return Err(miette!(
            help = format!("did you mean `{near}`? {FORMS}"),
            "there is no mode or speaker `{text}`"
        ));
    }
    locate::check_name(&variant.speaker)?;
    Ok(variant)
}

impl SubjectArguments {
    /// Whether the command line chooses nothing.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.speaker.is_none() && self.mode.is_none()
    }

    /// The words that choose the same on another command line.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let speaker = self
            .speaker
            .iter()
            .flat_map(|speaker| ["--speaker".into(), speaker.to_string()]);
        let mode = self.mode.and_then(|mode| mode.to_possible_value());
        let mode = mode
            .iter()
            .flat_map(|mode| ["--mode".into(), mode.get_name().to_owned()]);
        speaker.chain(mode).collect()
    }

    /// The variants that the command line chooses.
    ///
    /// # Errors
    /// A speaker that is not known; both modes of a speaker that is not our own.
    pub fn variants(&self) -> miette::Result<Vec<Variant>> {
        if let Some(speaker) = &self.speaker {
            check_speaker(speaker)?;
            if !speaker.is_own() && self.mode == Some(Modes::Both) {
                return Err(miette!(
                    help = "name one of them, or leave --mode out for the one that it is configured for",
                    "{speaker} runs in one mode at a time"
                ));
            }
        }
        let mode = self.mode.and_then(Modes::one);
        Ok(Variant::all(self.speaker.as_ref(), mode))
    }

    /// The variants that the command line chooses, or those of `plan` where it chooses nothing.
    ///
    /// # Errors
    /// As for [`Self::variants`].
    pub fn variants_or(&self, plan: &[Variant]) -> miette::Result<Vec<Variant>> {
        if self.is_default() {
            Ok(plan.to_vec())
        } else {
            self.variants()
        }
    }
}

/// The scenarios that `variants` play where nobody names one: those of a speaker with a configuration of its own are in a
/// directory of their own below `scenarios`.
///
/// # Errors
/// A speaker that is not known, a description with a mistake.
fn scenarios_of(scenarios: &Path, variants: &[Variant]) -> miette::Result<PathBuf> {
    let daemons = scenarios.join(DAEMONS);
    match with_own_configuration(variants)? {
        Some(_) if daemons.is_dir() => Ok(daemons),
        _ => Ok(scenarios.to_owned()),
    }
}

/// The scenarios of `directory` with these names, or those that `variants` play where nobody names one.
///
/// # Errors
/// As for [`directory::select`] and [`scenarios_of`].
pub fn selected(
    directory: &Path,
    names: &[String],
    variants: &[Variant],
) -> miette::Result<Vec<Scenario>> {
    let nobody_names_one = names.is_empty() || names == ["all"];
    if nobody_names_one {
        return Ok(directory::select(&scenarios_of(directory, variants)?, &[])?);
    }
    Ok(directory::select(directory, names)?)
}

/// The goldens of `variants` for `scenarios`: those of a speaker with a configuration of its own, and those of every speaker
/// but ours for the scenarios of daemons, are in a directory of their own below `captures`.
///
/// # Errors
/// As for [`scenarios_of`].
pub fn captures_of(
    captures: &Path,
    variants: &[Variant],
    scenarios: &[Scenario],
) -> miette::Result<PathBuf> {
    let mut others = variants.iter().filter(|variant| !variant.speaker.is_own());
    let other = others.next().map(|variant| variant.speaker.name());
    let of_daemons = !scenarios.is_empty() && scenarios.iter().all(directory::is_for_daemons);
    Ok(
        match with_own_configuration(variants)?.or(other.filter(|_| of_daemons)) {
            Some(name) => captures.join(DAEMONS).join(name),
            None => captures.to_owned(),
        },
    )
}

/// The name of the first of `variants` that has a configuration of its own.
fn with_own_configuration(variants: &[Variant]) -> miette::Result<Option<&str>> {
    for variant in variants.iter().filter(|variant| !variant.speaker.is_own()) {
        if locate::describe(&variant.speaker)?.configuration.is_some() {
            return Ok(Some(variant.speaker.name()));
        }
    }
    Ok(None)
}
