//! A speaker that is another program: started on a copy of the scenario's configuration, its API programs relayed to us.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::net::UnixListener;
use tokio::process::{Child, Command};

use crate::scenario::format::script::{Scenario, Signal};

/// The relay that stands for every API program: it connects to our socket, says its name, and passes octets on.
const RELAY: &str = include_str!("program_relay.py");
const SOCKET: &str = "programs.socket";

/// How an external speaker is started.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// The executable and the arguments before the configuration files.
    pub command: Vec<String>,
    /// Its version, for the manifest.
    pub version: String,
    /// The Python that runs the relay.
    pub python: PathBuf,
    /// Names and values on top of the scenario's own.
    pub environment: Vec<(String, String)>,
}

/// A speaker at work in a directory of its own, which goes with it.
#[derive(Debug)]
pub struct External {
    child: Child,
    directory: Directory,
}

#[derive(Debug)]
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl External {
    /// Copies the configuration of `scenario` into a new directory below `scratch` and starts the speaker there, to connect to `port`;
    /// its API programs connect to the listener.
    ///
    /// # Errors
    /// What the operating system says of the files or of the executable.
    pub fn start(
        scenario: &Scenario,
        launcher: &Launcher,
        scratch: &Path,
        port: u16,
    ) -> io::Result<(Self, UnixListener)> {
        let path = scratch.join(format!("{}-{}-{port}", scenario.name, std::process::id()));
        fs::create_dir_all(&path)?;
        let directory = Directory(path);
        let path = &directory.0;
        for config in &scenario.config {
            fs::copy(scenario.directory.join(config), path.join(config))?;
        }
        let relay = path.join("program");
        fs::write(
            &relay,
            format!("#!{} -u\n{RELAY}", launcher.python.display()),
        )?;
        fs::set_permissions(&relay, fs::Permissions::from_mode(0o755))?;
        let programs = UnixListener::bind(path.join(SOCKET))?;
        let log = fs::File::create(path.join("speaker.log"))?;
        let [executable, arguments @ ..] = launcher.command.as_slice() else {
            return Err(io::Error::other("no speaker to start"));
        };
        let child = Command::new(executable)
            .args(arguments)
            .args(&scenario.config)
            .current_dir(path)
            .env("exabgp_tcp_port", port.to_string())
            .env("exabgp_tcp_attempts", scenario.attempts.to_string())
            .env("exabgp_tcp_bind", "")
            .envs(
                launcher
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .envs(
                scenario
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok((Self { child, directory }, programs))
    }

    /// Waits until the speaker has ended.
    pub async fn ended(&mut self) {
        // A child that cannot be waited for has ended.
        let _ = self.child.wait().await;
    }

    /// The operating system's number of the process, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.directory.0.join("speaker.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Signals the process numbered `id`.
pub fn signal(id: u32, signal: Signal) {
    let signal = match signal {
        Signal::Reload => rustix::process::Signal::USR1,
        Signal::Restart => rustix::process::Signal::USR2,
        Signal::Terminate => rustix::process::Signal::TERM,
    };
    let process = i32::try_from(id)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        // It may have ended already.
        let _ = rustix::process::kill_process(process, signal);
    }
}
