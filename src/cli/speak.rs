//! `lockstep speak`: the speaker as a daemon, on real TCP with real API programs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use super::host::host;
use super::log::{self, Log};
use super::output::complain;
use super::{Status, check};
use crate::api::apply::Identity;
use crate::api::health;
use crate::config::environment::{self, Environment, Service};
use crate::config::{self, Configuration, Process};
use crate::net::clock::{self, Clock};
use crate::os::fifo::{DaemonPrograms, NamedPipes};
use crate::os::kernel::KernelNetwork;
use crate::os::programs::ChildPrograms;
use crate::os::service::{self, PidFile};
use crate::os::small_file;
use crate::reactor::control::{self, Control, ControlSender};
use crate::reactor::observer::Observer;
use crate::reactor::{Configurations, Mode, Outcome, Speaker, run as run_speaker};

/// Configurations, reactor and logging.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Configuration files: a speaker for each, or one that takes them in turn at each reload (exabgp_debug_rotate).
    #[arg(required = true, value_name = "CONFIG")]
    configurations: Vec<PathBuf>,
    /// Reactor: sync or async (exabgp_reactor_asyncio).
    #[arg(long)]
    mode: Option<Mode>,
    /// Log everything.
    #[arg(short, long)]
    debug: bool,
    /// Log everything.
    #[arg(short, long)]
    verbose: bool,
    /// Ignored; accepted for compatibility with ExaBGP (Python debugger).
    #[arg(short, long)]
    pdb: bool,
    /// Try each connection once.
    #[arg(short = '1', long)]
    once: bool,
    /// Only accept connections.
    #[arg(short = 'P', long)]
    passive: bool,
    /// Reload the configuration once, after this many seconds.
    #[arg(short, long, value_name = "SECONDS")]
    signal: Option<u64>,
    /// Ignored; accepted for compatibility with ExaBGP (Python memory).
    #[arg(short, long)]
    memory: bool,
    /// Ignored; accepted for compatibility with ExaBGP (Python profiler).
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// File of exabgp_* settings in sections, as `exabgp env` writes it; environment variables take precedence.
    #[arg(
        long,
        value_name = "FILE",
        env = "EXABGP_ENVFILE",
        default_value = "/etc/exabgp/exabgp.env"
    )]
    env_file: PathBuf,
}

/// How long the first UPDATEs of a session wait for what the peer sent behind its KEEPALIVE: a turn of ExaBGP's loop.
const SETTLE: Duration = Duration::from_millis(10);

impl Arguments {
    /// Takes this environment file.
    pub fn read_environment_from(&mut self, file: PathBuf) {
        self.env_file = file;
    }
}

/// Runs the speaker until it ends.
///
/// # Errors
/// A configuration or an environment that cannot be used, an address that cannot be listened on.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    // As in ExaBGP, the file may be missing.
    let file = small_file::read_text(&arguments.env_file).unwrap_or_default();
    let variables = std::env::vars().filter(|(name, _)| name != "EXABGP_ENVFILE");
    let mut environment =
        environment::parse(environment::read_file(&file).chain(variables)).into_diagnostic()?;
    service::set_umask(environment.service.umask);
    let unheard = log::set_up(arguments.debug || arguments.verbose, &environment)?;
    if let Some(warning) = unheard {
        tracing::warn!(target: "lockstep::environment", "{warning}");
    }
    for unknown in &environment.unknown {
        tracing::warn!(target: "lockstep::environment", "{unknown}");
    }
    let settings = &mut environment.settings;
    settings.settle = SETTLE;
    settings.passive |= arguments.passive;
    if arguments.once {
        settings.attempts = 1;
    }
    let asked = environment.asyncio.unwrap_or(false);
    let mode = arguments
        .mode
        .unwrap_or(if asked { Mode::Async } else { Mode::Sync });
    let sources = sources(&arguments.configurations, environment.settings.debug_rotate)?;
    if environment.service.daemonize {
        if log::is_to_terminal(&environment) {
            tracing::error!(target: "lockstep::environment", "no daemon in the background logs to it: exabgp_log_destination must be a file");
        } else {
            service::detach()
                .into_diagnostic()
                .wrap_err("the daemon cannot go into the background")?;
        }
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .into_diagnostic()
        .wrap_err("the runtime cannot start")?;
    let outcomes = LocalSet::new().block_on(
        &runtime,
        serve(mode, sources, &environment, arguments.signal),
    )?;
    let mut status = Status::Passed;
    for outcome in outcomes {
        match outcome {
            // Already a report with the position of each error.
            Outcome::Refused(report) => {
                complain!("{report}");
                return Ok(Status::Invalid);
            }
            Outcome::CannotListen(reason) => return Err(miette!("{reason}")),
            Outcome::ProgramKeptDying(_) => status = Status::Failed,
            Outcome::Terminated | Outcome::PeersEnded => {}
        }
        tracing::info!(target: "lockstep::reactor", "{outcome}");
    }
    Ok(status)
}

