//! The settings of a world.

use std::time::Duration;

use crate::sim::link::Link;
use crate::sim::seed::Seed;

/// What holds for every connection of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Feeds jitter, and nothing else.
    pub seed: Seed,
    /// Any path that has no link of its own.
    pub link: Link,
    /// A socket's send buffer, in octets.
    pub send_buffer: usize,
    /// A socket's receive buffer, in octets: its largest window.
    pub receive_buffer: usize,
    /// The most octets in a segment.
    pub segment: usize,
    /// Connections that wait to be accepted; beyond it SYNs are dropped, and sent again.
    pub backlog: usize,
    /// How long sent octets may go unacknowledged before the connection times out.
    pub retransmission_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: Seed(0),
            link: Link::default(),
            send_buffer: 65_536,
            receive_buffer: 65_536,
            segment: 1_460,
            backlog: 128,
            // Linux's tcp_retries2 of 15.
            retransmission_timeout: Duration::from_secs(924),
        }
    }
}
