//! What counts as a difference.

use std::time::Duration;

use super::context::Declared;
use super::ignore::Ignored;

/// What counts as a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Compare routes with their attributes instead of octets.
    pub canonical: bool,
    /// Compare times since the connection was opened, KEEPALIVEs among them: how far they may lie apart.
    pub timing: Option<Duration>,
    /// Compare KEEPALIVEs as other messages, in count and place.
    pub keepalives: bool,
    /// Compare how and where connections end.
    pub endings: bool,
    /// What the user says of how UPDATEs are written.
    pub declared: Declared,
    /// Fields that are not compared, and addresses that stand for each other.
    pub ignored: Ignored,
    /// Differences of each stream to give in full.
    pub keep: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            canonical: false,
            timing: None,
            keepalives: false,
            endings: true,
            declared: Declared::default(),
            ignored: Ignored::default(),
            keep: 100,
        }
    }
}
