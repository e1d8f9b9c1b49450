//! What must hold of every run, whatever faults it had: named checks, each with an exit status of its own.
//!
//! Most are judged from the wire alone, for our own speaker too, so that the check does not depend on the code it
//! checks; the table says which use the speaker's own events. A [`Verdict`] names what failed, and what was not judged
//! and why.

mod answers;
mod case;
mod collisions;
mod conditions;
mod decodes;
mod golden;
mod liveness;
pub mod modes;
mod names;
mod notifications;
mod panics;
mod prompt;
mod rate;
mod table;
mod timers;
mod unforced;

use crate::explore::baseline::Baseline;
use crate::explore::finished_run::FinishedRun;
use crate::explore::oracle::case::{Case, Findings};
use crate::explore::plan::Plan;
use crate::scenario::golden::Golden;

pub use case::{Failure, NotJudged, Verdict};
pub use names::{Needs, Oracle};

type Judge = fn(&Case<'_>, &mut Findings<'_>);

/// The oracles that judge a single run, in order of precedence of their failures.
const JUDGES: &[(Oracle, Judge)] = &[
    (Oracle::Panics, panics::judge),
    (Oracle::Liveness, liveness::judge),
    (Oracle::Table, table::judge),
    (Oracle::Unforced, unforced::judge),
    (Oracle::Answers, answers::judge),
    (Oracle::Prompt, prompt::judge),
    (Oracle::Collisions, collisions::judge),
    (Oracle::Notifications, notifications::judge),
    (Oracle::Rate, rate::judge),
    (Oracle::Timers, timers::judge),
    (Oracle::Decodes, decodes::judge),
    (Oracle::Golden, golden::judge),
];

/// Judges a run of `plan` by every oracle except `modes`.
#[must_use]
pub fn judge(
    plan: &Plan,
    ran: &FinishedRun,
    baseline: &Baseline,
    golden: Option<&Golden>,
) -> Verdict {
    let case = Case {
        plan,
        ran,
        baseline,
        golden,
    };
    let mut verdict = Verdict::default();
    for (oracle, judge) in JUDGES {
        let mut findings = Findings {
            oracle: *oracle,
            verdict: &mut verdict,
        };
        judge(&case, &mut findings);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_oracle_has_a_name_a_status_and_a_judge() {
        let statuses: Vec<u8> = Oracle::ALL.iter().map(|oracle| oracle.status()).collect();
        assert_eq!(statuses, (10..=22).collect::<Vec<u8>>());
        for oracle in Oracle::ALL {
            assert_eq!(Oracle::named(oracle.name()), Some(*oracle));
            let of_one_run = oracle.needs() != Needs::BothModes;
            let judged = JUDGES.iter().filter(|(judged, _)| judged == oracle).count();
            assert_eq!(judged, usize::from(of_one_run), "{oracle}");
        }
    }
}
