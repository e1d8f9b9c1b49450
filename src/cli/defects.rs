//! `lockstep defects`: the historical defects that a search must find.

use clap::Args;

use super::Status;
use crate::reactor::conduct::Defect;

/// Nothing to choose.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Lists them.
///
/// # Errors
/// None.
#[allow(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "the form of a subcommand"
)]
pub fn run(_: Arguments) -> miette::Result<Status> {
    for defect in Defect::ALL {
        println!(
            "{:24} {:28} {}",
            defect.name(),
            defect.origin(),
            defect.about()
        );
    }
    Ok(Status::Passed)
}
