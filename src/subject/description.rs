//! What has to be known of a speaker to put it under test: a file in TOML.
//!
//! ```toml
//! title = "BIRD"
//! executable = ["bird"]                          # the names to look for on $PATH; a path stands for itself
//! version = ["{executable}", "--version"]        # prints the version, the first word that begins with a digit
//! install = "apt-get install bird2"              # `{version}` is the version that was asked for, or `release`
//! configuration = "bird.conf"                    # in the scenario's directory; absent: the scenario's own `config`
//! start = ["-f", "-c", "{configuration}"]        # arguments
//! control = ["birdc", "-s", "bird.ctl"]          # its control program, before the words of a command
//! runtime-directory = "/run/bird"                # what its service manager makes for it
//! reconnect = 120                                # the most seconds that it waits by design before it connects again
//! debugger = "gdb -p {process}"                  # what looks at it where `replay --stop-at` left it
//! loopback = false                               # whether it can have a neighbor at a loopback address
//! programs = false                               # whether it starts the API programs of its configuration
//! [environment]                                  # variables
//! [signals]                                      # reload, restart, reestablish, end
//! [log]                                          # what a line of a warning, of an error contains
//! [modes]                                        # its reactors
//! ```
//!
//! Between braces, in arguments and variables: `configuration` (each file an argument of its own), `directory` (its own,
//! where it runs), `executable`, `python` (the one beside it), `port` (where its peers listen), `attempts`, `user`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use miette::{Diagnostic, NamedSource, SourceSpan};
use nix::sys::signal::Signal;
use serde::Deserialize;
use thiserror::Error;

use crate::reactor::Mode;
use crate::reactor::control::Control;
use crate::reactor::observer::LogLevel;

/// What is known of a speaker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    /// Its name as its authors write it.
    pub title: String,
    /// What its executable may be called, the first that is found counts: a name on `$PATH`, or a path; in the file of a
    /// user a path is relative to the file.
    pub executable: Vec<String>,
    /// The command that prints its version; without one the version is `unknown`.
    #[serde(default)]
    pub version: Vec<String>,
    /// How to install it, `{version}` being the version that is wanted.
    #[serde(default)]
    pub install: String,
    /// The version that `install` is for where none is asked for.
    #[serde(default)]
    pub release: String,
    /// The arguments that start it in the foreground.
    pub start: Vec<String>,
    /// The name of its configuration in a scenario's directory; the scenario's own `config` where it is absent.
    pub configuration: Option<String>,
    /// A directory that it needs and its service manager makes; a guest needs none.
    pub runtime_directory: Option<PathBuf>,
    /// Variables of its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Whether it starts the API programs of its configuration as `./program NAME`.
    #[serde(default)]
    pub programs: bool,
    /// Its control program and the arguments before the words of a command.
    pub control: Option<Vec<String>>,
    /// How it is told to do something.
    #[serde(default)]
    pub signals: Signals,
    /// How its log is read.
    #[serde(default)]
    pub log: Log,
    /// Its reactors, if it has several.
    pub modes: Option<Modes>,
    /// What shows where it stands, `{process}` being its process number on this machine.
    #[serde(default = "debugger")]
    pub debugger: String,
    /// How long it may wait by design before it connects again, in seconds.
    #[serde(default)]
    pub reconnect: u64,
    /// Whether it can have a neighbor at a loopback address, which most refuse.
    #[serde(default)]
    pub loopback: bool,
    /// Whether every look at the clock shows another time; otherwise time moves at system calls alone, which is faster.
    #[serde(default)]
    pub precise_clock: bool,
}

/// The signals that tell a speaker to do something; absent where it has none for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signals {
    /// Read the configuration again.
    pub reload: Option<SignalName>,
    /// Read it again and start the programs again.
    pub restart: Option<SignalName>,
    /// End every session and open it again.
    pub reestablish: Option<SignalName>,
    /// End in order.
    #[serde(default = "term")]
    pub end: SignalName,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            reload: None,
            restart: None,
            reestablish: None,
            end: term(),
        }
    }
}

fn debugger() -> String {
    "gdb -p {process}".to_owned()
}

const fn term() -> SignalName {
    SignalName(Signal::SIGTERM)
}

impl Signals {
    /// The number of the signal for `control`, if the speaker has one.
    #[must_use]
    pub fn number(&self, control: Control) -> Option<i32> {
        let name = match control {
            Control::Reload => self.reload,
            Control::Restart => self.restart,
            Control::Reestablish => self.reestablish,
            Control::Terminate => Some(self.end),
        };
        name.map(|SignalName(signal)| signal as i32)
    }
}

/// A signal by its name: `SIGHUP` (signal(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SignalName(pub Signal);

impl TryFrom<String> for SignalName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Signal::from_str(&name)
            .map(Self)
            .map_err(|_| format!("`{name}` is no signal: write its name as in signal(7), SIGHUP"))
    }
}

/// How a log is read: words that lines of a level contain.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Of a warning.
    #[serde(default)]
    pub warning: Vec<String>,
    /// Of an error.
    #[serde(default)]
    pub error: Vec<String>,
}

