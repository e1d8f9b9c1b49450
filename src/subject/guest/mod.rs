//! A program of somebody else, unmodified, as a guest in virtual time.
//!
//! It is started on a copy of its configuration in a directory of its own. The API programs that it starts are played
//! by ours: at their path stands a stub. What a scenario says through its control program is run as further guests of the
//! same host.

mod control;
mod directory;
mod life;
mod lines;
mod played;

use std::fs;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::guest::network::Simulated;
use crate::guest::{self, STUB, Settings};
use crate::net::Network;
use crate::net::abort::Abort;
use crate::net::link_local::{hardware_address, link_local};
use crate::net::programs::Programs;
use crate::reactor::observer::SpeakerEvent;

use self::control::ControlProgram;
use self::directory::Directory;
pub use self::life::LifeFault;

use self::life::Life;
use self::lines::Lines;
use super::control::ControlScript;
use super::launcher::{Launcher, Setup};
use super::{Ended, Host, StopAt, Subject, Variant, locate};

/// The file that stands for every API program.
const PROGRAM: &str = "program";

/// A speaker that runs as a guest.
#[derive(Debug)]
pub struct GuestSpeaker {
    variant: Variant,
    launcher: Launcher,
    setup: Setup,
    scratch: PathBuf,
    settings: Settings,
    stop: Option<StopAt>,
    has_post_mortem: bool,
    faults: Vec<(Duration, LifeFault)>,
}

impl GuestSpeaker {
    /// The speaker of `launcher`, to be started for `setup` in a directory below `scratch`.
    #[must_use]
    pub fn new(variant: Variant, launcher: Launcher, setup: Setup, scratch: &Path) -> Self {
        let settings = Settings {
            clock_stops: launcher.description.precise_clock,
            ..Settings::default()
        };
        Self {
            variant,
            launcher,
            setup,
            scratch: scratch.to_owned(),
            settings,
            stop: None,
            has_post_mortem: false,
            faults: Vec::new(),
        }
    }

    /// The same, stopped at a time and left to a debugger.
    #[must_use]
    pub fn stopping(mut self, stop: Option<StopAt>) -> Self {
        self.stop = stop;
        self
    }

    /// The same; where a signal ends it its stack and its memory are looked at before it is gone.
    #[must_use]
    pub fn with_post_mortem(mut self) -> Self {
        self.has_post_mortem = true;
        self
    }

    /// The same; these happen to it, each at a time by its own clock.
    #[must_use]
    pub fn with_faults(mut self, mut faults: Vec<(Duration, LifeFault)>) -> Self {
        faults.sort_by_key(|(at, _)| *at);
        self.faults = faults;
        self
    }

    /// The same at another pace.
    #[must_use]
    pub fn at_pace(mut self, pace: guest::Pace) -> Self {
        self.settings.pace = pace;
        self
    }

    /// The same; which of its threads and processes goes first is drawn from the seed.
    #[must_use]
    pub fn in_drawn_order(mut self, drawn: bool) -> Self {
        self.settings.drawn_order = drawn;
        self
    }

    /// The same, its randomness drawn from `seed`.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Makes the directory of a life: the configuration, and the stub of the programs.
    fn prepare(&self) -> io::Result<Directory> {
        let directory = Directory::take(&self.scratch)?;
        let path = directory.path();
        self.launcher.install(&self.setup, path)?;
        if self.launcher.description.programs {
            let program = path.join(PROGRAM);
            fs::write(&program, STUB)?;
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        }
        Ok(directory)
    }

    fn program(&self, directory: &Path, port: u16) -> io::Result<guest::Program> {
        let command = self.launcher.start(&self.setup, directory, port);
        let mut program = guest::Program::new(&launcher()?, directory, &self.launcher.executable)
            .arguments(&command.arguments);
        for (name, value) in &command.environment {
            program = program.variable(name, value.as_str());
        }
        Ok(program)
    }

