//! Where the program of a speaker is found, and what it is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use crate::config::nearest;
use crate::os::small_file;
use crate::reactor::Mode;

use super::description::{Description, DescriptionError, filled_in};
use super::known;
use super::launcher::Launcher;
use super::variant::{SpeakerName, Variant};

/// Where `qa/record/install` and `qa/versions` put releases, one directory each.
const REFERENCE: &str = "target/reference";
/// Directories that may not be on a user's `$PATH` and in which daemons are installed.
const SYSTEM: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Why the program of a speaker cannot be started.
#[derive(Debug, Error, Diagnostic)]
pub enum LocateError {
    /// No speaker has that name.
    #[error("there is no speaker `{name}`")]
    #[diagnostic(help("{help}"))]
    Unknown {
        /// The name as it was written after `--speaker` or `speaker`.
        name: String,
        /// The nearest that there is.
        help: String,
    },
    /// Nothing is where it should be.
    #[error("{speaker} is not installed: {looked}")]
    #[diagnostic(help("{help}"))]
    Missing {
        /// The speaker that was asked for.
        speaker: SpeakerName,
        /// Where it was looked for.
        looked: String,
        /// How to install it, or which other there is.
        help: String,
    },
    /// Another version is there.
    #[error("{found} is {title} {version}, not {wanted}")]
    #[diagnostic(help("give the path of the one that is meant: --speaker {name}=PATH"))]
    Version {
        /// The path of the executable that was found.
        found: String,
        /// The speaker's name as its authors write it.
        title: String,
        /// The speaker's name on a command line.
        name: String,
        /// Its version.
        version: String,
        /// The version that was asked for.
        wanted: String,
    },
    /// The program says nothing of itself.
    #[error("{program} cannot be run: {reason}")]
    Unusable {
        /// The path of the executable that was asked.
        program: String,
        /// What the operating system says, or what the program printed.
        reason: String,
    },
    /// It has one reactor.
    #[error("{title} {version} has no {mode} mode: it has one reactor")]
    #[diagnostic(help("leave --mode out"))]
    OneMode {
        /// The speaker's name as its authors write it.
        title: String,
        /// Its version.
        version: String,
        /// The mode that was asked for.
        mode: Mode,
    },
    /// The user's description cannot be read.
    #[error("{}: {error}", path.display())]
    #[diagnostic(help(
        "a description of a speaker is a file in TOML: `lockstep speakers --describe bird` prints one"
    ))]
    Unreadable {
        /// The description (TOML) that cannot be read.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// The user's description is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Description(#[from] Box<DescriptionError>),
}

/// Checks that a speaker of this name is known, or described by a file.
///
/// # Errors
/// [`LocateError::Unknown`].
pub fn check_name(speaker: &SpeakerName) -> Result<(), LocateError> {
    if speaker.description().is_some() || known::names().any(|name| name == speaker.name()) {
        return Ok(());
    }
    Err(LocateError::Unknown {
        name: speaker.name().to_owned(),
        help: help(speaker.name()),
    })
}

