//! The order in which the reference walks a set of families: that of a CPython set of (AFI, SAFI) tuples.
//!
//! It is visible on the wire: with several families, routes replayed or refreshed, and the marks around
//! a refresh, follow it. Hash of a tuple and probing of a set are CPython's (3.8 and later), neither of which is seeded.

use crate::bgp::family::Family;

const PRIME_1: u64 = 11_400_714_785_074_694_791;
const PRIME_2: u64 = 14_029_467_366_897_019_727;
const PRIME_5: u64 = 2_870_177_450_012_600_261;
const TUPLE_OF_TWO: u64 = 2 ^ (PRIME_5 ^ 3_527_539);
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;
const LEAST_SIZE: usize = 8;

fn hash(family: Family) -> u64 {
    let lanes = [u64::from(family.afi.0), u64::from(family.safi.0)];
    let mixed = lanes.into_iter().fold(PRIME_5, |accumulator, lane| {
        accumulator
            .wrapping_add(lane.wrapping_mul(PRIME_2))
            .rotate_left(31)
            .wrapping_mul(PRIME_1)
    });
    mixed.wrapping_add(TUPLE_OF_TWO)
}

/// A set of families, walked in CPython's order.
#[derive(Debug, Clone, Default)]
pub(super) struct FamilySet {
    slots: Vec<Option<Family>>,
    used: usize,
}

impl FamilySet {
    pub fn insert(&mut self, family: Family) {
        if self.slots.is_empty() {
            self.slots = vec![None; LEAST_SIZE];
        }
        if !place(&mut self.slots, family) {
            return;
        }
        self.used += 1;
        let mask = self.slots.len() - 1;
        if self.used * 5 < mask * 3 {
            return;
        }
        let mut size = LEAST_SIZE;
        while size <= self.used * 4 {
            size *= 2;
        }
        let mut slots = vec![None; size];
        for held in self.iter() {
            place(&mut slots, held);
        }
        self.slots = slots;
    }

    pub fn iter(&self) -> impl Iterator<Item = Family> + Clone + '_ {
        self.slots.iter().copied().flatten()
    }
}

impl FromIterator<Family> for FamilySet {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        let mut set = Self::default();
        families.into_iter().for_each(|family| set.insert(family));
        set
    }
}

/// Puts `family` in the first free slot of its probe sequence; `false` where it is there already.
fn place(slots: &mut [Option<Family>], family: Family) -> bool {
    let mask = slots.len() - 1;
    let mut perturb = hash(family);
    let mut at = perturb as usize & mask;
    loop {
        let probes = if at + LINEAR_PROBES <= mask {
            LINEAR_PROBES
        } else {
            0
        };
        for slot in &mut slots[at..=at + probes] {
            match slot {
                None => {
                    *slot = Some(family);
                    return true;
                }
                Some(held) if *held == family => return false,
                Some(_) => {}
            }
        }
        perturb >>= PERTURB_SHIFT;
        at = at
            .wrapping_mul(5)
            .wrapping_add(1)
            .wrapping_add(perturb as usize)
            & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::iana::{Afi, Safi};

    fn order(pairs: &[(u16, u8)]) -> Vec<(u16, u8)> {
        let set: FamilySet = pairs
            .iter()
            .map(|&(afi, safi)| Family::new(Afi(afi), Safi(safi)))
            .collect();
        set.iter()
            .map(|family| (family.afi.0, family.safi.0))
            .collect()
    }

    /// The expected orders are what CPython 3.13 prints for `list(set([...]))`.
    #[test]
    fn the_order_is_that_of_a_cpython_set() {
        assert_eq!(order(&[(1, 1), (2, 1)]), [(1, 1), (2, 1)]);
        assert_eq!(
            order(&[(1, 1), (2, 1), (1, 128), (2, 128)]),
            [(1, 1), (2, 128), (2, 1), (1, 128)]
        );
        assert_eq!(
            order(&[(1, 1), (2, 1), (1, 4), (2, 4), (1, 128), (2, 128)]),
            [(2, 4), (2, 1), (1, 1), (1, 4), (2, 128), (1, 128)]
        );
        let all = [
            (1, 1),
            (1, 2),
            (1, 4),
            (1, 5),
            (1, 73),
            (1, 85),
            (1, 128),
            (1, 129),
            (1, 132),
            (1, 133),
            (1, 134),
            (2, 1),
            (2, 2),
            (2, 4),
            (2, 5),
            (2, 85),
            (2, 128),
            (2, 133),
            (2, 134),
            (25, 65),
            (25, 70),
            (16388, 71),
            (16388, 72),
        ];
        assert_eq!(
            order(&all),
            [
                (16388, 72),
                (2, 2),
                (2, 5),
                (25, 65),
                (1, 128),
                (1, 134),
                (1, 73),
                (2, 133),
                (1, 85),
                (16388, 71),
                (2, 4),
                (1, 2),
                (2, 1),
                (1, 5),
                (25, 70),
                (1, 133),
                (1, 1),
                (1, 4),
                (1, 129),
                (2, 128),
                (1, 132),
                (2, 134),
                (2, 85),
            ]
        );
    }
}
