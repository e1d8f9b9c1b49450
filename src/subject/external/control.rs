//! A speaker's control program as a process: each command of the script is a run of it.

use std::future::poll_fn;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::net::Stream;
use crate::subject::control::{ControlScript, arguments};

/// Runs `program` in `directory` for each command of `script`, until the script is over; an error if it cannot be run.
pub(super) async fn serve<T: Stream>(
    mut script: ControlScript<T>,
    program: &Path,
    own: &[String],
    directory: &Path,
) -> Result<(), String> {
    while let Some(command) = poll_fn(|context| script.poll_command(context)).await {
        let output = Command::new(program)
            .args(arguments(own, &command))
            .current_dir(directory)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
        let printed = [output.stdout, output.stderr].concat();
        script.answer(&printed, output.status.success());
    }
    Ok(())
}
