//! Processes that end with this one, however it ends: even by SIGKILL.
//!
//! `PR_SET_PDEATHSIG` (prctl(2)) is forgotten when a process changes its user, as daemons do. So a shell waits here for the end
//! of a pipe that only this process holds open.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Waits for the end of its standard input; then ends the processes, by number or by group, and removes the directory.
const WAIT: &str =
    "read -r line; kill -s KILL -- \"$1\" 2>/dev/null; if [ -n \"$2\" ]; then rm -rf -- \"$2\"; fi";

/// What ends a process, or a group of processes, when this one is gone. Dropping it leaves them alone.
#[derive(Debug)]
pub struct Attached {
    shell: Child,
}

impl Attached {
    /// Ends the process number `process` with this one.
    ///
    /// # Errors
    /// There is no shell.
    pub fn process(process: u32) -> io::Result<Self> {
        Self::new(&process.to_string(), None)
    }

    /// Ends the process group number `group` with this process, and removes `directory`.
    ///
    /// # Errors
    /// There is no shell.
    pub fn group(group: u32, directory: &Path) -> io::Result<Self> {
        Self::new(&format!("-{group}"), Some(directory))
    }

    fn new(processes: &str, directory: Option<&Path>) -> io::Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", WAIT, "sh", processes])
            .args(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What a terminal sends to this process's group is not for it.
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // Its standard input is still open: it does nothing.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_end_of_the_pipe_ends_the_group_and_its_directory() {
        let directory =
            std::env::temp_dir().join(format!("lockstep-attached-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let start = |script| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).process_group(0);
            command.stdout(Stdio::piped()).spawn().unwrap()
        };
        let (mut left, mut ended) = (start("exec sleep 60"), start("sleep 60 & wait"));
        drop(Attached::process(left.id()).unwrap());
        assert!(left.try_wait().unwrap().is_none());
        left.kill().unwrap();
        left.wait().unwrap();
        let mut attached = Attached::group(ended.id(), &directory).unwrap();
        // As the end of this process closes it.
        drop(attached.shell.stdin.take());
        assert!(!ended.wait().unwrap().success());
        // Nobody is left who could write to it.
        let mut said = String::new();
        ended.stdout.unwrap().read_to_string(&mut said).unwrap();
        assert!(attached.shell.wait().unwrap().success());
        assert!(!directory.exists());
    }
}
