//! The program that a `process` section of the configuration asks for.

use std::path::Path;

use crate::config::Process;
use crate::net::programs::Program;

/// The program of `process`, to be started in `directory`, that of the configuration.
pub(super) fn program(process: &Process, directory: &Path) -> Program {
    Program {
        name: process.name.clone(),
        command: process.run.clone(),
        directory: directory.to_path_buf(),
    }
}
