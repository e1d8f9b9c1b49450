//! One run of a plan in one mode, in a simulated world.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::explore::baseline::{Baseline, difference};
use crate::explore::evidence::inside::Watcher;
use crate::explore::evidence::wire::WireRecorder;
use crate::explore::finished_run::FinishedRun;
use crate::explore::generate::Profile;
use crate::explore::plan::{PROGRAM_PATIENCE, Plan};
use crate::reactor::defects::{Defect, DefectSet, Defects, NoDefects};
use crate::reactor::order::{Arrival, Order};
use crate::reactor::{Configurations, Mode, Rotation};
use crate::scenario::format::host_fault::{HostFault, PeerBehaviour};
use crate::scenario::format::message::is_notification;
use crate::scenario::format::script::{PeerAction, ProgramAction, Scenario, Signal};
use crate::scenario::run::conditions::{AdverseConditions, Conditions, MEETING};
use crate::scenario::run::error::PlayError;
use crate::scenario::run::hosts::SimHosts;
use crate::scenario::run::mark::Mark;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::prepare;
use crate::scenario::run::runner::{HostedSubject, Run};
use crate::scenario::run::simulated::needs_routed;
use crate::scenario::scripted::transcripts::Transcripts;
use crate::sim::{
    self, Faults, FaultyNetwork, Keep, Seed, SimNetwork, TappedNetwork, Trace, TriggeredFault,
    World,
};
use crate::subject::guest::GuestSpeaker;
use crate::subject::launcher::{Launcher, Setup};
use crate::subject::own::{MakeOrder, OwnSpeaker};
use crate::subject::{Subject, Variant};

/// How long recovery may take: a hold time of 180 s on either end, and the longest pause between attempts.
const RECOVERY: Duration = Duration::from_secs(900);
/// How long a run is watched if no session stays up.
const FLEETING: Duration = Duration::from_secs(5);
/// The host under test, as its records name it.
const SPEAKER: &str = "speaker";
/// Each simulated host has its own port 179.
const PORT: u16 = 179;
/// Longer than any run takes, recovery included.
const VIRTUAL_LIMIT: Duration = Duration::from_secs(86_400);

/// The network that a subject sees: faults trigger on it, and what passes is recorded.
type SubjectNetwork = TappedNetwork<SimNetwork>;

/// A scenario with its configuration read, to be run again and again.
pub struct Runner {
    scenario: Rc<Scenario>,
    /// Our own speaker; absent where it is not under test and cannot read the configuration.
    speaker: Option<prepare::Prepared>,
    /// The programs of the other variants under test.
    launchers: Vec<(Variant, Launcher)>,
    limits: BTreeMap<String, u32>,
    reloads: bool,
    neighbors: BTreeSet<IpAddr>,
}

