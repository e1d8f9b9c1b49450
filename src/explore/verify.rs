//! Checks that the same plan gives the same run, by comparing trace hashes.

use std::fmt;

use crate::explore::generate::{Class, generate};
use crate::explore::outcome::Invalid;
use crate::explore::plan::Plan;
use crate::explore::trial::Trier;
use crate::sim::TraceHash;
use crate::subject::Variant;

/// The trace hash of a plan with one variant under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The scenario and the seed of the plan.
    pub run: String,
    /// What was under test.
    pub variant: Variant,
    /// The trace hash; `None` if the run panicked or did not end.
    pub hash: Option<TraceHash>,
}

impl fmt::Display for Fingerprint {
    /// One line, as `lockstep verify --print` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, variant, hash } = self;
        match hash {
            Some(hash) => write!(f, "{run} {variant} {hash}"),
            None => write!(f, "{run} {variant} panicked"),
        }
    }
}

/// Runs `plan` with each variant under test.
///
/// # Errors
/// A plan that cannot be carried out.
pub fn fingerprints(trier: &Trier, plan: &Plan) -> Result<Vec<Fingerprint>, Invalid> {
    let trials = trier.try_plan(plan, &trier.variants())?;
    let fingerprints = trials.into_iter().map(|trial| Fingerprint {
        run: format!("{} {}", plan.scenario, plan.seed),
        variant: trial.variant,
        hash: trial.hash,
    });
    Ok(fingerprints.collect())
}

/// The fingerprints of `plans` seeds from `from` on, over the scenarios of `triers` in turn: a line for each run.
///
/// # Errors
/// As for [`fingerprints`].
pub fn lines(triers: &[Trier], from: u64, plans: usize) -> Result<String, Invalid> {
    let mut lines = String::new();
    for (number, trier) in (0..plans).zip(triers.iter().cycle()) {
        let plan = generate(trier.profile(), from + number as u64, Class::ALL);
        for fingerprint in fingerprints(trier, &plan)? {
            lines += &format!("{fingerprint}\n");
        }
    }
    Ok(lines)
}

/// The first line in which two processes' fingerprints differ: what each has there.
#[must_use]
pub fn apart<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut one, mut other) = (one.lines(), other.lines());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => return Some((one.unwrap_or("nothing"), other.unwrap_or("nothing"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found() {
        assert_eq!(apart("a\nb\n", "a\nb\n"), None);
        assert_eq!(apart("a\nb\n", "a\nc\n"), Some(("b", "c")));
        assert_eq!(apart("a\n", "a\nc\n"), Some(("nothing", "c")));
    }
}
