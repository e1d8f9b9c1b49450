//! The settings of a world.

use crate::sim::link::Link;
use crate::sim::seed::Seed;
use crate::sim::sysctl::TcpSettings;

/// What holds for every connection of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Feeds jitter and loss, and nothing else.
    pub seed: Seed,
    /// Any path that has no link of its own.
    pub link: Link,
    /// A socket's send buffer, in octets: what is unsent, or not acknowledged.
    pub send_buffer: usize,
    /// A socket's receive buffer, in octets: its largest window.
    pub receive_buffer: usize,
    /// The most octets in a segment.
    pub segment: usize,
    /// Connections that wait to be accepted, less one, as for `listen(2)`; beyond it SYNs are dropped, and sent again.
    pub backlog: usize,
    /// How the TCP of a host is set that is not set on its own ([`SimHost::set_tcp`](crate::sim::SimHost::set_tcp)).
    pub tcp: TcpSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: Seed(0),
            link: Link::default(),
            // What Linux tunes it to is ten times that; what a peer does not read is unread either way.
            send_buffer: 131_072,
            receive_buffer: 65_536,
            segment: 1_460,
            backlog: 128,
            tcp: TcpSettings::default(),
        }
    }
}
