//! When a run is over: every script at its end, or a failure, or no time left.

use std::future::Future;
use std::time::Duration;

use crate::net::timer::{sleep, timeout};
use tokio::sync::mpsc::UnboundedSender;

use crate::scenario::format::script::{Scenario, Signal};
use crate::scenario::scripted::progress::Progress;

/// How long a speaker may take to end by itself once its peers have closed.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long peers and programs may take to notice that the speaker has ended.
const NOTICE: Duration = Duration::from_millis(200);

/// Waits for the end of a run and then ends the peers and programs; `speaker` completes when the speaker has ended.
pub async fn until_over(
    scenario: &Scenario,
    progress: &Progress,
    limit: Duration,
    signals: &UnboundedSender<Signal>,
    speaker: impl Future<Output = ()>,
) {
    tokio::pin!(speaker);
    // Where nothing is scripted, what counts is how the speakers end.
    let scripts = scenario.programs.len() + scenario.peers.len();
    let finished = |progress: &Progress| {
        if scripts == 0 {
            return false;
        }
        let programs = scenario
            .programs
            .iter()
            .map(|program| program.name.as_str());
        let peers = scenario.peers.iter().map(|peer| peer.address);
        progress.all_done(programs, peers)
    };
    let over = |progress: &Progress| progress.failure().is_some() || finished(progress);
    let mut ended = false;
    tokio::select! {
        biased;
        () = progress.until(over) => {}
        () = &mut speaker => ended = true,
        () = sleep(limit) => progress.fail(format!("the run did not end within {} s", limit.as_secs()), None),
    }
    if ended && scripts > 0 && timeout(NOTICE, progress.until(over)).await.is_err() {
        progress.fail("the speaker ended before every step was done", None);
    }
    if !ended && progress.failure().is_none() {
        ended = timeout(scenario.settle, &mut speaker).await.is_ok();
    }
    progress.end();
    // Speakers that have each other for peers, or go on connecting, do not end by themselves.
    let waits = !scenario.topology.is_declared;
    if ended || waits && timeout(PATIENCE, &mut speaker).await.is_ok() {
        return;
    }
    if scenario
        .speakers
        .iter()
        .all(|speaker| speaker.attempts != 0)
    {
        progress.fail(
            "the speaker did not end by itself when its connection attempts were used up",
            None,
        );
    }
    // The receiver may be gone already.
    let _ = signals.send(Signal::Terminate);
    let _ = timeout(PATIENCE, &mut speaker).await;
}
