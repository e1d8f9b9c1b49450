//! Randomness that a seed decides: one number, split into independent streams by name.
//!
//! SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
//! generators", 2014): short, fast, and the same on every machine. It serves
//! the plan generator, jitter and task order; never cryptography.

/// A seed, from which each subsystem splits its own stream by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

/// A stream of pseudorandom numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: u64,
}

/// 2^64 divided by the golden ratio, made odd: SplitMix64's increment.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Seed {
    /// The stream of the subsystem `name`: drawing from one never shifts another.
    #[must_use]
    pub fn stream(self, name: &str) -> Random {
        let mut state = mix(self.0 ^ GOLDEN_GAMMA);
        for octet in name.bytes() {
            state = mix(state ^ u64::from(octet)).wrapping_add(GOLDEN_GAMMA);
        }
        Random { state }
    }
}

impl Random {
    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// A number below `bound`, or 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.next_u64()) * u128::from(bound);
        (product >> 64) as u64
    }

    /// True `numerator` times in `denominator`.
    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_sequence() {
        let mut random = Random { state: 1234567 };
        let drawn: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(
            drawn,
            [
                6457827717110365317,
                3203168211198807973,
                9817491932198370423
            ]
        );
    }

    #[test]
    fn streams_differ_by_name_and_repeat_by_seed() {
        let jitter = Seed(7).stream("jitter").next_u64();
        assert_eq!(jitter, Seed(7).stream("jitter").next_u64());
        assert_ne!(jitter, Seed(7).stream("order").next_u64());
        assert_ne!(jitter, Seed(8).stream("jitter").next_u64());
    }

    #[test]
    fn below_reaches_every_number_and_no_more() {
        let mut random = Seed(1).stream("test");
        let mut seen = [0_u32; 5];
        for _ in 0..1000 {
            seen[random.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|count| *count > 150), "{seen:?}");
        assert_eq!(random.below(0), 0);
    }
}