/// Configuration files that a speaker takes in turn.
#[derive(Debug, Clone)]
struct Files {
    paths: Vec<PathBuf>,
    next: usize,
    directory: PathBuf,
    /// Those that can be read but once, and were.
    read_once: BTreeSet<PathBuf>,
    /// What stands for ExaBGP's command-line client, where there are named pipes for it.
    client: Option<Process>,
}

impl Configurations for Files {
    fn read(&mut self) -> Result<Configuration, String> {
        let path = self.paths[self.next].clone();
        let name = path.display().to_string();
        let is_file = path.is_file();
        if !is_file && !self.read_once.insert(path.clone()) {
            return Err(format!(
                "{name} is no regular file and was read already: what runs stays as it is"
            ));
        }
        let failed = |error: io::Error| format!("{name}: {error}");
        let mut kept = String::new();
        // A regular file is read piece by piece; what is no regular file, like a named pipe, can be read but once.
        let read = if is_file {
            config::read(&name, || File::open(&path)).map_err(failed)?
        } else {
            kept = small_file::read_text(&path).map_err(failed)?;
            config::parse(&name, &kept)
        };
        let mut configuration = read.map_err(|error| error.render())?;
        let again = || -> io::Result<Box<dyn io::Read + '_>> {
            Ok(match is_file {
                true => Box::new(File::open(&path)?),
                false => Box::new(kept.as_bytes()),
            })
        };
        let missing = check::programs(&configuration, &directory(&path));
        if !missing.is_empty() {
            let missing = config::mistakes(&name, again, missing).map_err(failed)?;
            return Err(missing.render());
        }
        if !configuration.warnings.is_empty() {
            let warnings = configuration.warnings.clone();
            let warnings = config::warnings(&name, again, warnings).map_err(failed)?;
            tracing::warn!(target: "lockstep::configuration", "{}", warnings.render());
        }
        configuration.processes.extend(self.client.clone());
        self.next = (self.next + 1) % self.paths.len();
        self.directory = directory(&path);
        Ok(configuration)
    }

    fn directory(&self) -> PathBuf {
        self.directory.clone()
    }
}

/// Where the programs of a configuration are looked for: beside it, and where it is no regular file in the working directory.
fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if path.is_file() => parent.to_path_buf(),
        _ => std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    }
}

/// One list of files to take in turn, or a speaker for each file.
fn sources(files: &[PathBuf], rotate: bool) -> miette::Result<Vec<Files>> {
    let whole = |file: &PathBuf| {
        // The name of an open descriptor (`<(…)` of a shell) leads to no file system.
        if file
            .metadata()
            .is_ok_and(|about| !about.is_file() && !about.is_dir())
        {
            return std::path::absolute(file).into_diagnostic();
        }
        file.canonicalize()
            .into_diagnostic()
            .wrap_err_with(|| format!("{} is not a configuration file", file.display()))
    };
    let paths = files
        .iter()
        .map(whole)
        .collect::<miette::Result<Vec<_>>>()?;
    let source = |paths: Vec<PathBuf>| Files {
        directory: directory(&paths[0]),
        paths,
        next: 0,
        read_once: BTreeSet::new(),
        client: None,
    };
    Ok(if rotate {
        vec![source(paths)]
    } else {
        paths.into_iter().map(|path| source(vec![path])).collect()
    })
}