    /// The speaker's control program, where the scenario has something to say through it.
    fn control_program<P: Programs>(
        &self,
        speaker: &guest::Program,
        programs: &mut P,
    ) -> io::Result<Option<ControlProgram<P::Pipe>>> {
        let (launcher, name) = (&self.launcher, self.variant.speaker.name());
        let directory = &speaker.directory;
        let script = ControlScript::start(launcher, &self.setup, name, directory, programs)?;
        let description = &launcher.description;
        Ok(match (script, description.control.as_deref()) {
            (Some(script), Some([name, arguments @ ..])) => {
                let mut program = speaker.clone();
                program.path = locate::beside(&launcher.executable, name);
                Some(ControlProgram::new(program, arguments, script))
            }
            _ => None,
        })
    }
}

/// This program, which starts a guest as itself: beside the binary of a test where that is what runs.
fn launcher() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    if own.parent().is_some_and(|it| it.ends_with("deps")) {
        let beside = own.parent().and_then(Path::parent);
        if let Some(beside) = beside
            .map(|it| it.join("lockstep"))
            .filter(|it| it.is_file())
        {
            return Ok(beside);
        }
    }
    Ok(own)
}

/// What a guest sees as the addresses of its host beside the loopback: the link-local one too, which every link has.
fn routed(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let given = addresses.iter().copied();
    let mut routed: Vec<IpAddr> = given.filter(|address| !address.is_loopback()).collect();
    if !routed.is_empty() {
        routed.push(link_local(hardware_address(&routed)).into());
    }
    routed
}

impl<N: Network> Subject<N> for GuestSpeaker
where
    N::Connection: Abort,
{
    fn variant(&self) -> &Variant {
        &self.variant
    }

    fn starts_programs(&self) -> bool {
        self.launcher.description.programs
    }

    async fn live<P: Programs>(&self, mut host: Host<N, P>) -> Ended {
        let started = self.prepare().and_then(|directory| {
            let program = self.program(directory.path(), host.peer_port)?;
            Ok((directory, program))
        });
        let (mut directory, program) = match started {
            Ok(started) => started,
            Err(error) => return Ended::Invalid(format!("cannot be started: {error}")),
        };
        let control_program = match self.control_program(&program, &mut host.programs) {
            Ok(control_program) => control_program,
            Err(error) => return Ended::Invalid(error.to_string()),
        };
        let network = Simulated::new(host.network, &routed(&host.addresses));
        let core = format!("{}.core", self.setup.name);
        let settings = Settings {
            core: self.has_post_mortem.then(|| directory.beside(&core)),
            ..self.settings.clone()
        };
        let mut guests = guest::Host::new(&settings, Box::new(network));
        if self.launcher.description.programs {
            guests.play(&directory.path().join(PROGRAM));
        }
        let main = match guests.start(&program) {
            Ok(main) => main,
            Err(failure) => return Ended::Invalid(failure.to_string()),
        };
        let mut life = Life {
            guests,
            main,
            launcher: &self.launcher,
            setup: &self.setup,
            directory: directory.path().to_owned(),
            programs: host.programs,
            played: Vec::new(),
            control_program,
            control: host.control,
            observer: host.observer,
            clock: host.clock,
            observed: 0,
            lines: Lines::default(),
            reloads: 0,
            ending: false,
            stop: self.stop.as_ref(),
            sleep: None,
            // What happened to a former life does not happen again.
            faults: self
                .faults
                .iter()
                .filter(|(at, _)| *at >= host.clock.now())
                .copied()
                .collect(),
            stopped: None,
        };
        let ended = poll_fn(|context| life.poll(context)).await;
        life.observe(true);
        if self
            .stop
            .as_ref()
            .is_some_and(|stop| !stop.stopped().is_empty())
        {
            directory.keep();
        }
        let (digest, calls) = life.guests.trace();
        life.observer.observe(
            life.clock.now(),
            &SpeakerEvent::Calls {
                count: calls,
                digest: &digest,
            },
        );
        ended
    }
}
