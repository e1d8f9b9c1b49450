//! Reading and writing octets: sub-readers that insist on being consumed, length prefixes filled in afterwards.

use super::error::{DecodeError, DecodeErrorKind, EncodeError};

/// A cursor over received octets that knows its offset in the whole message.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, the first of which is octet 0.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// A reader of `bytes`, the first of which is octet `offset` of its message.
    #[must_use]
    pub const fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, offset }
    }

    /// Offset of the next octet in the message.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Octets left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is left, without consuming it.
    #[must_use]
    pub const fn peek(&self) -> &'a [u8] {
        self.bytes
    }

    /// An error of `kind` at this place.
    #[must_use]
    pub const fn error(&self, kind: DecodeErrorKind, needed: usize) -> DecodeError {
        DecodeError {
            kind,
            offset: self.offset,
            needed,
            available: self.bytes.len(),
        }
    }

    /// The next `length` octets.
    ///
    /// # Errors
    /// `Truncated` where fewer are left.
    #[inline]
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let Some((head, tail)) = self.bytes.split_at_checked(length) else {
            return Err(self.error(DecodeErrorKind::Truncated, length));
        };
        self.bytes = tail;
        self.offset += length;
        Ok(head)
    }

    /// The next `N` octets.
    ///
    /// # Errors
    /// `Truncated` where fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some((head, tail)) = self.bytes.split_first_chunk::<N>() else {
            return Err(self.error(DecodeErrorKind::Truncated, N));
        };
        self.bytes = tail;
        self.offset += N;
        Ok(*head)
    }

    /// A reader of the next `length` octets alone.
    ///
    /// # Errors
    /// `Truncated` where fewer are left.
    #[inline]
    pub fn sub(&mut self, length: usize) -> Result<Reader<'a>, DecodeError> {
        let offset = self.offset;
        Ok(Reader::at(self.bytes(length)?, offset))
    }

    /// One octet.
    ///
    /// # Errors
    /// `Truncated` at the end.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    /// Two octets in network order.
    ///
    /// # Errors
    /// `Truncated` at the end.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Three octets in network order.
    ///
    /// # Errors
    /// `Truncated` at the end.
    #[inline]
    pub fn u24(&mut self) -> Result<u32, DecodeError> {
        let [a, b, c] = self.array()?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    /// Four octets in network order.
    ///
    /// # Errors
    /// `Truncated` at the end.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight octets in network order.
    ///
    /// # Errors
    /// `Truncated` at the end.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// All that is left.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes;
        self.offset += rest.len();
        self.bytes = &[];
        rest
    }

    /// Insists that nothing is left.
    ///
    /// # Errors
    /// `Trailing` where something is.
    #[inline]
    pub const fn finish(self) -> Result<(), DecodeError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(self.error(DecodeErrorKind::Trailing, 0))
        }
    }
}

/// Octets to send: a plain vector, so that callers can append to what they already have.
pub type Writer = Vec<u8>;

/// The width of a length prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// One octet.
    U8,
    /// Two octets.
    U16,
}

/// Appends the octets of each item of `N` octets, with room made for all of them at once.
#[inline]
pub fn extend_chunks<const N: usize>(
    out: &mut Writer,
    items: impl ExactSizeIterator<Item = [u8; N]>,
) {
    out.reserve(N * items.len());
    for item in items {
        out.extend_from_slice(&item);
    }
}

/// Appends the first `length` of `octets`: a copy of fixed size and a cut, which is quicker than a copy of any size.
#[inline]
pub fn extend_part<const N: usize>(out: &mut Writer, octets: [u8; N], length: usize) {
    out.extend_from_slice(&octets);
    let excess = N.saturating_sub(length);
    out.truncate(out.len() - excess);
}

/// Writes a length prefix, then what `body` writes, then fills the prefix in.
///
/// # Errors
/// `body`'s own, or [`EncodeError`] naming `field` where the body is longer than the prefix can say.
/// On an error `out` is left as it was.
#[inline]
pub fn length_prefixed(
    out: &mut Writer,
    field: &'static str,
    prefix: Prefix,
    body: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let (width, limit) = match prefix {
        Prefix::U8 => (1, usize::from(u8::MAX)),
        Prefix::U16 => (2, usize::from(u16::MAX)),
    };
    match prefix {
        Prefix::U8 => out.push(0),
        Prefix::U16 => out.extend_from_slice(&[0, 0]),
    }
    let outcome = body(out).and_then(|()| {
        let length = out.len() - start - width;
        if length > limit {
            return Err(EncodeError::new(field, length, limit));
        }
        let [high, low] = (length as u16).to_be_bytes();
        match (prefix, &mut out[start..]) {
            (Prefix::U8, [first, ..]) => *first = low,
            (Prefix::U16, [first, second, ..]) => (*first, *second) = (high, low),
            _ => {}
        }
        Ok(())
    });
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}
