//! A program of somebody else as a process on the kernel's network, in real time.
//!
//! It is started on a copy of its configuration in a directory of its own; its API programs are relayed to ours.

mod control;

use std::cell::RefCell;
use std::fs;
use std::future::{pending, poll_fn};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::UnixListener;
use tokio::process::{Child, Command};

use crate::net::programs::Programs;
use crate::os::attached::Attached;
use crate::os::kernel::KernelNetwork;
use crate::os::namespace::SpeakerNamespace;
use crate::reactor::control::Control;

use super::control::ControlScript;
use super::launcher::{Launcher, Setup};
use super::relay::{RELAY, SOCKET, serve};
use super::{Ended, Host, Subject, Variant, locate};

/// A speaker that is a process of the kernel's.
#[derive(Debug)]
pub struct External {
    variant: Variant,
    launcher: Launcher,
    setup: Setup,
    scratch: PathBuf,
    /// The host that it is started on, where it is not this one.
    namespace: Option<SpeakerNamespace>,
    log: RefCell<String>,
}

impl External {
    /// The speaker of `launcher`, to be started for `setup` in a directory below `scratch`.
    #[must_use]
    pub fn new(variant: Variant, launcher: Launcher, setup: Setup, scratch: &Path) -> Self {
        Self {
            variant,
            launcher,
            setup,
            scratch: scratch.to_owned(),
            namespace: None,
            log: RefCell::default(),
        }
    }

    /// The same, started on a host of its own.
    #[must_use]
    pub fn on(mut self, namespace: SpeakerNamespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// A command that runs `program` on the speaker's host.
    fn command(&self, program: &Path) -> std::process::Command {
        match &self.namespace {
            Some(namespace) => namespace.enter(program),
            None => std::process::Command::new(program),
        }
    }

    /// What it has written to its standard output and error in the lives that are over.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// Copies the configuration into a new directory and starts the speaker there; its API programs connect to the
    /// listener.
    fn start(&self, port: u16) -> io::Result<Started> {
        let scratch = Directory::new(&self.scratch, &self.setup.name)?;
        let path = &scratch.0;
        self.launcher.install(&self.setup, path)?;
        let relay = path.join("program");
        let python = self.launcher.python.display();
        fs::write(&relay, format!("#!{python} -u\n{RELAY}"))?;
        fs::set_permissions(&relay, fs::Permissions::from_mode(0o755))?;
        let programs = UnixListener::bind(path.join(SOCKET))?;
        let log = fs::File::create(path.join(LOG))?;
        let command = self.launcher.start(&self.setup, path, port);
        if let Some(runtime) = &self.launcher.description.runtime_directory {
            fs::create_dir_all(runtime)?;
        }
        let child = Command::from(self.command(&self.launcher.executable))
            .args(&command.arguments)
            .current_dir(path)
            .envs(command.environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let attached = child.id().map(|id| Attached::group(id, path)).transpose()?;
        Ok(Started {
            child,
            directory: scratch,
            listener: programs,
            _attached: attached,
        })
    }
}

const LOG: &str = "speaker.log";

impl Subject<KernelNetwork> for External {
    fn variant(&self) -> &Variant {
        &self.variant
    }

    fn uses_network(&self) -> bool {
        false
    }

    fn starts_programs(&self) -> bool {
        self.launcher.description.programs
    }

    async fn live<P: Programs>(&self, mut host: Host<KernelNetwork, P>) -> Ended {
        let title = &self.launcher.description.title;
        let Started {
            mut child,
            directory,
            listener,
            _attached,
        } = match self.start(host.peer_port) {
            Ok(started) => started,
            Err(error) => {
                let program = self.launcher.executable.display();
                return Ended::Invalid(format!("{program} cannot be started: {error}"));
            }
        };
        let name = self.variant.speaker.name();
        let script = ControlScript::start(
            &self.launcher,
            &self.setup,
            name,
            &directory.0,
            &mut host.programs,
        );
        let script = match script {
            Ok(script) => script,
            Err(error) => return Ended::Invalid(error.to_string()),
        };
        let commands = async {
            let description = &self.launcher.description;
            if let (Some(script), Some([name, own @ ..])) = (script, description.control.as_deref())
            {
                let path = locate::beside(&self.launcher.executable, name);
                let program = || self.command(&path);
                if let Err(reason) = control::serve(script, program, own, &directory.0).await {
                    return Ended::Invalid(reason);
                }
            }
            pending().await
        };
        let process = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let signals = async {
            let mut reloads = 0;
            loop {
                let control = poll_fn(|context| host.control.poll_recv(context)).await;
                let signals = &self.launcher.description.signals;
                let Some(signal) = signals.number(control).and_then(Signal::from_named_raw) else {
                    return Ended::Invalid(format!("{title} has no signal for `{control}`"));
                };
                if control == Control::Reload {
                    reloads += 1;
                    let rotated = self.launcher.rotate(&self.setup, &directory.0, reloads);
                    if let Err(error) = rotated {
                        return Ended::Invalid(error.to_string());
                    }
                }
                if let Some(process) = process {
                    // It may have ended already.
                    let _ = kill_process(process, signal);
                }
            }
        };
        let ended = tokio::select! {
            biased;
            status = child.wait() => ended(status),
            reason = serve(&listener, host.programs, &directory.0) => Ended::Failed(reason),
            invalid = signals => invalid,
            invalid = commands => invalid,
        };
        let log = fs::read(directory.0.join(LOG)).unwrap_or_default();
        self.log
            .borrow_mut()
            .push_str(&String::from_utf8_lossy(&log));
        ended
    }
}

/// A speaker that ends by itself may have its own statuses; one that a signal ended was killed.
fn ended(status: io::Result<ExitStatus>) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => match status.signal() {
            Some(number) if number != Signal::TERM.as_raw() => {
                Ended::Failed(format!("ended by signal {number}"))
            }
            _ => Ended::Orderly,
        },
        Err(error) => Ended::Failed(format!("cannot be waited for: {error}")),
    }
}

/// One life of the speaker.
struct Started {
    child: Child,
    directory: Directory,
    /// Where its API programs connect to.
    listener: UnixListener,
    _attached: Option<Attached>,
}

/// A directory that goes when it is dropped.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    /// A new directory below `scratch`, which may be everybody's: nothing that is there already is used. The speaker, which
    /// may become another user, can read it.
    fn new(scratch: &Path, name: &str) -> io::Result<Self> {
        let process = std::process::id();
        let mut number = 0_u32;
        loop {
            let path = scratch.join(format!("{name}-{process}-{number}"));
            match fs::DirBuilder::new().mode(0o755).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                made => return made.map(|()| Self(path)),
            }
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