impl Runner {
    /// Reads the configurations of `scenario` and finds the programs of `variants`.
    ///
    /// # Errors
    /// A configuration that cannot be read or understood; a program that is not there.
    pub fn new(scenario: Rc<Scenario>, variants: &[Variant]) -> Result<Self, PlayError> {
        let scenario = if needs_routed(variants.iter())? {
            Rc::new(scenario.routed())
        } else {
            scenario
        };
        let [script] = scenario.speakers.as_slice() else {
            return Err(PlayError::Unsupported {
                what: format!(
                    "plan for scenario `{}`, which has several speakers",
                    scenario.name
                ),
                help: "`lockstep run` plays it",
            });
        };
        let mut speaker = match prepare::prepare(&scenario, script) {
            Ok(prepared) => Some(prepared),
            Err(error) if variants.iter().any(|variant| variant.speaker.is_own()) => {
                return Err(error);
            }
            Err(_) => None,
        };
        let mut limits = BTreeMap::new();
        let mut neighbors = BTreeSet::new();
        if let Some((rotation, settings)) = &mut speaker {
            // A speaker that stops after a number of attempts could not recover.
            settings.attempts = 0;
            limits = rate_limits(rotation);
            rotation.change_neighbors(|neighbor| {
                neighbors.insert(neighbor.peer_address);
            });
        }
        let others = variants.iter().filter(|variant| !variant.speaker.is_own());
        let launchers = others.map(|variant| {
            let launcher = prepare::launcher(&scenario, script, variant)?;
            Ok((variant.clone(), launcher))
        });
        Ok(Self {
            launchers: launchers.collect::<Result<_, PlayError>>()?,
            reloads: has_it_reload(&scenario),
            speaker,
            limits,
            neighbors,
            scenario,
        })
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Rc<Scenario> {
        &self.scenario
    }

    /// The peers' addresses in the speaker's configurations.
    #[must_use]
    pub const fn neighbors(&self) -> &BTreeSet<IpAddr> {
        &self.neighbors
    }

    /// Where faults can trigger, taken from a run without faults.
    #[must_use]
    pub fn profile(&self, ran: &FinishedRun) -> Profile {
        let connections = ran.played.transcripts.iter().map(|transcript| {
            let octets = |from_speaker| {
                let passed = transcript.messages.iter();
                passed
                    .filter(|passed| passed.from_speaker == from_speaker)
                    .map(|passed| passed.bytes.len() as u64)
                    .sum()
            };
            (transcript.name, octets(true), octets(false))
        });
        Profile {
            connections: connections.collect(),
            elapsed: ran.played.elapsed,
            ..self.empty_profile()
        }
    }

    /// A profile without connections.
    #[must_use]
    pub fn empty_profile(&self) -> Profile {
        let programs = self.scenario.programs.iter();
        Profile {
            scenario: self.scenario.name.clone(),
            connections: Vec::new(),
            programs: programs
                .map(|program| (program.name.clone(), program.steps.len()))
                .collect(),
            elapsed: Duration::ZERO,
        }
    }

    /// Runs `plan` with `variant` under test; it is watched until its peers hold the tables of `baseline`.
    ///
    /// # Errors
    /// A peer that cannot listen, a run that does not end.
    pub fn run(
        &self,
        plan: &Plan,
        variant: &Variant,
        keep: Keep,
        baseline: Option<&Rc<Baseline>>,
    ) -> Result<FinishedRun, PlayError> {
        if plan.defects.is_empty() {
            self.run_with(plan, variant, keep, baseline, |_| NoDefects, None)
        } else {
            let defects: Defects = plan.defects.iter().copied().collect();
            self.run_with(plan, variant, keep, baseline, |_| defects, None)
        }
    }

    /// The same, the defects of `plan` being only in the reactor that they come from; what is pending is noted at
    /// `look_at`.
    ///
    /// # Errors
    /// As for [`Self::run`].
    pub fn run_at_home(
        &self,
        plan: &Plan,
        variant: &Variant,
        keep: Keep,
        baseline: Option<&Rc<Baseline>>,
        look_at: Option<Duration>,
    ) -> Result<FinishedRun, PlayError> {
        let defects: Defects = plan.defects.iter().copied().collect();
        self.run_with(
            plan,
            variant,
            keep,
            baseline,
            |mode| defects.at_home(mode),
            look_at,
        )
    }

    /// Our speaker's configurations and settings; it listens for peers that connect.
    fn prepared(&self, plan: &Plan) -> Result<prepare::Prepared, PlayError> {
        let (mut rotation, settings) = match &self.speaker {
            Some(prepared) => prepared.clone(),
            None => prepare::prepare(&self.scenario, &self.scenario.speakers[0])?,
        };
        rotation.change_neighbors(|neighbor| {
            // At its own addresses the speaker is reached by its peers, whatever host they are on.
            if connects(plan, neighbor.peer_address) {
                neighbor.listen.get_or_insert(MEETING);
            }
        });
        Ok((rotation, settings))
    }

    fn run_with<D: DefectSet>(
        &self,
        plan: &Plan,
        variant: &Variant,
        keep: Keep,
        baseline: Option<&Rc<Baseline>>,
        defects: impl Fn(Mode) -> D,
        look_at: Option<Duration>,
    ) -> Result<FinishedRun, PlayError> {
        if let Some(mode) = variant.own_mode() {
            let (rotation, settings) = self.prepared(plan)?;
            let subject = OwnSpeaker::new(mode, rotation, settings, defects(mode));
            return self.staged(plan, subject.ordered(order(plan)), keep, baseline, look_at);
        }
        let subject = self.guest(plan, variant)?;
        let ran = self.staged(plan, subject, keep, baseline, None)?;
        // Its events are what it prints: its API cannot be observed.
        Ok(FinishedRun {
            inside: None,
            ..ran
        })
    }

    /// The speaker of `variant` as a guest.
    fn guest(&self, plan: &Plan, variant: &Variant) -> Result<GuestSpeaker, PlayError> {
        let script = &self.scenario.speakers[0];
        let mut launchers = self.launchers.iter();
        let found = launchers.find_map(|(of, launcher)| (of == variant).then(|| launcher.clone()));
        let launcher = match found {
            Some(launcher) => launcher,
            None => prepare::launcher(&self.scenario, script, variant)?,
        };
        let setup = Setup {
            // A speaker that stops after a number of attempts could not recover.
            attempts: 0,
            ..prepare::setup(&self.scenario, script, variant)
        };
        let guest = GuestSpeaker::new(variant.clone(), launcher, setup, &std::env::temp_dir());
        Ok(guest.at_pace(plan.pace).seeded(plan.seed))
    }

    /// Runs `plan` with `subject` under test in a world of its own.
    fn staged<S: Subject<SubjectNetwork> + 'static>(
        &self,
        plan: &Plan,
        subject: S,
        keep: Keep,
        baseline: Option<&Rc<Baseline>>,
        look_at: Option<Duration>,
    ) -> Result<FinishedRun, PlayError> {
        // If no session stays up, nothing recovers: further connections would all be alike.
        let lives = baseline.is_none_or(|baseline| !baseline.tables.is_empty());
        let is_own = subject.variant().speaker.is_own();
        let world = World::new(plan.settings()).map_err(|error| PlayError::Io {
            what: "a simulated world".into(),
            error,
        })?;
        let clock = world.clock();
        let trace = Trace::new(clock, keep);
        let faults = Faults::new(&plan.faults);
        let hosts = SimHosts::new(&world, &self.scenario, plan.link);
        let script = &self.scenario.speakers[0];
        let faulty = FaultyNetwork::new(hosts.of_speaker(script), SPEAKER, &trace, &faults)
            .map_err(|error| PlayError::Plan(error.to_string()))?;
        let tapped = TappedNetwork::new(faulty, SPEAKER, &trace);
        let speaker_clock = clock.skewed(plan.skew);
        let wire = WireRecorder::new(SPEAKER, speaker_clock);
        let watcher = Watcher::new(trace.clone(), clock, look_at);
        let (outside, inside) = (wire.clone(), watcher.record());
        trace.listen(move |record| {
            inside(record);
            outside.record(record);
        });
        let watcher = Rc::new(match keep {
            Keep::All => watcher.marking(),
            Keep::Hash => watcher,
        });
        let production = Run {
            scenario: self.scenario.clone(),
            subjects: vec![HostedSubject {
                name: None,
                addresses: addresses(&self.scenario),
                subject,
                network: tapped,
                clock: speaker_clock,
                observer: watcher.clone(),
            }],
            peer_networks: hosts.of_peers(),
            port: PORT,
            clock,
            background: Vec::new(),
            // The answers of another speaker promise nothing.
            pauses: !is_own || plan.defects.contains(&Defect::EarlyAnswer),
            conditions: Conditions::Adverse(AdverseConditions {
                host_faults: plan.host_faults.clone(),
                patience: PROGRAM_PATIENCE,
                calm: if lives {
                    plan.last_timed_fault()
                } else {
                    plan.last_timed_fault().min(FLEETING)
                },
                recovery: RECOVERY,
                watch: plan.watch,
            }),
        };
        let baseline = baseline.cloned();
        let span = self.scenario.span();
        let whole = plan.is_mild();
        let recovered = Box::new(move |transcripts: &Transcripts| {
            baseline.as_ref().is_none_or(|baseline| {
                holds(transcripts, baseline) && (!whole || has_said(transcripts, baseline))
            })
        });
        let limit = VIRTUAL_LIMIT + span * 4;
        let played = world.run(limit, production.play(recovered))??;
        let elapsed = played.elapsed;
        let triggered = faults.report();
        let mut marks = Vec::new();
        if keep == Keep::All {
            marks = fault_marks(plan, &triggered);
            marks.extend(watcher.take_marks());
            // Stable: a fault comes before its consequences.
            marks.sort_by_key(|mark| mark.at);
        }
        Ok(FinishedRun {
            played: RunResult { marks, ..played },
            wire: wire.take(elapsed),
            inside: Some(watcher.take()),
            triggered,
            hash: trace.hash(),
            limits: self.limits.clone(),
            reloads: self.reloads,
            verbatim: !self.scenario.verbatims.is_empty(),
            records: trace.take_records(),
        })
    }
}

