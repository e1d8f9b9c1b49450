//! The canaries: for each historical defect, a scenario and an oracle that catch it. A search that misses one is
//! broken.

use std::path::Path;

use miette::IntoDiagnostic;
use thiserror::Error;

use crate::explore::generate::{Class, generate};
use crate::explore::oracle::Oracle;
use crate::explore::plan::Plan;
use crate::explore::shrink::shrink;
use crate::explore::trial::Trier;
use crate::reactor::Mode;
use crate::reactor::defects::Defect;
use crate::scenario::format::parse;
use crate::scenario::golden::Golden;
use crate::scenario::golden::manifest::Manifest;
use crate::subject::Variant;

/// How a defect is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canary {
    /// The historical defect that is enabled.
    pub defect: Defect,
    /// Name of the scenario in which it shows.
    pub scenario: &'static str,
    /// Directory of the scenario, relative to the repository.
    pub directory: &'static str,
    /// The reactor that the defect belongs to.
    pub mode: Mode,
    /// The oracle that it fails.
    pub oracle: Oracle,
    /// Classes of faults that trigger it; empty if it shows without faults.
    pub faults: &'static [Class],
}

const SUITE: &str = "scenarios";
const EXTRA: &str = "scenarios/canaries";

macro_rules! canaries {
    ($($defect:ident: $directory:ident $scenario:literal, $mode:ident, $oracle:ident, [$($class:ident),*];)*) => {
        /// One for each defect, in the order of [`Defect::ALL`].
        pub const CANARIES: &[Canary] = &[$(Canary {
            defect: Defect::$defect,
            scenario: $scenario,
            directory: $directory,
            mode: Mode::$mode,
            oracle: Oracle::$oracle,
            faults: &[$(Class::$class),*],
        }),*];
    };
}

canaries! {
    ReadWithoutTimeout: SUITE "api-rr", Sync, Golden, [];
    ContinueAfterTimeout: SUITE "api-rr", Sync, Golden, [];
    CommandsBeforePeers: SUITE "api-rr", Sync, Answers, [];
    OneCommandPerLoop: SUITE "api-rib", Async, Golden, [];
    EarlyAnswer: SUITE "api-rr", Async, Answers, [];
    SleepInRead: SUITE "api-rr", Async, Prompt, [];
    RefreshListShared: EXTRA "flush-while-sending", Async, Golden, [];
    CancelledRead: SUITE "conf-attributes", Async, Unforced, [Stall];
    PeersBeforeApi: SUITE "api-announce", Async, Answers, [];
    NoRateLimit: EXTRA "rate-limit", Async, Rate, [];
    KeepaliveStarved: EXTRA "api-flood", Async, Timers, [];
    NotificationLost: EXTRA "notification-unread", Async, Notifications, [Window];
    HalfMessageResumed: SUITE "conf-attributes", Async, Decodes, [Reset, Slow, Stall, Bandwidth, Window];
    CollisionToNone: EXTRA "collision", Async, Collisions, [];
    EarlyEndOfRib: SUITE "api-attributes", Async, Golden, [];
    CrashOnReset: SUITE "api-rr", Async, Panics, [Reset];
    LostWakeup: SUITE "api-announce", Async, Prompt, [];
}

/// How many seeds a defect takes to be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Median number of seeds, over all sweeps.
    pub seeds: usize,
    /// Lines of the shrunk plan of the first sweep.
    pub lines: usize,
}

/// A defect that a sweep did not catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{defect} was not caught within {seeds} seeds from {from} on")]
pub struct NotCaught {
    defect: Defect,
    from: u64,
    seeds: usize,
}

/// The plan that caught a defect, and how many seeds it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtDefect {
    /// Seeds tried, the last of which caught it.
    pub seeds: usize,
    /// The plan under which the defect shows.
    pub plan: Plan,
}

impl Canary {
    /// What must be under test for it to be caught.
    #[must_use]
    pub fn variant(&self) -> Variant {
        Variant::own(self.mode)
    }

    /// The scenario, ready to be tried, with its golden from the directory `captures`.
    ///
    /// # Errors
    /// A scenario, a manifest or a golden that cannot be read.
    pub fn trier(&self, captures: &Path) -> miette::Result<Trier> {
        let scenario = parse::load(&Path::new(self.directory).join(self.scenario))?;
        let manifest = Manifest::load(captures).into_diagnostic()?;
        let golden = Golden::find(captures, &manifest, &scenario.name).into_diagnostic()?;
        Ok(Trier::new(scenario, golden, &Variant::both())?)
    }

    /// Searches in `sweeps` sweeps of at most `seeds` seeds each, and shrinks the first failure.
    ///
    /// # Errors
    /// A sweep that does not catch it.
    pub fn measure(
        &self,
        trier: &Trier,
        sweeps: usize,
        seeds: usize,
    ) -> Result<Measured, NotCaught> {
        let mut taken = Vec::new();
        let mut lines = 0;
        for sweep in 0..sweeps.max(1) {
            let from = 1 + (sweep * seeds) as u64;
            let caught = self.hunt(trier, from, seeds).ok_or(NotCaught {
                defect: self.defect,
                from,
                seeds,
            })?;
            if sweep == 0 {
                let fails = |plan: &_| trier.fails(plan, &self.variant(), self.oracle);
                let shrunk = shrink(&caught.plan, fails, |_, _| ());
                lines = shrunk.plan.to_string().lines().count();
            }
            taken.push(caught.seeds);
        }
        taken.sort_unstable();
        Ok(Measured {
            seeds: taken[taken.len() / 2],
            lines,
        })
    }

    /// The plan of `seed`, without the defect.
    #[must_use]
    pub fn plan(&self, trier: &Trier, seed: u64) -> Plan {
        generate(trier.profile(), seed, self.faults)
    }

    /// The plan of `seed` with the defect enabled.
    #[must_use]
    pub fn switched_on(&self, plan: &Plan) -> Plan {
        Plan {
            defects: vec![self.defect],
            ..plan.clone()
        }
    }

    /// Tries seeds from `from` on, `most` at most, until one catches the defect.
    #[must_use]
    pub fn hunt(&self, trier: &Trier, from: u64, most: usize) -> Option<CaughtDefect> {
        (0..most).find_map(|tried| {
            let plan = self.switched_on(&self.plan(trier, from + tried as u64));
            trier
                .fails(&plan, &self.variant(), self.oracle)
                .then_some(CaughtDefect {
                    seeds: tried + 1,
                    plan,
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_has_its_canary() {
        let caught: Vec<Defect> = CANARIES.iter().map(|canary| canary.defect).collect();
        assert_eq!(caught, Defect::ALL);
        for canary in CANARIES {
            assert!(canary.defect.modes().contains(&canary.mode));
        }
    }
}
