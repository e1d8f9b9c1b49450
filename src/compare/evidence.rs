//! What UPDATEs say of how they are written, where no OPEN does: each way is tried, and what contradicts it is counted.

use std::collections::BTreeMap;

use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::Nlri;
use crate::bgp::wire::Reader;

/// UPDATEs of a direction that are asked.
const ASKED: u32 = 512;
/// What NLRI cost that cannot be read at all.
const UNREADABLE: u32 = 10;

/// What one direction of a session says for and against each way.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    updates: u32,
    /// Attributes that cannot be read with AS numbers of two and of four octets.
    against: [u32; 2],
    /// For each family, how unlikely its NLRI are without and with path identifiers.
    unlikely: BTreeMap<Family, [u32; 2]>,
}

impl Evidence {
    /// Whether more UPDATEs are asked.
    pub(super) const fn is_open(&self) -> bool {
        self.updates < ASKED
    }

    /// Asks an UPDATE, marker and all.
    pub(super) fn ask(&mut self, octets: &[u8]) {
        self.updates += 1;
        // What is cut short says nothing.
        let _ = self.update(&octets[19..]);
    }

    /// How many contradict two octets and four.
    pub(super) const fn against(&self) -> [u32; 2] {
        self.against
    }

    /// Whether NLRI of `family` carry path identifiers; `None` where both are as likely.
    pub(super) fn add_path(&self, family: Family) -> Option<bool> {
        let [without, with] = self.unlikely.get(&family)?;
        (without != with).then_some(with < without)
    }

    /// The families seen.
    pub(super) fn families(&self) -> impl Iterator<Item = Family> + '_ {
        self.unlikely.keys().copied()
    }

    fn update(&mut self, body: &[u8]) -> Option<()> {
        let (withdrawn, rest) = sized(body)?;
        let (mut attributes, nlri) = sized(rest)?;
        self.nlri(Family::IPV4_UNICAST, withdrawn);
        while let [flags, code, after @ ..] = attributes {
            let (value, rest) = if flags & 0x10 == 0 {
                let (length, after) = after.split_first()?;
                after.split_at_checked(usize::from(*length))?
            } else {
                sized(after)?
            };
            self.attribute(*code, value);
            attributes = rest;
        }
        self.nlri(Family::IPV4_UNICAST, nlri);
        Some(())
    }

    fn attribute(&mut self, code: u8, value: &[u8]) {
        const AS_PATH: u8 = 2;
        const AGGREGATOR: u8 = 7;
        const MP_REACH: u8 = 14;
        const MP_UNREACH: u8 = 15;
        const AS4_PATH: u8 = 17;
        const AS4_AGGREGATOR: u8 = 18;
        let [two, four] = &mut self.against;
        match (code, value) {
            (AS_PATH, _) => {
                *two += u32::from(!is_path(value, 2));
                *four += u32::from(!is_path(value, 4));
            }
            (AGGREGATOR, _) => {
                *two += u32::from(value.len() != 6);
                *four += u32::from(value.len() != 8);
            }
            // Only a session of two octets has them (RFC 6793 section 4.2.2).
            (AS4_PATH | AS4_AGGREGATOR, _) => *four += 1,
            (MP_REACH, [high, low, safi, length, rest @ ..]) => {
                if let Some(nlri) = rest.get(usize::from(*length) + 1..) {
                    self.nlri(family(*high, *low, *safi), nlri);
                }
            }
            (MP_UNREACH, [high, low, safi, nlri @ ..]) => {
                self.nlri(family(*high, *low, *safi), nlri);
            }
            _ => {}
        }
    }

    fn nlri(&mut self, family: Family, nlri: &[u8]) {
        if nlri.is_empty() {
            return;
        }
        let unlikely = self.unlikely.entry(family).or_insert([0; 2]);
        for (sum, add_path) in unlikely.iter_mut().zip([false, true]) {
            *sum = sum.saturating_add(unlikelihood(family, nlri, add_path));
        }
    }
}