/// The addresses of the host of the speaker under test.
fn addresses(scenario: &Scenario) -> Vec<IpAddr> {
    let host = scenario.topology.host(scenario.speakers[0].host);
    host.map_or_else(Vec::new, |host| host.addresses.clone())
}

/// The marks of the faults that triggered, and of crashes.
fn fault_marks(plan: &Plan, triggered: &[TriggeredFault]) -> Vec<Mark> {
    let triggered = triggered.iter();
    let faults = triggered.filter_map(|one| Some(Mark::fault(one.at?, one.fault.to_string())));
    let crashes = plan
        .host_faults
        .iter()
        .filter_map(|host_fault| match host_fault {
            HostFault::CrashSpeaker { at, .. } | HostFault::CrashPeer { at, .. } => {
                Some(Mark::fault(*at, host_fault.to_string()))
            }
            HostFault::Peer { .. } | HostFault::Program { .. } => None,
        });
    faults.chain(crashes).collect()
}

/// Whether the peer at `address` connects to the speaker in `plan`.
fn connects(plan: &Plan, address: IpAddr) -> bool {
    plan.host_faults.iter().any(
        |host_fault| matches!(host_fault, HostFault::Peer { peer, behaviour: PeerBehaviour::Connects } if *peer == address),
    )
}

