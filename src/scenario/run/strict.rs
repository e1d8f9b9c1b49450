//! A run without faults, in which every step must be met exactly.

use std::rc::Rc;

use crate::net::Network;
use crate::net::clock::Clock;
use crate::scenario::format::script::Scenario;
use crate::scenario::run::error::PlayError;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::runner::{Conditions, Run};
use crate::scenario::run::story::Story;
use crate::subject::Subject;

/// The port of BGP (RFC 4271 section 8): a simulated host has it to itself.
pub(super) const PORT: u16 = 179;

/// Runs `scenario` with `subject` under test on `network`, the peers listening at `port` (0: any that is free).
pub(super) async fn run<N: Network>(
    scenario: Rc<Scenario>,
    subject: impl Subject<N>,
    (network, peer_network): (N, N),
    clock: Clock,
    port: u16,
    pauses: bool,
) -> Result<RunResult, PlayError> {
    let story = Rc::new(Story::default());
    let run = Run {
        scenario,
        subject,
        network,
        peer_network,
        port,
        clock,
        subject_clock: clock,
        observer: story.clone(),
        pauses,
        conditions: Conditions::Strict,
    };
    let result = run.play(Box::new(|_| true)).await?;
    Ok(RunResult {
        hash: Some(story.hash()),
        marks: story.take_marks(),
        ..result
    })
}
