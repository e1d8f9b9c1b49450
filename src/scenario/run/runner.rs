//! One run of a scenario: the subject, its peers and programs, the networks, and the faults.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::net::timer::{sleep, sleep_until, timeout};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;

use crate::net::clock::Clock;
use crate::net::{Listener, Network, SocketOptions};
use crate::reactor::control::{self, Control, ControlSender};
use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::scenario::format::host_fault::{HostFault, PeerBehaviour, ProgramFault};
use crate::scenario::format::script::{ConnectTarget, PeerScript, Scenario, Signal};
use crate::scenario::run::completion::until_over;
use crate::scenario::run::error::PlayError;
use crate::scenario::run::played::RunResult;
use crate::scenario::scripted::peer::{self, Dial, Shared};
use crate::scenario::scripted::program::{ProgramBehaviour, ProgramInput};
use crate::scenario::scripted::programs::ScriptedPrograms;
use crate::scenario::scripted::progress::Progress;
use crate::scenario::scripted::transcripts::Transcripts;
use crate::subject::{Ended, Host, Subject};

/// How long a scenario may take on its own clock.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Where a speaker listens for a peer that connects if its configuration names no address.
pub const MEETING: u16 = 1179;

/// Everything that a run is made of.
pub struct Run<S, N, M> {
    /// The scenario.
    pub scenario: Rc<Scenario>,
    /// The subject under test.
    pub subject: S,
    /// The network that the subject sees.
    pub network: N,
    /// The network that the peers see.
    pub peer_network: M,
    /// The port of the peers; 0 for any that is free.
    pub port: u16,
    /// The true clock, which peers and programs read.
    pub clock: Clock,
    /// The subject's own clock.
    pub subject_clock: Clock,
    /// Receives the subject's events, if it has any.
    pub observer: Rc<dyn Observer>,
    /// Whether programs pause where their scripts say so: needed if answers come early.
    pub pauses: bool,
    /// Expectations and faults.
    pub conditions: Conditions,
}

/// What is expected of a run, and what may go wrong in it.
#[derive(Debug, Clone)]
pub enum Conditions {
    /// Every step must be met as it is written.
    Strict,
    /// Faults are injected: steps that cannot be met are abandoned, and the run is watched until it has recovered.
    Adverse(AdverseConditions),
}

/// The faults of a run, and how long it is watched.
#[derive(Debug, Clone, Default)]
pub struct AdverseConditions {
    /// Faults of hosts and programs.
    pub host_faults: Vec<HostFault>,
    /// How long a program waits for an event that faults may prevent.
    pub patience: Duration,
    /// When the last fault is over.
    pub calm: Duration,
    /// How long recovery may take from then, or from the last script's end.
    pub recovery: Duration,
    /// How long the run is watched once it has recovered.
    pub watch: Duration,
}

/// Whether a run has recovered; called repeatedly.
pub type Recovered = Box<dyn Fn(&Transcripts) -> bool>;

