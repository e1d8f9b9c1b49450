//! One run of a plan in a simulated world: every host of the scenario, faults and a tap on what is under test.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::explore::baseline::Baseline;
use crate::explore::evidence::inside::{Inside, Watcher};
use crate::explore::evidence::wire::{Wire, WireRecorder};
use crate::explore::finished_run::FinishedRun;
use crate::explore::plan::{PROGRAM_PATIENCE, Plan};
use crate::net::clock::Clock;
use crate::reactor::defects::Defect;
use crate::scenario::format::host_fault::{HostFault, Partition};
use crate::scenario::format::message::is_notification;
use crate::scenario::format::script::{ConnectTarget, Scenario};
use crate::scenario::run::between::Between;
use crate::scenario::run::conditions::{AdverseConditions, Conditions};
use crate::scenario::run::error::PlayError;
use crate::scenario::run::hosts::SimHosts;
use crate::scenario::run::mark::Mark;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::runner::{Background, HostedSubject, Run};
use crate::scenario::scripted::transcripts::Transcripts;
use crate::sim::{
    Faults, FaultyNetwork, Keep, SimNetwork, TappedNetwork, Trace, TriggeredFault, World,
};
use crate::subject::Subject;

/// How long recovery may take: a hold time of 180 s on either end, and the longest pause between attempts.
const RECOVERY: Duration = Duration::from_secs(900);
/// How long a run is watched if no session stays up.
const FLEETING: Duration = Duration::from_secs(5);
/// The only host under test, as its records name it.
const SPEAKER: &str = "speaker";
/// Each simulated host has its own port 179.
const PORT: u16 = 179;
/// Longer than any run takes, recovery included.
const VIRTUAL_LIMIT: Duration = Duration::from_secs(86_400);

/// The network that a subject sees: faults trigger on it, and what passes is recorded.
pub type SubjectNetwork = TappedNetwork<SimNetwork>;

/// What a run is made of, its subjects left out.
pub(super) struct Staging<'a> {
    pub(super) scenario: &'a Rc<Scenario>,
    pub(super) plan: &'a Plan,
    pub(super) keep: Keep,
    pub(super) baseline: Option<&'a Rc<Baseline>>,
    pub(super) look_at: Option<Duration>,
    pub(super) limits: &'a BTreeMap<String, u32>,
    pub(super) reloads: bool,
    /// How long the speakers under test may wait by design before they connect again.
    pub(super) reconnect: Duration,
}

/// What watches one host under test.
struct Watched {
    watcher: Rc<Watcher>,
    wire: WireRecorder,
}

