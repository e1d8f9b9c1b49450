//! The plans of a sweep: drawn from seeds, or a fault at every octet; all of them or one shard.

use std::str::FromStr;

use crate::explore::every_byte;
use crate::explore::generate::{Class, Profile, generate};
use crate::explore::sweep::Planned;
use crate::reactor::defects::Defect;

/// Where plans come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// As many seeds as `seeds`, the first being `from`, over all scenarios in turn; faults of the `allowed` classes.
    Seeds {
        /// First seed.
        from: u64,
        /// Number of seeds.
        seeds: usize,
        /// Classes of faults that may be drawn.
        allowed: Vec<Class>,
    },
    /// A fault of each kind at every octet of every connection.
    EveryByte,
}

/// One of several equal parts of a sweep: `I/N`, I from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (index, count) = text.split_once('/')?;
            let (index, count) = (index.parse().ok()?, count.parse().ok()?);
            (1..=count)
                .contains(&index)
                .then_some(Self { index, count })
        };
        read().ok_or_else(|| format!("`{text}` is not a shard: write I/N, with I from 1 to N"))
    }
}

/// The plans of `shard`, with `defects` enabled, over the scenarios of `profiles`.
#[must_use]
pub fn plans(
    profiles: &[Profile],
    source: &Source,
    defects: &[Defect],
    shard: Shard,
) -> Vec<Planned> {
    let mut all: Vec<Planned> = match source {
        Source::EveryByte => {
            let cases = profiles.iter().enumerate();
            cases
                .flat_map(|(case, profile)| {
                    every_byte::plans(profile).map(move |plan| Planned { case, plan })
                })
                .collect()
        }
        Source::Seeds {
            from,
            seeds,
            allowed,
        } => (0..*seeds)
            .zip((0..profiles.len()).cycle())
            .map(|(number, case)| Planned {
                case,
                plan: generate(&profiles[case], from.wrapping_add(number as u64), allowed),
            })
            .collect(),
    };
    let mut number = 0;
    all.retain(|_| {
        number += 1;
        number % shard.count == shard.index % shard.count
    });
    for planned in &mut all {
        planned.plan.defects = defects.to_vec();
    }
    all
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_shards_of_a_sweep_are_the_sweep() {
        let profile = Profile {
            hosts: Vec::new(),
            links: Vec::new(),
            scenario: "x".into(),
            connections: vec![("127.0.0.1#1".parse().unwrap(), 20, 20)],
            programs: Vec::new(),
            elapsed: Duration::from_secs(1),
            guests: false,
            reloads: false,
        };
        let source = Source::Seeds {
            from: 5,
            seeds: 11,
            allowed: Class::ALL.to_vec(),
        };
        for source in [source, Source::EveryByte] {
            let profiles = [profile.clone(), profile.clone()];
            let shard = |text: &str| plans(&profiles, &source, &[], text.parse().unwrap());
            let mut parts: Vec<_> = ["1/3", "2/3", "3/3"].into_iter().flat_map(shard).collect();
            let mut whole = shard("1/1");
            let key = |planned: &Planned| (planned.case, planned.plan.to_string());
            parts.sort_by_key(key);
            whole.sort_by_key(key);
            assert_eq!(parts, whole);
        }
    }

    #[test]
    fn what_is_not_a_shard_is_refused() {
        for text in ["0/3", "4/3", "1/0", "1", "a/b", "-1/2"] {
            let error = text.parse::<Shard>().unwrap_err();
            assert!(error.contains("write I/N"), "{error}");
        }
    }
}
