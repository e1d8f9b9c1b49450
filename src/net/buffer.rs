//! Buffers for reads, used again: a run makes several of 64 KiB, and clearing each costs more than most reads.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// How many buffers a thread keeps for the next that asks.
const KEPT: usize = 8;

thread_local! {
    static KEPT_BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer to read into. What is in it before a read is of no meaning: it may be what an earlier one left.
#[derive(Debug)]
pub struct ReadBuffer(Vec<u8>);

impl ReadBuffer {
    /// A buffer of `size` bytes.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let kept = KEPT_BUFFERS.with_borrow_mut(|kept| {
            let at = kept.iter().position(|buffer| buffer.len() == size)?;
            Some(kept.swap_remove(at))
        });
        Self(kept.unwrap_or_else(|| vec![0; size]))
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // At the end of a thread there is nothing left to keep it in.
        let _ = KEPT_BUFFERS.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(buffer);
            }
        });
    }
}

impl Deref for ReadBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for ReadBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_by_one_of_its_size() {
        let first = ReadBuffer::new(4_096);
        let at = first.as_ptr();
        drop(first);
        assert_eq!(ReadBuffer::new(100).len(), 100);
        let again = ReadBuffer::new(4_096);
        assert_eq!((again.as_ptr(), again.len()), (at, 4_096));
    }
}
