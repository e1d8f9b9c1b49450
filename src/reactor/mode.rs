//! Which of the two reactors.

use std::fmt;
use std::str::FromStr;

/// The reactor of our own speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// [`super::polled`]: a single poll loop.
    #[default]
    Sync,
    /// [`super::tasks`]: one task per peer.
    Async,
}

impl Mode {
    /// Both reactors, `sync` first.
    pub const ALL: [Self; 2] = [Self::Sync, Self::Async];
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sync => "sync",
            Self::Async => "async",
        })
    }
}

/// A word that is no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a reactor mode: expected `sync` or `async`")]
pub struct UnknownMode(pub String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.to_string() == text)
            .ok_or_else(|| UnknownMode(text.to_owned()))
    }
}
