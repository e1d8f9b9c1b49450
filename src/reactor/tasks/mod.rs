//! The reactor of tasks (async): a task for each peer, each program, each listener and each connection on its way out.
//!
//! They share a [`hub::Hub`] and wake one another by notification. A peer's task waits for the first of a deadline,
//! a change and octets, in that order; it reads and writes in large pieces. A program's task applies what one read
//! brought and then waits until every established peer has taken it, before it answers and reads on. Every `select!`
//! is biased, and the tasks are run by an executor of our own, so that the order of what is ready is known.

mod converse;
mod executor;
mod hub;
mod lifecycle;
mod linger;
mod peer;
mod program;
mod wrong;

use std::rc::Rc;

use super::conduct::Conduct;
use super::network::Network;
use super::programs::Programs;
use super::run::{Outcome, Speaker, Surroundings};

use executor::{Executor, Spawner};
use hub::{Foundation, Hub};
use lifecycle::Main;

/// Runs `speaker` to its end.
pub(super) async fn run<N: Network, P: Programs, C: Conduct>(
    speaker: Speaker,
    surroundings: Surroundings<N, P, C>,
) -> Outcome {
    let Surroundings {
        network,
        programs,
        clock,
        observer,
        control,
        conduct,
    } = surroundings;
    let spawner = Spawner::default();
    let hub = Rc::new(Hub::new(Foundation {
        clock,
        network,
        settings: speaker.settings,
        identity: speaker.identity,
        conduct,
        observer,
        spawner: spawner.clone(),
    }));
    let main = Main::new(hub, programs, speaker.configurations);
    Executor::new(main.run(control), spawner, speaker.order).await
}