fn family(high: u8, low: u8, safi: u8) -> Family {
    Family::new(Afi(u16::from_be_bytes([high, low])), Safi(safi))
}

/// What a length of two octets counts, and what follows.
fn sized(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Whether `value` is segments of AS numbers of `width` octets (RFC 4271 section 4.3, RFC 5065) to its end.
fn is_path(value: &[u8], width: usize) -> bool {
    let mut rest = value;
    while let [kind, count, after @ ..] = rest {
        let length = usize::from(*count) * width;
        if !(1..=4).contains(kind) || *count == 0 || after.len() < length {
            return false;
        }
        rest = &after[length..];
    }
    rest.is_empty()
}

/// How unlikely it is that `nlri` are written so: 0 where nothing is odd about them.
fn unlikelihood(family: Family, nlri: &[u8], add_path: bool) -> u32 {
    let is_prefixes = matches!(family.afi, Afi::IPV4 | Afi::IPV6)
        && matches!(family.safi, Safi::UNICAST | Safi::MULTICAST);
    if is_prefixes {
        let longest = if family.afi == Afi::IPV4 { 32 } else { 128 };
        return prefixes(nlri, longest, add_path).unwrap_or(UNREADABLE);
    }
    match Nlri::decode_all(family, add_path, Reader::new(nlri)) {
        Ok(_) => 0,
        Err(_) => UNREADABLE,
    }
}

/// Prefixes: `None` where they cannot be read.
fn prefixes(nlri: &[u8], longest: u8, add_path: bool) -> Option<u32> {
    /// An identifier larger than any implementation's counter comes to.
    const LARGE: u32 = 1 << 24;
    let mut unlikely = 0;
    let mut before: Vec<&[u8]> = Vec::new();
    let mut rest = nlri;
    while !rest.is_empty() {
        let whole = rest;
        if add_path {
            let (identifier, after) = rest.split_first_chunk::<4>()?;
            unlikely += u32::from(u32::from_be_bytes(*identifier) >= LARGE);
            rest = after;
        }
        let (bits, after) = rest.split_first()?;
        if *bits > longest {
            return None;
        }
        let (address, after) = after.split_at_checked(usize::from(bits.div_ceil(8)))?;
        rest = after;
        // Bits of the last octet beyond the length are zero in what anybody sends.
        let spare = (8 - bits % 8) % 8;
        let is_loose = address
            .last()
            .is_some_and(|last| last & ((1_u16 << spare) - 1) as u8 != 0);
        unlikely += 3 * u32::from(is_loose);
        unlikely += 2 * u32::from(*bits > 0 && (*bits < 8 || address[0] == 0));
        let taken = &whole[..whole.len() - rest.len()];
        unlikely += 5 * u32::from(before.contains(&taken));
        if before.len() < 16 {
            before.push(taken);
        }
    }
    Some(unlikely.min(UNREADABLE - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_width() {
        let two = [2, 2, 0xfd, 0xe8, 0xfd, 0xe9];
        let four = [2, 2, 0, 0, 0xfd, 0xe8, 0, 1, 0, 0];
        assert_eq!([is_path(&two, 2), is_path(&two, 4)], [true, false]);
        assert_eq!([is_path(&four, 2), is_path(&four, 4)], [false, true]);
    }

    #[test]
    fn identifiers_show() {
        let plain = [24, 10, 0, 1, 24, 10, 0, 2];
        let with = [0, 0, 0, 1, 24, 10, 0, 1, 0, 0, 0, 2, 24, 10, 0, 1];
        let asked =
            |nlri: &[u8]| [false, true].map(|way| unlikelihood(Family::IPV4_UNICAST, nlri, way));
        let [without_identifier, with_identifier] = asked(&plain);
        assert!(without_identifier < with_identifier);
        let [without_identifier, with_identifier] = asked(&with);
        assert!(with_identifier < without_identifier);
    }
}
