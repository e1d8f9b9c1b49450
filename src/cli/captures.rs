//! The directory of the goldens, as an option of several subcommands.

use std::path::PathBuf;

use clap::Args;
use miette::miette;

const DEFAULT: &str = "captures";

/// The directory of the goldens.
#[derive(Debug, Default, Args)]
pub struct Captures {
    /// Directory of the goldens (default: captures).
    #[arg(id = "captures", long = "captures", value_name = "DIR")]
    given: Option<PathBuf>,
}

impl Captures {
    /// Whether the command line names no directory.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.given.is_none()
    }

    /// The directory; a scenario needs no golden here, so the default one may be missing.
    ///
    /// # Errors
    /// A directory was named and does not exist.
    pub fn optional(&self) -> miette::Result<PathBuf> {
        match &self.given {
            None => Ok(PathBuf::from(DEFAULT)),
            Some(_) => self.existing(),
        }
    }

    /// The directory, which must exist.
    ///
    /// # Errors
    /// It does not exist.
    pub fn existing(&self) -> miette::Result<PathBuf> {
        let directory = self.given.clone().unwrap_or_else(|| PathBuf::from(DEFAULT));
        if directory.is_dir() {
            return Ok(directory);
        }
        Err(miette!(
            help =
                "pass the directory that holds the goldens and their manifest.toml with --captures",
            "captures directory `{}` not found",
            directory.display()
        ))
    }
}
