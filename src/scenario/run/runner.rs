//! One run of a scenario: the subjects, their peers and programs, on which networks, under which conditions.

use std::cell::RefCell;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;

use tokio::sync::mpsc::unbounded_channel;
use tokio::task::{JoinSet, spawn_local};

use crate::net::clock::Clock;
use crate::net::timer::{sleep, sleep_until};
use crate::net::{HostName, Listener, Network};
use crate::reactor::control::{self, Control, ControlSender};
use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::scenario::format::script::{Scenario, Signal};
use crate::scenario::run::adverse::AdverseRun;
use crate::scenario::run::completion::until_over;
use crate::scenario::run::conditions::{Conditions, LIMIT};
use crate::scenario::run::error::PlayError;
use crate::scenario::run::peers;
use crate::scenario::run::played::RunResult;
use crate::scenario::scripted::peer::{Dial, Shared};
use crate::scenario::scripted::program::ProgramInput;
use crate::scenario::scripted::programs::ScriptedPrograms;
use crate::scenario::scripted::progress::Progress;
use crate::scenario::scripted::transcripts::Transcripts;
use crate::subject::{Ended, Host, Subject};

/// Something that happens beside subjects and peers, such as a partition.
pub type Background = Pin<Box<dyn Future<Output = ()>>>;

/// Everything that a run is made of.
pub struct Run<S, N, M> {
    /// The scenario that is played.
    pub scenario: Rc<Scenario>,
    /// What is under test, in the order of the scenario's speakers.
    pub subjects: Vec<HostedSubject<S, N>>,
    /// The networks that the peers see, in the order of the scenario's peers.
    pub peer_networks: Vec<M>,
    /// The port of the peers; 0 for any that is free.
    pub port: u16,
    /// The true clock, which peers and programs read.
    pub clock: Clock,
    /// Whether programs pause where their scripts say so: needed if answers come early.
    pub pauses: bool,
    /// Expectations and faults.
    pub conditions: Conditions,
    /// What happens beside.
    pub background: Vec<Background>,
}

/// A subject and the host that it lives on.
pub struct HostedSubject<S, N> {
    /// The host's name; `None` where it is the only one under test.
    pub name: Option<HostName>,
    /// The host's addresses.
    pub addresses: Vec<IpAddr>,
    /// The subject under test.
    pub subject: S,
    /// The network that it sees.
    pub network: N,
    /// Its own clock.
    pub clock: Clock,
    /// Is told what it does, as far as it tells.
    pub observer: Rc<dyn Observer>,
}

/// Whether a run has recovered; called repeatedly.
pub type Recovered = Box<dyn Fn(&Transcripts) -> bool>;

/// What the lives of all subjects of a run have in common.
#[derive(Clone)]
struct Common {
    scenario: Rc<Scenario>,
    conditions: Conditions,
    clock: Clock,
    port: u16,
    pauses: bool,
    progress: Progress,
    input: ProgramInput,
    /// Why a subject could not be put under test.
    invalid: Rc<RefCell<Option<String>>>,
    /// The subjects that ended by themselves, and why.
    died: Rc<RefCell<Vec<String>>>,
}

/// Who takes signals at the moment: a crash makes a new speaker with a control of its own.
type Controls = Rc<RefCell<Vec<Option<ControlSender>>>>;

