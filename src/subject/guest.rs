//! A program of somebody else, unmodified, as a guest in virtual time.
//!
//! It is started on a copy of its configuration in a directory of its own. The API programs that it starts are played
//! by ours: at their path stands a stub.

use std::cell::RefCell;
use std::fs;
use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::guest::network::Simulated;
use crate::guest::{self, Failure, Moved, STUB, Settings, Started, Turn};
use crate::net::abort::Abort;
use crate::net::clock::Clock;
use crate::net::programs::{Program, Programs};
use crate::net::{HostName, Network, Stream};
use crate::reactor::control::{Control, ControlReceiver};
use crate::reactor::observer::{Observer, SpeakerEvent};

use super::external::{Launcher, Setup};
use super::{Ended, Host, Subject, Variant};

/// The file that stands for every API program.
const PROGRAM: &str = "program";
/// The most octets that are moved between the guest and a program at once: a pipe's capacity on Linux (pipe(7)).
const CHUNK: usize = 65_536;

/// A speaker that runs as a guest.
#[derive(Debug)]
pub struct GuestSpeaker {
    variant: Variant,
    launcher: Launcher,
    setup: Setup,
    scratch: PathBuf,
    settings: Settings,
    log: RefCell<String>,
}

impl GuestSpeaker {
    /// The speaker of `launcher`, to be started for `setup` in a directory below `scratch`.
    #[must_use]
    pub fn new(variant: Variant, launcher: Launcher, setup: Setup, scratch: &Path) -> Self {
        Self {
            variant,
            launcher,
            setup,
            scratch: scratch.to_owned(),
            settings: Settings {
                // It names sections by the microsecond in which it reads them.
                clock_stops: true,
                ..Settings::default()
            },
            log: RefCell::default(),
        }
    }

