//! What identifies a run of guests: a hash over every answered call, its time and its result.

use sha2::{Digest, Sha256};

/// The hash so far, and the calls themselves where they are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace {
    hash: Sha256,
    count: u64,
    /// The calls as text, where asked for.
    pub kept: Option<Vec<String>>,
}

impl Trace {
    /// Feeds one answered call.
    pub(super) fn call(&mut self, now: i64, thread: i32, number: i64, value: i64) {
        self.count += 1;
        let mut record = [0; 28];
        record[..8].copy_from_slice(&now.to_le_bytes());
        record[8..12].copy_from_slice(&thread.to_le_bytes());
        record[12..20].copy_from_slice(&number.to_le_bytes());
        record[20..].copy_from_slice(&value.to_le_bytes());
        self.hash.update(record);
        if let Some(kept) = &mut self.kept {
            let name = super::registers::name_of(number);
            kept.push(format!("{:.6} {thread} {name} = {value}", now as f64 / 1e9));
        }
    }

    /// Feeds octets that went in or out.
    pub(super) fn octets(&mut self, octets: &[u8]) {
        self.hash.update((octets.len() as u64).to_le_bytes());
        self.hash.update(octets);
    }

    /// Feeds how many octets went from one process of a host to another. They may hold addresses of its memory (as
    /// OpenBGPD's messages do), which differ from run to run where the machine does not let its randomisation be disabled.
    pub(super) fn local_octets(&mut self, count: usize) {
        self.hash.update((count as u64).to_le_bytes());
    }

    /// Feeds something that is no call.
    pub(super) fn event(&mut self, now: i64, thread: i32, what: &str) {
        self.hash.update(now.to_le_bytes());
        self.hash.update(what.as_bytes());
        if let Some(kept) = &mut self.kept {
            kept.push(format!("{:.6} {thread} {what}", now as f64 / 1e9));
        }
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
