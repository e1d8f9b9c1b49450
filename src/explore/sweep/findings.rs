//! The findings of a sweep: the first failure of each class in each scenario, shrunk.

use crate::explore::finding::Finding;
use crate::explore::outcome::Unfinished;
use crate::explore::sweep::SweepCase;
use crate::explore::sweep::tally::Tally;
use crate::explore::trial::Trier;
use crate::subject::Variant;

/// A finding, its scenario, and that scenario ready to be tried again.
pub struct SweepFinding<'a> {
    /// The scenario and its golden.
    pub case: &'a SweepCase,
    /// The scenario, ready to be tried.
    pub trier: Trier,
    /// The shrunk failure.
    pub finding: Finding,
}

/// Shrinks the first failure of each class one after the other, as the iterator is advanced.
pub fn findings<'a>(
    cases: &'a [SweepCase],
    tally: &'a Tally,
    variants: &'a [Variant],
) -> impl Iterator<Item = Result<SweepFinding<'a>, Unfinished>> {
    tally.first.iter().filter_map(|((name, oracle), first)| {
        let case = cases.iter().find(|case| case.scenario.name == *name)?;
        let mut failures = first.trial.failures.iter();
        let failure = failures.find(|failure| failure.oracle == *oracle)?;
        let trier = match case.trier(variants) {
            Ok(trier) => trier,
            Err(error) => return Some(Err(error)),
        };
        let finding = Finding::shrunk(&trier, &first.plan, &first.trial.variant, failure);
        Some(Ok(SweepFinding {
            case,
            trier,
            finding,
        }))
    })
}
