//! One run of a plan in one mode, in a simulated world.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::explore::baseline::Baseline;
use crate::explore::finished_run::FinishedRun;
use crate::explore::generate::Profile;
use crate::explore::plan::Plan;
use crate::explore::staging::{Staging, SubjectNetwork};
use crate::net::HostName;
use crate::reactor::control::Control;
use crate::reactor::defects::{DefectSet, Defects, NoDefects};
use crate::reactor::order::{Arrival, Order};
use crate::reactor::{Configurations, Mode, Rotation};
use crate::scenario::format::host_fault::{HostFault, PeerBehaviour};
use crate::scenario::format::script::{PeerAction, ProgramAction, Scenario, Signal};
use crate::scenario::run::conditions::MEETING;
use crate::scenario::run::error::PlayError;
use crate::scenario::run::prepare;
use crate::scenario::run::simulated::{Chosen, routed_for};
use crate::sim::{self, Keep, Seed};
use crate::subject::guest::{GuestSpeaker, LifeFault};
use crate::subject::launcher::{Launcher, Setup};
use crate::subject::own::{MakeOrder, OwnSpeaker};
use crate::subject::{StopAt, Subject, Variant};

/// A scenario with its configuration read, to be run again and again.
pub struct Runner {
    scenario: Rc<Scenario>,
    /// What is known of each speaker of the scenario, in its order.
    speakers: Vec<Known>,
    /// A speaker of the user's own instead.
    custom: Option<Custom>,
    limits: BTreeMap<String, u32>,
    reloads: bool,
    neighbors: BTreeSet<IpAddr>,
    /// When guests are left to a debugger.
    stop: Option<StopAt>,
}