async fn serve(
    mode: Mode,
    sources: Vec<Files>,
    environment: &Environment,
    reload_after: Option<u64>,
) -> miette::Result<Vec<Outcome>> {
    let clock = Clock::start();
    let Service {
        user, drop, pid, ..
    } = &environment.service;
    let unprivileged = service::Identity::find(user).into_diagnostic()?;
    let children = ChildPrograms::run_as(unprivileged.filter(|_| *drop));
    let pipes = named_pipes(environment);
    let client = pipes.as_ref().map(|_| Process::client(std::process::id()));
    let name = client.as_ref().map(|process| process.name.clone());
    let programs = DaemonPrograms {
        children,
        clients: name.zip(pipes),
    };
    let mut speakers = Vec::new();
    let mut senders = Vec::new();
    let mut client = client;
    for mut source in sources {
        // The pipes are the first speaker's.
        source.client = client.take();
        let (sender, receiver) = control::channel();
        senders.push(sender);
        let mut speaker = Speaker::new(source, environment.settings.clone());
        speaker.identity = identity(environment);
        let observer: Rc<dyn Observer> = Rc::new(Log);
        let programs = programs.clone();
        speakers.push(tokio::task::spawn_local(run_speaker(
            mode,
            speaker,
            KernelNetwork::default(),
            programs,
            clock,
            observer,
            receiver,
        )));
    }
    let signals = listen_to_signals(senders.clone()).into_diagnostic()?;
    // Each speaker gets its first turn, in which it binds its sockets: only that may need root.
    tokio::task::yield_now().await;
    if let Some(identity) = unprivileged {
        identity
            .assume()
            .into_diagnostic()
            .wrap_err("the daemon cannot give up root")?;
    }
    let _pid_file = pid
        .as_deref()
        .map(PidFile::write)
        .transpose()
        .into_diagnostic()?;
    if let Some(seconds) = reload_after {
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            senders
                .iter()
                .for_each(|sender| sender.send(Control::Reload));
        });
    }
    let mut outcomes = Vec::new();
    for speaker in speakers {
        outcomes.push(speaker.await.into_diagnostic()?);
    }
    signals.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(outcomes)
}

/// The named pipes over which ExaBGP's command-line client commands the speaker.
fn named_pipes(environment: &Environment) -> Option<NamedPipes> {
    let name = environment.cli.then_some(&environment.pipename)?;
    match NamedPipes::find(name) {
        Ok(pipes) => {
            let (commands, answers) = (pipes.commands.display(), pipes.answers.display());
            tracing::info!(target: "lockstep::cli", "commands are read from {commands}, answers written to {answers}");
            Some(pipes)
        }
        Err(directories) => {
            let first = directories.first()?.display();
            tracing::info!(
                target: "lockstep::cli",
                "no named pipes {name}.in and {name}.out for `exabgp cli`; to have them, mkfifo {first}/{name}.{{in,out}}"
            );
            None
        }
    }
}

/// Passes signals on to the speakers.
fn listen_to_signals(
    senders: Vec<ControlSender>,
) -> std::io::Result<Vec<tokio::task::JoinHandle<()>>> {
    let meanings = [
        (SignalKind::user_defined1(), Control::Reload),
        (SignalKind::user_defined2(), Control::Restart),
        (SignalKind::alarm(), Control::Reestablish),
        (SignalKind::terminate(), Control::Terminate),
        (SignalKind::hangup(), Control::Terminate),
        (SignalKind::interrupt(), Control::Terminate),
    ];
    let mut tasks = Vec::new();
    for (kind, control) in meanings {
        let mut arrivals = signal(kind)?;
        let senders = senders.clone();
        tasks.push(tokio::task::spawn_local(async move {
            while arrivals.recv().await.is_some() {
                senders.iter().for_each(|sender| sender.send(control));
            }
        }));
    }
    Ok(tasks)
}

/// This host's identity, as API programs see it.
fn identity(environment: &Environment) -> Identity {
    let uuid = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default();
    let digits = uuid.trim().replace('-', "");
    Identity {
        host: host(environment.settings.api_compact),
        release: environment.settings.version.clone(),
        run: health::Identity(u128::from_str_radix(&digits, 16).unwrap_or_default()),
        epoch: clock::since_1970(),
    }
}
