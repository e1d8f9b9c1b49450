//! Closing with RST, where a network can.

/// A connection that can be closed abruptly.
pub trait Abort {
    /// Whether [`abort`](Self::abort) really sends RST; where it does not, a plan with a reset is refused.
    const RESETS: bool;

    /// Whether [`abort_peer`](Self::abort_peer) really does; where it does not, a plan with a reset by the peer is refused.
    const PEER_RESETS: bool = false;

    /// Closes with RST: what was not sent yet is discarded, the peer sees `ConnectionReset`.
    fn abort(self);

    /// Has the other end close with RST: what it sent before still arrives, then `ConnectionReset`.
    fn abort_peer(&mut self) {}
}