impl Log {
    /// The level of `line`.
    #[must_use]
    pub fn level(&self, line: &str) -> LogLevel {
        let has = |words: &[String]| words.iter().any(|word| line.contains(word.as_str()));
        if has(&self.error) {
            LogLevel::Error
        } else if has(&self.warning) {
            LogLevel::Warning
        } else {
            LogLevel::Information
        }
    }
}

/// The reactors of a speaker that has two: a variable chooses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modes {
    /// The arguments of the command that lists its variables, and the word in its output without which there is one
    /// reactor.
    pub probe: (String, String),
    /// The environment variable that chooses the reactor.
    pub variable: String,
    /// Its value for one poll loop.
    #[serde(rename = "sync")]
    pub sync_value: String,
    /// Its value for a task per peer.
    #[serde(rename = "async")]
    pub async_value: String,
}

impl Modes {
    /// The value of the variable for `mode`.
    #[must_use]
    pub fn value(&self, mode: Mode) -> &str {
        match mode {
            Mode::Sync => &self.sync_value,
            Mode::Async => &self.async_value,
        }
    }
}

/// A description that cannot be used.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(help(
    "`title`, `executable` and `start` are needed; `lockstep speakers --describe bird` prints an example"
))]
pub struct DescriptionError {
    message: String,
    #[source_code]
    source_code: NamedSource<String>,
    #[label("here")]
    span: Option<SourceSpan>,
}

impl Description {
    /// Reads the description `text` of the file `name`.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(name: &str, text: &str) -> Result<Self, Box<DescriptionError>> {
        let wrong = |message: String, span: Option<std::ops::Range<usize>>| {
            Box::new(DescriptionError {
                message,
                source_code: NamedSource::new(name, text.to_owned()),
                span: span.map(Into::into),
            })
        };
        let description: Self = toml::from_str(text)
            .map_err(|error: toml::de::Error| wrong(error.message().to_owned(), error.span()))?;
        if description.executable.is_empty() {
            return Err(wrong("`executable` names nothing".into(), None));
        }
        let arguments = description.start.iter();
        for argument in arguments.chain(description.environment.values()) {
            if let Some(word) = unknown_placeholder(argument) {
                let known = PLACEHOLDERS.join("}, {");
                let placeholder = format!("{{{word}}}");
                let at = text.find(&placeholder);
                return Err(wrong(
                    format!("nothing is known for `{placeholder}`; there are {{{known}}}"),
                    at.map(|at| at..at + placeholder.len()),
                ));
            }
        }
        Ok(description)
    }

    /// The names of its configuration files in `directory`: the one that it starts with, then those that take its place
    /// one after the other when it is told to reload: `bird.conf`, `bird.2.conf`, `bird.3.conf`.
    #[must_use]
    pub fn configurations(&self, directory: &Path) -> Vec<PathBuf> {
        let Some(first) = &self.configuration else {
            return Vec::new();
        };
        let first = Path::new(first);
        let stem = first.file_stem().unwrap_or_default().to_string_lossy();
        let extension = first.extension().unwrap_or_default().to_string_lossy();
        let later = (2..).map(|number| PathBuf::from(format!("{stem}.{number}.{extension}")));
        std::iter::once(first.to_owned())
            .chain(later)
            .take_while(|name| directory.join(name).is_file())
            .collect()
    }
}

/// The words that may stand between braces.
const PLACEHOLDERS: &[&str] = &[
    "configuration",
    "directory",
    "executable",
    "python",
    "port",
    "attempts",
    "user",
];

fn unknown_placeholder(text: &str) -> Option<&str> {
    let rest = text.split('{').skip(1);
    let mut words = rest.filter_map(|rest| Some(rest.split_once('}')?.0));
    words.find(|word| !PLACEHOLDERS.contains(word))
}

/// Replaces the words between braces in `text`.
#[must_use]
pub fn filled_in(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = text.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::known;
    use crate::subject::variant::OWN;

    #[test]
    fn every_description_is_understood() {
        for name in known::names().filter(|name| *name != OWN) {
            let text = known::text(name).expect("it is listed");
            let description = Description::parse(name, text).unwrap_or_else(|error| {
                panic!("{name}: {error}");
            });
            assert!(!description.install.is_empty(), "{name}");
            assert_eq!(description.signals.end, term(), "{name}");
        }
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let cases = [
            (
                "title = \"A\"\nexecutable = [\"a\"]\nstart = []\nsignal = 1\n",
                "unknown field `signal`",
            ),
            (
                "title = \"A\"\nexecutable = [\"a\"]\n",
                "missing field `start`",
            ),
            (
                "title = \"A\"\nexecutable = [\"a\"]\nstart = []\n[signals]\nend = \"HUP\"\n",
                "`HUP` is no signal",
            ),
            (
                "title = \"A\"\nexecutable = [\"a\"]\nstart = [\"{conf}\"]\n",
                "nothing is known for `{conf}`",
            ),
            (
                "title = \"A\"\nexecutable = []\nstart = []\n",
                "`executable` names nothing",
            ),
        ];
        for (text, expected) in cases {
            let error = Description::parse("a.toml", text).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
