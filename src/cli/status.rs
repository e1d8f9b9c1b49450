//! Exit statuses, the same for every subcommand.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0: all passed; nothing differs.
    Passed,
    /// 1: a scenario failed; something differs.
    Failed,
    /// 2: bad usage or bad input.
    Trouble,
    /// A status of its own: a class of failure that an oracle names.
    Class(u8),
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Passed => Self::SUCCESS,
            Status::Failed => Self::from(1),
            Status::Trouble => Self::from(2),
            Status::Class(code) => Self::from(code),
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Trouble {
    /// The command line; also `--help` and `--version`, which are no trouble.
    Usage(clap::Error),
    /// A file, a pattern, a plan: what a person wrote.
    Input(miette::Report),
}

impl From<clap::Error> for Trouble {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

/// Prints what is to be said of `outcome` and gives the exit status.
#[must_use]
pub fn of(outcome: &Result<Status, Trouble>) -> ExitCode {
    match outcome {
        Ok(status) => (*status).into(),
        Err(Trouble::Usage(error)) => {
            // Nobody is left to tell where standard error is closed.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
        Err(Trouble::Input(report)) => {
            eprintln!("{report:?}");
            Status::Trouble.into()
        }
    }
}