fn help(name: &str) -> String {
    let names: Vec<&str> = known::names().collect();
    let listed = names.join(", ");
    match nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`? The speakers are {listed}"),
        None => format!(
            "the speakers are {listed}; another is described by a file: --speaker {name}=./{name}.toml"
        ),
    }
}

/// What is known of `speaker`: from the file that a user wrote, or our own description.
///
/// # Errors
/// There is none, or it is wrong.
pub fn describe(speaker: &SpeakerName) -> Result<Description, LocateError> {
    check_name(speaker)?;
    let Some(path) = speaker.description() else {
        let text = known::text(speaker.name()).unwrap_or_default();
        return Ok(Description::parse(speaker.name(), text)?);
    };
    let path = Path::new(path);
    let text = small_file::read_text(path).map_err(|error| LocateError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    let mut description = Description::parse(&path.display().to_string(), &text)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    for executable in &mut description.executable {
        if executable.contains('/') {
            *executable = directory.join(&*executable).display().to_string();
        }
    }
    Ok(description)
}

/// How the speaker of `variant` is started: at the path that it has, or in `reference`, or where `qa/record/install` puts
/// it, or on the path of executables.
///
/// # Errors
/// It is not there, is another version, or has not the mode.
pub fn locate(variant: &Variant, reference: Option<&Path>) -> Result<Launcher, LocateError> {
    let speaker = &variant.speaker;
    let description = describe(speaker)?;
    let executable = executable(speaker, &description, reference)?;
    let program = executable.display().to_string();
    let python = interpreter(&executable);
    let unusable = |reason| LocateError::Unusable {
        program: program.clone(),
        reason,
    };
    let version = version(&description, &program, &python).map_err(unusable)?;
    if let Some(wanted) = speaker.version()
        && wanted != version
    {
        return Err(LocateError::Version {
            found: program,
            title: description.title,
            name: speaker.name().to_owned(),
            version,
            wanted: wanted.to_owned(),
        });
    }
    let mut environment = Vec::new();
    if let Some(mode) = variant.mode {
        let chosen = description.modes.as_ref().filter(|modes| {
            let (argument, word) = &modes.probe;
            said(Command::new(&executable).arg(argument)).is_ok_and(|said| said.contains(word))
        });
        match (chosen, mode) {
            (Some(modes), _) => {
                environment.push((modes.variable.clone(), modes.value(mode).to_owned()));
            }
            // One loop is what a release before the second reactor has.
            (None, Mode::Sync) if description.modes.is_some() => {}
            (None, _) => {
                return Err(LocateError::OneMode {
                    title: description.title,
                    version,
                    mode,
                });
            }
        }
    }
    Ok(Launcher {
        executable,
        version,
        python,
        environment,
        description: Arc::new(description),
    })
}

/// The version that the speaker itself prints: the first word that begins with a digit.
fn version(description: &Description, program: &str, python: &Path) -> Result<String, String> {
    let [command, arguments @ ..] = description.version.as_slice() else {
        return Ok("unknown".into());
    };
    let python = python.display().to_string();
    let values = [("executable", program), ("python", python.as_str())];
    let command = filled_in(command, &values);
    let arguments = arguments.iter().map(|text| filled_in(text, &values));
    // A release's own programs lie beside each other.
    let command = beside(Path::new(program), &command);
    let said = said(Command::new(command).args(arguments))?;
    let mut words = said.split(|c: char| c.is_whitespace() || c == ',');
    let version = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    version.map(str::to_owned).ok_or_else(|| {
        format!(
            "it prints no version, but `{}`",
            said.lines().next().unwrap_or_default()
        )
    })
}

fn executable(
    speaker: &SpeakerName,
    description: &Description,
    reference: Option<&Path>,
) -> Result<PathBuf, LocateError> {
    let candidates: Vec<PathBuf> = match (speaker.path(), reference) {
        (Some(path), _) => vec![PathBuf::from(path)],
        (None, Some(reference)) => vec![reference.to_owned()],
        (None, None) => installed(speaker, description),
    };
    // The whole path of an installed one is no name.
    let names = || {
        description
            .executable
            .iter()
            .filter(|name| !name.contains('/'))
    };
    let found = candidates.iter().find_map(|candidate| {
        // A virtual environment is a directory.
        let inside = names().map(|name| candidate.join("bin").join(name));
        inside
            .chain(std::iter::once(candidate.clone()))
            .find(|path| path.is_file())
    });
    let absolute = found.and_then(|found| std::path::absolute(found).ok());
    absolute.ok_or_else(|| LocateError::Missing {
        speaker: speaker.clone(),
        looked: match candidates.as_slice() {
            [only] => format!(
                "neither {} nor {0}/bin/{} is a file",
                only.display(),
                speaker.name()
            ),
            [first, ..] => format!("it is not at {}, nor on $PATH", first.display()),
            [] => "there is nowhere to look".into(),
        },
        help: missing(speaker, description),
    })
}

/// The command that installs `speaker`, empty where nothing is known of one.
#[must_use]
pub fn install(speaker: &SpeakerName, description: &Description) -> String {
    let version = speaker.version().unwrap_or(&description.release);
    filled_in(&description.install, &[("version", version)])
}

/// How to come by a speaker that is missing.
fn missing(speaker: &SpeakerName, description: &Description) -> String {
    let name = speaker.name();
    let install = install(speaker, description);
    if install.is_empty() {
        format!("install it, or give its path: --speaker {name}=PATH")
    } else {
        format!("{install} installs it, or give its path: --speaker {name}=PATH")
    }
}

/// Where a speaker may be installed, the likeliest first.
fn installed(speaker: &SpeakerName, description: &Description) -> Vec<PathBuf> {
    let version = speaker.version().unwrap_or(&description.release);
    let release = (!version.is_empty())
        .then(|| Path::new(REFERENCE).join(format!("{}-{version}", speaker.name())));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(SYSTEM.iter().map(PathBuf::from))
        .collect();
    let named = description.executable.iter().flat_map(|name| {
        if name.contains('/') {
            vec![PathBuf::from(name)]
        } else {
            directories
                .iter()
                .map(|directory| directory.join(name))
                .collect()
        }
    });
    release.into_iter().chain(named).collect()
}

/// The Python that runs `executable`: the one beside it, or the machine's own.
fn interpreter(executable: &Path) -> PathBuf {
    let beside = executable.with_file_name("python");
    if beside.is_file() {
        beside
    } else {
        PathBuf::from("python3")
    }
}

/// The path of a program of the speaker: beside its executable, on the path, or where daemons are installed.
#[must_use]
pub fn beside(executable: &Path, program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = executable.parent().map(Path::to_owned).into_iter();
    directories
        .chain(std::env::split_paths(&path))
        .chain(SYSTEM.iter().map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(program))
}

/// What a command prints.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(words.lines().last().unwrap_or_default().to_owned());
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(format!("{printed}{words}").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_speaker_is_answered_with_the_nearest() {
        let error = check_name(&"exagbp".parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "there is no speaker `exagbp`");
        assert!(error.help().unwrap().to_string().contains("`exabgp`"));
    }

    #[test]
    fn a_path_where_nothing_is_says_where_it_looked() {
        let variant: Variant = "exabgp=./no/such".parse().unwrap();
        let error = locate(&variant, None).unwrap_err();
        assert!(error.to_string().contains("./no/such"), "{error}");
    }

    #[test]
    fn a_description_that_is_not_there_is_named() {
        let variant: Variant = "mine=./no/such.toml".parse().unwrap();
        let error = locate(&variant, None).unwrap_err();
        assert!(error.to_string().starts_with("./no/such.toml: "), "{error}");
    }
}