impl<S: Subject<N> + 'static, N: Network, M: Network> Run<S, N, M> {
    /// Runs to the end; `recovered` says whether a run with faults has recovered.
    ///
    /// # Errors
    /// A peer that cannot listen.
    pub async fn play(mut self, recovered: Recovered) -> Result<RunResult, PlayError> {
        self.scenario = {
            let subjects = self.subjects.iter().map(|it| &it.subject);
            let names: Vec<&str> = subjects
                .clone()
                .map(|subject| subject.variant().speaker.name())
                .collect();
            let start_programs = subjects.clone().any(|subject| subject.starts_programs());
            self.scenario.for_speakers(&names, start_programs)
        };
        let progress = Progress::default();
        let transcripts = self.transcripts();
        let input = ProgramInput::default();
        let (signals, mut signalled) = unbounded_channel();
        let (dials, dialled) = unbounded_channel::<Dial>();
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
        for (script, network) in self.scenario.peers.iter().zip(&self.peer_networks) {
            let at = SocketAddr::new(script.address, port);
            let listener = peers::listen(network, at)?;
            port = listener.local_address().port();
            let outages = self.conditions.outages(script);
            let at = SocketAddr::new(script.address, port);
            tasks.push(spawn_local(peers::serve(
                Rc::new(self.conditions.cast(script)),
                (network.clone(), at),
                listener,
                shared.clone(),
                outages,
            )));
        }
        let addresses = self.scenario.peers.iter().map(|peer| peer.address);
        let networks = addresses.zip(self.peer_networks.iter().cloned()).collect();
        spawn_local(peers::dial(networks, dialled, shared.clone()));
        let controls = Controls::default();
        let live = controls.clone();
        spawn_local(async move {
            while let Some(signal) = signalled.recv().await {
                for sender in live.borrow().iter().flatten() {
                    sender.send(control(signal));
                }
            }
        });
        let common = Common {
            scenario: self.scenario.clone(),
            conditions: self.conditions.clone(),
            clock: self.clock,
            port,
            pauses: self.pauses,
            progress: progress.clone(),
            input: input.clone(),
            invalid: Rc::default(),
            died: Rc::default(),
        };
        self.background.into_iter().for_each(|task| {
            spawn_local(task);
        });
        let over = {
            let subjects = live_all(self.subjects, &common, &controls);
            match &self.conditions {
                Conditions::Strict => {
                    let limit = LIMIT + self.scenario.span();
                    until_over(&self.scenario, &progress, limit, &signals, subjects).await;
                    self.clock.now()
                }
                Conditions::Adverse(adverse) => {
                    let run = AdverseRun {
                        scenario: &self.scenario,
                        progress: &progress,
                        clock: self.clock,
                        adverse,
                    };
                    let over = run
                        .endure(&signals, subjects, || recovered(&transcripts))
                        .await;
                    if let Some((peer, connections)) = run.spins(&progress) {
                        return Err(PlayError::Spinning {
                            peer,
                            connections,
                            elapsed: over,
                        });
                    }
                    over
                }
            }
        };
        if let Some(reason) = common.invalid.take() {
            return Err(PlayError::Subject(reason));
        }
        let elapsed = self.clock.now();
        for task in tasks {
            // A peer that panicked has already failed the run.
            let _ = task.await;
        }
        let (transcripts, tables) = transcripts.take();
        Ok(RunResult {
            transcripts,
            between: Vec::new(),
            tables,
            program_input: input.take(),
            marks: Vec::new(),
            failure: progress.failure(),
            died: common.died.take(),
            hash: None,
            elapsed,
            over,
        })
    }

    /// Transcripts under the names that the subjects' networks give.
    fn transcripts(&self) -> Transcripts {
        let mut subjects = self.subjects.iter();
        if subjects.clone().any(|it| !it.subject.uses_network()) {
            return Transcripts::default();
        }
        if let (Some(only), None) = (subjects.next(), subjects.next()) {
            return Transcripts::named_by_speaker(only.network.attempts());
        }
        let subjects = self.subjects.iter();
        let named = subjects.map(|it| (it.addresses.clone(), it.network.attempts().clone()));
        Transcripts::named_by_speakers(named.collect())
    }
}

/// Lets every subject live, until all of them have ended.
async fn live_all<N: Network, S: Subject<N> + 'static>(
    subjects: Vec<HostedSubject<S, N>>,
    common: &Common,
    controls: &Controls,
) {
    controls.borrow_mut().resize_with(subjects.len(), || None);
    let mut subjects = subjects.into_iter().enumerate();
    if subjects.len() == 1 {
        for (number, only) in subjects.by_ref() {
            // A reactor is large, and whatever holds it is moved several times on its way into a task.
            Box::pin(only.live(common, controls, number)).await;
        }
    }
    let mut lives = JoinSet::new();
    for (number, subject) in subjects {
        let (common, controls) = (common.clone(), controls.clone());
        lives.spawn_local(Box::pin(async move {
            subject.live(&common, &controls, number).await;
        }));
    }
    while let Some(ended) = lives.join_next().await {
        if let Err(failure) = ended
            && let Ok(panic) = failure.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl<N: Network, S: Subject<N>> HostedSubject<S, N> {
    /// Runs the subject, and restarts it after each crash.
    async fn live(&self, common: &Common, controls: &Controls, number: usize) {
        let Common {
            clock, progress, ..
        } = common;
        let mut crashes = common.conditions.crashes(self.name);
        let program_behaviour = common.conditions.program_behaviour(common.pauses);
        loop {
            let (sender, receiver) = control::channel();
            controls.borrow_mut()[number] = Some(sender);
            let programs = ScriptedPrograms {
                scenario: common.scenario.clone(),
                progress: progress.clone(),
                clock: *clock,
                input: common.input.clone(),
                program_behaviour: program_behaviour.clone(),
            };
            let life = self.subject.live(Host {
                name: self.name,
                addresses: self.addresses.clone(),
                network: self.network.clone(),
                peer_port: common.port,
                programs,
                clock: self.clock,
                control: receiver,
                observer: self.observer.clone(),
            });
            let Some((at, down)) = crashes.pop() else {
                return self.ended(life.await, common);
            };
            tokio::select! {
                biased;
                () = sleep_until(clock.at(at)) => {}
                ended = life => return self.ended(ended, common),
            }
            // A crashed speaker cannot emit the event itself.
            self.observer
                .observe(self.clock.now(), &SpeakerEvent::Ended);
            sleep(down).await;
        }
    }

    /// Records what the end of a life says of the run.
    fn ended(&self, ended: Ended, common: &Common) {
        let of = self.name.map(|name| format!(" on {name}"));
        let of = of.unwrap_or_default();
        match ended {
            Ended::Orderly => {}
            Ended::Failed(reason) => {
                let reason = format!("the speaker{of}: {reason}");
                common.progress.fail(reason.as_str(), None);
                common.died.borrow_mut().push(reason);
            }
            Ended::Invalid(reason) => {
                let reason = format!("the speaker{of}: {reason}");
                common.invalid.replace(Some(reason));
                // Nothing that follows would be worth anything.
                common.progress.end();
            }
        }
    }
}

const fn control(signal: Signal) -> Control {
    match signal {
        Signal::Reload => Control::Reload,
        Signal::Restart => Control::Restart,
        Signal::Terminate => Control::Terminate,
    }
}
