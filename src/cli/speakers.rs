//! `lockstep speakers`: the speakers that can be put under test, and how to install those that are missing.

use std::path::Path;

use clap::Args;
use miette::miette;

use super::Status;
use super::output::say;
use crate::subject::locate::{self, LocateError};
use crate::subject::variant::OWN;
use crate::subject::{SpeakerName, Variant, known};

/// What is listed.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Speakers: NAME, NAME=VERSION, NAME=PATH or NAME=FILE.toml (default: every speaker that is known).
    speakers: Vec<SpeakerName>,
    /// Print the description of this speaker, from which one of your own can be made.
    #[arg(long, value_name = "NAME", conflicts_with = "speakers")]
    describe: Option<SpeakerName>,
}

/// Lists the speakers; the status is 2 where one that was named cannot be put under test.
///
/// # Errors
/// A speaker that is not known, a description with a mistake.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    if let Some(speaker) = &arguments.describe {
        locate::check_name(speaker)?;
        let Some(text) = known::text(speaker.name()) else {
            return Err(miette!(
                help = "name another speaker, such as bird",
                "Lockstep's own speaker is part of this program and has no description"
            ));
        };
        say!("{}", text.trim_end());
        return Ok(Status::Passed);
    }
    if arguments.speakers.is_empty() {
        for name in known::names() {
            let speaker = SpeakerName::new(name, None);
            match line(&speaker) {
                Ok(line) => say!("{line}"),
                Err(LocateError::Missing { .. }) => {
                    let install = locate::install(&speaker, &locate::describe(&speaker)?);
                    say!("{name:10} {:12} not installed: {install}", "-");
                }
                Err(error) => say!("{name:10} {:12} {error}", "-"),
            }
        }
        return Ok(Status::Passed);
    }
    for speaker in &arguments.speakers {
        say!("{}", line(speaker)?);
    }
    Ok(Status::Passed)
}

/// Name, version and place of a speaker.
fn line(speaker: &SpeakerName) -> Result<String, LocateError> {
    if speaker.is_own() {
        let version = env!("CARGO_PKG_VERSION");
        return Ok(format!("{OWN:10} {version:12} this program (sync, async)"));
    }
    let variant = Variant {
        speaker: speaker.clone(),
        mode: None,
    };
    let launcher = locate::locate(&variant, None)?;
    let here = std::env::current_dir().unwrap_or_default();
    let path: &Path = &launcher.executable;
    let path = path.strip_prefix(here).unwrap_or(path);
    Ok(format!(
        "{:10} {:12} {}",
        speaker.name(),
        launcher.version,
        path.display()
    ))
}