impl<S: Subject<N>, N: Network, M: Network> Run<S, N, M> {
    /// Runs to the end; `recovered` says whether a run with faults has recovered.
    ///
    /// # Errors
    /// A peer that cannot listen.
    pub async fn play(self, recovered: Recovered) -> Result<RunResult, PlayError> {
        let progress = Progress::default();
        let transcripts = if self.subject.uses_network() {
            Transcripts::named_by_speaker(self.network.attempts())
        } else {
            Transcripts::default()
        };
        let input = ProgramInput::default();
        let (signals, mut signalled) = unbounded_channel();
        let (dials, mut dialled) = unbounded_channel::<Dial>();
        let shared = Shared {
            progress: progress.clone(),
            clock: self.clock,
            transcripts: transcripts.clone(),
            signals: signals.clone(),
            signalled: Rc::default(),
            dials,
            strict: matches!(self.conditions, Conditions::Strict),
        };
        let mut port = self.port;
        let mut tasks = Vec::new();
        for script in &self.scenario.peers {
            let at = SocketAddr::new(script.address, port);
            let listener = listen(&self.peer_network, at)?;
            port = listener.local_address().port();
            let outages = self.conditions.outages(script);
            let at = SocketAddr::new(script.address, port);
            tasks.push(spawn_local(serve(
                Rc::new(self.conditions.cast(script)),
                (self.peer_network.clone(), at),
                listener,
                shared.clone(),
                outages,
            )));
        }
        let (network, caller) = (self.peer_network.clone(), shared.clone());
        spawn_local(async move {
            while let Some(dial) = dialled.recv().await {
                let options = SocketOptions {
                    source: Some(dial.script.address),
                    ..SocketOptions::default()
                };
                // A speaker that does not listen, or is down, cannot have a collision.
                if let Ok(connection) = network.connect(dial.to, &options).await {
                    spawn_local(peer::converse(dial, connection, caller.clone()));
                }
            }
        });
        // Each restart after a crash has a new control; signals go to the current one.
        let controls: Rc<std::cell::RefCell<Option<ControlSender>>> = Rc::default();
        let live = controls.clone();
        spawn_local(async move {
            while let Some(signal) = signalled.recv().await {
                if let Some(sender) = &*live.borrow() {
                    sender.send(control(signal));
                }
            }
        });
        let over = {
            let speaker = self.live(port, &progress, &input, &controls);
            match &self.conditions {
                Conditions::Strict => {
                    let limit = LIMIT + self.scenario.span();
                    until_over(&self.scenario, &progress, limit, &signals, speaker).await;
                    self.clock.now()
                }
                Conditions::Adverse(adverse) => {
                    let run = AdverseRun {
                        scenario: &self.scenario,
                        progress: &progress,
                        clock: self.clock,
                        adverse,
                    };
                    run.endure(&signals, speaker, || recovered(&transcripts))
                        .await
                }
            }
        };
        let elapsed = self.clock.now();
        for task in tasks {
            // A peer that panicked has already failed the run.
            let _ = task.await;
        }
        let (transcripts, tables) = transcripts.take();
        Ok(RunResult {
            transcripts,
            tables,
            program_input: input.take(),
            marks: Vec::new(),
            failure: progress.failure(),
            hash: None,
            elapsed,
            over,
        })
    }

    /// Runs the subject, and restarts it after each crash.
    async fn live(
        &self,
        port: u16,
        progress: &Progress,
        input: &ProgramInput,
        controls: &std::cell::RefCell<Option<ControlSender>>,
    ) {
        let mut crashes = self.conditions.crashes();
        let program_behaviour = self.conditions.program_behaviour(self.pauses);
        loop {
            let (sender, receiver) = control::channel();
            controls.replace(Some(sender));
            let programs = ScriptedPrograms {
                scenario: self.scenario.clone(),
                progress: progress.clone(),
                clock: self.clock,
                input: input.clone(),
                program_behaviour: program_behaviour.clone(),
            };
            let life = self.subject.live(Host {
                network: self.network.clone(),
                peer_port: port,
                programs,
                clock: self.subject_clock,
                control: receiver,
                observer: self.observer.clone(),
            });
            let Some((at, down)) = crashes.pop() else {
                if let Ended::Failed(reason) = life.await {
                    progress.fail(format!("the speaker: {reason}"), None);
                }
                return;
            };
            tokio::select! {
                biased;
                () = sleep_until(self.clock.at(at)) => {}
                _ = life => return,
            }
            // A crashed speaker cannot emit the event itself.
            self.observer
                .observe(self.subject_clock.now(), &SpeakerEvent::Ended);
            sleep(down).await;
        }
    }
}

fn listen<M: Network>(network: &M, at: SocketAddr) -> Result<M::Listener, PlayError> {
    network.listen(at).map_err(|error| PlayError::Io {
        what: format!("a peer at {at}"),
        error,
    })
}

const fn control(signal: Signal) -> Control {
    match signal {
        Signal::Reload => Control::Reload,
        Signal::Restart => Control::Restart,
        Signal::Terminate => Control::Terminate,
    }
}

/// Runs a peer, and restarts it after each crash.
async fn serve<M: Network>(
    script: Rc<PeerScript>,
    (network, at): (M, SocketAddr),
    mut listener: M::Listener,
    shared: Shared,
    mut outages: Vec<(Duration, Duration)>,
) {
    let count = peer::ConnectionCount::default();
    loop {
        let life = peer::listen(script.clone(), listener, shared.clone(), count.clone());
        let Some((crash, down)) = outages.pop() else {
            return life.await;
        };
        tokio::select! {
            biased;
            () = sleep_until(shared.clock.at(crash)) => {}
            () = life => return,
        }
        sleep(down).await;
        match network.listen(at) {
            Ok(again) => listener = again,
            Err(error) => {
                return shared
                    .progress
                    .fail(format!("a peer at {at}: {error}"), None);
            }
        }
    }
}

impl Conditions {
    const fn host_faults(&self) -> &[HostFault] {
        match self {
            Self::Strict => &[],
            Self::Adverse(adverse) => adverse.host_faults.as_slice(),
        }
    }

