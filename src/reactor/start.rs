//! Starts a speaker in the reactor of its mode.

use std::rc::Rc;

use crate::net::Network;
use crate::net::clock::Clock;
use crate::net::programs::Programs;
use crate::reactor::control::ControlReceiver;
use crate::reactor::defects::{DefectSet, NoDefects};
use crate::reactor::observer::Observer;
use crate::reactor::run::{Outcome, Speaker, Surroundings};
use crate::reactor::{Mode, polled, tasks};

/// Runs `speaker` until no peer may reconnect or it is asked to end.
pub async fn run<N: Network, P: Programs>(
    mode: Mode,
    speaker: Speaker,
    network: N,
    programs: P,
    clock: Clock,
    observer: Rc<dyn Observer>,
    control: ControlReceiver,
) -> Outcome {
    let surroundings = Surroundings {
        network,
        programs,
        clock,
        observer,
        control,
        defects: NoDefects,
    };
    run_in(mode, speaker, surroundings).await
}

/// The same with defects enabled, for tests of what finds them.
#[allow(clippy::too_many_arguments, reason = "as for `run`, and one more")]
pub async fn run_with_defects<N: Network, P: Programs, C: DefectSet>(
    mode: Mode,
    speaker: Speaker,
    network: N,
    programs: P,
    clock: Clock,
    observer: Rc<dyn Observer>,
    control: ControlReceiver,
    defects: C,
) -> Outcome {
    let surroundings = Surroundings {
        network,
        programs,
        clock,
        observer,
        control,
        defects,
    };
    run_in(mode, speaker, surroundings).await
}

async fn run_in<N: Network, P: Programs, C: DefectSet>(
    mode: Mode,
    speaker: Speaker,
    surroundings: Surroundings<N, P, C>,
) -> Outcome {
    match mode {
        Mode::Sync => polled::run(speaker, surroundings).await,
        Mode::Async => tasks::run(speaker, surroundings).await,
    }
}
