//! What a socket is ready for.

/// What `poll(2)` says of a socket; none of it is consumed by looking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A read gives octets, the end, or an error (`POLLIN`).
    pub readable: bool,
    /// A third of the send buffer is free, or a write gives an error (`POLLOUT`).
    pub writable: bool,
    /// The peer sends no more (`POLLRDHUP`).
    pub peer_closed: bool,
    /// Neither end sends any more (`POLLHUP`).
    pub hung_up: bool,
    /// There is an error to take (`POLLERR`).
    pub error: bool,
}
