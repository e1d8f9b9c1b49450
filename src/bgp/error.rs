//! What can be wrong with octets: two kinds of error, and what each asks of the session.
//!
//! The third kind, a mistake in what a person wrote, is [`super::text::TextError`].

use thiserror::Error;

/// Why octets could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecodeErrorKind {
    /// Fewer octets than the field needs.
    Truncated,
    /// Octets left over after the last field.
    Trailing,
    /// A length field that cannot be right.
    Length,
    /// A value that the field's registry or RFC forbids; the text names the field.
    Value(&'static str),
}

/// Octets that are not what their RFC says, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("{} at octet {offset}: {needed} octet(s) needed, {available} available", self.what())]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Offset from the start of what was decoded, in octets.
    pub offset: usize,
    /// Octets that the field needs.
    pub needed: usize,
    /// Octets that there were.
    pub available: usize,
}

impl DecodeError {
    /// The kind in words.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self.kind {
            DecodeErrorKind::Truncated => "truncated",
            DecodeErrorKind::Trailing => "trailing octets",
            DecodeErrorKind::Length => "impossible length",
            DecodeErrorKind::Value(field) => field,
        }
    }
}

/// A value that does not fit its field on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("{field} is {value}, which is more than the limit of {limit}")]
pub struct EncodeError {
    /// The field, in its RFC's words.
    pub field: &'static str,
    /// The value (for a length: octets).
    pub value: usize,
    /// The most that fits.
    pub limit: usize,
}

impl EncodeError {
    /// `field` has `value` where at most `limit` fits.
    #[must_use]
    pub const fn new(field: &'static str, value: usize, limit: usize) -> Self {
        Self {
            field,
            value,
            limit,
        }
    }

    /// Holds the `value` of `field` against the most that fits.
    ///
    /// # Errors
    /// Where it is more.
    pub const fn within(field: &'static str, value: usize, limit: usize) -> Result<(), Self> {
        if value <= limit {
            Ok(())
        } else {
            Err(Self::new(field, value, limit))
        }
    }
}

/// What a malformed attribute asks of the session (RFC 7606 section 2), mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorAction {
    /// Drop the attribute, keep the routes.
    AttributeDiscard,
    /// Treat the routes of the UPDATE as withdrawn.
    TreatAsWithdraw,
    /// Send NOTIFICATION and close.
    SessionReset,
}
