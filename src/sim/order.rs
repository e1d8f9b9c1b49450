//! Which of several ready things goes first.

use crate::sim::seed::{Random, Seed};

/// A scheduler's tie-break: arrival order, or drawn from a seed.
///
/// A reactor with several ready sockets or tasks asks it which to serve next,
/// so that a search can try other orders without touching the reactor.
#[derive(Debug, Clone, Default)]
pub struct Order {
    random: Option<Random>,
}

impl Order {
    /// First come, first served.
    #[must_use]
    pub fn arrival() -> Self {
        Self::default()
    }

    /// Drawn from the stream `name` of `seed`.
    #[must_use]
    pub fn drawn(seed: Seed, name: &str) -> Self {
        Self {
            random: Some(seed.stream(name)),
        }
    }

    /// The index, below `ready`, of the one to serve; always 0 in arrival order.
    pub fn pick(&mut self, ready: usize) -> usize {
        match &mut self.random {
            Some(random) if ready > 1 => random.below(ready as u64) as usize,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrival_order_picks_the_first_and_a_seed_varies() {
        let mut arrival = Order::arrival();
        assert!((0..20).all(|ready| arrival.pick(ready) == 0));
        let mut drawn = Order::drawn(Seed(3), "tasks");
        let picks: Vec<usize> = (0..50).map(|_| drawn.pick(3)).collect();
        assert!((0..3).all(|index| picks.contains(&index)));
    }
}