/// Runs a plan with a speaker of the user's own under test.
type Custom = Box<dyn Fn(&Staging<'_>) -> Result<FinishedRun, PlayError>>;

/// What is known of one speaker of a scenario before it runs.
struct Known {
    /// Our own speaker; absent where it is not under test and cannot read the configuration.
    own: Option<prepare::Prepared>,
    /// The programs of the other variants under test.
    launchers: Vec<(Variant, Launcher)>,
}

impl Runner {
    /// Reads the configurations of `scenario` and finds the programs of `variants`.
    ///
    /// # Errors
    /// A configuration that cannot be read or understood; a program that is not there.
    pub fn new(scenario: Rc<Scenario>, variants: &[Variant]) -> Result<Self, PlayError> {
        let scenario = routed_for(&scenario, variants)?;
        let mut limits = BTreeMap::new();
        let mut neighbors = BTreeSet::new();
        let mut speakers = Vec::new();
        for script in &scenario.speakers {
            let variants: Vec<Variant> = match &script.variant {
                Some(of_its_own) => vec![of_its_own.clone()],
                None => variants.to_vec(),
            };
            let mut own = match prepare::prepare(&scenario, script) {
                Ok(prepared) => Some(prepared),
                Err(error) if variants.iter().any(|variant| variant.speaker.is_own()) => {
                    return Err(error);
                }
                Err(_) => None,
            };
            if let Some((rotation, settings)) = &mut own {
                // A speaker that stops after a number of attempts could not recover.
                settings.attempts = 0;
                limits.extend(rate_limits(rotation));
                rotation.change_neighbors(|neighbor| {
                    neighbors.insert(neighbor.peer_address);
                });
            }
            let others = variants.iter().filter(|variant| !variant.speaker.is_own());
            let launchers = others.map(|variant| {
                let launcher = prepare::launcher(&scenario, script, variant)?;
                Ok((variant.clone(), launcher))
            });
            let launchers = launchers.collect::<Result<_, PlayError>>()?;
            speakers.push(Known { own, launchers });
        }
        Ok(Self {
            reloads: has_it_reload(&scenario),
            speakers,
            custom: None,
            limits,
            neighbors,
            scenario,
            stop: None,
        })
    }

    /// Runs `scenario` with the subject that `make` makes for each run, on the scenario's only speaker host. It needs no
    /// configuration file.
    #[must_use]
    pub fn of_subject<S: Subject<SubjectNetwork> + 'static>(
        scenario: Rc<Scenario>,
        make: impl Fn() -> S + 'static,
    ) -> Self {
        Self {
            reloads: has_it_reload(&scenario),
            speakers: Vec::new(),
            custom: Some(Box::new(move |staging| {
                let ran = staging.run(vec![make()])?;
                // Its API, if it has one, cannot be observed.
                let inside = None;
                Ok(FinishedRun { inside, ..ran })
            })),
            limits: BTreeMap::new(),
            neighbors: scenario.peers.iter().map(|peer| peer.address).collect(),
            scenario,
            stop: None,
        }
    }

    /// The scenario that is run, at routed addresses where a speaker needs them.
    #[must_use]
    pub fn scenario(&self) -> &Rc<Scenario> {
        &self.scenario
    }

    /// The peers' addresses in the speaker's configurations.
    #[must_use]
    pub const fn neighbors(&self) -> &BTreeSet<IpAddr> {
        &self.neighbors
    }

    /// Leaves guests to a debugger at a time of every run from now on.
    pub fn stop_at(&mut self, stop: StopAt) {
        self.stop = Some(stop);
    }

    /// Where faults can trigger, taken from a run without faults.
    #[must_use]
    pub fn profile(&self, ran: &FinishedRun, variants: &[Variant]) -> Profile {
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
            guests: self.are_guests(variants),
            reloads: self.are_guests(variants) && self.can_reload(),
            ..self.empty_profile()
        }
    }

    /// Whether what is under test is real daemons alone.
    fn are_guests(&self, variants: &[Variant]) -> bool {
        let mut hosts = self.speakers.iter();
        self.custom.is_none()
            && variants.iter().all(|variant| !variant.speaker.is_own())
            && hosts.all(|known| !known.launchers.is_empty())
    }

    /// Whether each daemon has a signal for reading its configuration again.
    fn can_reload(&self) -> bool {
        let mut launchers = self.speakers.iter().flat_map(|known| &known.launchers);
        launchers.all(|(_, launcher)| can_reload(launcher))
    }

    /// A profile without connections.
    #[must_use]
    pub fn empty_profile(&self) -> Profile {
        let programs = self.scenario.programs.iter();
        Profile {
            scenario: self.scenario.name.clone(),
            hosts: self
                .scenario
                .speakers
                .iter()
                .filter_map(|it| self.scenario.label(it))
                .collect(),
            links: self
                .scenario
                .topology
                .links
                .iter()
                .map(|link| link.ends)
                .collect(),
            connections: Vec::new(),
            programs: programs
                .map(|program| (program.name.clone(), program.steps.len()))
                .collect(),
            elapsed: Duration::ZERO,
            guests: false,
            reloads: false,
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

    /// The longest that one of the speakers waits by design before it connects again.
    fn reconnect(&self) -> Duration {
        let launchers = self.speakers.iter().flat_map(|known| &known.launchers);
        let seconds = launchers.map(|(_, launcher)| launcher.description.reconnect);
        Duration::from_secs(seconds.max().unwrap_or_default())
    }

    /// Configurations and settings of our speaker numbered `at`; it listens for peers that connect.
    fn prepared(&self, plan: &Plan, at: usize) -> Result<prepare::Prepared, PlayError> {
        let known = self.speakers.get(at).and_then(|known| known.own.clone());
        let (mut rotation, settings) = match known {
            Some(prepared) => prepared,
            None => prepare::prepare(&self.scenario, &self.scenario.speakers[at])?,
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
        let staging = Staging {
            scenario: &self.scenario,
            plan,
            keep,
            baseline,
            look_at,
            limits: &self.limits,
            reloads: self.reloads,
            reconnect: self.reconnect(),
        };
        if let Some(custom) = &self.custom {
            return custom(&staging);
        }
        if let (Some(mode), [_]) = (variant.own_mode(), self.scenario.speakers.as_slice()) {
            let (rotation, settings) = self.prepared(plan, 0)?;
            let subject = OwnSpeaker::new(mode, rotation, settings, defects(mode));
            return staging.run(vec![subject.ordered(order(plan))]);
        }
        let mut subjects = Vec::new();
        for (at, script) in self.scenario.speakers.iter().enumerate() {
            let variant = script.variant.as_ref().unwrap_or(variant);
            subjects.push(match variant.own_mode() {
                Some(mode) => {
                    let (rotation, settings) = self.prepared(plan, at)?;
                    let own = OwnSpeaker::new(mode, rotation, settings, defects(mode));
                    Chosen::Own(Box::new(own.ordered(order(plan))))
                }
                None => Chosen::Guest(Box::new(self.guest(plan, variant, at, keep)?)),
            });
        }
        let is_own = |subject: &Chosen<D>| matches!(subject, Chosen::Own(_));
        let observed = subjects.iter().all(is_own);
        let ran = staging.run(subjects)?;
        // The events of a guest are what it prints: its API cannot be observed.
        Ok(FinishedRun {
            inside: ran.inside.filter(|_| observed),
            ..ran
        })
    }

    /// The speaker numbered `at` as a guest of `variant`.
    fn guest(
        &self,
        plan: &Plan,
        variant: &Variant,
        at: usize,
        keep: Keep,
    ) -> Result<GuestSpeaker, PlayError> {
        let script = &self.scenario.speakers[at];
        let known = self.speakers.get(at).map(|known| known.launchers.iter());
        let mut launchers = known.into_iter().flatten();
        let found = launchers.find_map(|(of, launcher)| (of == variant).then(|| launcher.clone()));
        let launcher = match found {
            Some(launcher) => launcher,
            None => prepare::launcher(&self.scenario, script, variant)?,
        };
        let faults = life_faults(plan, self.scenario.label(script));
        let reloads = faults.iter().any(|(_, fault)| *fault == LifeFault::Reload);
        if reloads && !can_reload(&launcher) {
            return Err(PlayError::Unsupported {
                what: format!("`signal … reload`: {variant} has no signal for it"),
                help: "remove the line, or name another speaker",
            });
        }
        let setup = Setup {
            // A speaker that stops after a number of attempts could not recover.
            attempts: 0,
            ..prepare::setup(&self.scenario, script, variant)
        };
        let guest = GuestSpeaker::new(variant.clone(), launcher, setup, &std::env::temp_dir());
        // What the plan does not say is the scenario's.
        let pace = plan.pace.or(script.pace.unwrap_or_default());
        let guest = guest.at_pace(pace).seeded(plan.seed);
        let guest = guest.in_drawn_order(plan.drawn_order);
        let guest = guest.with_faults(faults);
        let guest = guest.stopping(self.stop.clone());
        Ok(match keep {
            // A sweep meets the same end again and again.
            Keep::Hash | Keep::Sockets => guest,
            Keep::All => guest.with_post_mortem(),
        })
    }
}

fn can_reload(launcher: &Launcher) -> bool {
    let signals = &launcher.description.signals;
    signals.number(Control::Reload).is_some()
}

/// What happens to the speaker of the host `name`, by its own clock.
fn life_faults(plan: &Plan, name: Option<HostName>) -> Vec<(Duration, LifeFault)> {
    let own = |at: Duration| {
        let skew = f64::from(plan.skew) / 1e6;
        if plan.skew == 0 {
            at
        } else {
            at.mul_f64(1.0 + skew)
        }
    };
    let is_of = |host: &Option<HostName>| host.is_none() || name.is_none() || *host == name;
    let faults = plan.host_faults.iter();
    faults
        .filter_map(|fault| match fault {
            HostFault::StopSpeaker { host, at, time } if is_of(host) => {
                Some((own(*at), LifeFault::Stop(own(*time))))
            }
            HostFault::Reload { host, at } if is_of(host) => Some((own(*at), LifeFault::Reload)),
            _ => None,
        })
        .collect()
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
