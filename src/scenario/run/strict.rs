//! A run in which nothing goes wrong that the scenario does not say, and every step must be met as it is written.

use std::rc::Rc;

use crate::net::Network;
use crate::net::clock::Clock;
use crate::scenario::format::script::Scenario;
use crate::scenario::run::conditions::Conditions;
use crate::scenario::run::error::PlayError;
use crate::scenario::run::mark::Mark;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::runner::{Background, HostedSubject, Run};
use crate::scenario::run::story::Story;
use crate::subject::Subject;

/// The port of BGP (RFC 4271 section 8): a simulated host has it to itself.
pub(super) const PORT: u16 = 179;

/// Plays `scenario` to the subjects that `host` makes, their events going into the story that it is given; the peers
/// listen at `port` (0: any that is free), each on its network.
pub(super) async fn run<N: Network, S: Subject<N> + 'static>(
    scenario: Rc<Scenario>,
    host: impl FnOnce(&Rc<Story>) -> Vec<HostedSubject<S, N>>,
    peer_networks: Vec<N>,
    clock: Clock,
    port: u16,
    pauses: bool,
    background: Vec<Background>,
) -> Result<RunResult, PlayError> {
    let story = Rc::new(Story::default());
    let run = Run {
        scenario,
        subjects: host(&story),
        peer_networks,
        port,
        clock,
        pauses,
        conditions: Conditions::Strict,
        background,
    };
    let partitions = run.scenario.topology.partitions.clone();
    let result = run.play(Box::new(|_| true)).await?;
    let mut marks: Vec<Mark> = partitions.into_iter().flat_map(Mark::partition).collect();
    marks.retain(|mark| mark.at <= result.elapsed);
    marks.extend(story.take_marks());
    // Stable: a partition comes before its consequences.
    marks.sort_by_key(|mark| mark.at);
    Ok(RunResult {
        hash: Some(story.hash()),
        marks,
        ..result
    })
}

/// The same for a scenario with one speaker, whose peers share a network.
pub(super) async fn run_alone<N: Network>(
    scenario: Rc<Scenario>,
    subject: impl Subject<N> + 'static,
    (network, peer_network): (N, N),
    clock: Clock,
    port: u16,
) -> Result<RunResult, PlayError> {
    let peer_networks = vec![peer_network; scenario.peers.len()];
    let host = |story: &Rc<Story>| {
        vec![HostedSubject {
            name: None,
            addresses: Vec::new(),
            subject,
            network,
            clock,
            observer: story.of_host(None),
        }]
    };
    let background = Vec::new();
    run(
        scenario,
        host,
        peer_networks,
        clock,
        port,
        false,
        background,
    )
    .await
}
