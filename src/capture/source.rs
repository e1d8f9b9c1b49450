//! Octets of a file through one bounded buffer that knows where it is.

use std::io::{self, Read};

use super::decompress::{Octets, is_end};
use super::error::{CaptureError, CaptureErrorKind};

const CHUNK: usize = 256 * 1024;

/// A forward-only window over a file.
///
/// It holds what was asked for and at most one chunk more.
#[derive(Debug)]
pub(super) struct Source<R: Read> {
    inner: Octets<R>,
    name: String,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset in the file of `buffer[start]`.
    offset: u64,
    /// Why nothing more can be read; reported once everything before it is used.
    fault: Option<CaptureErrorKind>,
}

impl<R: Read> Source<R> {
    pub(super) fn new(name: impl Into<String>, inner: R) -> Self {
        Self {
            inner: Octets::Plain(inner),
            name: name.into(),
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            offset: 0,
            fault: None,
        }
    }

    /// Reads on decompressed where what is ready begins as a compressed file does. Says whether it does.
    pub(super) fn decompress(&mut self) -> bool {
        let is_compressed = self.inner.decompress(&self.buffer[self.start..self.end]);
        if is_compressed {
            (self.start, self.end, self.offset) = (0, 0, 0);
        }
        is_compressed
    }

    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// An error `back` octets before the present place.
    pub(super) fn error(&self, back: usize, kind: CaptureErrorKind) -> CaptureError {
        CaptureError {
            file: self.name.clone(),
            offset: self.offset.saturating_sub(back as u64),
            kind,
        }
    }

    /// Buffers `length` octets, or as many as the file still has, and says how many there are (it may be more).
    #[inline]
    pub(super) fn fill(&mut self, length: usize) -> Result<usize, CaptureError> {
        let ready = self.end - self.start;
        if ready >= length {
            return Ok(ready);
        }
        self.refill(length)
    }

    #[cold]
    fn refill(&mut self, length: usize) -> Result<usize, CaptureError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        while self.end < length {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let is_compressed = !self.inner.is_plain();
                    self.fault = Some(match is_compressed && is_end(&error) {
                        true => CaptureErrorKind::CompressedTruncated,
                        false => error.into(),
                    });
                    break;
                }
            }
        }
        if self.end < length
            && let Some(fault) = self.fault.take()
        {
            return Err(self.error(0, fault));
        }
        Ok(self.end)
    }

    /// Insists on `length` octets of `what`.
    #[inline]
    pub(super) fn need(&mut self, length: usize, what: &'static str) -> Result<(), CaptureError> {
        let available = self.fill(length)?;
        if available < length {
            return Err(self.truncated(what, length as u64, available as u64));
        }
        Ok(())
    }

    fn truncated(&self, what: &'static str, needed: u64, available: u64) -> CaptureError {
        self.error(
            0,
            CaptureErrorKind::Truncated {
                what,
                needed,
                available,
            },
        )
    }

    /// The `length` octets from here, which [`Self::fill`] or [`Self::need`] made ready.
    #[inline]
    pub(super) fn peek(&self, length: usize) -> &[u8] {
        &self.buffer[self.start..self.start + length]
    }

    /// As [`Self::peek`], of fixed length, `at` octets on.
    #[inline]
    pub(super) fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&self.buffer[self.start + at..self.start + at + N]);
        array
    }

    /// Steps over `length` ready octets.
    #[inline]
    pub(super) const fn consume(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
    }

    /// Octets just stepped over: `length` of them, the last of them `trailer` octets before the present place.
    #[inline]
    pub(super) fn behind(&self, trailer: usize, length: usize) -> &[u8] {
        let end = self.start - trailer;
        &self.buffer[end - length..end]
    }

    /// Steps over `length` octets of `what` without holding them.
    pub(super) fn skip(&mut self, length: u64, what: &'static str) -> Result<(), CaptureError> {
        let mut left = length;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let ready = self.fill(want)?.min(want);
            if ready < want {
                let available = length - left + ready as u64;
                return Err(self.truncated(what, length, available));
            }
            self.consume(ready);
            left -= ready as u64;
        }
        Ok(())
    }
}
