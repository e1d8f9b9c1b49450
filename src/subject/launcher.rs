//! How a speaker of somebody else is started for a scenario.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::description::{Description, filled_in};
use super::symbols::Symbols;

/// How an external speaker is started.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// The path of the daemon that is started.
    pub executable: PathBuf,
    /// Its version.
    pub version: String,
    /// The Python beside it, or the machine's own.
    pub python: PathBuf,
    /// Environment variables that choose its mode.
    pub environment: Vec<(String, String)>,
    /// What is known of it.
    pub description: Arc<Description>,
}

/// The files and settings that a scenario gives a speaker.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The scenario's name: the directory that is made is called after it.
    pub name: String,
    /// Where the configuration files are.
    pub directory: PathBuf,
    /// The configuration files in the order of the command line, for a speaker that is described without one of its own.
    pub configurations: Vec<PathBuf>,
    /// Files that are put beside them as they are: the speaker's own programs.
    pub files: Vec<PathBuf>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Whether the scenario says something through the speaker's control program.
    pub has_control: bool,
    /// After how many connection attempts the speaker ends; 0: never.
    pub attempts: u32,
    /// What `$HOST` stands for in the configuration files.
    pub symbols: Symbols,
}

impl Setup {
    /// Writes the configuration `file` to `to` with the permissions `mode`, its symbolic addresses replaced.
    fn write(&self, file: &Path, to: &Path, mode: u32) -> io::Result<()> {
        let from = self.directory.join(file);
        let octets = fs::read(&from)
            .map_err(|error| io::Error::other(format!("{}: {error}", from.display())))?;
        let octets = match String::from_utf8(octets) {
            Ok(text) => self.symbols.substitute(&text).into_bytes(),
            Err(other) => other.into_bytes(),
        };
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(mode);
        options.open(to)?.write_all(&octets)
    }
}

/// A command that starts the speaker.
#[derive(Debug, Clone)]
pub struct StartCommand {
    /// Arguments of the executable.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
}

impl Launcher {
    /// Whether the scenario of `setup` has a configuration for this speaker.
    #[must_use]
    pub fn has_configuration(&self, setup: &Setup) -> bool {
        let files = self.configurations(setup);
        !files.is_empty()
            && files
                .iter()
                .all(|file| setup.directory.join(file).is_file())
    }

    /// The permissions of configuration files: a daemon's own are for nobody else to read, on which OpenBGPD insists; ExaBGP
    /// may read them as another user.
    fn mode(&self) -> u32 {
        match self.description.configuration {
            Some(_) => 0o600,
            None => 0o644,
        }
    }

    /// The configuration files of `setup` for this speaker.
    fn configurations(&self, setup: &Setup) -> Vec<PathBuf> {
        if self.description.configuration.is_some() {
            self.description.configurations(&setup.directory)
        } else {
            setup.configurations.clone()
        }
    }

    /// Copies what `setup` has for this speaker into `directory`.
    ///
    /// # Errors
    /// What the operating system says of a file, by name.
    pub fn install(&self, setup: &Setup, directory: &Path) -> io::Result<()> {
        for file in self.configurations(setup) {
            setup.write(&file, &directory.join(&file), self.mode())?;
        }
        for file in &setup.files {
            let from = setup.directory.join(file);
            fs::copy(&from, directory.join(file))
                .map_err(|error| io::Error::other(format!("{}: {error}", from.display())))?;
        }
        Ok(())
    }

    /// Puts the configuration that is next after `reloads` reloads in the place of the first, in `directory`; a speaker
    /// that is given all its files at start finds the next by itself.
    ///
    /// # Errors
    /// What the operating system says of a file.
    pub fn rotate(&self, setup: &Setup, directory: &Path, reloads: usize) -> io::Result<()> {
        if self.description.configuration.is_none() {
            return Ok(());
        }
        let files = self.configurations(setup);
        if let (Some(first), Some(next)) = (files.first(), files.get(reloads)) {
            setup.write(next, &directory.join(first), self.mode())?;
        }
        Ok(())
    }

    /// The command that starts it in `directory`, its peers listening on `port`.
    #[must_use]
    pub fn start(&self, setup: &Setup, directory: &Path, port: u16) -> StartCommand {
        let executable = self.executable.display().to_string();
        let python = self.python.display().to_string();
        let directory = directory.display().to_string();
        let (port, attempts) = (port.to_string(), setup.attempts.to_string());
        let asks_user = self.description.environment.values();
        let user = asks_user
            .clone()
            .any(|value| value.contains("{user}"))
            .then(user)
            .unwrap_or_default();
        let values = [
            ("executable", executable.as_str()),
            ("python", &python),
            ("directory", &directory),
            ("port", &port),
            ("attempts", &attempts),
            ("user", &user),
        ];
        let mut files = self.configurations(setup);
        if self.description.configuration.is_some() {
            // The later ones take its place.
            files.truncate(1);
        }
        let mut arguments = Vec::new();
        for text in &self.description.start {
            if text == "{configuration}" {
                arguments.extend(files.iter().map(|file| file.display().to_string()));
            } else {
                let first = files.first().map(|file| file.display().to_string());
                let first = first.unwrap_or_default();
                let values = values.iter().copied().chain([("configuration", &*first)]);
                arguments.push(filled_in(text, &values.collect::<Vec<_>>()));
            }
        }
        let described = self.description.environment.iter();
        let described = described.map(|(name, value)| (name.clone(), filled_in(value, &values)));
        StartCommand {
            arguments,
            environment: described
                .chain(self.environment.iter().cloned())
                .chain(setup.environment.iter().cloned())
                .collect(),
        }
    }
}

/// The name of the user that runs this.
fn user() -> String {
    let said = Command::new("id").arg("-un").output();
    let name = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    name.ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "root".into())
}
