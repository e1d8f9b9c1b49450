//! The states of RFC 4271 section 8.2.2.

use std::fmt;

/// A state of the finite state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum State {
    /// No connection, none wanted now.
    #[default]
    Idle,
    /// A connection is being opened, or has just opened.
    Connect,
    /// Waiting for the peer to connect.
    Active,
    /// OPEN sent, that of the peer awaited.
    OpenSent,
    /// Both OPENs are there, a KEEPALIVE is awaited.
    OpenConfirm,
    /// Routes may flow.
    Established,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Idle,
        Self::Connect,
        Self::Active,
        Self::OpenSent,
        Self::OpenConfirm,
        Self::Established,
    ];
}

impl fmt::Display for State {
    /// ExaBGP's name for it: `OPENSENT`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Idle => "IDLE",
            Self::Connect => "CONNECT",
            Self::Active => "ACTIVE",
            Self::OpenSent => "OPENSENT",
            Self::OpenConfirm => "OPENCONFIRM",
            Self::Established => "ESTABLISHED",
        })
    }
}
