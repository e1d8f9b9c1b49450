//! A directory of scenarios: each subdirectory that holds a file `scenario` is one, and its name is the scenario's.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::error::ScenarioError;
use super::parse;
use super::script::Scenario;

/// Why no scenario was selected.
#[derive(Debug, Error, Diagnostic)]
pub enum DirectoryError {
    /// The directory cannot be listed.
    #[error("scenario directory `{}` {}", directory.display(), reason(error))]
    #[diagnostic(help("pass the directory of your scenarios with --scenario-dir"))]
    Unreadable {
        /// The scenario directory that was searched.
        directory: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// No subdirectory is a scenario.
    #[error("scenario directory `{}` holds no scenario", .0.display())]
    #[diagnostic(help(
        "a scenario is a subdirectory with a file `scenario`; pass another directory with --scenario-dir"
    ))]
    Empty(PathBuf),
    /// No scenario has that name.
    #[error("there is no scenario `{name}`")]
    #[diagnostic(help("{help}"))]
    Unknown {
        /// The scenario name that was asked for.
        name: String,
        /// The nearest name there is.
        help: String,
    },
    /// A scenario that cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scenario(#[from] ScenarioError),
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "not found".into(),
        io::ErrorKind::NotADirectory => "is not a directory".into(),
        _ => format!("cannot be read: {error}"),
    }
}

/// The names of the scenarios of `directory`, in order.
///
/// # Errors
/// A directory that cannot be read, or that holds no scenario.
pub fn names(directory: &Path) -> Result<Vec<String>, DirectoryError> {
    let unreadable = |error| DirectoryError::Unreadable {
        directory: directory.to_owned(),
        error,
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().join("scenario").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    if names.is_empty() {
        return Err(DirectoryError::Empty(directory.to_owned()));
    }
    names.sort();
    Ok(names)
}

/// The directory in a directory of scenarios for those that are played to the daemons of other people, each with a
/// configuration per daemon.
pub const DAEMONS: &str = "daemons";

/// Whether `scenario` is one of those, for which every speaker has goldens of its own.
#[must_use]
pub fn is_for_daemons(scenario: &Scenario) -> bool {
    let group = scenario.directory.parent().and_then(Path::file_name);
    group.is_some_and(|group| group == DAEMONS)
}

/// The directories in which a scenario is looked for that is not in the suite.
const BESIDE: &[&str] = &[DAEMONS, "topologies"];

/// The scenarios of `directory` with these names; every one where `wanted` is empty or `all`. A name that is not there may
/// be one in a directory beside them: see [`find`].
///
/// # Errors
/// A directory or a scenario that cannot be read, a name that no scenario has.
pub fn select(directory: &Path, wanted: &[String]) -> Result<Vec<Scenario>, DirectoryError> {
    let known = names(directory)?;
    let wanted = if wanted.is_empty() || wanted == ["all"] {
        &known
    } else {
        wanted
    };
    wanted
        .iter()
        .map(|name| {
            let found = find(directory, name).ok_or_else(|| DirectoryError::Unknown {
                name: name.clone(),
                help: help(directory, name),
            })?;
            Ok(parse::load(&found)?)
        })
        .collect()
}

/// The directory of the scenario `name`: in `directory`, or in one of the directories there that `run` does not play unless
/// it is asked to.
#[must_use]
pub fn find(directory: &Path, name: &str) -> Option<PathBuf> {
    let beside = BESIDE.iter().map(|group| directory.join(group));
    std::iter::once(directory.to_owned())
        .chain(beside)
        .map(|group| group.join(name))
        .find(|path| path.join("scenario").is_file())
}

/// Help where no scenario that [`find`] finds in `directory` has the name `name`.
#[must_use]
pub fn help(directory: &Path, name: &str) -> String {
    let beside = BESIDE.iter().map(|group| directory.join(group));
    let groups = std::iter::once(directory.to_owned()).chain(beside);
    let known: Vec<String> = groups
        .flat_map(|group| names(&group).unwrap_or_default())
        .collect();
    nearest(name, &known)
}

/// Help where `name` is the name of no scenario.
#[must_use]
pub fn nearest(name: &str, known: &[String]) -> String {
    known
        .iter()
        .max_by_key(|known| (similarity(name, known) * 1e6) as u64)
        .filter(|known| similarity(name, known) > 0.5)
        .map_or_else(
            || "`lockstep run --list` prints their names".to_owned(),
            |near| format!("did you mean `{near}`? `lockstep run --list` prints all of them"),
        )
}

fn similarity(one: &str, other: &str) -> f32 {
    similar::TextDiff::from_chars(one, other).ratio()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let known = names(Path::new("scenarios")).unwrap();
        assert!(known.len() >= 72, "{}", known.len());
        let help = nearest("api-rbi", &known);
        assert!(help.starts_with("did you mean `api-rib`? "), "{help}");
        assert_eq!(
            nearest("zzzzzz", &known),
            "`lockstep run --list` prints their names"
        );
    }

    #[test]
    fn a_directory_without_scenarios_is_an_error() {
        assert!(matches!(
            names(Path::new("captures")),
            Err(DirectoryError::Empty(_))
        ));
        let missing = names(Path::new("no/such/directory")).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "scenario directory `no/such/directory` not found"
        );
    }
}
