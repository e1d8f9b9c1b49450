//! A speaker's control program as a process: each command of the script is a run of it.

use std::future::poll_fn;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::net::Stream;
use crate::subject::control::{ControlScript, arguments};

/// Runs the program that `program` makes in `directory` for each command of `script`, until the script is over; an error
/// if it cannot be run.
pub(super) async fn serve<T: Stream>(
    mut script: ControlScript<T>,
    program: impl Fn() -> std::process::Command,
    own: &[String],
    directory: &Path,
) -> Result<(), String> {
    while let Some(line) = poll_fn(|context| script.poll_command(context)).await {
        let output = Command::from(program())
            .args(arguments(own, &line))
            .current_dir(directory)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| {
                let program = program();
                let name = program.get_program().display();
                format!("{name} cannot be run: {error}")
            })?;
        let printed = [output.stdout, output.stderr].concat();
        script.answer(&printed, output.status.success());
    }
    Ok(())
}