    /// The same at another pace, or another seed.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// What it has printed in the lives that are over.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// Makes the directory of a life: the configuration, and the stub of the programs.
    fn prepare(&self, host: Option<HostName>) -> io::Result<Directory> {
        let host = host.map(|host| format!("-{host}")).unwrap_or_default();
        let path = self
            .scratch
            .join(format!("{}{host}-{}", self.setup.name, std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path)?;
        let path = path.canonicalize()?;
        for file in &self.setup.configurations {
            self.setup.write(file, &path)?;
        }
        let program = path.join(PROGRAM);
        fs::write(&program, STUB)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(Directory(path))
    }

    fn program(&self, directory: &Path, port: u16) -> io::Result<guest::Program> {
        let [executable, arguments @ ..] = self.launcher.command.as_slice() else {
            return Err(io::Error::other("no speaker to start"));
        };
        let mut program = guest::Program::new(&launcher()?, directory, Path::new(executable))
            .arguments(arguments)
            .arguments(&self.setup.configurations)
            .variable("exabgp_tcp_port", port.to_string())
            .variable("exabgp_tcp_attempts", self.setup.attempts.to_string())
            .variable("exabgp_tcp_bind", "");
        for (name, value) in self
            .launcher
            .environment
            .iter()
            .chain(&self.setup.environment)
        {
            program = program.variable(name, value.as_str());
        }
        Ok(program)
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

/// What a guest sees as the addresses of its host beside the loopback.
fn routed(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let addresses = addresses.iter().copied();
    addresses.filter(|address| !address.is_loopback()).collect()
}

impl<N: Network> Subject<N> for GuestSpeaker
where
    N::Connection: Abort,
{
    fn variant(&self) -> &Variant {
        &self.variant
    }

    async fn live<P: Programs>(&self, host: Host<N, P>) -> Ended {
        let started = self.prepare(host.name).and_then(|directory| {
            let program = self.program(&directory.0, host.peer_port)?;
            Ok((directory, program))
        });
        let (directory, program) = match started {
            Ok(started) => started,
            Err(error) => return Ended::Failed(format!("cannot be started: {error}")),
        };
        let network = Simulated::new(host.network, &routed(&host.addresses));
        let mut guests = guest::Host::new(&self.settings, Box::new(network));
        guests.play(&directory.0.join(PROGRAM));
        let main = match guests.start(&program) {
            Ok(main) => main,
            Err(failure) => return Ended::Failed(failure.to_string()),
        };
        let mut life = Life {
            guests,
            main,
            directory: directory.0.clone(),
            programs: host.programs,
            played: Vec::new(),
            control: host.control,
            observer: host.observer,
            clock: host.clock,
            told: 0,
            sleep: None,
        };
        let ended = poll_fn(|context| life.poll(context)).await;
        life.tell();
        let (digest, calls) = life.guests.trace();
        life.observer.observe(
            life.clock.now(),
            &SpeakerEvent::Calls {
                count: calls,
                digest: &digest,
            },
        );
        let mut log = self.log.borrow_mut();
        for line in life.guests.output() {
            log.push_str(&String::from_utf8_lossy(&line.octets));
        }
        ended
    }
}

/// One life of a guest.
struct Life<P: Programs> {
    guests: guest::Host,
    main: i32,
    directory: PathBuf,
    programs: P,
    played: Vec<PlayedProgram<P::Pipe>>,
    control: ControlReceiver,
    observer: std::rc::Rc<dyn Observer>,
    clock: Clock,
    /// Writes of the guest that the observer has been told of.
    told: usize,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// A program of ours at the other end of a guest's pipes.
struct PlayedProgram<T> {
    process: i32,
    pipe: T,
    /// What the guest wrote and the program has not taken.
    to_program: Vec<u8>,
    /// The guest closed the program's standard input.
    closed: bool,
    over: bool,
}

impl<P: Programs> Life<P> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        loop {
            while let Poll::Ready(control) = self.control.poll_recv(context) {
                self.guests.signal(self.main, signal(control));
            }
            let turn = match self.guests.turn(context, self.clock.now()) {
                Ok(turn) => turn,
                Err(failure) => return Poll::Ready(Ended::Failed(words(&failure))),
            };
            self.tell();
            if let Some(ended) = self.guests.ended(self.main) {
                return Poll::Ready(match ended {
                    guest::Ended::Exited(_) => Ended::Orderly,
                    guest::Ended::Killed(nix::libc::SIGTERM) => Ended::Orderly,
                    guest::Ended::Killed(signal) => {
                        Ended::Failed(format!("ended by signal {signal}"))
                    }
                });
            }
            for started in self.guests.started() {
                if let Err(error) = self.start(&started) {
                    return Poll::Ready(Ended::Failed(error.to_string()));
                }
            }
            let mut moved = false;
            for program in &mut self.played {
                moved |= program.poll(&mut self.guests, context);
            }
            self.played.retain(|program| !program.over);
            if moved {
                continue;
            }
            let Turn::Waits(Some(deadline)) = turn else {
                return Poll::Pending;
            };
            return self.wait(deadline, context);
        }
    }

    fn wait(&mut self, deadline: Duration, context: &mut Context<'_>) -> Poll<Ended> {
        let at = self.clock.at(deadline);
        let timer = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        timer.as_mut().reset(at);
        if timer.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn start(&mut self, started: &Started) -> io::Result<()> {
        let name = started.arguments.first().cloned().unwrap_or_default();
        let mut command = vec![format!("./{PROGRAM}")];
        command.extend(started.arguments.iter().cloned());
        let pipe = self.programs.start(&Program {
            name,
            command,
            directory: self.directory.clone(),
        })?;
        self.played.push(PlayedProgram {
            process: started.process,
            pipe,
            to_program: Vec::new(),
            closed: false,
            over: false,
        });
        Ok(())
    }

    /// Tells the observer what the guest has printed since.
    fn tell(&mut self) {
        let output = self.guests.output();
        for line in &output[self.told..] {
            let at = Duration::from_nanos(u64::try_from(line.time).unwrap_or(0));
            let text = String::from_utf8_lossy(&line.octets);
            let event = SpeakerEvent::Printed {
                text: text.trim_end(),
            };
            self.observer.observe(at, &event);
        }
        self.told = output.len();
    }
}

impl<T: Stream> PlayedProgram<T> {
    /// Moves octets both ways; whether any moved.
    fn poll(&mut self, guests: &mut guest::Host, context: &mut Context<'_>) -> bool {
        let mut moved = false;
        while !self.closed || !self.to_program.is_empty() {
            if self.to_program.is_empty() {
                match guests.take_input(self.process, CHUNK) {
                    Moved::Some(octets) => {
                        self.to_program = octets;
                        moved = true;
                    }
                    Moved::Later => break,
                    Moved::Over => {
                        self.closed = true;
                        let _ = self.pipe.poll_shutdown(context);
                        break;
                    }
                }
            }
            match self.pipe.poll_write(context, &self.to_program) {
                Poll::Ready(Ok(count)) => drop(self.to_program.drain(..count)),
                Poll::Ready(Err(_)) => {
                    self.to_program.clear();
                    self.closed = true;
                }
                Poll::Pending => break,
            }
        }
        let mut buffer = vec![0; CHUNK];
        while let Some(room) = guests.output_room(self.process).filter(|room| *room > 0) {
            let most = room.min(CHUNK);
            match self.pipe.poll_read(context, &mut buffer[..most]) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    guests.put_output(self.process, &buffer[..count]);
                    moved = true;
                }
                Poll::Ready(_) => {
                    guests.end(self.process);
                    self.over = true;
                    return true;
                }
                Poll::Pending => break,
            }
        }
        if guests.ended(self.process).is_some() {
            self.over = true;
        }
        moved
    }
}

/// What a person needs to know of a guest that cannot go on.
fn words(failure: &Failure) -> String {
    failure.to_string()
}

const fn signal(control: Control) -> i32 {
    control.signal() as i32
}

#[derive(Debug)]
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