/// Whether a script makes the speaker reload its configuration.
fn has_it_reload(scenario: &Scenario) -> bool {
    let signals = scenario.peers.iter().any(|peer| {
        let connections = peer.connections.iter().flat_map(|(_, steps)| steps);
        let mut steps = peer.steps.iter().chain(connections);
        steps.any(|step| {
            let action = &step.action;
            matches!(action, PeerAction::Signal(Signal::Reload | Signal::Restart))
        })
    });
    let mut commands = scenario.programs.iter().flat_map(|program| {
        let steps = program.steps.iter();
        steps.filter_map(|step| match &step.action {
            ProgramAction::Write(lines) => Some(lines),
            _ => None,
        })
    });
    signals || commands.any(|lines| lines.iter().any(|line| line.trim() == "reload"))
}

fn rate_limits(rotation: &Rotation) -> BTreeMap<String, u32> {
    let Ok(configuration) = rotation.clone().read() else {
        return BTreeMap::new();
    };
    let neighbors = configuration.neighbors.iter();
    neighbors
        .filter_map(|neighbor| Some((neighbor.peer_address.to_string(), neighbor.rate_limit?)))
        .collect()
}

fn order(plan: &Plan) -> MakeOrder {
    if !plan.drawn_order {
        return Box::new(|| Box::new(Arrival));
    }
    let seed = Seed(plan.seed);
    Box::new(move || Box::new(Drawn(sim::Order::drawn(seed, "order"))))
}

struct Drawn(sim::Order);

impl Order for Drawn {
    fn pick(&mut self, ready: usize) -> usize {
        self.0.pick(ready)
    }
}

/// Whether the speaker has sent as many messages as in `baseline`.
fn has_said(transcripts: &Transcripts, baseline: &Baseline) -> bool {
    let counts = transcripts.counts();
    baseline.octets.connections.iter().all(|(key, messages)| {
        let said = messages.iter().filter(|it| !is_notification(it)).count();
        counts.get(key).is_some_and(|count| *count >= said)
    })
}

/// Whether every peer of `baseline` is up with the table it has there.
fn holds(transcripts: &Transcripts, baseline: &Baseline) -> bool {
    baseline.tables.iter().all(|(peer, expected)| {
        transcripts.view(*peer, |view| {
            let found: Vec<_> = view.routes().cloned().collect();
            view.is_live() && difference(expected, &found).is_none()
        })
    })
}
