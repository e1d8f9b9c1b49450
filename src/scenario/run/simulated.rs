//! A scenario on the simulated network: every host of it, what is under test on some, peers on the others.

use std::rc::Rc;

use crate::net::Network;
use crate::net::abort::Abort;
use crate::net::programs::Programs;
use crate::reactor::Mode;
use crate::reactor::defects::DefectSet;
use crate::scenario::format::script::{Scenario, SpeakerScript};
use crate::scenario::run::between::Between;
use crate::scenario::run::conditions::LIMIT;
use crate::scenario::run::error::PlayError;
use crate::scenario::run::hosts::SimHosts;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::prepare::{io_error, launcher, prepare, setup};
use crate::scenario::run::runner::{Background, HostedSubject};
use crate::scenario::run::strict::{PORT, run};
use crate::sim::{Settings, World};
use crate::subject::guest::GuestSpeaker;
use crate::subject::locate::LocateError;
use crate::subject::own::OwnSpeaker;
use crate::subject::{Ended, Host, Subject, Variant, locate};

/// What is under test on one host.
pub enum Chosen<D> {
    /// Our own speaker.
    Own(Box<OwnSpeaker<D>>),
    /// A program of somebody else as a guest.
    Guest(Box<GuestSpeaker>),
}

impl<N: Network, D: DefectSet> Subject<N> for Chosen<D>
where
    N::Connection: Abort,
{
    fn variant(&self) -> &Variant {
        match self {
            Self::Own(own) => Subject::<N>::variant(&**own),
            Self::Guest(guest) => Subject::<N>::variant(&**guest),
        }
    }

    fn starts_programs(&self) -> bool {
        match self {
            Self::Own(own) => Subject::<N>::starts_programs(&**own),
            Self::Guest(guest) => Subject::<N>::starts_programs(&**guest),
        }
    }

    async fn live<P: Programs>(&self, host: Host<N, P>) -> Ended {
        match self {
            Self::Own(own) => own.live(host).await,
            Self::Guest(guest) => guest.live(host).await,
        }
    }
}

/// Plays `scenario`, `variant` being under test wherever the scenario leaves that open.
///
/// # Errors
/// A configuration or a program that cannot be read or found; a run that makes no progress.
pub fn play<D: DefectSet>(
    scenario: &Rc<Scenario>,
    variant: &Variant,
    defects: impl Fn(Mode) -> D,
    pauses: bool,
) -> Result<RunResult, PlayError> {
    let scenario = &routed_for(scenario, std::slice::from_ref(variant))?;
    let settings = Settings::default();
    let world = World::new(settings).map_err(io_error("a simulated world"))?;
    let hosts = SimHosts::new(&world, scenario, settings.link, &[]);
    let between = Between::new(&world, scenario);
    let clock = world.clock();
    let mut subjects = Vec::new();
    let mut has_guest = false;
    for speaker in &scenario.speakers {
        let variant = speaker.variant.as_ref().unwrap_or(variant);
        let subject = choose(scenario, speaker, variant, &defects)?;
        has_guest |= matches!(subject, Chosen::Guest(_));
        let host = scenario.topology.host(speaker.host);
        subjects.push((
            scenario.label(speaker),
            host.map_or_else(Vec::new, |host| host.addresses.clone()),
            subject,
            hosts.of_speaker(speaker),
        ));
    }
    let partitions = scenario.topology.partitions.iter();
    let background = partitions
        .map(|partition| -> Background { Box::pin(hosts.partition(*partition, clock)) })
        .collect();
    let limit = LIMIT * 2 + scenario.span();
    // The answers of another speaker promise nothing of what its peers were sent: "done" follows the queue.
    let pauses = pauses || has_guest;
    let run = run(
        scenario.clone(),
        move |story| {
            let subjects = subjects.into_iter();
            let hosted = subjects.map(|(name, addresses, subject, network)| HostedSubject {
                name,
                addresses,
                subject,
                network,
                clock,
                observer: story.of_host(name),
            });
            hosted.collect()
        },
        hosts.of_peers(),
        clock,
        PORT,
        pauses,
        background,
    );
    let played = world.run(limit, run)??;
    Ok(RunResult {
        between: between.take(),
        ..played
    })
}

/// `scenario` as it is, or at routed addresses where one of its speakers refuses a neighbor at a loopback address; `variants`
/// are under test wherever it leaves that open.
///
/// # Errors
/// A speaker that is not known, a description with a mistake.
pub fn routed_for(
    scenario: &Rc<Scenario>,
    variants: &[Variant],
) -> Result<Rc<Scenario>, LocateError> {
    for speaker in &scenario.speakers {
        let variants = speaker
            .variant
            .as_ref()
            .map_or(variants, std::slice::from_ref);
        for variant in variants.iter().filter(|variant| !variant.speaker.is_own()) {
            if !locate::describe(&variant.speaker)?.loopback {
                return Ok(Rc::new(scenario.routed()));
            }
        }
    }
    Ok(Rc::clone(scenario))
}

fn choose<D: DefectSet>(
    scenario: &Scenario,
    speaker: &SpeakerScript,
    variant: &Variant,
    defects: impl Fn(Mode) -> D,
) -> Result<Chosen<D>, PlayError> {
    if let Some(mode) = variant.own_mode() {
        let (configurations, settings) = prepare(scenario, speaker)?;
        let own = OwnSpeaker::new(mode, configurations, settings, defects(mode));
        return Ok(Chosen::Own(Box::new(own)));
    }
    let launcher = launcher(scenario, speaker, variant)?;
    let setup = setup(scenario, speaker, variant);
    let mut guest = GuestSpeaker::new(variant.clone(), launcher, setup, &std::env::temp_dir());
    if let Some(pace) = speaker.pace {
        guest = guest.at_pace(pace);
    }
    Ok(Chosen::Guest(Box::new(guest.with_post_mortem())))
}
