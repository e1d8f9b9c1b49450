//! Randomness, the same on every run: getrandom(2), `/dev/urandom`, AT_RANDOM.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::memory::MOST;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[(libc::SYS_getrandom, getrandom)];

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut octets = Vec::with_capacity(count + 8);
        while octets.len() < count {
            octets.extend(self.next().to_le_bytes());
        }
        octets.truncate(count);
        octets
    }

    /// A number below `bound`, or 0 where `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(bound);
        (product >> 64) as u64
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

fn getrandom(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let octets = host.kernel.random.octets(call.size(1).min(MOST));
    host.write(call, call.address(0), &octets)?;
    Ok(Answer::Value(octets.len() as i64))
}
