//! The speakers that are known by name, and where their programs are found.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::Diagnostic;
use thiserror::Error;

use crate::config::nearest;

use super::external::Launcher;
use super::variant::{OWN, SpeakerName};

/// Where `qa/record/install` puts ExaBGP.
const REFERENCE: &str = "target/reference";
/// The release that the goldens were recorded from.
const REFERENCE_VERSION: &str = "5.0.15";
/// Prints the version of an installed ExaBGP.
const VERSION: &str = "import importlib.metadata as m; print(m.version('exabgp'))";

/// The names that `--speaker` knows.
pub const NAMES: &[&str] = &[OWN, "exabgp"];

/// Why the program of a speaker cannot be started.
#[derive(Debug, Error, Diagnostic)]
pub enum LocateError {
    /// No speaker has that name.
    #[error("there is no speaker `{name}`")]
    #[diagnostic(help("{help}"))]
    Unknown {
        /// The name.
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
    #[error("{found} is ExaBGP {version}, not {wanted}")]
    #[diagnostic(help(
        "give the path of a virtual environment that has it: --speaker exabgp=PATH"
    ))]
    Version {
        /// The executable.
        found: String,
        /// Its version.
        version: String,
        /// The version that was asked for.
        wanted: String,
    },
    /// The program says nothing of itself.
    #[error("{program} cannot be run: {reason}")]
    Unusable {
        /// The executable.
        program: String,
        /// What the operating system says, or what the program printed.
        reason: String,
    },
}

/// Checks that a speaker of this name is known.
///
/// # Errors
/// [`LocateError::Unknown`].
pub fn check_name(speaker: &SpeakerName) -> Result<(), LocateError> {
    if NAMES.contains(&speaker.name()) {
        return Ok(());
    }
    Err(LocateError::Unknown {
        name: speaker.name().to_owned(),
        help: help(speaker.name()),
    })
}

/// Whether a speaker can have a neighbor at a loopback address, as ExaBGP can: most refuse one.
#[must_use]
pub fn accepts_loopback(speaker: &SpeakerName) -> bool {
    speaker.is_own() || speaker.name() == "exabgp"
}

fn help(name: &str) -> String {
    let listed = NAMES.join(", ");
    match nearest(name, NAMES) {
        Some(near) => format!("did you mean `{near}`? The speakers are {listed}"),
        None => format!("the speakers are {listed}"),
    }
}

/// How ExaBGP is started: at the path that `speaker` has, or in `reference`, or where `qa/record/install` puts it, or on
/// the path of executables.
///
/// # Errors
/// It is not there, or is another version.
pub fn exabgp(speaker: &SpeakerName, reference: Option<&Path>) -> Result<Launcher, LocateError> {
    let executable = executable(speaker, reference)?;
    let program = executable.display().to_string();
    let python = interpreter(&executable);
    let version = said(Command::new(&python).args(["-c", VERSION])).map_err(|reason| {
        LocateError::Unusable {
            program: program.clone(),
            reason,
        }
    })?;
    if let Some(wanted) = speaker.version()
        && wanted != version
    {
        return Err(LocateError::Version {
            found: program,
            version,
            wanted: wanted.to_owned(),
        });
    }
    // Told to become who it is, ExaBGP does not give up root, which would cost it its own files.
    let user = said(Command::new("id").arg("-un")).unwrap_or_else(|_| "root".into());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Ok(Launcher {
        command: vec![program, "server".into()],
        version,
        python,
        environment: vec![
            pair("exabgp_daemon_user", &user),
            pair("exabgp_api_cli", "false"),
            pair("exabgp_debug_rotate", "true"),
        ],
    })
}

fn executable(speaker: &SpeakerName, reference: Option<&Path>) -> Result<PathBuf, LocateError> {
    let candidates: Vec<PathBuf> = match (speaker.path(), reference) {
        (Some(path), _) => vec![PathBuf::from(path)],
        (None, Some(reference)) => vec![reference.to_owned()],
        (None, None) => {
            let version = speaker.version().unwrap_or(REFERENCE_VERSION);
            let installed = Path::new(REFERENCE).join(format!("exabgp-{version}"));
            let path = std::env::var_os("PATH").unwrap_or_default();
            let on_path = std::env::split_paths(&path).map(|directory| directory.join("exabgp"));
            std::iter::once(installed).chain(on_path).collect()
        }
    };
    let found = candidates.iter().find_map(|candidate| {
        // A virtual environment is a directory.
        let inside = candidate.join("bin/exabgp");
        [inside, candidate.clone()]
            .into_iter()
            .find(|path| path.is_file())
    });
    let absolute = found.and_then(|found| std::path::absolute(found).ok());
    absolute.ok_or_else(|| LocateError::Missing {
        speaker: speaker.clone(),
        looked: match candidates.as_slice() {
            [only] => format!("neither {} nor {0}/bin/exabgp is a file", only.display()),
            [first, ..] => format!("it is not in {} nor on $PATH", first.display()),
            [] => "there is nowhere to look".into(),
        },
        help: format!(
            "EXABGP_VERSION={} qa/record/install installs it, or give its path: --speaker exabgp=PATH",
            speaker.version().unwrap_or(REFERENCE_VERSION)
        ),
    })
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

/// What a command prints, on one line.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(words.lines().last().unwrap_or_default().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
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
        let error = exabgp(&"exabgp=./no/such".parse().unwrap(), None).unwrap_err();
        assert!(error.to_string().contains("./no/such"), "{error}");
    }
}
