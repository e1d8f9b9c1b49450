//! Whose turn it is, and what a turn costs: in a fixed order and at a fixed pace, or drawn from the seed of the run.

use super::kernel::Time;
use super::pace::Cost;
use super::random::Random;

/// Stops of one thread before another one has its turn.
const TURN: u32 = 256;
/// The most stops of a turn whose length is drawn: a thread is interrupted between calls that it usually makes in one go.
const SHORT_TURN: u64 = 16;

/// The choices of a host's scheduler. Each is drawn from a stream of its own, so that what a guest draws for itself is
/// the same at every pace and in every order.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    order: Option<Random>,
    pace: Random,
}

impl Schedule {
    /// The choices of `seed`; `drawn` says whether the order is drawn at all.
    pub(super) fn new(seed: u64, drawn: bool) -> Self {
        Self {
            order: drawn.then(|| Random::new(seed ^ 0x6f72_6465_7200_0000)), // "order"
            pace: Random::new(seed ^ 0x7061_6365_0000_0000),                 // "pace"
        }
    }

    /// Whether the order is drawn.
    pub(super) const fn is_drawn(&self) -> bool {
        self.order.is_some()
    }

    /// One of `count` threads, of which there is at least one; the first where the order is not drawn.
    pub(super) fn pick(&mut self, count: usize) -> usize {
        match &mut self.order {
            Some(random) if count > 1 => random.below(count as u64) as usize,
            _ => 0,
        }
    }

    /// How many calls a thread makes before another one has its turn, if it does not wait before that.
    pub(super) fn turn(&mut self) -> u32 {
        match &mut self.order {
            Some(random) => 1 + random.below(SHORT_TURN) as u32,
            None => TURN,
        }
    }

    /// What `cost` is this time.
    pub(super) fn cost(&mut self, cost: Cost) -> Time {
        if !cost.is_drawn() {
            return cost.least;
        }
        let span = cost.most.abs_diff(cost.least);
        cost.least + self.pace.below(span.saturating_add(1)) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_drawn_is_the_same_for_every_seed() {
        for seed in 0..20 {
            let mut schedule = Schedule::new(seed, false);
            assert_eq!((schedule.pick(5), schedule.turn()), (0, TURN));
            assert_eq!(schedule.cost(Cost::constant(7)), 7);
        }
    }

    #[test]
    fn what_is_drawn_stays_in_its_range_and_reaches_its_ends() {
        let mut schedule = Schedule::new(3, true);
        let cost = Cost { least: 5, most: 8 };
        let costs: Vec<Time> = (0..200).map(|_| schedule.cost(cost)).collect();
        assert!((5..=8).all(|one| costs.contains(&one)), "{costs:?}");
        assert!(costs.iter().all(|one| (5..=8).contains(one)), "{costs:?}");
        let picks: Vec<usize> = (0..200).map(|_| schedule.pick(3)).collect();
        assert!((0..3).all(|one| picks.contains(&one)), "{picks:?}");
        assert!((0..200).all(|_| (1..=16).contains(&schedule.turn())));
    }
}
