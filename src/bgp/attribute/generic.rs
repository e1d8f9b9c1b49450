//! An attribute by its code, flags and octets: unknown ones as they came, configured ones as they were written.

use super::Flags;

/// Any attribute, uninterpreted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generic {
    /// Type code.
    pub code: u8,
    /// Flags, sent as they are.
    pub flags: Flags,
    /// The value.
    pub value: Vec<u8>,
}
