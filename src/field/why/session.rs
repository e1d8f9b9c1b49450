//! A session and what surrounds it: its TCP connection, and what came after it between the same two hosts.

use std::net::IpAddr;

use super::flow::TcpFlow;
use super::lane::Lane;
use super::talk::{Talk, Voice};
use crate::capture::{ConnectionId, StreamDirection};

/// What happened between the same two hosts after a session had ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Later {
    /// When a connection was tried or opened next.
    pub(super) tried: Option<u64>,
    /// The end that refused it.
    pub(super) refused_by: Option<IpAddr>,
    /// When BGP was spoken again.
    pub(super) resumed: Option<u64>,
    /// The end whose next OPEN says that it has restarted (RFC 4724 section 3, the R bit).
    pub(super) restarted: Option<IpAddr>,
}

/// A session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) talk: &'a Talk,
    pub(super) flow: Option<&'a TcpFlow>,
    pub(super) later: Later,
    /// Another connection between the same hosts that was open at the same time.
    pub(super) beside: Option<ConnectionId>,
    /// When the capture ends.
    pub(super) end: u64,
}

impl<'a> Session<'a> {
    /// The address of who sends in `direction`.
    pub(super) const fn end_of(&self, direction: StreamDirection) -> IpAddr {
        self.talk.connection.id.peer.sender(direction)
    }

    pub(super) const fn voice(&self, direction: StreamDirection) -> &'a Voice {
        self.talk.voice(direction)
    }

    pub(super) fn lane(&self, direction: StreamDirection) -> Option<&'a Lane> {
        self.flow.map(|flow| flow.lane(direction))
    }
}

/// `90.004 s`, `12.5 ms`, `100 µs`.
pub fn duration(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000_000 => format!("{} µs", nanoseconds / 1_000),
        1_000_000..1_000_000_000 => {
            format!(
                "{}.{} ms",
                nanoseconds / 1_000_000,
                nanoseconds % 1_000_000 / 100_000
            )
        }
        _ => format!(
            "{}.{:03} s",
            nanoseconds / 1_000_000_000,
            nanoseconds % 1_000_000_000 / 1_000_000
        ),
    }
}
