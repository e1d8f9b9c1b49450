//! Exit statuses, the same for every subcommand.

use std::process::ExitCode;

use super::output::complain;
use crate::explore::outcome::Unfinished;
use crate::explore::sweep::SweepError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0: all passed; nothing differs.
    Passed,
    /// 1: a scenario failed; something differs.
    Failed,
    /// 2: invalid usage or input.
    Invalid,
    /// A status of its own: a class of failure that an oracle names.
    Class(u8),
}

impl Status {
    /// The status for `git bisect run`: 0 is good, 1 is bad, 125 cannot be tested.
    #[must_use]
    pub const fn for_git_bisect(self) -> Self {
        match self {
            Self::Passed => Self::Passed,
            Self::Invalid => Self::Class(125),
            Self::Failed | Self::Class(_) => Self::Failed,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Passed => Self::SUCCESS,
            Status::Failed => Self::from(1),
            Status::Invalid => Self::from(2),
            Status::Class(code) => Self::from(code),
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub enum CommandError {
    /// The command line; also `--help` and `--version`, which succeed.
    Usage(clap::Error),
    /// Invalid input: a file, a pattern, a plan.
    Input(miette::Report),
}

impl From<clap::Error> for CommandError {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

/// Prints the error of `outcome`, if any, and returns its status.
#[must_use]
pub fn of(outcome: &Result<Status, CommandError>) -> Status {
    match outcome {
        Ok(status) => *status,
        Err(CommandError::Usage(error)) => {
            // If standard error is closed, there is nowhere to report to.
            let _ = error.print();
            if error.use_stderr() {
                Status::Invalid
            } else {
                Status::Passed
            }
        }
        Err(CommandError::Input(report)) => {
            complain!("{report:?}");
            of_report(report)
        }
    }
}

/// A run that panicked or did not end is the speaker's failure, even where nothing could be compared; any other error
/// is invalid input.
fn of_report(report: &miette::Report) -> Status {
    let unfinished =
        report
            .downcast_ref::<Unfinished>()
            .or_else(|| match report.downcast_ref::<SweepError>() {
                Some(SweepError::Unfinished(unfinished)) => Some(unfinished),
                _ => None,
            });
    match unfinished {
        Some(Unfinished::Failed { failure, .. }) => Status::Class(failure.oracle.status()),
        _ => Status::Invalid,
    }
}
