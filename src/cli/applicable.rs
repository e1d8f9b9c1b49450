//! Which scenarios are for a speaker.

use miette::miette;

use crate::scenario::format::script::{GoldenSource, Scenario};
use crate::scenario::run::prepare;
use crate::subject::Variant;
use crate::subject::launcher::Launcher;
use crate::subject::locate::{self, LocateError};

/// Leaves out the scenarios that are not for the speaker, and says which and why, a line each.
///
/// # Errors
/// None is left; the speaker is not installed, or one that a scenario among `named`, the user's own choice, needs.
pub(super) fn applicable(
    scenarios: Vec<Scenario>,
    named: &[String],
    variants: &[Variant],
) -> miette::Result<(Vec<Scenario>, Vec<String>)> {
    let Some(variant) = variants.first() else {
        return Ok((scenarios, Vec::new()));
    };
    let is_own = variant.speaker.is_own();
    // That a speaker is missing says more than that a scenario is not for it.
    let launcher = match is_own {
        true => None,
        false => Some(locate::locate(variant, None)?),
    };
    let is_configured = |scenario: &Scenario| {
        // Where the scenario itself says who plays, it is for whoever plays the rest.
        let speakers = scenario.speakers.iter();
        let mut open = speakers.filter(|speaker| speaker.variant.is_none());
        open.all(|speaker| match &launcher {
            Some(launcher) => {
                launcher.has_configuration(&prepare::setup(scenario, speaker, variant))
            }
            None => {
                let mut files = speaker.config.iter();
                files.all(|file| scenario.directory.join(file).is_file())
            }
        })
    };
    let applies = |scenario: &Scenario| {
        let is_new = scenario.golden == GoldenSource::Messages;
        is_configured(scenario) && (is_own || !is_new)
    };
    let name = variant.speaker.name();
    let (known, refused): (Vec<_>, Vec<_>) = scenarios
        .into_iter()
        .partition(|scenario| scenario.why_not(name).is_none());
    let mut lines: Vec<String> = refused
        .iter()
        .filter_map(|it| {
            Some(format!(
                "not applicable: {}: {}",
                it.name,
                it.why_not(name)?
            ))
        })
        .collect();
    let mut playable = Vec::with_capacity(known.len());
    for scenario in known {
        match missing(&scenario)? {
            None => playable.push(scenario),
            Some(error) if named.contains(&scenario.name) => return Err(error.into()),
            Some(error) => lines.push(format!("not played: {}: {error}", scenario.name)),
        }
    }
    let mut known = playable;
    let unknown: Vec<_> = known.extract_if(.., |it| !applies(it)).collect();
    lines.extend(without_configuration(
        &unknown,
        launcher.as_ref(),
        is_configured,
    ));
    if known.is_empty() && !lines.is_empty() {
        return Err(miette!("{}", lines.join("\n")));
    }
    Ok((known, lines))
}

/// Why a speaker that `scenario` itself names cannot play: it is not installed.
///
/// # Errors
/// Any other reason, such as a mistake in its description.
fn missing(scenario: &Scenario) -> Result<Option<LocateError>, LocateError> {
    let speakers = scenario.speakers.iter();
    for variant in speakers.filter_map(|speaker| speaker.variant.as_ref()) {
        if variant.speaker.is_own() {
            continue;
        }
        match locate::locate(variant, None) {
            Ok(_) => {}
            Err(error @ LocateError::Missing { .. }) => return Ok(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Which scenarios have no configuration for the speaker of `launcher`.
fn without_configuration(
    unknown: &[Scenario],
    launcher: Option<&Launcher>,
    is_configured: impl Fn(&Scenario) -> bool,
) -> Option<String> {
    if unknown.is_empty() {
        return None;
    }
    let names: Vec<&str> = unknown.iter().map(|it| it.name.as_str()).collect();
    let own_file = launcher.and_then(|it| it.description.configuration.as_deref());
    let why = match own_file {
        Some(file) => format!("without a configuration {file}"),
        None if !unknown.iter().all(is_configured) => {
            "without a configuration in ExaBGP's syntax".to_owned()
        }
        None => "as only ExaBGP's development branch knows what they need".to_owned(),
    };
    Some(format!(
        "{} not applicable, {why}: {}",
        unknown.len(),
        names.join(", ")
    ))
}
