//! A scenario on turmoil: the second opinion.

use std::rc::Rc;
use std::time::Duration;

use crate::net::clock::Clock;
use crate::reactor::Mode;
use crate::scenario::format::script::Scenario;
use crate::scenario::run::play::{Manner, PlayError, Prepared, run};
use crate::scenario::run::played::RunResult;
use crate::scenario::run::runner::LIMIT;
use crate::sim::turmoil::TurmoilWorld;

const LATENCY: Duration = Duration::from_millis(1);
const PARTY: &str = "host";
const PORT: u16 = 179;

/// Plays `scenario` in `mode`: speaker and peers are one party, as they are one host on the loopback.
///
/// # Errors
/// A run that does not end.
pub fn play(scenario: Rc<Scenario>, mode: Mode, speaker: Prepared) -> Result<RunResult, PlayError> {
    let world = TurmoilWorld::new(0, LATENCY, LIMIT * 2 + scenario.span());
    let network = world.network(PARTY);
    world.run(PARTY, async move {
        let clock = Clock::start();
        let manner = Manner::sound(mode);
        run(scenario, manner, speaker, network, clock, PORT).await
    })?
}
