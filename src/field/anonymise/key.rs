//! A key, and what it makes of numbers, addresses and names: the same of the same, and nothing of it can be told without
//! the key.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

/// AS_TRANS (RFC 6793 section 9), which stands for another number.
const AS_TRANS: u32 = 23_456;
/// Ranges of AS numbers that stay among themselves: public of two octets, private use, public of four, private use
/// (RFC 6996). What is in none of them has a meaning of its own and stays.
const AS_RANGES: [(u32, u32); 4] = [
    (1, 64_511),
    (64_512, 65_534),
    (65_536, 4_199_999_999),
    (4_200_000_000, 4_294_967_294),
];
/// Rounds of a permutation.
const ROUNDS: u8 = 6;

/// The secret of an anonymisation.
#[derive(Clone)]
pub struct Key(Sha256);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// The key that `secret` gives.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update((secret.len() as u64).to_be_bytes());
        hash.update(secret);
        Self(hash)
    }

    /// 64 bits that depend on the key, on what they are for, and on `octets`.
    fn draw(&self, purpose: u8, octets: &[u8]) -> u64 {
        let mut hash = self.0.clone();
        hash.update([purpose]);
        hash.update(octets);
        let digest = hash.finalize();
        digest[..8]
            .iter()
            .fold(0, |sum, octet| sum << 8 | u64::from(*octet))
    }

    /// The address in place of `address`: two that share a prefix share one of the same length afterwards.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(address) => {
                let mut octets = address.octets();
                self.prefix(&mut octets, 32, false);
                Ipv4Addr::from(octets).into()
            }
            IpAddr::V6(address) => {
                let mut octets = address.octets();
                self.prefix(&mut octets, 128, true);
                Ipv6Addr::from(octets).into()
            }
        }
    }

    /// Replaces the first `length` bits of an address, the rest of which may be missing.
    pub fn prefix(&self, octets: &mut [u8], length: usize, is_ipv6: bool) {
        // What is longer than an address is none, as behind a length that cannot be.
        if octets.len() > if is_ipv6 { 16 } else { 4 } {
            return self.scramble(octets);
        }
        let length = length.min(8 * octets.len());
        if is_ipv6 && octets.len() == 16 {
            // IPv4 inside IPv6 (RFC 4291 section 2.5.5.2).
            if let Some((&mut [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], v4)) =
                octets.split_first_chunk_mut::<12>()
            {
                return self.prefix(v4, length.saturating_sub(96), false);
            }
            if octets[..15] == [0; 15] {
                return;
            }
        }
        if !is_ipv6 && (octets == [0; 4] || octets == [0xff; 4]) {
            return;
        }
        let original = {
            let mut whole = [0; 16];
            let there = octets.len().min(16);
            whole[..there].copy_from_slice(&octets[..there]);
            whole
        };
        let purpose = if is_ipv6 { 6 } else { 4 };
        for bit in 0..length {
            let is_fixed = if is_ipv6 {
                stays_ipv6(&original, bit)
            } else {
                stays_ipv4(original[0], bit)
            };
            if is_fixed {
                continue;
            }
            // The bits before this one decide whether it turns over.
            let mut before = [0_u8; 17];
            before[0] = bit as u8;
            before[1..=bit / 8].copy_from_slice(&original[..bit / 8]);
            before[1 + bit / 8] = original[bit / 8] & !(0xff_u8 >> (bit % 8));
            if self.draw(purpose, &before) & 1 == 1 {
                octets[bit / 8] ^= 0x80 >> (bit % 8);
            }
        }
    }

    /// The AS number in place of `asn`: one of two octets stays one, one of private use too.
    #[must_use]
    pub fn asn(&self, asn: u32) -> u32 {
        if asn == AS_TRANS {
            return asn;
        }
        let range = AS_RANGES
            .iter()
            .find(|(first, last)| (*first..=*last).contains(&asn));
        let Some((first, last)) = range else {
            return asn;
        };
        let count = u64::from(last - first) + 1;
        let mut place = u64::from(asn - first);
        loop {
            place = self.moved(b'a', place, count);
            let other = first + place as u32;
            if other != AS_TRANS {
                return other;
            }
        }
    }

    /// The number in place of `value`, of as many bits; never the same.
    #[must_use]
    pub fn number(&self, value: u32, bits: u32) -> u32 {
        self.moved(b'n', u64::from(value), 1 << bits) as u32
    }

    /// Where a permutation of `count` places without a fixed point moves `place`.
    fn moved(&self, purpose: u8, place: u64, count: u64) -> u64 {
        let by = 1 + self.draw(purpose, &count.to_be_bytes()) % (count - 1);
        let turned = (self.permuted(purpose, place, count, false) + by) % count;
        self.permuted(purpose, turned, count, true)
    }

    /// A Feistel network over the least even number of bits that holds `count`, walked until it comes out below.
    fn permuted(&self, purpose: u8, place: u64, count: u64, backwards: bool) -> u64 {
        let half = (64 - (count - 1).leading_zeros()).div_ceil(2).max(1);
        let mask = (1_u64 << half) - 1;
        let mut value = place;
        loop {
            let (mut left, mut right) = (value >> half, value & mask);
            for round in 0..ROUNDS {
                let round = if backwards { ROUNDS - 1 - round } else { round };
                let (from, onto) = if backwards {
                    (left, right)
                } else {
                    (right, left)
                };
                let mut input = [0; 17];
                input[0] = round;
                input[1..9].copy_from_slice(&from.to_be_bytes());
                input[9..].copy_from_slice(&count.to_be_bytes());
                let mixed = onto ^ (self.draw(purpose, &input) & mask);
                (left, right) = if backwards {
                    (mixed, from)
                } else {
                    (from, mixed)
                };
            }
            value = left << half | right;
            if value < count {
                return value;
            }
        }
    }

    /// Replaces the letters and digits of a text, each by another of its kind; its length in octets stays.
    pub fn text(&self, octets: &mut [u8]) {
        let original = octets.to_vec();
        let valid = std::str::from_utf8(&original).is_ok();
        let mut at = 0;
        while at < octets.len() {
            let octet = original[at];
            let drawn = self.draw(b't', &[&original[..], &(at as u32).to_be_bytes()].concat());
            let turned = |first: u8, count: u8| {
                first + ((octet - first) + 1 + (drawn % u64::from(count - 1)) as u8) % count
            };
            let length = if valid { character(octet) } else { 1 };
            match (length, octet) {
                (1, b'a'..=b'z') => octets[at] = turned(b'a', 26),
                (1, b'A'..=b'Z') => octets[at] = turned(b'A', 26),
                (1, b'0'..=b'9') => octets[at] = turned(b'0', 10),
                (1, 0x80..) => octets[at] = 0x80 | ((octet & 0x7f) ^ (1 + (drawn % 127) as u8)),
                (1, _) => {}
                // A letter of as many octets.
                (2, _) => octets[at..at + 2].copy_from_slice("ø".as_bytes()),
                (3, _) => octets[at..at + 3].copy_from_slice("あ".as_bytes()),
                _ => octets[at..at + 4].copy_from_slice("𐌰".as_bytes()),
            }
            at += length;
        }
    }

    /// Replaces octets of which nothing is known; zeros stay, and so do ones, of which markers are made.
    pub fn scramble(&self, octets: &mut [u8]) {
        let original = octets.to_vec();
        for (at, octet) in octets.iter_mut().enumerate() {
            if *octet == 0 || *octet == 0xff {
                continue;
            }
            let seen = &original[at.saturating_sub(16)..=at];
            let drawn = self.draw(b's', &[seen, &(at as u32 % 4).to_be_bytes()].concat());
            // One of the other 253 values.
            *octet = 1 + ((u64::from(*octet - 1) + 1 + drawn % 253) % 254) as u8;
        }
    }
}

