//! `exabgp validate`: whether configurations are right.

use std::path::PathBuf;

use clap::Args;

use super::super::output::{complain, say};
use super::super::{Status, check};

/// What to check.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Check the neighbors; they always are.
    #[arg(short, long)]
    neighbor: bool,
    /// Check the routes; they always are.
    #[arg(short, long)]
    route: bool,
    /// Show what is in each file.
    #[arg(short, long)]
    verbose: bool,
    /// Accepted for the sake of ExaBGP's command line; there is no Python debugger to start.
    #[arg(short, long)]
    pdb: bool,
    /// Configuration files.
    #[arg(required = true, value_name = "CONFIG")]
    configurations: Vec<PathBuf>,
}

/// Checks each file.
///
/// # Errors
/// None: what is wrong with a file is shown, and the status is ExaBGP's, 1.
pub fn run(arguments: &Arguments) -> miette::Result<Status> {
    for path in &arguments.configurations {
        let routes = if arguments.verbose { usize::MAX } else { 0 };
        match check::check(path, arguments.verbose.then_some(routes)) {
            Ok(Status::Passed) => say!("\u{2713} {}", path.display()),
            Ok(_) => return Ok(Status::Failed),
            Err(report) => {
                complain!("{report:?}");
                return Ok(Status::Failed);
            }
        }
    }
    Ok(Status::Passed)
}
