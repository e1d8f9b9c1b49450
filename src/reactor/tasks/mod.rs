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
mod defect_state;

use std::rc::Rc;

use crate::net::Network;
use crate::net::programs::Programs;
use crate::reactor::defects::DefectSet;
use crate::reactor::run::{Outcome, Speaker, Surroundings};

use executor::{Executor, Spawner};
use hub::{Hub, HubParts};
use lifecycle::Main;

/// Runs `speaker` to its end.
pub(super) async fn run<N: Network, P: Programs, C: DefectSet>(
    speaker: Speaker,
    surroundings: Surroundings<N, P, C>,
) -> Outcome {
    let Surroundings {
        network,
        programs,
        clock,
        observer,
        control,
        defects,
    } = surroundings;
    let spawner = Spawner::default();
    let hub = Rc::new(Hub::new(HubParts {
        clock,
        network,
        settings: speaker.settings,
        identity: speaker.identity,
        defects,
        observer,
        spawner: spawner.clone(),
    }));
    let main = Main::new(hub, programs, speaker.configurations);
    Executor::new(main.run(control), spawner, speaker.order).await
}