    /// The speaker's crashes, the last first.
    fn crashes(&self) -> Vec<(Duration, Duration)> {
        let crashes = self
            .host_faults()
            .iter()
            .filter_map(|host_fault| match host_fault {
                HostFault::CrashSpeaker { at, down } => Some((*at, *down)),
                _ => None,
            });
        latest_first(crashes)
    }

    /// The crashes of one peer, the last first.
    fn outages(&self, script: &PeerScript) -> Vec<(Duration, Duration)> {
        let crashes = self
            .host_faults()
            .iter()
            .filter_map(|host_fault| match host_fault {
                HostFault::CrashPeer { peer, at, down } if *peer == script.address => {
                    Some((*at, *down))
                }
                _ => None,
            });
        latest_first(crashes)
    }

    /// The script of a peer, with the unusual behaviour that the faults give it.
    fn cast(&self, script: &PeerScript) -> PeerScript {
        let mut script = script.clone();
        for host_fault in self.host_faults() {
            match host_fault {
                HostFault::Peer { peer, behaviour } if *peer == script.address => match behaviour {
                    PeerBehaviour::Patient => script.patient = true,
                    PeerBehaviour::Connects => {
                        script.open.connect.get_or_insert(ConnectTarget {
                            address: script.address,
                            port: Some(MEETING),
                        });
                    }
                },
                _ => {}
            }
        }
        script
    }

    /// How programs behave under the faults of the run.
    fn program_behaviour(&self, pauses: bool) -> ProgramBehaviour {
        let patience = match self {
            Self::Strict => None,
            Self::Adverse(adverse) => Some(adverse.patience),
        };
        let program_faults: Vec<(String, ProgramFault)> = self
            .host_faults()
            .iter()
            .filter_map(|host_fault| match host_fault {
                HostFault::Program { name, how } => Some((name.clone(), *how)),
                _ => None,
            })
            .collect();
        ProgramBehaviour::new(patience, pauses, program_faults)
    }
}

fn latest_first(crashes: impl Iterator<Item = (Duration, Duration)>) -> Vec<(Duration, Duration)> {
    let mut crashes: Vec<_> = crashes.collect();
    crashes.sort_by(|one, other| other.cmp(one));
    crashes
}

/// A run with faults, watched until it has recovered.
struct AdverseRun<'a> {
    scenario: &'a Scenario,
    progress: &'a Progress,
    clock: Clock,
    adverse: &'a AdverseConditions,
}

/// Interval between checks of recovery.
const LOOK: Duration = Duration::from_secs(1);
/// How long a speaker may take to end once it is asked to.
const PATIENCE: Duration = Duration::from_secs(10);

impl AdverseRun<'_> {
    /// Watches the run to its end and says when that was.
    async fn endure(
        &self,
        signals: &UnboundedSender<Signal>,
        speaker: impl Future<Output = ()>,
        recovered: impl Fn() -> bool,
    ) -> Duration {
        tokio::pin!(speaker);
        let course = async {
            let programs = || {
                self.scenario
                    .programs
                    .iter()
                    .map(|program| program.name.as_str())
            };
            // Peers with timed steps follow their own times; the others wait for events that faults may prevent.
            let verbatim = || {
                let peers = self.scenario.peers.iter();
                peers
                    .filter(|peer| peer.open.verbatim)
                    .map(|peer| peer.address)
            };
            let done = self
                .progress
                .until(|progress| progress.all_done(programs(), verbatim()));
            // A program may never finish its script; its waits are bounded, so this bound is generous.
            let _ = timeout(LIMIT * 10 + self.scenario.span() * 2, done).await;
            sleep_until(self.clock.at(self.adverse.calm)).await;
            let deadline = self.clock.now() + self.adverse.recovery;
            // A run that looks recovered may not have noticed a fault yet.
            loop {
                while !recovered() && self.clock.now() < deadline {
                    sleep(LOOK).await;
                }
                sleep(self.adverse.watch).await;
                if recovered() || self.clock.now() >= deadline {
                    break;
                }
            }
        };
        tokio::select! {
            biased;
            () = &mut speaker => {
                self.progress.end();
                self.clock.now()
            }
            () = course => {
                let over = self.clock.now();
                // The final state is taken before anything is closed.
                let _ = signals.send(Signal::Terminate);
                self.progress.end();
                let _ = timeout(PATIENCE, &mut speaker).await;
                over
            }
        }
    }
}