impl Staging<'_> {
    /// Runs the plan with `subjects` under test, in the order of the scenario's speakers, in a world of its own.
    pub(super) fn run<S: Subject<SubjectNetwork> + 'static>(
        &self,
        subjects: Vec<S>,
    ) -> Result<FinishedRun, PlayError> {
        let (plan, scenario) = (self.plan, self.scenario);
        let has_foreign = subjects.iter().any(|it| !it.variant().speaker.is_own());
        let world = World::new(plan.settings()).map_err(|error| PlayError::Io {
            what: "a simulated world".into(),
            error,
        })?;
        let clock = world.clock();
        let trace = Trace::new(clock, self.keep);
        let between = match self.keep {
            Keep::All => Between::new(&world, scenario),
            Keep::Sockets | Keep::Hash => Between::default(),
        };
        let faults = Faults::new(&plan.faults);
        let hosts = SimHosts::new(&world, scenario, plan.link, &plan.tcp);
        let speaker_clock = clock.skewed(plan.skew);
        let mut hosted = Vec::new();
        let mut all_watched = Vec::new();
        for (script, subject) in scenario.speakers.iter().zip(subjects) {
            let name = scenario.label(script);
            let word = name.as_ref().map_or(SPEAKER, |name| name.as_str());
            let faulty = FaultyNetwork::new(hosts.of_speaker(script), word, &trace, &faults)
                .map_err(|error| PlayError::Plan(error.to_string()))?;
            let watched = self.watch(&trace, word, clock, speaker_clock);
            let host = scenario.topology.host(script.host);
            hosted.push(HostedSubject {
                name,
                addresses: host.map_or_else(Vec::new, |host| host.addresses.clone()),
                subject,
                network: TappedNetwork::new(faulty, word, &trace),
                clock: speaker_clock,
                observer: watched.watcher.clone(),
            });
            all_watched.push(watched);
        }
        let of_scenario = scenario.topology.partitions.iter().copied();
        let partitions: Vec<Partition> = of_scenario.chain(plan.partitions()).collect();
        let background = partitions.iter();
        let background = background
            .map(|partition| -> Background { Box::pin(hosts.partition(*partition, clock)) })
            .collect();
        let production = Run {
            scenario: scenario.clone(),
            subjects: hosted,
            peer_networks: hosts.of_peers(),
            port: PORT,
            clock,
            background,
            // The answers of another speaker promise nothing.
            pauses: has_foreign || plan.defects.contains(&Defect::EarlyAnswer),
            conditions: self.conditions(has_foreign),
        };
        let recovered = self.recovered(&all_watched);
        let limit = VIRTUAL_LIMIT + scenario.span() * 4;
        let played = world.run(limit, production.play(recovered))??;
        let elapsed = played.elapsed;
        let triggered = faults.report();
        let mut marks = Vec::new();
        if self.keep == Keep::All {
            marks = fault_marks(plan, &triggered, &partitions);
            marks.extend(all_watched.iter().flat_map(|it| it.watcher.take_marks()));
            // Stable: a fault comes before its consequences.
            marks.sort_by_key(|mark| mark.at);
        }
        let wires = all_watched.iter().map(|it| it.wire.take(elapsed));
        let insides = all_watched.iter().map(|it| it.watcher.take());
        let of_scenario = scenario.topology.partitions.iter();
        Ok(FinishedRun {
            played: RunResult {
                marks,
                between: between.take(),
                ..played
            },
            wire: Wire::merged(wires),
            inside: Some(Inside::merged(insides)),
            triggered,
            hash: trace.hash(),
            limits: self.limits.clone(),
            reloads: self.reloads,
            controlled: scenario.programs.iter().any(|program| program.is_control),
            verbatim: !scenario.verbatims.is_empty(),
            first_partition: of_scenario.map(|partition| partition.at).min(),
            records: trace.take_records(),
        })
    }

    /// Watches the host that records call `word`.
    fn watch(&self, trace: &Trace, word: &str, clock: Clock, own: Clock) -> Watched {
        let wire = WireRecorder::new(word, own);
        let watcher = Watcher::new(trace.clone(), clock, self.look_at);
        let watcher = if word == SPEAKER {
            watcher
        } else {
            watcher.of_host(word)
        };
        let (outside, inside) = (wire.clone(), watcher.record());
        trace.listen(move |record| {
            inside(record);
            outside.record(record);
        });
        let watcher = Rc::new(match self.keep {
            Keep::All => watcher.marking(),
            Keep::Sockets | Keep::Hash => watcher,
        });
        Watched { watcher, wire }
    }

    fn conditions(&self, has_foreign: bool) -> Conditions {
        // If no session stays up, nothing recovers: further connections would all be alike.
        let lives = self.baseline.is_none_or(|baseline| baseline.stays_up());
        let of_scenario = self.scenario.topology.partitions.iter().copied();
        let of_scenario = of_scenario.map(|partition| self.plan.recovery_after(partition));
        let last = of_scenario
            .chain([self.plan.last_timed_fault()])
            .max()
            .unwrap_or_default();
        Conditions::Adverse(AdverseConditions {
            host_faults: self.plan.host_faults.clone(),
            patience: PROGRAM_PATIENCE,
            whole: has_foreign && self.plan.is_quiet(),
            meeting: self.meeting().filter(|_| has_foreign),
            calm: if lives { last } else { last.min(FLEETING) },
            recovery: RECOVERY.max(3 * self.reconnect),
            watch: self.plan.watch,
        })
    }

    /// Where a speaker of somebody else listens: at its own address.
    fn meeting(&self) -> Option<ConnectTarget> {
        let topology = &self.scenario.topology;
        let host = topology.host(self.scenario.speakers.first()?.host)?;
        let address = *host.addresses.first()?;
        Some(ConnectTarget {
            address,
            port: None,
        })
    }

    /// Whether the peers hold the tables of the baseline, and the speakers are up with one another.
    fn recovered(&self, watched: &[Watched]) -> Box<dyn Fn(&Transcripts) -> bool> {
        let baseline = self.baseline.cloned();
        let whole = self.plan.is_mild();
        let wires: Vec<WireRecorder> = watched.iter().map(|it| it.wire.clone()).collect();
        Box::new(move |transcripts: &Transcripts| {
            baseline.as_ref().is_none_or(|baseline| {
                let mut sessions = baseline.sessions.iter();
                sessions.all(|session| wires.iter().any(|wire| wire.is_up(*session)))
                    && holds(transcripts, baseline)
                    && (!whole || has_said(transcripts, baseline))
            })
        })
    }
}

/// The marks of the faults that triggered, of crashes and partitions.
fn fault_marks(plan: &Plan, triggered: &[TriggeredFault], partitions: &[Partition]) -> Vec<Mark> {
    let triggered = triggered.iter();
    let faults = triggered.filter_map(|one| Some(Mark::fault(one.at?, one.fault.to_string())));
    let crashes = plan
        .host_faults
        .iter()
        .filter_map(|host_fault| match host_fault {
            HostFault::CrashSpeaker { at, .. }
            | HostFault::CrashPeer { at, .. }
            | HostFault::StopSpeaker { at, .. }
            | HostFault::Reload { at, .. } => Some(Mark::fault(*at, host_fault.to_string())),
            HostFault::Peer { .. } | HostFault::Program { .. } | HostFault::Partition(_) => None,
        });
    let partitions = partitions
        .iter()
        .flat_map(|partition| Mark::partition(*partition));
    faults.chain(crashes).chain(partitions).collect()
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
            // Both are in the order of their index.
            view.is_live() && view.routes().eq(expected)
        })
    })
}
