//! A scenario on turmoil: the second opinion.

use std::rc::Rc;
use std::time::Duration;

use crate::net::clock::Clock;
use crate::scenario::format::script::Scenario;
use crate::scenario::run::conditions::LIMIT;
use crate::scenario::run::error::PlayError;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::strict::{PORT, run_alone};
use crate::sim::turmoil::{TurmoilNetwork, TurmoilWorld};
use crate::subject::Subject;

const LATENCY: Duration = Duration::from_millis(1);
const PARTY: &str = "host";

/// Runs `scenario` with `subject` under test. Speaker and peers share one host, as on the loopback.
///
/// # Errors
/// A run that makes no progress.
pub fn play(
    scenario: Rc<Scenario>,
    subject: impl Subject<TurmoilNetwork> + 'static,
) -> Result<RunResult, PlayError> {
    let world = TurmoilWorld::new(0, LATENCY, LIMIT * 2 + scenario.span());
    let networks = (world.network(PARTY), world.network(PARTY));
    world.run(PARTY, async move {
        let clock = Clock::start();
        run_alone(scenario, subject, networks, clock, PORT).await
    })?
}