/// Octets of the UTF-8 character that begins with `first`.
const fn character(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// Whether a bit of the first octet of an IPv4 address stays, so that what cannot be a host (0, 127, 224 and above)
/// stays that, and a host stays one.
fn stays_ipv4(first: u8, bit: usize) -> bool {
    if bit >= 8 {
        return false;
    }
    let known = !(0xff_u8 >> bit);
    let before = first & known;
    // The special octets that begin like this one: a bit after that would move them.
    [0x00, 0x7f, 0xe0]
        .iter()
        .any(|special| special & known == before)
        || first >= 0xe0
}

/// The same for IPv6: the first three bits stay, and in what is not global unicast the first 16.
const fn stays_ipv6(octets: &[u8; 16], bit: usize) -> bool {
    bit < 3 || bit < 16 && matches!(octets[0] >> 5, 0 | 7)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn common(one: u32, other: u32) -> u32 {
        (one ^ other).leading_zeros()
    }

    proptest! {
        #[test]
        fn a_common_prefix_stays_as_long(one: u32, other: u32, kept in 0_u32..32) {
            let key = Key::new(b"k");
            let other = if kept == 0 { other } else { one ^ (other >> kept) };
            let [a, b] = [one, other].map(|it| match key.address(Ipv4Addr::from(it).into()) {
                IpAddr::V4(it) => u32::from(it),
                IpAddr::V6(_) => unreachable!(),
            });
            let is_special = |it: u32| it == 0 || it == u32::MAX;
            if !is_special(one) && !is_special(other) {
                prop_assert_eq!(common(a, b), common(one, other));
            }
        }

        #[test]
        fn a_host_stays_a_host(address: u32) {
            let host = |it: Ipv4Addr| !matches!(it.octets()[0], 0 | 127 | 224..);
            let IpAddr::V4(other) = Key::new(b"k").address(Ipv4Addr::from(address).into()) else {
                unreachable!()
            };
            prop_assert_eq!(host(Ipv4Addr::from(address)), host(other));
        }

        #[test]
        fn numbers_move_and_stay_apart(one: u32, other: u32) {
            let key = Key::new(b"k");
            prop_assert_ne!(key.number(one, 32), one);
            prop_assert_eq!(one == other, key.number(one, 32) == key.number(other, 32));
            let asn = key.asn(one);
            let kept = one == 0 || one == AS_TRANS || one == 65_535 || one == u32::MAX;
            prop_assert_eq!(asn == one, kept);
            prop_assert_eq!(asn <= 0xffff, one <= 0xffff);
            prop_assert_eq!(one == other, key.asn(one) == key.asn(other));
        }

        #[test]
        fn a_text_keeps_its_length_and_shows_none_of_its_letters(text in "\\PC{0,60}") {
            let mut octets = text.clone().into_bytes();
            Key::new(b"k").text(&mut octets);
            let other = String::from_utf8(octets).unwrap();
            prop_assert_eq!(other.len(), text.len());
            for (one, other) in text.chars().zip(other.chars()) {
                prop_assert!(!one.is_ascii_alphanumeric() || one != other);
            }
        }

        #[test]
        fn scrambled_octets_are_others(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut other = octets.clone();
            Key::new(b"k").scramble(&mut other);
            for (one, other) in octets.iter().zip(&other) {
                prop_assert_eq!(one == other, *one == 0 || *one == 0xff);
                prop_assert_eq!(*other == 0xff || *other == 0, *one == 0xff || *one == 0);
            }
        }
    }

    #[test]
    fn what_is_longer_than_an_address_is_scrambled() {
        for (length, is_ipv6) in [(5, false), (17, true), (300, true)] {
            let mut octets = vec![7; length];
            Key::new(b"k").prefix(&mut octets, 8 * length, is_ipv6);
            assert!(octets.iter().all(|octet| *octet != 7));
        }
    }

    #[test]
    fn another_key_gives_others() {
        let address = |key: &[u8]| Key::new(key).address("192.0.2.1".parse().unwrap());
        let all: BTreeSet<IpAddr> = [&b"a"[..], b"b", b"c"].map(address).into();
        assert_eq!(all.len(), 3);
        assert_ne!(Key::new(b"a").asn(3320), Key::new(b"b").asn(3320));
    }
}
