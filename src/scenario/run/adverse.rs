//! A run in which things go wrong on purpose.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::net::clock::Clock;
use crate::net::timer::{sleep, sleep_until, timeout};
use crate::scenario::format::script::{Scenario, Signal};
use crate::scenario::run::conditions::{AdverseConditions, LIMIT};
use crate::scenario::scripted::progress::Progress;

/// A run under adverse conditions, watched until it has recovered.
pub(super) struct AdverseRun<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) progress: &'a Progress,
    pub(super) clock: Clock,
    pub(super) adverse: &'a AdverseConditions,
}

/// Interval between checks of recovery.
const LOOK: Duration = Duration::from_secs(1);
/// Connections with one peer that a run may have at once and for each second: no speaker that waits before it connects
/// again comes near to that.
const CONNECTIONS: u64 = 500;
const CONNECTIONS_A_SECOND: u64 = 4;
/// How long a speaker may take to end once it is asked to.
const PATIENCE: Duration = Duration::from_secs(10);

impl AdverseRun<'_> {
    /// The peer with which connections are opened without a pause, and how many there were.
    pub(super) fn spins(&self, progress: &Progress) -> Option<(IpAddr, u64)> {
        let allowed = CONNECTIONS + CONNECTIONS_A_SECOND * self.clock.now().as_secs();
        progress.busiest().filter(|(_, count)| *count > allowed)
    }

    /// Watches the run to its end and says when that was.
    pub(super) async fn endure(
        &self,
        signals: &UnboundedSender<Signal>,
        speaker: impl Future<Output = ()>,
        recovered: impl Fn() -> bool,
    ) -> Duration {
        tokio::pin!(speaker);
        let course = async {
            let programs = || {
                self.scenario
                    .programs
                    .iter()
                    .map(|program| program.name.as_str())
            };
            // Peers with timed steps follow their own times; the others wait for events that faults may prevent.
            let verbatim = || {
                let peers = self.scenario.peers.iter();
                peers
                    .filter(|peer| peer.open.verbatim || self.adverse.whole)
                    .map(|peer| peer.address)
            };
            let done = self
                .progress
                .until(|progress| progress.all_done(programs(), verbatim()));
            // A program may never finish its script; its waits are bounded, so this bound is generous.
            let _ = timeout(LIMIT * 10 + self.scenario.span() * 2, done).await;
            sleep_until(self.clock.at(self.adverse.calm)).await;
            let deadline = self.clock.now() + self.adverse.recovery;
            // A run that looks recovered may not have noticed a fault yet.
            loop {
                while !recovered() && self.clock.now() < deadline {
                    sleep(LOOK).await;
                }
                sleep(self.adverse.watch).await;
                if recovered() || self.clock.now() >= deadline {
                    break;
                }
            }
        };
        let spins = self
            .progress
            .until(|progress| self.spins(progress).is_some());
        tokio::select! {
            biased;
            () = &mut speaker => {
                self.progress.end();
                self.clock.now()
            }
            () = spins => {
                let over = self.clock.now();
                let _ = signals.send(Signal::Terminate);
                self.progress.end();
                let _ = timeout(PATIENCE, &mut speaker).await;
                over
            }
            () = course => {
                let over = self.clock.now();
                // The final state is taken before anything is closed.
                let _ = signals.send(Signal::Terminate);
                self.progress.end();
                let _ = timeout(PATIENCE, &mut speaker).await;
                over
            }
        }
    }
}
