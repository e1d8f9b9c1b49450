//! What a subject needs of a scenario: our own speaker's configuration, another's program and files.

use std::io;

use crate::config::environment;
use crate::config::{self, Configuration};
use crate::os::small_file;
use crate::reactor::Rotation;
use crate::scenario::format::script::{Scenario, SpeakerScript};
use crate::scenario::run::error::PlayError;
use crate::speaker::settings;
use crate::subject::launcher::{Launcher, Setup};
use crate::subject::{Variant, locate};

pub(super) fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> PlayError {
    let what = what.into();
    |error| PlayError::Io { what, error }
}

/// The program of `variant`, for which `scenario` has a configuration on the host of `speaker`.
///
/// # Errors
/// It is not there; the scenario is not for it.
pub fn launcher(
    scenario: &Scenario,
    speaker: &SpeakerScript,
    variant: &Variant,
) -> Result<Launcher, PlayError> {
    let launcher = locate::locate(variant, None)?;
    if let Some(why) = scenario.why_not(variant.speaker.name()) {
        return Err(PlayError::NotForSpeaker {
            scenario: scenario.name.clone(),
            speaker: launcher.description.title.clone(),
            why: why.to_owned(),
        });
    }
    if launcher.has_configuration(&setup(scenario, speaker, variant)) {
        return Ok(launcher);
    }
    let description = &launcher.description;
    let file = description
        .configuration
        .as_deref()
        .unwrap_or("speaker.conf");
    Err(PlayError::NotApplicable {
        scenario: scenario.name.clone(),
        speaker: description.title.clone(),
        file: scenario.directory.join(file),
    })
}

/// The files and settings of `speaker` in `scenario`, `variant` being under test.
#[must_use]
pub fn setup(scenario: &Scenario, speaker: &SpeakerScript, variant: &Variant) -> Setup {
    let name = variant.speaker.name();
    Setup {
        has_control: scenario.programs.iter().any(|it| it.controls(name)),
        name: scenario.name.clone(),
        directory: scenario.directory.clone(),
        configurations: speaker.config.clone(),
        files: speaker.files.clone(),
        environment: speaker.environment.clone(),
        attempts: speaker.attempts,
        symbols: scenario.topology.symbols(),
    }
}

/// Our speaker as a scenario configures it.
pub type Prepared = (Rotation, settings::Settings);

/// Reads the configurations and the environment of `speaker` in `scenario`.
///
/// # Errors
/// A configuration that cannot be read or understood.
pub fn prepare(scenario: &Scenario, speaker: &SpeakerScript) -> Result<Prepared, PlayError> {
    let symbols = scenario.topology.symbols();
    let configurations = speaker
        .config
        .iter()
        .map(|file| {
            let path = scenario.directory.join(file);
            let name = path.display().to_string();
            let text = small_file::read_text(&path).map_err(io_error(name.clone()))?;
            let mut configuration = config::parse(&name, &symbols.substitute(&text))?;
            set_verbatim(scenario, &mut configuration);
            Ok(configuration)
        })
        .collect::<Result<Vec<Configuration>, PlayError>>()?;
    let environment = environment::parse(speaker.environment.iter().map(|(n, v)| (n, v)))?;
    let settings = settings::Settings {
        attempts: speaker.attempts,
        debug_rotate: true,
        ..environment.settings
    };
    Ok((
        Rotation::new(configurations, scenario.directory.clone()),
        settings,
    ))
}

/// Gives neighbors the verbatim bytes of the scenario.
fn set_verbatim(scenario: &Scenario, configuration: &mut Configuration) {
    for (peer, verbatim) in &scenario.verbatims {
        let neighbors = configuration.neighbors.iter_mut();
        for neighbor in neighbors.filter(|neighbor| neighbor.peer_address == *peer) {
            neighbor.verbatim = Some(verbatim.clone());
        }
    }
}
